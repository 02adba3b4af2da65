// SPDX-License-Identifier: GPL-2.0
/* NMIs, one that a visit sends to its own CPU or a storm of them. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/kallsyms.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/nmi.h>

#include "apic.h"
#include "event.h"
#include "visit.h"

#define NAME	"stack_stress"

/* One NMI of so many in a storm. */
#define READ_EVERY	8

static atomic_long_t nmis_handled;
/* Of these, after how many a walk of the stack came to its end. */
static atomic_long_t nmis_walked;
/* And after how many it did not, although a thread was on its own stack. */
static atomic_long_t nmis_astray;
static DEFINE_PER_CPU(struct stack_stress_walk, storm_walk);
static DEFINE_PER_CPU(char [KSYM_SYMBOL_LEN], storm_symbol);

/* The first walk that ended early while a thread was on its own stack. */
static struct {
	/* What the NMI interrupted, and the depth there. */
	unsigned long interrupted;
	unsigned long depth;
	/* Where the walk ended. */
	unsigned long last;
} short_walk;

/* In the middle of a context switch, a thread is on the stack of another one. */
static unsigned long depth_on_own_stack(struct pt_regs *regs)
{
	return (unsigned long)task_stack_page(current) + THREAD_SIZE - regs->sp;
}

/*
 * error_entry() keeps its own return address in a register for a while, and behind
 * the call of it, at "mov %rax, %rsp", the registers are on the stack already. There
 * the ORC data is wrong, whatever the method.
 */
static bool orc_is_wrong_at(unsigned long ip)
{
	static const u8 mov_rax_rsp[] = { 0x48, 0x89, 0xc4 };
	char *name = this_cpu_ptr(storm_symbol);

	sprint_symbol_no_offset(name, ip);
	if (str_has_prefix(name, "asm_"))
		return !memcmp((void *)ip, mov_rax_rsp, sizeof(mov_rax_rsp));
	return !strcmp(name, "error_entry") || !strcmp(name, "xen_error_entry");
}

static void walk_in_storm(struct pt_regs *regs)
{
	struct stack_stress_walk *walk = this_cpu_ptr(&storm_walk);
	unsigned long depth = depth_on_own_stack(regs);

	if (stack_stress_walk(walk)) {
		atomic_long_inc(&nmis_walked);
		return;
	}
	if (depth > THREAD_SIZE || orc_is_wrong_at(regs->ip))
		return;
	atomic_long_inc(&nmis_astray);
	if (!cmpxchg(&short_walk.interrupted, 0, regs->ip)) {
		short_walk.depth = depth;
		short_walk.last = walk->addresses[min(walk->frames, VISIT_FRAMES) - 1];
	}
}

/*
 * As a backtrace does whose stack pointer is in a slot without a page yet: that is
 * mapped then, whatever was interrupted, the mapping of it among others.
 */
static void read_next_slot(struct pt_regs *regs)
{
	unsigned long word;

	if (depth_on_own_stack(regs) < THREAD_SIZE - PAGE_SIZE)
		copy_from_kernel_nofault(&word, (void *)(regs->sp - PAGE_SIZE), sizeof(word));
}

static int nmi_handler(unsigned int type, struct pt_regs *regs)
{
	struct stack_stress_visit *visit = this_cpu_read(stack_stress_visit_here);

	if (visit) {
		stack_stress_seen(visit);
		stack_stress_handled(visit);
	} else {
		walk_in_storm(regs);
		/* Most slots are left to the thread. */
		if (!(atomic_long_read(&nmis_handled) % READ_EVERY))
			read_next_slot(regs);
	}
	atomic_long_inc(&nmis_handled);
	return NMI_HANDLED;
}

int stack_stress_begin_nmis(void)
{
	if (!stack_stress_has_apic())
		return -ENODEV;
	return register_nmi_handler(NMI_LOCAL, nmi_handler, 0, NAME);
}

void stack_stress_end_nmis(void)
{
	unregister_nmi_handler(NMI_LOCAL, NAME);
	if (short_walk.interrupted)
		pr_info("a walk of the stack from an NMI at %pS, depth %lu, ended early, at %pS\n",
			(void *)short_walk.interrupted, short_walk.depth,
			(void *)short_walk.last);
	short_walk.interrupted = 0;
}

unsigned long stack_stress_nmis_handled(void)
{
	return atomic_long_read(&nmis_handled);
}

unsigned long stack_stress_nmis_walked(void)
{
	return atomic_long_read(&nmis_walked);
}

unsigned long stack_stress_nmis_astray(void)
{
	return atomic_long_read(&nmis_astray);
}

const struct stack_stress_event stack_stress_nmi = {
	.begin = stack_stress_begin_nmis,
	.end = stack_stress_end_nmis,
	.prepare = stack_stress_prepare_nmi,
	.at_place = stack_stress_nmi_at_place,
};
