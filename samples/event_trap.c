// SPDX-License-Identifier: GPL-2.0
/* What an instruction raises: breakpoints of two kinds, and faults. */

#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "event.h"
#include "visit.h"

#ifdef CONFIG_KPROBES

static int before_step(struct kprobe *probe, struct pt_regs *regs)
{
	stack_stress_seen(this_cpu_read(stack_stress_visit_here));
	return 0;
}

/* Because this is here, the probe stays an int3 and a single step. */
static void after_step(struct kprobe *probe, struct pt_regs *regs,
		       unsigned long flags)
{
	stack_stress_handled(this_cpu_read(stack_stress_visit_here));
}

static struct kprobe probe;

static int begin_int3(void)
{
	probe = (struct kprobe) {
		.addr = (kprobe_opcode_t *)stack_stress_int3_site,
		.pre_handler = before_step,
		.post_handler = after_step,
	};
	return register_kprobe(&probe);
}

static void end_int3(void)
{
	unregister_kprobe(&probe);
}

#else

static int begin_int3(void)
{
	return -EOPNOTSUPP;
}

static void end_int3(void)
{
}

#endif /* CONFIG_KPROBES */

static void prepare_nothing(struct stack_stress_visit *visit)
{
}

const struct stack_stress_event stack_stress_int3 = {
	.begin = begin_int3,
	.end = end_int3,
	.prepare = prepare_nothing,
	.at_place = stack_stress_int3_at_place,
};

static unsigned long watched;

#ifdef CONFIG_HAVE_HW_BREAKPOINT

static struct perf_event * __percpu *breakpoint;

static void watched_written(struct perf_event *event,
			    struct perf_sample_data *data, struct pt_regs *regs)
{
	struct stack_stress_visit *visit = this_cpu_read(stack_stress_visit_here);

	stack_stress_seen(visit);
	stack_stress_handled(visit);
}

static int begin_breakpoint(void)
{
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)&watched;
	attr.bp_len = sizeof(watched);
	attr.bp_type = HW_BREAKPOINT_W;
	breakpoint = register_wide_hw_breakpoint(&attr, watched_written, NULL);
	return IS_ERR_PCPU(breakpoint) ? PTR_ERR_PCPU(breakpoint) : 0;
}

static void end_breakpoint(void)
{
	unregister_wide_hw_breakpoint(breakpoint);
}

#else

static int begin_breakpoint(void)
{
	return -EOPNOTSUPP;
}

static void end_breakpoint(void)
{
}

#endif /* CONFIG_HAVE_HW_BREAKPOINT */

static void prepare_breakpoint(struct stack_stress_visit *visit)
{
	visit->target = (unsigned long)&watched;
}

const struct stack_stress_event stack_stress_breakpoint = {
	.begin = begin_breakpoint,
	.end = end_breakpoint,
	.prepare = prepare_breakpoint,
	.at_place = stack_stress_watch_at_place,
};

/* There is no handler: what counts is that the thread went on behind it. */
static void count_passed(struct stack_stress_visit *visit)
{
	visit->handled = visit->passed;
	visit->at_place = visit->passed;
}

const struct stack_stress_event stack_stress_warn = {
	.prepare = prepare_nothing,
	.at_place = stack_stress_warn_at_place,
	.count = count_passed,
};

const struct stack_stress_event stack_stress_gp = {
	.prepare = prepare_nothing,
	.at_place = stack_stress_gp_at_place,
	.count = count_passed,
};

/*
 * Map @bytes of anonymous memory into the running process and return where, or
 * 0. That it is meant for a stack keeps huge pages away: each page has to fault.
 */
unsigned long stack_stress_map_pages(unsigned long bytes)
{
	unsigned long start = vm_mmap(NULL, 0, bytes, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, 0);

	return IS_ERR_VALUE(start) ? 0 : start;
}

static void prepare_user_fault(struct stack_stress_visit *visit)
{
	visit->faults = current->min_flt;
}

/* Handled is one fault, after which the page is there and holds the seed. */
static void count_user_fault(struct stack_stress_visit *visit)
{
	unsigned long word;

	if (current->min_flt - visit->faults != 1 ||
	    copy_from_user_nofault(&word, (void __user *)visit->target, sizeof(word)) ||
	    word != visit->seed)
		return;
	count_passed(visit);
}

const struct stack_stress_event stack_stress_user_fault = {
	.prepare = prepare_user_fault,
	.at_place = stack_stress_store_at_place,
	.count = count_user_fault,
	.preemptible = true,
};
