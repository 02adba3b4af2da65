// SPDX-License-Identifier: GPL-2.0
/*
 * What a write to the stack and an interrupt take, in ticks of the TSC.
 *
 * This is C because it needs inline functions and inline assembly.
 */

#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/thread_info.h>

#include <asm/msr.h>
#include <asm/processor.h>

#include "helpers.h"
#include "ticks.h"

#define INTERRUPTS	8

/*
 * Return what one write takes that is @below bytes below the stack pointer; with the
 * method probe, what some frames with checks take on the way there. Nobody else uses
 * that part of the stack meanwhile: interrupts are off.
 */
u64 stack_stress_ticks_of_write(unsigned long below)
{
	u8 *place = (u8 *)(current_stack_pointer - below);
	unsigned long flags;
	bool checks = stack_stress_has_checks();
	u64 before, after;

	local_irq_save(flags);
	before = rdtsc_ordered();
	if (checks)
		stack_stress_go_down(below, true);
	else
		asm volatile("movb $0, (%0)" : : "r" (place) : "memory");
	after = rdtsc_ordered();
	local_irq_restore(flags);
	return after - before;
}

static void do_nothing(struct irq_work *work)
{
}

static u64 ticks_of_one_interrupt(void)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(do_nothing);
	u64 before, after;

	local_irq_disable();
	irq_work_queue(&work);
	before = rdtsc_ordered();
	local_irq_enable();
	while (irq_work_is_busy(&work))
		cpu_relax();
	after = rdtsc_ordered();
	return after - before;
}

/*
 * Return what an interrupt takes that does nothing and was pending: the least of a
 * few, since the first ones may have softirqs to run.
 */
u64 stack_stress_ticks_of_interrupt(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < INTERRUPTS; i++)
		least = min(least, ticks_of_one_interrupt());
	return least;
}
