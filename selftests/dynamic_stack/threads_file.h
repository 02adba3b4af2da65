/* SPDX-License-Identifier: GPL-2.0 */
/* What the module dynamic_stack_stats shows of single threads. */
#ifndef THREADS_FILE_H
#define THREADS_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "files.h"

#define THREADS_FILE	DEBUGFS_DIR "/threads"

struct depths {
	long threads;
	long owned_pages;
	long depth_bytes;
};

/* Fails without the module. */
static inline bool show_all_threads(void)
{
	return write_text(THREADS_FILE, "1000");
}

static inline void show_some_threads(void)
{
	write_text(THREADS_FILE, "20");
}

/* The largest numbers of all threads whose name begins with @name. */
static inline struct depths read_depths(const char *name)
{
	FILE *file = fopen(THREADS_FILE, "r");
	struct depths depths = {};
	long owned, depth;
	char line[128];
	char comm[16];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*d %ld %ld %15s", &owned, &depth, comm) != 3 ||
		    strncmp(comm, name, strlen(name)))
			continue;
		depths.threads++;
		if (owned > depths.owned_pages)
			depths.owned_pages = owned;
		if (depth > depths.depth_bytes)
			depths.depth_bytes = depth;
	}
	if (file)
		fclose(file);
	return depths;
}

#endif
