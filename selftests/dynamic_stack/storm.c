// SPDX-License-Identifier: GPL-2.0
/*
 * Fork, exec, exit, ptrace, signals and migration all at once. Each kind
 * counts the events it raised and those that arrived; none may be lost.
 */
#include "kselftest_harness.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "counters.h"
#include "cpus.h"

#define EVENTS		2000
#define EXEC_STATUS	42
#define LAST_SIGNAL	(-1)

/* Shared between the processes of one storm. */
struct tally {
	long raised;
	long handled;
};

static struct tally *signals;

static bool exited_with(pid_t child, int expected)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == expected;
}

static void storm_exit(struct tally *tally)
{
	int event;
	pid_t child;

	for (event = 0; event < EVENTS; event++) {
		child = fork();
		if (!child)
			_exit(event & 0x7f);
		tally->raised++;
		tally->handled += exited_with(child, event & 0x7f);
	}
}

static void storm_exec(struct tally *tally)
{
	int event;
	pid_t child;

	for (event = 0; event < EVENTS; event++) {
		child = vfork();
		if (!child) {
			execl("/proc/self/exe", "storm", "exec", NULL);
			_exit(1);
		}
		tally->raised++;
		tally->handled += exited_with(child, EXEC_STATUS);
	}
}

/* The tracee stops on each signal and once more after a single step. */
static void storm_ptrace(struct tally *tally)
{
	int event, status;
	pid_t child;

	child = fork();
	if (child < 0) {
		tally->raised++;
		return;
	}
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		for (event = 0; event < EVENTS; event++)
			raise(SIGUSR1);
		_exit(0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == SIGUSR1) {
			tally->raised++;
			ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
		} else {
			tally->handled += WSTOPSIG(status) == SIGTRAP;
			ptrace(PTRACE_CONT, child, NULL, NULL);
		}
	}
}

static void count_signal(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (info->si_value.sival_int == LAST_SIGNAL)
		_exit(0);
	signals->handled++;
}

static void queue_signal(pid_t target, int value)
{
	while (sigqueue(target, SIGRTMIN, (union sigval){ value }) &&
	       errno == EAGAIN)
		sched_yield();
}

static void storm_signal(struct tally *tally)
{
	struct sigaction action = {
		.sa_sigaction = count_signal,
		.sa_flags = SA_SIGINFO,
	};
	int event;
	pid_t child;

	signals = tally;
	sigaction(SIGRTMIN, &action, NULL);
	child = fork();
	if (!child)
		for (;;)
			pause();
	for (event = 0; event < EVENTS; event++) {
		queue_signal(child, event);
		tally->raised++;
	}
	queue_signal(child, LAST_SIGNAL);
	waitpid(child, NULL, 0);
}

/*
 * A CPU that went offline meanwhile opens the mask, of which the CPUs that are left are
 * seen: no lost event. If it is back before the mask is read, the thread is too, at a
 * second look.
 */
static bool runs_on(int cpu)
{
	cpu_set_t mask;
	int look;

	for (look = 0; look < 2; look++) {
		if (sched_getcpu() == cpu)
			return true;
		if (!sched_getaffinity(0, sizeof(mask), &mask) &&
		    (CPU_COUNT(&mask) != 1 || !CPU_ISSET(cpu, &mask)))
			return true;
	}
	return false;
}

static void storm_migrate(struct tally *tally)
{
	cpu_set_t all;
	int cpu = 0;

	sched_getaffinity(0, sizeof(all), &all);
	while (tally->raised < EVENTS) {
		cpu = (cpu + 1) % CPU_SETSIZE;
		if (!CPU_ISSET(cpu, &all) || !run_only_on(cpu))
			continue;
		tally->raised++;
		tally->handled += runs_on(cpu);
	}
}

static const struct kind {
	const char *name;
	void (*run)(struct tally *tally);
} kinds[] = {
	{ "exit", storm_exit },
	{ "exec", storm_exec },
	{ "ptrace", storm_ptrace },
	{ "signal", storm_signal },
	{ "migrate", storm_migrate },
};

FIXTURE(storm) {
	struct tally *tallies;
};

FIXTURE_SETUP(storm)
{
	self->tallies = mmap(NULL, sizeof(*self->tallies) * ARRAY_SIZE(kinds),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->tallies);
	/* Then CPUs of a core choose for each other who runs; see prctl(2). */
	if (!prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_THREAD, 0))
		TH_LOG("with core scheduling");
}

FIXTURE_TEARDOWN(storm)
{
}

TEST_F_TIMEOUT(storm, no_event_is_lost, 1200)
{
	pid_t workers[ARRAY_SIZE(kinds)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		workers[i] = fork();
		if (!workers[i]) {
			kinds[i].run(&self->tallies[i]);
			_exit(0);
		}
	}
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_TRUE(exited_with(workers[i], 0));
		TH_LOG("%s: raised %ld, handled %ld", kinds[i].name,
		       self->tallies[i].raised, self->tallies[i].handled);
		EXPECT_EQ(EVENTS, self->tallies[i].raised);
		EXPECT_EQ(EVENTS, self->tallies[i].handled);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "exec"))
		return EXEC_STATUS;
	require_method();
	return test_harness_run(argc, argv);
}
