// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of stack memory fails on demand: once, again and again, and
 * together with others. Who asked is told, nothing is lost, and threads that
 * need pages to run wait for them.
 */
#include "kselftest_harness.h"

#include "counters.h"
#include "fail.h"
#include "files.h"
#include "forks.h"

#define CPU_FILE	"/sys/devices/system/cpu/cpu1/online"

#define ROUNDS		50

/* Longer than kstackd waits until it calls the OOM killer, shorter than RCU waits. */
#define STARVE_US	5000000

static struct method method;

static long count_of(const char *key)
{
	read_number("/proc/sys/vm/stat_refresh", "");
	return read_number("/proc/vmstat", key);
}

/* Whether a child could be started; it is gone afterwards. */
static bool try_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* Kernel threads that use all of their stacks, verified by the module. */
static bool stress(const char *command)
{
	return write_text(STRESS_FILE, command);
}

static bool cpu_comes_up(void)
{
	return write_text(CPU_FILE, "1");
}

/* Of a test that takes too long, or is killed, the teardown does not run. */
static void clean_up(void)
{
	disarm();
	cpu_comes_up();
}

FIXTURE(fail_alloc) {
	struct counters before;
	pid_t storm;
};

FIXTURE_SETUP(fail_alloc)
{
	if (access(FAIL_DIR "sites", W_OK))
		SKIP(return, "needs CONFIG_FAIL_DYNAMIC_STACK, _DEBUG_FS and root");
	if (!strcmp(method.name, "off"))
		SKIP(return, "booted with dynamic_stack=off, which has no stock");
	if (access(STRESS_FILE, W_OK) || access(EXPAND_FILE, W_OK))
		SKIP(return, "needs the modules stack_stress and dynamic_stack_expand");
	disarm();
	self->before = read_counters();
}

FIXTURE_TEARDOWN(fail_alloc)
{
	stop_forks(self->storm);
	clean_up();
}

/* As often as it takes: a stack may come from the cache of stacks. */
static bool fails_to_fork(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (!try_fork())
			return errno == ENOMEM;
	return false;
}

TEST_F(fail_alloc, new_thread_once)
{
	ASSERT_TRUE(arm(AREA, "1", "1", "1"));
	EXPECT_TRUE(fails_to_fork());
	EXPECT_FALSE(fails_to_fork());
}

TEST_F(fail_alloc, new_thread_always)
{
	ASSERT_TRUE(arm(AREA, "1", ALWAYS, "1"));
	EXPECT_TRUE(fails_to_fork());
	EXPECT_TRUE(fails_to_fork());
	disarm();
	EXPECT_TRUE(try_fork());
}

TEST_F_TIMEOUT(fail_alloc, new_thread_sometimes, 120)
{
	int i, started = 0;

	ASSERT_TRUE(arm(AREA, "3", ALWAYS, "1"));
	for (i = 0; i < 20 * ROUNDS; i++)
		started += try_fork();
	EXPECT_GT(started, 0);
	EXPECT_LT(started, i);
}

/* All of the stack, but what the write itself may use. */
static const char *most_bytes(void)
{
	static char bytes[24];

	snprintf(bytes, sizeof(bytes), "%ld",
		 read_number(EXPAND_FILE, "room_bytes") - 2048);
	return bytes;
}

TEST_F(fail_alloc, expand)
{
	ASSERT_TRUE(arm(EXPAND, "1", "1", "1"));
	EXPECT_FALSE(write_text(EXPAND_FILE, most_bytes()));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_TRUE(write_text(EXPAND_FILE, most_bytes()));
}

TEST_F(fail_alloc, expand_always)
{
	int i;

	ASSERT_TRUE(arm(EXPAND, "1", ALWAYS, "1"));
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_FALSE(write_text(EXPAND_FILE, most_bytes()));
		EXPECT_EQ(ENOMEM, errno);
	}
	disarm();
	EXPECT_TRUE(write_text(EXPAND_FILE, most_bytes()));
}

static bool child_expands(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!write_text(EXPAND_FILE, most_bytes()));
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* New threads, which have something to ask for, and fail with their parent. */
TEST_F(fail_alloc, expand_sometimes)
{
	int i, expanded = 0;

	ASSERT_TRUE(arm(EXPAND, "7", ALWAYS, "1"));
	for (i = 0; i < ROUNDS; i++)
		expanded += child_expands();
	EXPECT_GT(expanded, 0);
	EXPECT_LT(expanded, i);
}

/*
 * One allocation of a request for several pages: it is all or nothing. Nobody knows where
 * in an interval the first request begins; the next one begins after a failure.
 */
