// SPDX-License-Identifier: GPL-2.0
/* What a thread owns is charged to its memory cgroup, and nothing else is. */
#include "kselftest_harness.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "counters.h"
#include "files.h"
#include "parked.h"

#define THREADS		500
#define POLL_MS		100
#define POLLS		100	/* statistics of a cgroup may be 2 s late */

#define MOUNT_POINT	"/tmp/dynamic_stack_cgroup"
#define GROUP		MOUNT_POINT "/dynamic_stack_test"

static struct method method;

static long wait_for_kernel_stack(long bytes)
{
	long now = -1;
	int poll;

	for (poll = 0; poll < POLLS; poll++) {
		now = read_number(GROUP "/memory.stat", "kernel_stack");
		if (now == bytes)
			break;
		usleep(POLL_MS * 1000);
	}
	return now;
}

FIXTURE(memcg) {
	struct parked parked;
};

FIXTURE_SETUP(memcg)
{
	mkdir(MOUNT_POINT, 0700);
	if (mount("none", MOUNT_POINT, "cgroup2", 0, NULL))
		SKIP(return, "needs CONFIG_CGROUPS and root: %s",
		     strerror(errno));
	if (!write_text(MOUNT_POINT "/cgroup.subtree_control", "+memory"))
		SKIP(return, "needs CONFIG_MEMCG, not used by cgroup v1: %s",
		     strerror(errno));
	ASSERT_EQ(0, mkdir(GROUP, 0700));
}

FIXTURE_TEARDOWN_PARENT(memcg)
{
	rmdir(GROUP);
	umount(MOUNT_POINT);
	rmdir(MOUNT_POINT);
}

/*
 * The main thread was charged elsewhere when it was made, so only its parked
 * threads count here.
 */
TEST_F_TIMEOUT(memcg, kernel_stack, 120)
{
	long bytes = THREADS * method.pages_per_thread * sysconf(_SC_PAGESIZE);

	ASSERT_TRUE(write_text(GROUP "/cgroup.procs", "0"));
	ASSERT_TRUE(park(&self->parked, THREADS));
	EXPECT_EQ(bytes, wait_for_kernel_stack(bytes));
	unpark(&self->parked);
	EXPECT_EQ(0, wait_for_kernel_stack(0));
	ASSERT_TRUE(write_text(MOUNT_POINT "/cgroup.procs", "0"));
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
