/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that come and go, until the process that makes them is killed. */
#ifndef FORKS_H
#define FORKS_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static inline pid_t start_forks(void)
{
	pid_t pid = fork();

	while (!pid)
		if (!fork())
			_exit(0);
		else
			wait(NULL);
	return pid;
}

static inline void stop_forks(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
