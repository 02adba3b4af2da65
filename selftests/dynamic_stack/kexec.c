// SPDX-License-Identifier: GPL-2.0
/*
 * Starts another kernel, with the command line of this one and WORD behind it, but
 * no initial RAM disk: whoever looks at the console sees it boot, and panic for
 * want of a root file system.
 * usage: kexec KERNEL WORD
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest.h"

static char line[4096];

int main(int argc, char **argv)
{
	int kernel, old;
	size_t len;

	if (argc != 3) {
		fprintf(stderr, "usage: kexec KERNEL WORD\n");
		return KSFT_FAIL;
	}
	kernel = open(argv[1], O_RDONLY);
	old = open("/proc/cmdline", O_RDONLY);
	if (kernel < 0 || old < 0 || read(old, line, sizeof(line) - strlen(argv[2]) - 2) < 0) {
		perror("kexec");
		return KSFT_FAIL;
	}
	len = strcspn(line, "\n");
	len += sprintf(line + len, " %s", argv[2]) + 1;
	if (syscall(SYS_kexec_file_load, kernel, -1, len, line, KEXEC_FILE_NO_INITRAMFS)) {
		perror("kexec_file_load");
		return KSFT_FAIL;
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("reboot");
	return KSFT_FAIL;
}
