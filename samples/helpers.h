/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STACK_STRESS_HELPERS_H
#define _STACK_STRESS_HELPERS_H

#include <linux/types.h>

struct file;

bool stack_stress_call_at(unsigned long sp,
			  void (*body)(void *frame, size_t bytes, void *arg),
			  void *arg);
unsigned long stack_stress_voluntary_switches(void);
unsigned long stack_stress_drop_cache(struct file *file);

#endif
