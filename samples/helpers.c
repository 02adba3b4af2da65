// SPDX-License-Identifier: GPL-2.0
/* The parts of stack_stress that Rust cannot express. */

#ifdef CONFIG_DYNAMIC_STACK_PROBE
#include <linux/dynamic_stack.h>
#endif
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include "helpers.h"

/* Where the compiler initialises variables, the frame must stay untouched. */
#if __has_builtin(__builtin_alloca_with_align_uninitialized)
#define frame_alloca __builtin_alloca_with_align_uninitialized
#else
#define frame_alloca __builtin_alloca_with_align
#endif

#ifdef CONFIG_DYNAMIC_STACK_PROBE
/* Bytes of a frame which the margin has room for, and of what is below it. */
#define MOST_CHECKED	1024

/* Does the stack grow in checks that the compiler has inserted? */
bool stack_stress_has_checks(void)
{
	return !strcmp(dynamic_stack_method_name(), "probe");
}

/* A larger frame than checks can see to is asked for. */
static bool make_room(size_t bytes)
{
	return bytes <= MOST_CHECKED || !stack_stress_has_checks() ||
	       !dynamic_stack_expand_atomic(bytes + MOST_CHECKED);
}
#else
bool stack_stress_has_checks(void)
{
	return false;
}

static bool make_room(size_t bytes)
{
	return true;
}
#endif

/*
 * Call @body with the stack pointer lowered to @sp. The bytes from there to
 * where the stack was are the frame of @body. Returns false, without a call,
 * if the stack is already that deep.
 *
 * This is C because Rust has no alloca(). The frame cannot be optimised away:
 * its address goes to a function that the compiler does not know, and is still
 * needed after it, which rules out a tail call too.
 */
noinline bool stack_stress_call_at(unsigned long sp,
				   void (*body)(void *frame, size_t bytes, void *arg),
				   void *arg)
{
	unsigned long here = current_stack_pointer;
	void *frame;

	if (sp >= here || !make_room(here - sp))
		return false;

	frame = frame_alloca(here - sp, BITS_PER_LONG);
	body(frame, here - sp, arg);
	barrier_data(frame);
	return true;
}

/*
 * Return how often the running thread has slept.
 *
 * This is C because bindgen loses the alignment of a structure without members:
 * without CONFIG_SCHEDSTATS it misplaces all that follows task_struct.stats.
 */
unsigned long stack_stress_voluntary_switches(void)
{
	return READ_ONCE(current->nvcsw);
}

/*
 * Sleep for @time, in jiffies, unless woken. Before that, but not for long, wait
 * in the state of a sleeper until another thread has run on this CPU. Returns
 * what was left of @time, which is nothing since nobody wakes this thread, and
 * sets @preempted if another one has run.
 *
 * This is C because the state of a thread is set by a macro.
 */
long stack_stress_doze(long time, bool *preempted)
{
	unsigned long switches = READ_ONCE(current->nivcsw);
	unsigned long end = jiffies + msecs_to_jiffies(40);

	set_current_state(TASK_UNINTERRUPTIBLE);
	while (READ_ONCE(current->nivcsw) == switches && time_before(jiffies, end))
		cpu_relax();
	*preempted = READ_ONCE(current->nivcsw) != switches;
	return schedule_timeout(time);
}

/*
 * Drop the clean cached pages of @file and return their number. On a stacked
 * file system they belong to the file at the bottom.
 *
 * This is C because d_real_inode() is an inline function.
 */
unsigned long stack_stress_drop_cache(struct file *file)
{
	struct address_space *mapping = d_real_inode(file_dentry(file))->i_mapping;

	if (filemap_write_and_wait(mapping))
		return 0;
	return invalidate_mapping_pages(mapping, 0, -1);
}

/* The rest wraps inline functions. */

struct mem_cgroup *stack_stress_get_memcg(void)
{
	return get_mem_cgroup_from_mm(current->mm);
}

void stack_stress_put_memcg(struct mem_cgroup *memcg)
{
	mem_cgroup_put(memcg);
}

struct mem_cgroup *stack_stress_set_active_memcg(struct mem_cgroup *memcg)
{
	return set_active_memcg(memcg);
}

unsigned long stack_stress_reclaimed_pages(void)
{
	return global_node_page_state(PGSTEAL_DIRECT);
}
