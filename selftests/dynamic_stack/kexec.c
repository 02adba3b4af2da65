// SPDX-License-Identifier: GPL-2.0
/*
 * Starts another kernel, with the command line of this one and WORDS behind it. Without
 * INITRD it has no initial RAM disk: whoever looks at the console sees it boot, and
 * panic for want of a root file system. With INITRD this kernel crashes, and the other
 * one is that for crashes.
 * usage: kexec KERNEL WORDS [INITRD]
 */
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/syscall.h>

#include "files.h"
#include "kselftest.h"

/* The CPU that crashes need not be the first, and only that one can start others. */
#define ONE_CPU	"nr_cpus=1 "

static char line[4096];

static bool make_command_line(const char *before, const char *behind)
{
	size_t len = sprintf(line, "%s", before);
	size_t room = sizeof(line) - strlen(behind) - 2;
	int old = open("/proc/cmdline", O_RDONLY);
	ssize_t bytes;

	bytes = read(old, line + len, room - len);
	if (bytes < 0)
		return false;
	len += strcspn(line + len, "\n");
	sprintf(line + len, " %s", behind);
	return true;
}

int main(int argc, char **argv)
{
	int kernel, initrd = -1;
	bool crash = argc == 4;
	unsigned long flags;

	if (argc != 3 && !crash) {
		fprintf(stderr, "usage: kexec KERNEL WORDS [INITRD]\n");
		return KSFT_FAIL;
	}
	kernel = open(argv[1], O_RDONLY);
	if (crash)
		initrd = open(argv[3], O_RDONLY);
	if (kernel < 0 || (crash && initrd < 0) ||
	    !make_command_line(crash ? ONE_CPU : "", argv[2])) {
		perror("kexec");
		return KSFT_FAIL;
	}
	flags = crash ? KEXEC_FILE_ON_CRASH : KEXEC_FILE_NO_INITRAMFS;
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, flags)) {
		perror("kexec_file_load");
		return KSFT_FAIL;
	}
	if (crash)
		write_text("/proc/sysrq-trigger", "c");
	else
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
	perror(crash ? "crash" : "reboot");
	return KSFT_FAIL;
}
