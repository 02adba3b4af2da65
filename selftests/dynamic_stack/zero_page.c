// SPDX-License-Identifier: GPL-2.0
/*
 * A page that a thread comes to own holds no data of others. Seen through the
 * depth that dynamic_stack_stats reports: it reaches down to the lowest word
 * that is not zero, so one stale word below what a thread used makes it deep.
 */
#include "kselftest_harness.h"

#include <sys/prctl.h>

#include "counters.h"
#include "files.h"
#include "parked.h"

#define THREADS		500
#define THREADS_FILE	DEBUGFS_DIR "/threads"
#define COMM		"zero_page_test"	/* 15 bytes are all there is */
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

struct depths {
	long threads;
	long deepest;
};

/* Reads the rows "pid owned_pages depth_bytes comm" of the parked threads. */
static struct depths read_depths(void)
{
	FILE *file = fopen(THREADS_FILE, "r");
	struct depths depths = {};
	char line[128], comm[16];
	long depth;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*d %*d %ld %15[^\n]", &depth, comm) != 2 ||
		    strcmp(comm, COMM))
			continue;
		depths.threads++;
		if (depth > depths.deepest)
			depths.deepest = depth;
	}
	if (file)
		fclose(file);
	return depths;
}

FIXTURE(zero_page) {
	struct parked parked;
};

FIXTURE_SETUP(zero_page)
{
	if (!write_text(THREADS_FILE, "1000"))
		SKIP(return, "needs the module dynamic_stack_stats and root");
	ASSERT_TRUE(dirty_free_pages());
}

FIXTURE_TEARDOWN(zero_page)
{
	write_text(THREADS_FILE, "20");
}

/* A parked thread needs less than its top page, whatever else it owns. */
TEST_F_TIMEOUT(zero_page, new_threads, 120)
{
	struct depths depths;

	prctl(PR_SET_NAME, COMM);
	ASSERT_TRUE(park(&self->parked, THREADS));
	prctl(PR_SET_NAME, "zero_page_main");
	depths = read_depths();
	unpark(&self->parked);
	TH_LOG("%s: deepest of %ld threads is %ld bytes", method.name,
	       depths.threads, depths.deepest);
	EXPECT_EQ(THREADS, depths.threads);
	EXPECT_GT(depths.deepest, 0);
	EXPECT_LT(depths.deepest, sysconf(_SC_PAGESIZE));
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
