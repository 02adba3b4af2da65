// SPDX-License-Identifier: GPL-2.0
/* What a thread owns is charged to its memory cgroup, and nothing else is. */
#include "kselftest_harness.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>

#include "cgroup.h"
#include "counters.h"
#include "files.h"
#include "memory_stat.h"
#include "parked.h"
#include "threads_file.h"

#define ATTEMPTS	3
#define THREADS		500
#define POLL_MS		100
#define POLLS		100

/* In the third page of the stack, in the thread that writes it; and a page deeper. */
#define DEEP_BYTES	9000
#define DEEPER_BYTES	13000
#define DEEP_COMM	"memcg_deep"

/* Many threads that go deep, each by several pages, and room for a part of them. */
#define DEEP_COMMAND	"13000 500"
#define DEEP_THREADS	300
#define ROOM_PAGES	300

/* What they come to own, at least: two pages more each. */
#define LEAST_DEEP_PAGES (2 * DEEP_THREADS)

/* More threads than there is room for, again and again. */
#define CLONES		150
#define CLONE_ROUNDS	20
#define CLONE_ROOM_PAGES 200
#define USER_STACK	(32 * 1024)

#define GROUP		CGROUPS "/dynamic_stack_test"
#define OTHER_GROUP	CGROUPS "/dynamic_stack_test_other"

static struct method method;

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

static bool go_down(int bytes)
{
	char command[32];

	snprintf(command, sizeof(command), "CALLER %d 1 1", bytes);
	return write_text(STRESS_FILE, command);
}

static sigset_t deeper_signal(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	return signals;
}

static void *go_deep(void *arg)
{
	sigset_t signals = deeper_signal();
	int signal;

	prctl(PR_SET_NAME, DEEP_COMM);
	deep.ok = go_down(DEEP_BYTES);
	sem_post(&deep.returned);
	if (!sigwait(&signals, &signal))
		go_down(DEEPER_BYTES);
	pause();
	return arg;
}

/*
 * A thread that was deep in the kernel and back in user mode, and now sleeps. It
 * goes deeper when the process gets SIGUSR1.
 */
static bool start_deep_thread(void)
{
	sigset_t signals = deeper_signal();
	pthread_t thread;

	return !pthread_sigmask(SIG_BLOCK, &signals, NULL) &&
	       !sem_init(&deep.returned, 0, 0) &&
	       !pthread_create(&thread, NULL, go_deep, NULL) &&
	       !sem_wait(&deep.returned) && deep.ok;
}

static int diving[2];

static void *dive(void *arg)
{
	/* A file of its own: write() waits for others that write to the same. */
	int fd = open(DEEP_FILE, O_WRONLY);
	char byte;

	if (fd >= 0 && !read(diving[0], &byte, sizeof(byte)))
		write(fd, DEEP_COMMAND, strlen(DEEP_COMMAND));
	pause();
	return arg;
}

/* Threads that go deep all at once, when the pipe is closed. */
static bool start_divers(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int i;

	close(diving[1]);
	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, 64 * 1024))
		return false;
	for (i = 0; i < DEEP_THREADS; i++)
		if (pthread_create(&thread, &attr, dive, NULL))
			return false;
	return true;
}

FIXTURE(memcg) {
};

/* Now; memory.stat may be late. */
static long charged_bytes(const char *group)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/memory.current", group);
	return read_first_number(path);
}

/* Pages for which each CPU may have charged the group ahead: MEMCG_CHARGE_BATCH. */
#define PAGES_AHEAD	64

/* Until it is no more than @bytes, or for so long; returns what it is then. */
static long wait_until_charged(const char *group, long bytes)
{
	long charged = charged_bytes(group);
	int poll;

	for (poll = 0; poll < POLLS && charged > bytes; poll++) {
		usleep(POLL_MS * 1000);
		charged = charged_bytes(group);
	}
	return charged;
}

static bool move_to_other_group(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return write_text(OTHER_GROUP "/cgroup.procs", text);
}

/*
 * Of a group without threads, not of its stacks alone: a page of each thread that was
 * not uncharged shows. As many pages again are for what else the group used.
 */
