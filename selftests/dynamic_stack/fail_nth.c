// SPDX-License-Identifier: GPL-2.0
/*
 * The allocations within the allocation of a stack area fail one at a time. The
 * kernel's fault injection fails the n-th of those that are made on behalf of one
 * function; that is repeated with all of fork().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "addresses.h"
#include "counters.h"
#include "cpus.h"
#include "files.h"
#include "symbols.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define ALLOC_AREA	"dynamic_stack_alloc_area\n"
#define ALLOC_TABLE	"__pte_alloc_kernel\n"

/*
 * struct vm_struct, the array of pages, and the first page. A struct vmap_area comes in
 * addition, unless vmalloc keeps one of that size from a stack that is gone.
 */
#define ALLOCATIONS	3
/* More than a CPU keeps of stacks of the dead. */
#define CACHED_AREAS	2
#define MOST_ALLOCATIONS 400
/*
 * Page tables of vmalloc stay when areas go. Stacks of all threads that have ever lived
 * at one time, and what vmalloc frees lazily, have theirs: fewer than this.
 */
#define MOST_CHILDREN	8192
#define CHILD_STACK	4096
/* What other threads may come to own meanwhile: far less than all children. */
#define SLACK_PAGES	50

static const char *const allocators[] = { "failslab", "fail_page_alloc" };

static bool set(const char *allocator, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", allocator, file);
	return write_text(path, text);
}

/* Of the allocations that are made between two addresses of code. */
static bool aim(const char *start, const char *end)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(allocators); i++)
		ok = set(allocators[i], "require-start", start) &&
		     set(allocators[i], "require-end", end) &&
		     set(allocators[i], "verbose", "0") &&
		     set(allocators[i], "ignore-gfp-wait", "N") && ok;
	return ok && set("fail_page_alloc", "min-order", "0");
}

/* Of those that are made by the function whose line in /proc/kallsyms ends with @name. */
static bool aim_at(const char *name)
{
	char start[24], end[24], before[16];
	struct range range;

	if (!show_addresses(before, sizeof(before)))
		return false;
	range = find_symbol(name);
	sprintf(start, "%#lx", range.start);
	sprintf(end, "%#lx", range.end);
	return hide_addresses(before) && range.start && aim(start, end);
}

/* Children that live on: what they are made of stays allocated. */
struct held {
	pid_t pids[MOST_CHILDREN];
	int nr;
	/* For clone(): 0 makes fork() of it, CLONE_VM what is quick and small. */
	int flags;
};

static char child_stacks[MOST_CHILDREN][CHILD_STACK];

FIXTURE(fail_nth) {
	struct counters before;
	struct held held;
};

static int live_on(void *unused __maybe_unused)
{
	for (;;)
		pause();
	return 0;
}

static bool hold_child(struct held *held)
{
	pid_t pid;

	if (held->nr == MOST_CHILDREN)
		return false;
	pid = clone(live_on, child_stacks[held->nr] + CHILD_STACK, held->flags | SIGCHLD, NULL);
	if (pid > 0)
		held->pids[held->nr++] = pid;
	return pid > 0;
}

static void kill_children(struct held *held)
{
	int i;

	for (i = 0; i < held->nr; i++)
		kill(held->pids[i], SIGKILL);
	for (i = 0; i < held->nr; i++)
		waitpid(held->pids[i], NULL, 0);
	held->nr = 0;
}

#define FAILED	0
#define MADE_UP	1
#define NOT_HIT	2
#define WRONG	3

/* What comes of fork() when its allocation number @nth fails, if there are so many. */
static int fork_without(struct held *held, int nth)
{
	char text[16], left[16] = "";
	int fd, error;
	bool ok, hit;

	fd = open(FAIL_NTH, O_RDWR);
	if (fd < 0)
		return WRONG;
	sprintf(text, "%d", nth);
	ok = write(fd, text, strlen(text)) > 0;
	errno = 0;
	hit = !hold_child(held);
	error = errno;
	ok = ok && pread(fd, left, sizeof(left) - 1, 0) > 0 && write(fd, "0", 1) == 1;
	close(fd);
	if (!ok || (hit && error != ENOMEM))
		return WRONG;
	if (hit)
		return FAILED;
	return atoi(left) ? NOT_HIT : MADE_UP;
}

