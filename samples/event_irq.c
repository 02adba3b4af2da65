// SPDX-License-Identifier: GPL-2.0
/* Interrupts: of the timer, from this CPU and from another one. */

#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/smp.h>

#include "event.h"
#include "visit.h"

/* Expired before the stack pointer is at its place. */
#define TIMER_NS	1000
/* How long an interrupt that was lost and raised anew may take. */
#define LATE_MS		100

/* The visit that wants an interrupt from another CPU. */
struct stack_stress_visit *stack_stress_asking;

static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	struct stack_stress_visit *visit =
		container_of(timer, struct stack_stress_visit, timer);

	stack_stress_seen(visit);
	stack_stress_handled(visit);
	return HRTIMER_NORESTART;
}

static void prepare_timer(struct stack_stress_visit *visit)
{
	hrtimer_setup(&visit->timer, timer_fired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(&visit->timer, ns_to_ktime(TIMER_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

static bool finish_timer(struct stack_stress_visit *visit)
{
	hrtimer_cancel(&visit->timer);
	return true;
}

const struct stack_stress_event stack_stress_timer = {
	.prepare = prepare_timer,
	.at_place = stack_stress_wait_at_place,
	.finish = finish_timer,
};

static void work_run(struct irq_work *work)
{
	struct stack_stress_visit *visit =
		container_of(work, struct stack_stress_visit, work);

	stack_stress_seen(visit);
	stack_stress_handled(visit);
}

/* Sends the interrupt, which stays pending while interrupts are off. */
static void prepare_ipi(struct stack_stress_visit *visit)
{
	visit->work = IRQ_WORK_INIT_HARD(work_run);
	irq_work_queue(&visit->work);
}

/* An interrupt that never comes keeps the visit in its list. */
static bool finish_ipi(struct stack_stress_visit *visit)
{
	int ms;

	if (!visit->raised)
		return true;
	for (ms = 0; !READ_ONCE(visit->handled) && ms < LATE_MS; ms++)
		mdelay(1);
	return READ_ONCE(visit->handled);
}

const struct stack_stress_event stack_stress_ipi = {
	.prepare = prepare_ipi,
	.at_place = stack_stress_wait_at_place,
	.finish = finish_ipi,
};

static void called(void *visit)
{
	stack_stress_seen(visit);
	stack_stress_handled(visit);
}

static void prepare_cross_ipi(struct stack_stress_visit *visit)
{
	INIT_CSD(&visit->csd, called, visit);
}

/* Nobody has answered, and now nobody will. */
static void withdraw(struct stack_stress_visit *visit)
{
	if (cmpxchg(&stack_stress_asking, visit, NULL) == visit)
		visit->raised = false;
}

const struct stack_stress_event stack_stress_cross_ipi = {
	.prepare = prepare_cross_ipi,
	.at_place = stack_stress_ask_at_place,
	.count = withdraw,
	.finish = finish_ipi,
};

/* Send an interrupt to the CPU of the thread that asks for one, if any does. */
void stack_stress_answer(void)
{
	struct stack_stress_visit *visit;

	if (!READ_ONCE(stack_stress_asking))
		return;
	visit = xchg(&stack_stress_asking, NULL);
	if (visit)
		smp_call_function_single_async(visit->cpu, &visit->csd);
}