static bool all_uncharged(struct __test_metadata *_metadata, const char *group)
{
	long limit = 2 * PAGES_AHEAD * sysconf(_SC_NPROCESSORS_ONLN) * sysconf(_SC_PAGESIZE);
	long charged = wait_until_charged(group, limit);

	TH_LOG("%s: after exit %ld bytes are charged, of which %ld may be ahead",
	       method.name, charged, limit / 2);
	return charged >= 0 && charged <= limit;
}

FIXTURE_SETUP(memcg)
{
	const char *missing = mount_cgroups();
	bool made;

	if (missing)
		SKIP(return, "needs %s: %s", missing, strerror(errno));
	made = !mkdir(GROUP, 0700);
	/* There is no teardown after a failure here. */
	if (!made)
		unmount_cgroups();
	ASSERT_TRUE(made);
}

FIXTURE_TEARDOWN_PARENT(memcg)
{
	remove_cgroup(OTHER_GROUP);
	remove_cgroup(GROUP);
	unmount_cgroups();
}

/*
 * The main thread of the member was charged elsewhere when it was made, so
 * only the parked ones count; unless it is deeper than before, hence the attempts.
 * Where checks map more than a page ahead, a thread that was interrupted has one more.
 */
TEST_F_TIMEOUT(memcg, kernel_stack, 180)
{
	long bytes = THREADS * method.pages_per_thread * sysconf(_SC_PAGESIZE);
	struct member member;
	long charged, left;
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		ASSERT_TRUE(start_member(&member, park_threads));
		charged = wait_for_kernel_stack(GROUP, bytes);
		ASSERT_TRUE(end_member(&member));
		left = wait_for_kernel_stack(GROUP, 0);
		TH_LOG("%s: %d threads are charged %ld bytes, after exit %ld",
		       method.name, THREADS, charged, left);
		if (charged == bytes && !left)
			break;
	}
	EXPECT_GE(charged, bytes);
	EXPECT_LE(charged, method.pages_ahead ?
		  bytes + THREADS * sysconf(_SC_PAGESIZE) : bytes);
	EXPECT_EQ(0, left);
	EXPECT_TRUE(all_uncharged(_metadata, GROUP));
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
		charged = wait_for_kernel_stack(GROUP, depths.owned_pages * page_bytes);
		ASSERT_TRUE(end_member(&member));
		left = wait_for_kernel_stack(GROUP, 0);
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

static struct depths wait_until_deep(long bytes)
{
	struct depths depths = {};
	int poll;

	for (poll = 0; poll < POLLS && depths.depth_bytes < bytes; poll++) {
		usleep(POLL_MS * 1000);
		depths = read_depths(DEEP_COMM);
	}
	return depths;
}

/*
 * What a thread owns stays charged to the group in which it came to own it, what
 * follows is charged to the group that the thread is in by then; both come back.
 */
TEST_F_TIMEOUT(memcg, migration, 180)
{
	long page_bytes = sysconf(_SC_PAGESIZE);
	long before, after, charged, other, left, other_left;
	struct member member;
	int attempt;

	if (access(STRESS_FILE, W_OK) || !show_all_threads())
		SKIP(return, "needs the modules stack_stress and dynamic_stack_stats");
	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		ASSERT_EQ(0, mkdir(OTHER_GROUP, 0700));
		ASSERT_TRUE(start_member(&member, start_deep_thread));
		before = wait_until_deep(DEEP_BYTES).owned_pages;
		wait_for_kernel_stack(GROUP, before * page_bytes);
		ASSERT_TRUE(move_to_other_group(member.pid));
		ASSERT_EQ(0, kill(member.pid, SIGUSR1));
		after = wait_until_deep(DEEPER_BYTES).owned_pages;
		other = wait_for_kernel_stack(OTHER_GROUP, (after - before) * page_bytes);
		charged = wait_for_kernel_stack(GROUP, before * page_bytes);
		ASSERT_TRUE(end_member(&member));
		left = wait_for_kernel_stack(GROUP, 0);
		other_left = wait_for_kernel_stack(OTHER_GROUP, 0);
		ASSERT_TRUE(remove_cgroup(OTHER_GROUP));
		TH_LOG("%s: %ld pages are charged %ld bytes, after exit %ld",
		       method.name, before, charged, left);
		TH_LOG("%ld more in the other group are charged %ld bytes, after exit %ld",
		       after - before, other, other_left);
		if (charged == before * page_bytes && other == (after - before) * page_bytes)
			break;
	}
	show_some_threads();
	EXPECT_GE(after * page_bytes, DEEPER_BYTES);
	EXPECT_EQ(before * page_bytes, charged);
	EXPECT_EQ((after - before) * page_bytes, other);
	EXPECT_EQ(0, left);
	EXPECT_EQ(0, other_left);
}