/* So that the next stack does not come from the cache of stacks. */
static bool empty_cache(struct held *held)
{
	int i;

	for (i = 0; i <= CACHED_AREAS; i++)
		if (!hold_child(held))
			return false;
	return true;
}

/* Soon: stacks are freed after a grace period of RCU. */
static bool pages_come_back(const struct counters *before)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (labs(read_counters().owned_pages - before->owned_pages) <= SLACK_PAGES)
			return true;
		usleep(100000);
	}
	return false;
}

FIXTURE_SETUP(fail_nth)
{
	if (access(FAIL_NTH, W_OK) || access(DEBUGFS "failslab/require-start", W_OK) ||
	    access(DEBUGFS "fail_page_alloc/require-start", W_OK))
		SKIP(return, "needs FAILSLAB, FAIL_PAGE_ALLOC, FAULT_INJECTION_STACKTRACE_FILTER");
	/* Not those of other threads. */
	if (!access(DEBUGFS "fail_dynamic_stack/sites", W_OK))
		ASSERT_TRUE(set("fail_dynamic_stack", "sites", "0"));
	ASSERT_TRUE(run_only_on(0));
	self->before = read_counters();
}

FIXTURE_TEARDOWN(fail_nth)
{
	kill_children(&self->held);
	aim("0", "0xffffffffffffffff");
}

/* Each allocation once, from the first on; returns how many made fork() fail. */
static int fail_each(struct held *held, int *outcome)
{
	int nth = 0, failed = 0;

	do {
		*outcome = empty_cache(held) ? fork_without(held, ++nth) : WRONG;
		failed += *outcome == FAILED;
	} while (*outcome <= MADE_UP && nth < MOST_ALLOCATIONS);
	return failed;
}

TEST_F_TIMEOUT(fail_nth, area, 240)
{
	int failed, outcome;

	if (!strcmp(require_method().name, "off"))
		SKIP(return, "booted with dynamic_stack=off, which allocates whole stacks");
	ASSERT_TRUE(aim_at(ALLOC_AREA));
	failed = fail_each(&self->held, &outcome);
	TH_LOG("%d allocations of a stack area failed, one at a time", failed);
	EXPECT_GE(failed, ALLOCATIONS);
	EXPECT_EQ(NOT_HIT, outcome);
	EXPECT_TRUE(hold_child(&self->held));
}

/* Not often is one missing. */
TEST_F_TIMEOUT(fail_nth, page_table, 480)
{
	int outcome;

	self->held.flags = CLONE_VM;
	ASSERT_TRUE(aim_at(ALLOC_TABLE));
	ASSERT_TRUE(empty_cache(&self->held));
	do
		outcome = fork_without(&self->held, 1);
	while (outcome == NOT_HIT);
	EXPECT_EQ(FAILED, outcome);
	TH_LOG("%d more stacks needed another page table", self->held.nr);
	EXPECT_TRUE(hold_child(&self->held));
}

TEST_F_TIMEOUT(fail_nth, all_of_fork, 480)
{
	int failed, outcome;

	ASSERT_TRUE(aim("0", "0xffffffffffffffff"));
	failed = fail_each(&self->held, &outcome);
	EXPECT_EQ(NOT_HIT, outcome);
	EXPECT_GT(failed, ALLOCATIONS);
	TH_LOG("fork() failed %d times, for another allocation each time", failed);
	kill_children(&self->held);
	EXPECT_TRUE(pages_come_back(&self->before));
}

TEST_HARNESS_MAIN
