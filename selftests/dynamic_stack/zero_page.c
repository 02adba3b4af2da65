// SPDX-License-Identifier: GPL-2.0
/* A page that a thread comes to own holds no data of others. */
#include "kselftest_harness.h"

#include <sys/prctl.h>

#include "counters.h"
#include "files.h"
#include "parked.h"
#include "threads_file.h"

#define THREADS		500
#define COMM		"zero_page_test"
#define DIRTY_BYTES	(256L << 20)

static struct method method;

/* Gives the kernel many pages full of ones to make stacks of. */
static bool dirty_free_pages(void)
{
	void *memory = mmap(NULL, DIRTY_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return false;
	memset(memory, 0xff, DIRTY_BYTES);
	return !munmap(memory, DIRTY_BYTES);
}

FIXTURE(zero_page) {
	struct parked parked;
};

FIXTURE_SETUP(zero_page)
{
	if (!show_all_threads())
		SKIP(return, "needs the module dynamic_stack_stats and root");
	if (has_config("CONFIG_KSTACK_ERASE"))
		SKIP(return, "KSTACK_ERASE fills what threads do not use");
	ASSERT_TRUE(dirty_free_pages());
}

FIXTURE_TEARDOWN(zero_page)
{
	show_some_threads();
}

/*
 * A parked thread needs less than its top page, whatever else it owns, or less than
 * what large margins of checks map, or than two pages with the larger frames of KASAN.
 * Its depth reaches down to the lowest word that is not zero.
 */
TEST_F_TIMEOUT(zero_page, new_threads, 120)
{
	int pages = has_config("CONFIG_KASAN") ? 2 : 1;
	struct depths depths;

	prctl(PR_SET_NAME, COMM);
	ASSERT_TRUE(park(&self->parked, THREADS));
	prctl(PR_SET_NAME, "main");
	depths = read_depths(COMM);
	unpark(&self->parked);
	TH_LOG("%s: the deepest of %ld threads has %ld bytes in %ld pages",
	       method.name, depths.threads, depths.depth_bytes,
	       depths.owned_pages);
	EXPECT_EQ(THREADS, depths.threads);
	EXPECT_GT(depths.depth_bytes, 0);
	EXPECT_LT(depths.depth_bytes,
		  (pages + method.pages_ahead) * sysconf(_SC_PAGESIZE));
}

/* And so do the pages that a running thread gets, by more of them than were zero before. */
TEST_F_TIMEOUT(zero_page, kept_pages, 120)
{
	if (access(STRESS_FILE, W_OK))
		SKIP(return, "needs the module stack_stress");
	EXPECT_TRUE(write_text(STRESS_FILE, "NEW_PAGES"));
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
