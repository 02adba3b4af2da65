// SPDX-License-Identifier: GPL-2.0
/*
 * More threads than there is memory for, all deep in the kernel at once: clone()
 * fails or the OOM killer acts, but the machine lives and nothing is lost. For
 * a small guest that is not needed for anything else.
 */
#include "kselftest_harness.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cgroup.h"
#include "counters.h"
#include "files.h"
#include "memory_stat.h"

#define PROCESSES	16
/* Of one process. In 96 MiB all can be there, but not all be deep. */
#define MOST_THREADS	300
#define USER_STACK	(16 * 1024)
#define NAP_MS		200

/* In the second, third and last page of a 16 KiB stack. */
static const int depths[] = { 5000, 9000, 13000 };

#define GROUP		CGROUPS "/dynamic_stack_exhaust"
#define GROUP_BYTES	"16777216"

/* Pages that threads of the kernel may come to own, or free, meanwhile. */
#define OTHERS		32
#define POLL_MS		100
#define POLLS		300

static struct method method;

/* What the processes count together. */
struct shared {
	long threads;
	long refused;
	long went;
	long failed;
	int ready;
	int go;
};

/* Threads of this process. */
static int running;

static void add(long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void await_start(struct shared *shared)
{
	while (!__atomic_load_n(&shared->go, __ATOMIC_ACQUIRE))
		usleep(NAP_MS * 1000);
}

static int go_deep(void *arg)
{
	struct shared *shared = arg;
	char command[32];
	unsigned int i;
	int fd, len;

	/*
	 * Before memory is short: what is to be exhausted is the memory for stacks.
	 * A file of its own: write() waits for others that write to the same.
	 */
	fd = open(DEEP_FILE, O_WRONLY);
	await_start(shared);
	for (i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		len = snprintf(command, sizeof(command), "%d %d", depths[i], NAP_MS);
		if (write(fd, command, len) == len)
			add(&shared->went);
		else
			add(&shared->failed);
	}
	__atomic_sub_fetch(&running, 1, __ATOMIC_RELEASE);
	return 0;
}

/* One process of many threads: they share all that a thread can share. */
static void join(struct shared *shared, const char *group)
{
	int threads, flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			     CLONE_THREAD | CLONE_SYSVSEM;
	char *stack;

	write_text("/proc/self/oom_score_adj", "1000");
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 2 * MOST_THREADS, 2 * MOST_THREADS }) ||
	    (group && !write_text(group, "0")))
		_exit(1);
	for (threads = 0; threads < MOST_THREADS; threads++) {
		stack = mmap(NULL, USER_STACK, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		__atomic_add_fetch(&running, 1, __ATOMIC_RELAXED);
		if (stack == MAP_FAILED ||
		    clone(go_deep, stack + USER_STACK, flags, shared) < 0) {
			__atomic_sub_fetch(&running, 1, __ATOMIC_RELAXED);
			add(&shared->refused);
			break;
		}
		add(&shared->threads);
	}
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_RELEASE);
	/* They end with their process. */
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		usleep(NAP_MS * 1000);
	_exit(0);
}

/* Takes memory until it is killed, again and again. */
static void hog(struct shared *shared)
{
	long page = sysconf(_SC_PAGESIZE);
	long bytes = sysconf(_SC_PHYS_PAGES) * page;

	await_start(shared);
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS |
					    MAP_NORESERVE, -1, 0);

			/* Who is to end the hog kills the parent. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			write_text("/proc/self/oom_score_adj", "1000");
			for (; memory != MAP_FAILED && bytes > 0; bytes -= page)
				memory[bytes - 1] = 1;
			_exit(0);
		}
		if (pid < 0)
			usleep(NAP_MS * 1000);
		else
			waitpid(pid, NULL, 0);
	}
}

/* One test: what there was before, and who takes part. */
struct crowd {
	struct shared *shared;
	struct counters before;
	long oom_kills;
	long parks;
	pid_t pids[PROCESSES];
};

FIXTURE(exhaust) {
	struct crowd crowd;
};

FIXTURE_SETUP(exhaust)
{
	if (access(DEEP_FILE, W_OK))
		SKIP(return, "needs the module stack_stress and root");
	/* The limits of the kernel are not what is to be tested. */
	ASSERT_TRUE(write_text("/proc/sys/kernel/threads-max", "100000"));
	ASSERT_TRUE(write_text("/proc/sys/vm/overcommit_memory", "1"));
	ASSERT_TRUE(spare_from_oom(getpid()));
	self->crowd.shared = mmap(NULL, sizeof(*self->crowd.shared), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->crowd.shared);
	self->crowd.before = read_counters();
	self->crowd.oom_kills = read_number("/proc/vmstat", "oom_kill");
	self->crowd.parks = read_number("/proc/vmstat", "dynamic_stack_park");
}

