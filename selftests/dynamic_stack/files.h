/* SPDX-License-Identifier: GPL-2.0 */
/* Small files of proc, debugfs and cgroupfs. */
#ifndef FILES_H
#define FILES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* The number after @key at the start of a line of @path, or -1. */
static inline long read_number(const char *path, const char *key)
{
	size_t len = strlen(key);
	long value = -1;
	char line[256];
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && strchr(": \t", line[len]))
			value = strtol(line + len + 1, NULL, 10);
	fclose(file);
	return value;
}

/* The number with which @path begins, or -1. */
static inline long read_first_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long value = -1;

	if (file) {
		if (fscanf(file, "%ld", &value) != 1)
			value = -1;
		fclose(file);
	}
	return value;
}

/* As far as the kernel tells its configuration. */
static inline bool has_config(const char *symbol)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "zcat /proc/config.gz 2>/dev/null | grep -qx %s=y", symbol);
	return !system(command);
}

static inline bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* No victim of the OOM killer from now on. */
static inline bool spare_from_oom(pid_t pid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	return write_text(path, "-1000");
}

#endif
