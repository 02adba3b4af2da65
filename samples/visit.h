/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STACK_STRESS_VISIT_H
#define _STACK_STRESS_VISIT_H

/* Where the assembly part finds the members of a visit. */
#define VISIT_SP		0
#define VISIT_FLOOR		8
#define VISIT_SEED		16
#define VISIT_DEADLINE		24
#define VISIT_HANDLED		32
#define VISIT_PASSED		40
#define VISIT_TARGET		48
#define VISIT_VALUE		56
#define VISIT_BAD_REGISTERS	64
#define VISIT_BAD_ADDRESS	72
#define VISIT_BAD_WORD		80
#define VISIT_CHECKED		88

#ifndef __ASSEMBLER__

#include <linux/hrtimer_types.h>
#include <linux/irq_work_types.h>
#include <linux/ptrace.h>
#include <linux/smp.h>
#include <linux/types.h>

#define VISIT_FRAMES	48

/* Return addresses, the innermost first, and where the walk came from. */
struct stack_stress_walk {
	/* May be more than there is room for. */
	unsigned int frames;
	/* The stack pointer of what was interrupted last, or 0. */
	unsigned long interrupted_sp;
	unsigned long addresses[VISIT_FRAMES];
};

/* What a visit found. Rust has the same structure. */
struct stack_stress_found {
	/* 0 if another CPU should have done it and had no time. */
	u64 raised;
	/* How often the event was handled, in time and too late. */
	u64 handled;
	u64 late;
	/* Handled with the stack pointer at the place. */
	u64 at_place;
	/* A walk of the stack from the handler came to the thread's function. */
	u64 walked;
	/* The slot below was never accessed; it was not even mapped. */
	u64 untouched;
	u64 unmapped;
	/* Interrupts that the CPU accepted and no handler ever saw. */
	u64 in_service;
	/* Registers with a wrong value: the bits that differ in any. */
	u64 bad_registers;
	/* The address of a word that changed, or 0. */
	u64 bad_address;
	u64 bad_word;
};

/*
 * One thread at one place of its stack, waiting for one event. Handlers find
 * it in stack_stress_visit_here while interrupts or preemption are off.
 */
struct stack_stress_visit {
	/* What the stack pointer becomes. */
	unsigned long sp;
	/* From here up to the thread's frames, patterns are written. */
	unsigned long floor;
	unsigned long seed;
	/* The value of the TSC after which the event is taken for lost. */
	unsigned long deadline;
	unsigned long handled;
	/* The instruction that raised the event was done, or was fixed up. */
	unsigned long passed;
	/* For the event to use. */
	unsigned long target;
	unsigned long value;
	unsigned long bad_registers;
	unsigned long bad_address;
	unsigned long bad_word;
	/* The method is probe: the way to the place is made of checks. */
	unsigned long checked;

	unsigned long at_place;
	unsigned long walked;
	unsigned int cpu;
	bool raised;
	struct stack_stress_walk expected;
	struct stack_stress_walk seen;
	union {
		struct hrtimer timer;
		struct irq_work work;
		call_single_data_t csd;
		unsigned long faults;
	};
};

/* One kind of event. */
struct stack_stress_event {
	/* Before and after all visits. */
	int (*begin)(void);
	void (*end)(void);
	/* Interrupts are off in all that follows but finish(). */
	void (*prepare)(struct stack_stress_visit *visit);
	/*
	 * Moves the stack pointer, raises the event, waits for it with interrupts
	 * on, looks at what is left and moves the stack pointer back.
	 */
	void (*at_place)(struct stack_stress_visit *visit);
	/* Counts what no handler does. */
	void (*count)(struct stack_stress_visit *visit);
	/* Returns false if the visit is still in use. */
	bool (*finish)(struct stack_stress_visit *visit);
	/* The event may sleep. */
	bool preemptible;
};

extern struct stack_stress_visit *stack_stress_asking;

DECLARE_PER_CPU(struct stack_stress_visit *, stack_stress_visit_here);

bool stack_stress_walk(struct stack_stress_walk *walk);
void stack_stress_seen(struct stack_stress_visit *visit);
void stack_stress_handled(struct stack_stress_visit *visit);

extern const struct stack_stress_event stack_stress_timer;
extern const struct stack_stress_event stack_stress_ipi;
extern const struct stack_stress_event stack_stress_cross_ipi;
extern const struct stack_stress_event stack_stress_nmi;
extern const struct stack_stress_event stack_stress_user_fault;
extern const struct stack_stress_event stack_stress_int3;
extern const struct stack_stress_event stack_stress_breakpoint;
extern const struct stack_stress_event stack_stress_warn;
extern const struct stack_stress_event stack_stress_gp;

/* In visit_x86_64.S. */
void stack_stress_wait_at_place(struct stack_stress_visit *visit);
void stack_stress_ask_at_place(struct stack_stress_visit *visit);
void stack_stress_nmi_at_place(struct stack_stress_visit *visit);
void stack_stress_store_at_place(struct stack_stress_visit *visit);
void stack_stress_watch_at_place(struct stack_stress_visit *visit);
void stack_stress_int3_at_place(struct stack_stress_visit *visit);
void stack_stress_warn_at_place(struct stack_stress_visit *visit);
void stack_stress_gp_at_place(struct stack_stress_visit *visit);
extern char stack_stress_int3_site[];

#endif /* __ASSEMBLER__ */
#endif
