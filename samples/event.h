/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STACK_STRESS_EVENT_H
#define _STACK_STRESS_EVENT_H

#include <linux/types.h>

struct stack_stress_found;

/* What Rust calls. The index of an event is its place in the table of visit.c. */
int stack_stress_begin_event(unsigned int event_index);
void stack_stress_end_event(unsigned int event_index);
int stack_stress_visit(unsigned int event_index, unsigned long sp,
		       unsigned long floor, unsigned long seed,
		       unsigned long target, struct stack_stress_found *found);

void stack_stress_answer(void);

unsigned long stack_stress_map_pages(unsigned long bytes);

int stack_stress_begin_nmis(void);
void stack_stress_end_nmis(void);
unsigned long stack_stress_nmis_handled(void);
unsigned long stack_stress_nmis_walked(void);
unsigned long stack_stress_nmis_astray(void);
void stack_stress_send_nmi(unsigned int cpu);

#endif
