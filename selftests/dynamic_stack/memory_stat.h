/* SPDX-License-Identifier: GPL-2.0 */
/* What a memory cgroup is charged for stacks. */
#ifndef MEMORY_STAT_H
#define MEMORY_STAT_H

#include <stdio.h>
#include <unistd.h>

#include "files.h"

#define STAT_POLL_MS	100
#define STAT_POLLS	100	/* statistics of a cgroup may be 2 s late */

/* Until it is @bytes, or for so long; returns what it is then. */
static inline long wait_for_kernel_stack(const char *group, long bytes)
{
	char path[96];
	long now = -1;
	int poll;

	snprintf(path, sizeof(path), "%s/memory.stat", group);
	for (poll = 0; poll < STAT_POLLS; poll++) {
		now = read_number(path, "kernel_stack");
		if (now == bytes)
			break;
		usleep(STAT_POLL_MS * 1000);
	}
	return now;
}

#endif
