/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STACK_STRESS_HELPERS_H
#define _STACK_STRESS_HELPERS_H

#include <linux/types.h>

struct file;
struct mem_cgroup;

bool stack_stress_call_at(unsigned long sp,
			  void (*body)(void *frame, size_t bytes, void *arg),
			  void *arg);
bool stack_stress_has_checks(void);
unsigned long stack_stress_voluntary_switches(void);
long stack_stress_doze(long time, bool *preempted);
unsigned long stack_stress_drop_cache(struct file *file);

struct mem_cgroup *stack_stress_get_memcg(void);
void stack_stress_put_memcg(struct mem_cgroup *memcg);
struct mem_cgroup *stack_stress_set_active_memcg(struct mem_cgroup *memcg);
unsigned long stack_stress_reclaimed_pages(void);

#endif
