// SPDX-License-Identifier: GPL-2.0
/* How many pages threads own, and that they give them back. */
#include "kselftest_harness.h"

#include "counters.h"
#include "parked.h"

#define ATTEMPTS	5
#define POLL_MS		100
#define POLLS		100
#define CLONES		100000
#define CLONES_AT_ONCE	8

/* Pages that running threads may come to own meanwhile, whoever they are. */
#define KEPT_PAGES	16
/* Areas without a thread that each CPU keeps for the next one. */
#define CACHED_AREAS	2

static struct method method;

static struct counters difference(struct counters a, struct counters b)
{
	return (struct counters) {
		.threads = a.threads - b.threads,
		.owned_pages = a.owned_pages - b.owned_pages,
		.kernel_stack_pages = a.kernel_stack_pages - b.kernel_stack_pages,
		.vmalloc_pages = a.vmalloc_pages - b.vmalloc_pages,
	};
}

static bool both_are(struct counters counters, long pages)
{
	return counters.owned_pages == pages &&
	       counters.kernel_stack_pages == pages;
}

/*
 * What was added since @before; waits until it is @pages, in vain if it never
 * is: stacks are freed after a grace period, kept pages are charged later.
 */
static struct counters wait_for_pages(struct counters before, long pages)
{
	struct counters added;
	int poll;

	for (poll = 0; poll < POLLS; poll++) {
		added = difference(read_counters(), before);
		if (both_are(added, pages))
			break;
		usleep(POLL_MS * 1000);
	}
	return added;
}

static void *exit_at_once(void *arg)
{
	return arg;
}

FIXTURE(owned_pages) {
	struct parked parked;
};

FIXTURE_SETUP(owned_pages)
{
}

FIXTURE_TEARDOWN(owned_pages)
{
}

/* Other threads come and go, so one attempt in peace has to be exact. */
TEST_F_TIMEOUT(owned_pages, parked_threads, 600)
{
	long pages = MAX_PARKED * method.pages_per_thread;
	struct counters before, parked, left;
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		before = read_counters();
		ASSERT_TRUE(park(&self->parked, MAX_PARKED));
		parked = wait_for_pages(before, pages);
		unpark(&self->parked);
		left = wait_for_pages(before, 0);
		TH_LOG("%s: %d threads own %ld pages, KernelStack %ld pages",
		       method.name, MAX_PARKED, parked.owned_pages,
		       parked.kernel_stack_pages);
		if (both_are(parked, pages) && both_are(left, 0))
			break;
	}
	EXPECT_EQ(parked.owned_pages, pages);
	EXPECT_EQ(parked.kernel_stack_pages, pages);
	EXPECT_EQ(left.owned_pages, 0);
	EXPECT_EQ(left.kernel_stack_pages, 0);
}

/* Workers of the kernel come and go meanwhile, so they are counted as well. */
TEST_F_TIMEOUT(owned_pages, no_leak, 1200)
{
	long cached_areas = CACHED_AREAS * sysconf(_SC_NPROCESSORS_CONF);
	pthread_t threads[CLONES_AT_ONCE];
	struct counters before, left;
	long others;
	int clones, i;

	before = read_counters();
	for (clones = 0; clones < CLONES; clones += CLONES_AT_ONCE) {
		for (i = 0; i < CLONES_AT_ONCE; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    exit_at_once, NULL));
		for (i = 0; i < CLONES_AT_ONCE; i++)
			ASSERT_EQ(0, pthread_join(threads[i], NULL));
		if (clones % 20000 == 0)
			TH_LOG("%d threads exited", clones);
	}
	left = wait_for_pages(before, 0);
	TH_LOG("left: %ld owned, %ld KernelStack, %ld vmalloc pages, %ld threads",
	       left.owned_pages, left.kernel_stack_pages, left.vmalloc_pages,
	       left.threads);
	others = left.threads * method.pages_per_thread;
	EXPECT_LE(labs(left.owned_pages - others), KEPT_PAGES);
	EXPECT_LE(labs(left.kernel_stack_pages - others), KEPT_PAGES);
	/* Others use vmalloc, too; a page lost by each thread is far more. */
	EXPECT_LE(labs(left.vmalloc_pages - others),
		  CLONES / 1000 + cached_areas * method.slots);
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
