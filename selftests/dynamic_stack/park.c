// SPDX-License-Identifier: GPL-2.0
/*
 * park N COMMAND [ARG]...: runs COMMAND while N threads sleep in the kernel.
 * Their user stacks are tiny, so that kernel memory is what they cost.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#define USER_STACK_BYTES	512
#define POLL_US			10000

static int parked(void *unused __maybe_unused)
{
	for (;;)
		pause();
	return 0;
}

static int start(long threads)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM;
	char *stacks = mmap(NULL, threads * USER_STACK_BYTES,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long i;

	if (stacks == MAP_FAILED) {
		perror("park: user stacks");
		return -1;
	}
	for (i = 1; i <= threads; i++) {
		if (clone(parked, stacks + i * USER_STACK_BYTES, flags, NULL) < 0) {
			fprintf(stderr, "park: thread %ld: %m; see kernel.threads-max, pid_max\n",
				i);
			return -1;
		}
	}
	return 0;
}

/* A new thread holds more than a sleeping one: let all of them reach it. */
static int wait_until_asleep(void)
{
	long runnable;
	FILE *file;
	int fields;

	for (;;) {
		file = fopen("/proc/loadavg", "r");
		if (!file) {
			perror("park: /proc/loadavg");
			return -1;
		}
		fields = fscanf(file, "%*s %*s %*s %ld/", &runnable);
		fclose(file);
		if (fields == 1 && runnable <= 1)
			return 0;
		usleep(POLL_US);
	}
}

static int run(char **command)
{
	pid_t pid = vfork();
	int status;

	if (!pid) {
		/* Whoever kills this program means the command, too. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("park: command");
		return EXIT_FAILURE;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	long threads = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

	if (threads < 1) {
		fprintf(stderr, "usage: park N COMMAND [ARG]..., N at least 1\n");
		return EXIT_FAILURE;
	}
	if (start(threads) || wait_until_asleep())
		return EXIT_FAILURE;
	return run(argv + 2);
}