TEST_F(fail_alloc, expand_half_done)
{
	long pages;
	int i;

	/* A second page, so that the thread comes to own none by running. */
	ASSERT_TRUE(write_text(EXPAND_FILE, "5000"));
	pages = read_number(EXPAND_FILE, "owned_pages");
	ASSERT_TRUE(arm(EXPAND, "2", "2", "1"));
	for (i = 0; i < 2; i++) {
		EXPECT_FALSE(write_text(EXPAND_FILE, most_bytes()));
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_EQ(pages, read_number(EXPAND_FILE, "owned_pages"));
	}
	EXPECT_EQ(0, failures_left());
}

/* Until it is @pages: what was kept is replaced soon, but not at once. */
static long wait_for_stock(long pages)
{
	long now = read_counters().stock_pages;
	int i;

	for (i = 0; i < ROUNDS && now != pages; i++) {
		usleep(100000);
		now = read_counters().stock_pages;
	}
	return now;
}

/* While threads come and go on the CPU that is left. */
TEST_F_TIMEOUT(fail_alloc, cpu_stays_down, 120)
{
	long stock, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int i;

	if (access(CPU_FILE, W_OK))
		SKIP(return, "needs CONFIG_HOTPLUG_CPU and a second CPU");
	ASSERT_TRUE(write_text(CPU_FILE, "0"));
	stock = wait_for_stock(self->before.stock_pages / cpus * (cpus - 1));
	self->storm = start_forks();
	ASSERT_TRUE(arm(CPU, "1", "1", "0"));
	EXPECT_FALSE(cpu_comes_up());
	EXPECT_EQ(ENOMEM, errno);
	/* The second time it is the fifth that fails: those got before go back. */
	ASSERT_TRUE(arm(CPU, "5", "2", "0"));
	EXPECT_FALSE(cpu_comes_up());
	EXPECT_FALSE(cpu_comes_up());
	ASSERT_TRUE(arm(CPU, "3", ALWAYS, "0"));
	EXPECT_FALSE(cpu_comes_up());
	ASSERT_TRUE(arm(CPU, "1", ALWAYS, "0"));
	for (i = 0; i < ROUNDS; i++)
		EXPECT_FALSE(cpu_comes_up());
	disarm();
	stop_forks(self->storm);
	self->storm = 0;
	EXPECT_EQ(stock, wait_for_stock(stock));
	EXPECT_TRUE(cpu_comes_up());
}

/* CPUs that ask at once may each take the one failure that is left. */
TEST_F_TIMEOUT(fail_alloc, refill_once, 120)
{
	long failed, failures = count_of("dynamic_stack_refill_fail");

	ASSERT_TRUE(arm(REFILL, "1", "1", "0"));
	EXPECT_TRUE(stress("THREADS 13000 50 2"));
	failed = count_of("dynamic_stack_refill_fail") - failures;
	EXPECT_GE(failed, 1);
	EXPECT_LE(failed, sysconf(_SC_NPROCESSORS_ONLN));
	/* With none left, refills succeed. */
	EXPECT_TRUE(stress("THREADS 13000 50 2"));
	EXPECT_EQ(failures + failed, count_of("dynamic_stack_refill_fail"));
}

TEST_F_TIMEOUT(fail_alloc, refill_sometimes, 120)
{
	long failures = count_of("dynamic_stack_refill_fail");

	ASSERT_TRUE(arm(REFILL, "3", ALWAYS, "0"));
	EXPECT_TRUE(stress("THREADS 13000 50 2"));
	EXPECT_GT(count_of("dynamic_stack_refill_fail"), failures);
}

/* What is left is kstackd, which refills reserves only. */
TEST_F_TIMEOUT(fail_alloc, refill_always, 120)
{
	long failures = count_of("dynamic_stack_refill_fail");

	ASSERT_TRUE(arm(REFILL, "1", ALWAYS, "0"));
	EXPECT_TRUE(stress("THREADS 13000 50 2"));
	EXPECT_GT(count_of("dynamic_stack_refill_fail"), failures);
}

/*
 * kstackd fills reserves only where a refill has failed. More refills may fail before it
 * runs, so it takes more than two failures for one to be its own.
 */
TEST_F_TIMEOUT(fail_alloc, reserve_a_few, 120)
{
	long failures, times, failed = 0;
	char text[24];

	for (times = 2; times <= 512; times *= 2) {
		failures = count_of("dynamic_stack_refill_fail");
		snprintf(text, sizeof(text), "%ld", times);
		ASSERT_TRUE(arm(REFILL_RESERVE, "1", text, "0"));
		EXPECT_TRUE(stress("THREADS 13000 50 2"));
		EXPECT_EQ(0, failures_left());
		failed = count_of("dynamic_stack_refill_fail") - failures;
		if (failed < times)
			break;
	}
	EXPECT_LT(failed, times);
	TH_LOG("%s: of %ld failures %ld were of kstackd", method.name, times,
	       times - failed);
	EXPECT_TRUE(stress("THREADS 13000 50 2"));
}