/* Why a limit cannot be reached by going deep, or NULL. */
static const char *no_divers(void)
{
	if (!strcmp(method.name, "off"))
		return "booted with dynamic_stack=off: clone() charges all";
	if (access(DEEP_FILE, W_OK))
		return "needs the module stack_stress";
	return NULL;
}

/* A member whose threads go deep when the pipe is closed. */
static bool start_member_of_divers(struct member *member)
{
	bool started = !pipe(diving) && start_member(member, start_divers);

	close(diving[0]);
	return started;
}

/* Until so many have been deep, and more is charged; or for so long. */
static bool wait_for_divers(long up, const char *group, long bytes)
{
	int poll;

	for (poll = 0; poll < 10 * POLLS; poll++) {
		if (charged_bytes(group) > bytes && read_number(DEEP_FILE, "up") >= up)
			return true;
		usleep(POLL_MS * 1000);
	}
	return false;
}

/*
 * Many threads that were charged here for their first pages, and there for what they came
 * to own afterwards: more than is lost in what CPUs have charged ahead.
 */
TEST_F_TIMEOUT(memcg, migration_of_many, 180)
{
	long up, bytes = LEAST_DEEP_PAGES * sysconf(_SC_PAGESIZE);
	struct member member;

	if (no_divers())
		SKIP(return, "%s", no_divers());
	ASSERT_EQ(0, mkdir(OTHER_GROUP, 0700));
	ASSERT_TRUE(start_member_of_divers(&member));
	ASSERT_TRUE(move_to_other_group(member.pid));
	up = read_number(DEEP_FILE, "up") + DEEP_THREADS;
	close(diving[1]);
	EXPECT_TRUE(wait_for_divers(up, OTHER_GROUP, bytes));
	TH_LOG("%s: %ld bytes are charged here, %ld there", method.name,
	       charged_bytes(GROUP), charged_bytes(OTHER_GROUP));
	EXPECT_TRUE(end_member(&member));
	EXPECT_EQ(0, wait_for_kernel_stack(GROUP, 0));
	EXPECT_EQ(0, wait_for_kernel_stack(OTHER_GROUP, 0));
	EXPECT_TRUE(all_uncharged(_metadata, GROUP));
	EXPECT_TRUE(all_uncharged(_metadata, OTHER_GROUP));
}

/* Room for so many pages more than @charged bytes; the limit in bytes, or 0. */
static long set_limit(long charged, long pages)
{
	long limit = charged + pages * sysconf(_SC_PAGESIZE);
	char text[24];

	snprintf(text, sizeof(text), "%ld", limit);
	return write_text(GROUP "/memory.max", text) ? limit : 0;
}

/*
 * Threads that have used pages for which the group has no room: they are charged
 * on their way to user mode, and there the limit acts.
 */
TEST_F_TIMEOUT(memcg, limit, 180)
{
	struct member member;
	long limit;
	int status;

	if (no_divers())
		SKIP(return, "%s", no_divers());
	ASSERT_TRUE(start_member_of_divers(&member));
	limit = set_limit(charged_bytes(GROUP), ROOM_PAGES);
	ASSERT_GT(limit, 0);
	EXPECT_EQ(0, read_number(GROUP "/memory.events", "oom_kill"));
	close(diving[1]);
	ASSERT_EQ(member.pid, waitpid(member.pid, &status, 0));
	close(member.release);
	TH_LOG("%s: limit %ld bytes, reached %ld times, %ld OOM kills", method.name, limit,
	       read_number(GROUP "/memory.events", "max"),
	       read_number(GROUP "/memory.events", "oom_kill"));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_GT(read_number(GROUP "/memory.events", "oom_kill"), 0);
	EXPECT_EQ(0, wait_for_kernel_stack(GROUP, 0));
	EXPECT_TRUE(all_uncharged(_metadata, GROUP));
}

