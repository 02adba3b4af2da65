/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STACK_STRESS_APIC_H
#define _STACK_STRESS_APIC_H

#include <linux/types.h>

struct stack_stress_visit;

bool stack_stress_has_apic(void);
void stack_stress_prepare_nmi(struct stack_stress_visit *visit);
unsigned int stack_stress_redo_lost_interrupts(void);

#endif
