/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STACK_STRESS_TICKS_H
#define _STACK_STRESS_TICKS_H

#include <linux/types.h>

u64 stack_stress_ticks_of_write(unsigned long below);
u64 stack_stress_ticks_of_interrupt(void);

/* In visit_x86_64.S. */
void stack_stress_go_down(unsigned long bytes, bool checks);

#endif