/* Who may not be killed: charges that fail are forced, since the pages are in use. */
TEST_F_TIMEOUT(memcg, forced_charge, 180)
{
	struct member member;
	long limit, up;

	if (no_divers())
		SKIP(return, "%s", no_divers());
	ASSERT_TRUE(start_member_of_divers(&member));
	limit = set_limit(charged_bytes(GROUP), ROOM_PAGES);
	ASSERT_GT(limit, 0);
	ASSERT_TRUE(spare_from_oom(member.pid));
	up = read_number(DEEP_FILE, "up") + DEEP_THREADS;
	close(diving[1]);
	/* Each of them looks for a victim first, again and again. */
	EXPECT_TRUE(wait_for_divers(up, GROUP, limit));
	TH_LOG("%s: limit %ld bytes, reached %ld times, charged %ld", method.name, limit,
	       read_number(GROUP "/memory.events", "max"), charged_bytes(GROUP));
	EXPECT_EQ(up, read_number(DEEP_FILE, "up"));
	EXPECT_EQ(0, read_number(GROUP "/memory.events", "oom_kill"));
	EXPECT_TRUE(end_member(&member));
	EXPECT_EQ(0, wait_for_kernel_stack(GROUP, 0));
	EXPECT_TRUE(all_uncharged(_metadata, GROUP));
}

static sem_t clones_end;

static void *wait_for_end(void *arg)
{
	sem_wait(&clones_end);
	return arg;
}

/* As many as can be made, but not more than CLONES; they have ended. */
static int make_clones(char *stacks)
{
	pthread_t threads[CLONES];
	int i, made, error = 0;
	pthread_attr_t attr;

	for (made = 0; made < CLONES; made++) {
		pthread_attr_init(&attr);
		pthread_attr_setstack(&attr, stacks + made * USER_STACK, USER_STACK);
		error = pthread_create(&threads[made], &attr, wait_for_end, NULL);
		if (error)
			break;
	}
	for (i = 0; i < made; i++)
		sem_post(&clones_end);
	for (i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	return error && error != EAGAIN ? -1 : made;
}

/*
 * The first round has no limit. So all that the threads need in user space is there
 * afterwards: a page fault at the limit would be tried again for ever.
 */
static bool clone_at_limit(void)
{
	int round, made;
	char *stacks;
	long charged;

	stacks = mmap(NULL, CLONES * USER_STACK, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (stacks == MAP_FAILED || sem_init(&clones_end, 0, 0) || !spare_from_oom(getpid()))
		return false;
	charged = charged_bytes(GROUP);
	if (make_clones(stacks) != CLONES)
		return false;
	/* Stacks of threads that have exited are freed late. */
	wait_until_charged(GROUP, charged + CLONE_ROOM_PAGES * sysconf(_SC_PAGESIZE) / 2);
	if (!set_limit(charged, CLONE_ROOM_PAGES))
		return false;
	for (round = 0; round < CLONE_ROUNDS; round++) {
		made = make_clones(stacks);
		if (made < 0 || made == CLONES)
			return false;
	}
	return write_text(GROUP "/memory.max", "max") && make_clones(stacks) == CLONES;
}

/* A group that has no room for a new thread: clone() fails, and nothing stays charged. */
TEST_F_TIMEOUT(memcg, refused_clone, 180)
{
	struct member member;

	ASSERT_TRUE(start_member(&member, clone_at_limit));
	TH_LOG("%s: limit reached %ld times", method.name,
	       read_number(GROUP "/memory.events", "max"));
	EXPECT_GE(read_number(GROUP "/memory.events", "max"), CLONE_ROUNDS);
	EXPECT_EQ(0, read_number(GROUP "/memory.events", "oom_kill"));
	EXPECT_TRUE(end_member(&member));
	EXPECT_EQ(0, wait_for_kernel_stack(GROUP, 0));
	EXPECT_TRUE(all_uncharged(_metadata, GROUP));
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
