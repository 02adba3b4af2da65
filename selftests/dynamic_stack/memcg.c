// SPDX-License-Identifier: GPL-2.0
/* What a thread owns is charged to its memory cgroup, and nothing else is. */
#include "kselftest_harness.h"

#include <semaphore.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "counters.h"
#include "files.h"
#include "parked.h"
#include "threads_file.h"

#define ATTEMPTS	3
#define THREADS		500
#define POLL_MS		100
#define POLLS		100	/* statistics of a cgroup may be 2 s late */

/* In the third page of the stack, in the thread that writes it. */
#define DEEP_BYTES	9000
#define DEEP_COMM	"memcg_deep"

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

struct member {
	pid_t pid;
	int release;
};

static struct parked parked;

static bool park_threads(void)
{
	return park(&parked, THREADS);
}

/* The pages that the caller keeps when it parks threads, it owns afterwards. */
static bool practise(void)
{
	if (!park_threads())
		return false;
	unpark(&parked);
	return true;
}

/* A process of the cgroup that does its work and then waits for its end. */
static bool start_member(struct member *member, bool (*work)(void))
{
	int ready[2], release[2];
	char byte = 0;
	bool started;

	if (pipe(ready) || pipe(release))
		return false;
	member->pid = fork();
	if (!member->pid) {
		close(release[1]);
		if (!practise() || !write_text(GROUP "/cgroup.procs", "0") || !work() ||
		    write(ready[1], &byte, sizeof(byte)) != sizeof(byte))
			_exit(1);
		_exit(read(release[0], &byte, sizeof(byte)) != 0);
	}
	close(ready[1]);
	close(release[0]);
	started = read(ready[0], &byte, sizeof(byte)) == sizeof(byte);
	close(ready[0]);
	member->release = release[1];
	return started;
}

/* Whether it did all that it should. */
static bool end_member(struct member *member)
{
	int status;

	close(member->release);
	return waitpid(member->pid, &status, 0) == member->pid && !status;
}

static struct {
	sem_t returned;
	bool ok;
} deep;

static void *go_deep(void *arg)
{
	char command[32];

	prctl(PR_SET_NAME, DEEP_COMM);
	snprintf(command, sizeof(command), "CALLER %d 1 1", DEEP_BYTES);
	deep.ok = write_text(STRESS_FILE, command);
	sem_post(&deep.returned);
	pause();
	return arg;
}

/* A thread that was deep in the kernel and back in user mode, and now sleeps. */
static bool start_deep_thread(void)
{
	pthread_t thread;

	return !sem_init(&deep.returned, 0, 0) &&
	       !pthread_create(&thread, NULL, go_deep, NULL) &&
	       !sem_wait(&deep.returned) && deep.ok;
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
 * only the parked ones count; unless it is deeper than before, hence the attempts.
 */
TEST_F_TIMEOUT(memcg, kernel_stack, 180)
{
	long bytes = THREADS * method.pages_per_thread * sysconf(_SC_PAGESIZE);
	struct member member;
	long charged, left;
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		ASSERT_TRUE(start_member(&member, park_threads));
		charged = wait_for_kernel_stack(bytes);
		ASSERT_TRUE(end_member(&member));
		left = wait_for_kernel_stack(0);
		TH_LOG("%s: %d threads are charged %ld bytes, after exit %ld",
		       method.name, THREADS, charged, left);
		if (charged == bytes && !left)
			break;
	}
	EXPECT_EQ(bytes, charged);
	EXPECT_EQ(0, left);
}

/* The same for pages that a thread kept, once it has returned to user mode. */
TEST_F_TIMEOUT(memcg, kept_pages, 180)
{
	long page_bytes = sysconf(_SC_PAGESIZE);
	struct member member;
	struct depths depths;
	long charged, left;
	int attempt;

	if (access(STRESS_FILE, W_OK) || !show_all_threads())
		SKIP(return, "needs the modules stack_stress and dynamic_stack_stats");
	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		ASSERT_TRUE(start_member(&member, start_deep_thread));
		depths = read_depths(DEEP_COMM);
		charged = wait_for_kernel_stack(depths.owned_pages * page_bytes);
		ASSERT_TRUE(end_member(&member));
		left = wait_for_kernel_stack(0);
		TH_LOG("%s: a thread with %ld pages is charged %ld bytes, after exit %ld",
		       method.name, depths.owned_pages, charged, left);
		if (charged == depths.owned_pages * page_bytes && !left)
			break;
	}
	show_some_threads();
	EXPECT_EQ(1, depths.threads);
	EXPECT_GE(depths.owned_pages, method.pages_per_thread);
	EXPECT_GE(depths.owned_pages * page_bytes, DEEP_BYTES);
	EXPECT_EQ(depths.owned_pages * page_bytes, charged);
	EXPECT_EQ(0, left);
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