FIXTURE_TEARDOWN(exhaust)
{
	munmap(self->crowd.shared, sizeof(*self->crowd.shared));
}

static void start(struct crowd *crowd, const char *group)
{
	int i;

	for (i = 0; i < PROCESSES; i++) {
		crowd->pids[i] = fork();
		if (!crowd->pids[i])
			join(crowd->shared, group);
		if (crowd->pids[i] < 0)
			add(&crowd->shared->refused);
	}
}

/* Lets them go deep once they are all there, and sees them end. */
static int finish(struct crowd *crowd)
{
	int i, status, killed = 0, polls = POLLS;

	while (polls-- && __atomic_load_n(&crowd->shared->ready, __ATOMIC_ACQUIRE) <
			  PROCESSES)
		usleep(POLL_MS * 1000);
	__atomic_store_n(&crowd->shared->go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < PROCESSES; i++)
		if (crowd->pids[i] > 0 && waitpid(crowd->pids[i], &status, 0) > 0 &&
		    WIFSIGNALED(status))
			killed++;
	return killed;
}

static struct counters settle(const struct counters *before)
{
	struct counters now = read_counters();
	int polls = POLLS;

	while (polls-- && (now.threads > before->threads + 8 ||
			   labs(now.owned_pages - before->owned_pages) > OTHERS ||
			   now.stock_pages != before->stock_pages)) {
		usleep(POLL_MS * 1000);
		now = read_counters();
	}
	return now;
}

static long parks(const struct crowd *crowd)
{
	return read_number("/proc/vmstat", "dynamic_stack_park") - crowd->parks;
}

static void verify(struct __test_metadata *_metadata,
		   struct crowd *crowd, int killed)
{
	struct counters after = settle(&crowd->before);
	long oom_kills = read_number("/proc/vmstat", "oom_kill") - crowd->oom_kills;

	TH_LOG("%s: %ld threads, %ld refused, went deep %ld times, %ld failed",
	       method.name, crowd->shared->threads, crowd->shared->refused,
	       crowd->shared->went, crowd->shared->failed);
	TH_LOG("%d of %d processes killed, %ld OOM kills, %ld parks", killed, PROCESSES,
	       oom_kills, parks(crowd));
	TH_LOG("owned pages before %ld, after %ld; stack pages before %ld, after %ld",
	       crowd->before.owned_pages, after.owned_pages,
	       crowd->before.kernel_stack_pages, after.kernel_stack_pages);
	/* Otherwise there was memory for all, and nothing was seen. */
	EXPECT_GT(crowd->shared->refused + oom_kills, 0);
	EXPECT_EQ(crowd->before.stock_pages, after.stock_pages);
	EXPECT_LE(labs(after.owned_pages - crowd->before.owned_pages), OTHERS);
	EXPECT_LE(labs(after.kernel_stack_pages - crowd->before.kernel_stack_pages),
		  OTHERS);
	EXPECT_GT(crowd->shared->threads, 0);
	EXPECT_GT(crowd->shared->went, 0);
	if (strcmp(method.name, "off"))
		EXPECT_GT(parks(crowd), 0);
	/* A descent that fails has found its stack damaged. */
	EXPECT_EQ(0, crowd->shared->failed);
}

TEST_F_TIMEOUT(exhaust, threads, 300)
{
	start(&self->crowd, NULL);
	verify(_metadata, &self->crowd, finish(&self->crowd));
}

TEST_F_TIMEOUT(exhaust, threads_and_hog, 300)
{
	pid_t pid = fork();
	int killed;

	ASSERT_GE(pid, 0);
	if (!pid)
		hog(self->crowd.shared);
	start(&self->crowd, NULL);
	killed = finish(&self->crowd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	verify(_metadata, &self->crowd, killed);
}

/* Then the limit of the group acts, not the end of all memory. */
TEST_F_TIMEOUT(exhaust, threads_in_memcg, 300)
{
	ASSERT_EQ(NULL, mount_cgroups());
	ASSERT_EQ(0, mkdir(GROUP, 0755));
	ASSERT_TRUE(write_text(GROUP "/memory.max", GROUP_BYTES));
	start(&self->crowd, GROUP "/cgroup.procs");
	verify(_metadata, &self->crowd, finish(&self->crowd));
	EXPECT_GT(read_number(GROUP "/memory.events", "oom_kill"), 0);
	EXPECT_EQ(0, wait_for_kernel_stack(GROUP, 0));
	EXPECT_TRUE(remove_cgroup(GROUP));
	unmount_cgroups();
}

int main(int argc, char **argv)
{
	/* The one that started it may end it when it takes too long. */
	spare_from_oom(getppid());
	spare_from_oom(getpid());
	method = require_method();
	return test_harness_run(argc, argv);
}
