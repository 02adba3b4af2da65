// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of a guest that holds nothing else than /bench and perhaps modules
 * that it is measured with: no file system of the host, no daemon, no device that is answered
 * when the host likes to. What /bench prints goes to the second serial port, the
 * log keeps the first one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "kselftest.h"

/* RCU leaves its boot mode and the threads of the boot end. */
#define SETTLE_SECONDS	10

/* Each one may be missing. */
static const char * const modules[] = { "/stack_stress.ko", "/ftrace_noop.ko" };

/* The kernel panics when this process ends: the host sees that. */
static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void mount_on(const char *dir, const char *type)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		die(dir);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY)
		die(dir);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		die(path);
	close(fd);
}

static int run(const char *program)
{
	pid_t pid = vfork();
	int status;

	if (!pid) {
		execl(program, program, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die(program);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	size_t i;
	int output;

	mount_on("/proc", "proc");
	mount_on("/sys", "sysfs");
	mount_on("/sys/kernel/debug", "debugfs");
	mount_on("/dev", "devtmpfs");
	output = open("/dev/ttyS1", O_WRONLY);
	if (output < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		die("/dev/ttyS1");
	setlinebuf(stdout);

	printf("@dynstack begin\n");
	for (i = 0; i < ARRAY_SIZE(modules); i++)
		load_module(modules[i]);
	sleep(SETTLE_SECONDS);
	printf("@dynstack exit %d\n", run("/bench"));
	tcdrain(output);
	/* The host takes a restart for the end. */
	reboot(RB_AUTOBOOT);
	die("reboot");
}