/* So often that the stocks get empty, as they must be before kstackd is asked. */
TEST_F_TIMEOUT(fail_alloc, reserve_sometimes, 120)
{
	long failed, failures = count_of("dynamic_stack_refill_fail");
	const int times = 1000000;

	ASSERT_TRUE(arm(REFILL_RESERVE, "1", "1000000", "0"));
	ASSERT_TRUE(write_text(FAIL_DIR "probability", "80"));
	EXPECT_TRUE(stress("THREADS 13000 50 2"));
	disarm();
	failed = times - failures_left();
	failures = count_of("dynamic_stack_refill_fail") - failures;
	EXPECT_GT(failures, 0);
	EXPECT_GT(failed, failures);
	TH_LOG("%s: of %ld failures %ld were of kstackd", method.name, failed,
	       failed - failures);
}

/*
 * For a while there is nothing at all: more than once, if the stocks last for all of
 * the first while. Returns how often @event was counted, or -1.
 */
static long starve_until(const char *event, const char *sites)
{
	long before = count_of(event);
	int i;

	for (i = 0; i < ROUNDS && count_of(event) == before; i++)
		if (!arm(sites, "1", "300", "0") || !stress("THREADS 13000 50 2"))
			return -1;
	return count_of(event) - before;
}

TEST_F_TIMEOUT(fail_alloc, threads_wait, 240)
{
	long parks = starve_until("dynamic_stack_park", REFILL_RESERVE);

	EXPECT_GT(parks, 0);
	TH_LOG("%s: %ld times a thread waited", method.name, parks);
}

/*
 * Nothing for a while, and no page to call the OOM killer for: others wait as long as it
 * takes. This thread owns its whole stack, and asks for nothing that may wait for them.
 */
TEST_F_TIMEOUT(fail_alloc, reserve_always, 240)
{
	long parks, kills = count_of("oom_kill");
	int status, ended;
	pid_t pid;

	ASSERT_TRUE(write_text(EXPAND_FILE, most_bytes()));
	parks = count_of("dynamic_stack_park");
	ASSERT_TRUE(arm(REFILL_RESERVE, "1", ALWAYS, "0"));
	pid = fork();
	if (!pid)
		_exit(!stress("THREADS 13000 50 20"));
	usleep(STARVE_US);
	ended = waitpid(pid, &status, WNOHANG);
	disarm();
	EXPECT_EQ(0, ended);
	EXPECT_GT(count_of("dynamic_stack_park"), parks);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(kills, count_of("oom_kill"));
	TH_LOG("%s: %ld times a thread waited", method.name,
	       count_of("dynamic_stack_park") - parks);
}

/* Sleeps until it is killed: whom the OOM killer is to choose. */
static pid_t start_victim(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!write_text("/proc/self/oom_score_adj", "1000"))
		_exit(1);
	for (;;)
		pause();
}

/* kstackd may call the OOM killer more than once. Nobody but victims is killed. */
TEST_F_TIMEOUT(fail_alloc, kstackd_kills, 240)
{
	long kills = count_of("oom_kill");
	pid_t victims[ROUNDS];
	int i, status, killed = 0;

	for (i = 0; i < ROUNDS; i++) {
		victims[i] = start_victim();
		ASSERT_GT(victims[i], 0);
	}
	EXPECT_GT(starve_until("oom_kill", REFILL_RESERVE_KILL), 0);
	disarm();
	/* The others end by this signal. */
	for (i = 0; i < ROUNDS; i++) {
		kill(victims[i], SIGTERM);
		ASSERT_EQ(victims[i], waitpid(victims[i], &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		killed += WTERMSIG(status) == SIGKILL;
	}
	EXPECT_EQ(count_of("oom_kill") - kills, killed);
	TH_LOG("%s: %d processes killed", method.name, killed);
}

TEST_F_TIMEOUT(fail_alloc, everything, 120)
{
	struct counters after;
	int i, started = 0;

	ASSERT_TRUE(arm(ALL_BUT_RESERVE, "7", ALWAYS, "0"));
	for (i = 0; i < 20 * ROUNDS; i++)
		started += try_fork();
	/* It reports that it could not start its threads. */
	stress("THREADS 13000 50 2");
	disarm();
	EXPECT_GT(started, 0);
	EXPECT_LT(started, i);
	EXPECT_TRUE(stress("THREADS 13000 50 2"));
	after = read_counters();
	TH_LOG("%s: %d of %d children started; owned pages before %ld, after %ld",
	       method.name, started, i, self->before.owned_pages,
	       after.owned_pages);
	EXPECT_LE(labs(after.owned_pages - self->before.owned_pages), ROUNDS);
}

int main(int argc, char **argv)
{
	method = require_method();
	atexit(clean_up);
	return test_harness_run(argc, argv);
}
