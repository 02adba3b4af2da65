// SPDX-License-Identifier: GPL-2.0
/*
 * Visits to a place of the stack, and what handlers of events find out there.
 *
 * This is C because handlers of hard interrupts and NMIs have no abstraction in
 * Rust, and because it needs inline functions.
 */

#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/stddef.h>

#include <asm/msr.h>
#include <asm/tsc.h>
#include <asm/unwind.h>

#include "apic.h"
#include "event.h"
#include "helpers.h"
#include "visit.h"

/* An event that takes longer is lost, even on an emulated CPU that has to wait. */
#define BUDGET_MS	5000

/* What is between the stack pointer here and the patterns, at most. */
#define OWN_FRAMES	512

/* After so many lost events all is said, and each takes until its deadline. */
#define MOST_LOST	4

DEFINE_PER_CPU(struct stack_stress_visit *, stack_stress_visit_here);

static atomic_t lost;

static const struct stack_stress_event *const events[] = {
	&stack_stress_timer,
	&stack_stress_ipi,
	&stack_stress_cross_ipi,
	&stack_stress_nmi,
	&stack_stress_user_fault,
	&stack_stress_int3,
	&stack_stress_breakpoint,
	&stack_stress_warn,
	&stack_stress_gp,
};

static_assert(offsetof(struct stack_stress_visit, sp) == VISIT_SP);
static_assert(offsetof(struct stack_stress_visit, floor) == VISIT_FLOOR);
static_assert(offsetof(struct stack_stress_visit, seed) == VISIT_SEED);
static_assert(offsetof(struct stack_stress_visit, deadline) == VISIT_DEADLINE);
static_assert(offsetof(struct stack_stress_visit, handled) == VISIT_HANDLED);
static_assert(offsetof(struct stack_stress_visit, passed) == VISIT_PASSED);
static_assert(offsetof(struct stack_stress_visit, target) == VISIT_TARGET);
static_assert(offsetof(struct stack_stress_visit, value) == VISIT_VALUE);
static_assert(offsetof(struct stack_stress_visit, bad_registers) == VISIT_BAD_REGISTERS);
static_assert(offsetof(struct stack_stress_visit, bad_address) == VISIT_BAD_ADDRESS);
static_assert(offsetof(struct stack_stress_visit, bad_word) == VISIT_BAD_WORD);
static_assert(offsetof(struct stack_stress_visit, checked) == VISIT_CHECKED);

/*
 * Walk the stacks of the running thread, from here on, and return whether the
 * walk came to its end.
 */
noinline bool stack_stress_walk(struct stack_stress_walk *walk)
{
	struct unwind_state state;

	walk->frames = 0;
	walk->interrupted_sp = 0;
	for (unwind_start(&state, current, NULL, NULL); !unwind_done(&state);
	     unwind_next_frame(&state)) {
		unsigned long address = unwind_get_return_address(&state);
		struct pt_regs *regs = unwind_get_entry_regs(&state, NULL);

		if (!address)
			return regs && user_mode(regs);
		if (regs && !walk->interrupted_sp)
			walk->interrupted_sp = regs->sp;
		if (walk->frames < VISIT_FRAMES)
			walk->addresses[walk->frames] = address;
		walk->frames++;
	}
	return !unwind_error(&state);
}

/*
 * Does the walk from a handler end as the thread's own walk did? The innermost
 * frames differ: the thread's own call of the walk, and what was interrupted.
 */
static bool same_end(const struct stack_stress_walk *own,
		     const struct stack_stress_walk *seen)
{
	unsigned int common = own->frames - 2;

	return own->frames > 2 && seen->frames > common && seen->frames <= VISIT_FRAMES &&
	       !memcmp(own->addresses + 2, seen->addresses + seen->frames - common,
		       common * sizeof(*own->addresses));
}

/* A handler calls this to look at what it has interrupted. */
void stack_stress_seen(struct stack_stress_visit *visit)
{
	stack_stress_walk(&visit->seen);
	if (visit->seen.interrupted_sp == visit->sp)
		visit->at_place++;
	if (same_end(&visit->expected, &visit->seen))
		visit->walked++;
}

/* A handler calls this once it is done; the visit may end at once. */
void stack_stress_handled(struct stack_stress_visit *visit)
{
	WRITE_ONCE(visit->handled, visit->handled + 1);
}

/* What is in the slot below the page that @floor is in? */
static void look_below(unsigned long floor, struct stack_stress_found *found)
{
	unsigned int level;
	pte_t *pte = lookup_address(ALIGN_DOWN(floor, PAGE_SIZE) - 1, &level);

	found->unmapped = !pte || !(pte_flags(*pte) & _PAGE_PRESENT);
	found->untouched = found->unmapped || !pte_young(*pte);
}

static void visit_place(const struct stack_stress_event *event,
			struct stack_stress_visit *visit,
			struct stack_stress_found *found)
{
	if (!event->preemptible)
		preempt_disable();
	local_irq_disable();
	visit->cpu = smp_processor_id();
	if (!event->preemptible)
		this_cpu_write(stack_stress_visit_here, visit);
	look_below(visit->floor, found);
	event->prepare(visit);
	visit->deadline = rdtsc() + (u64)tsc_khz * BUDGET_MS;
	stack_stress_walk(&visit->expected);
	event->at_place(visit);
	if (event->count)
		event->count(visit);
	found->raised = visit->raised;
	found->handled = visit->handled;
	found->at_place = visit->at_place;
	found->walked = visit->walked;
	found->in_service = stack_stress_redo_lost_interrupts();
	/* Now: once preemption is on, the next visit may run before this one ends. */
	if (found->handled < found->raised)
		atomic_inc(&lost);
	local_irq_enable();
	if (!event->preemptible) {
		this_cpu_write(stack_stress_visit_here, NULL);
		preempt_enable();
	}
}

/*
 * Let @event happen while the stack pointer of the running thread, which must be
 * bound to its CPU, is @sp. Patterns of @seed fill the stack from @floor up to
 * the thread's own frames. @target is for the event. Returns -ECANCELED if too
 * many events were lost before.
 */
int stack_stress_visit(unsigned int event_index, unsigned long sp,
		       unsigned long floor, unsigned long seed,
		       unsigned long target, struct stack_stress_found *found)
{
	const struct stack_stress_event *event = events[event_index];
	struct stack_stress_visit *visit;
	bool unused = true;

	if (max(sp, floor) + OWN_FRAMES > current_stack_pointer)
		return -EINVAL;
	if (atomic_read(&lost) >= MOST_LOST)
		return -ECANCELED;
	visit = kzalloc_obj(*visit);
	if (!visit)
		return -ENOMEM;
	visit->sp = sp;
	visit->floor = floor;
	visit->seed = seed;
	visit->raised = true;
	visit->target = target;
	visit->checked = stack_stress_has_checks();
	visit_place(event, visit, found);
	if (event->finish)
		unused = event->finish(visit);
	found->late = visit->handled - found->handled;
	found->bad_registers = visit->bad_registers;
	found->bad_address = visit->bad_address;
	found->bad_word = visit->bad_word;
	if (unused)
		kfree(visit);
	else
		__module_get(THIS_MODULE);
	return 0;
}

int stack_stress_begin_event(unsigned int event_index)
{
	const struct stack_stress_event *event = events[event_index];

	if (!stack_stress_has_apic())
		return -ENODEV;
	atomic_set(&lost, 0);
	return event->begin ? event->begin() : 0;
}

void stack_stress_end_event(unsigned int event_index)
{
	const struct stack_stress_event *event = events[event_index];

	if (event->end)
		event->end();
}
