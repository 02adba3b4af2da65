// SPDX-License-Identifier: GPL-2.0
/* What a thread owns is charged to its memory cgroup, and nothing else is. */
#include "kselftest_harness.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "counters.h"
#include "files.h"
#include "parked.h"

#define ATTEMPTS	3
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

/* A process of the cgroup, whose threads are parked until it is told to exit. */
static void run_member(int ready, int release)
{
	struct parked parked;
	char byte = 0;

	if (!write_text(GROUP "/cgroup.procs", "0") ||
	    !park(&parked, THREADS) ||
	    write(ready, &byte, sizeof(byte)) != sizeof(byte))
		_exit(1);
	_exit(read(release, &byte, sizeof(byte)) != 0);
}

FIXTURE(memcg) {
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
 * The main thread of the member was charged elsewhere when it was made, so
 * only the parked ones count; unless it keeps pages now, hence the attempts.
 */
TEST_F_TIMEOUT(memcg, kernel_stack, 180)
{
	long bytes = THREADS * method.pages_per_thread * sysconf(_SC_PAGESIZE);
	int ready[2], release[2], attempt, status;
	long charged, left;
	pid_t member;
	char byte;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		ASSERT_EQ(0, pipe(ready));
		ASSERT_EQ(0, pipe(release));
		member = fork();
		if (!member) {
			close(release[1]);
			run_member(ready[1], release[0]);
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, sizeof(byte)));
		charged = wait_for_kernel_stack(bytes);
		close(release[1]);
		ASSERT_EQ(member, waitpid(member, &status, 0));
		ASSERT_EQ(0, status);
		left = wait_for_kernel_stack(0);
		TH_LOG("%s: %d threads are charged %ld bytes, after exit %ld",
		       method.name, THREADS, charged, left);
		close(ready[0]);
		close(release[0]);
		if (charged == bytes && !left)
			break;
	}
	EXPECT_EQ(bytes, charged);
	EXPECT_EQ(0, left);
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
