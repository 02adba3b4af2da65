/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel counts about stacks, as the tests read it. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "files.h"
#include "kselftest.h"

#define DEBUGFS_DIR	"/sys/kernel/debug/dynamic_stack"
/* Of the module stack_stress. */
#define STRESS_FILE	"/sys/kernel/debug/stack_stress/run"
#define DEEP_FILE	"/sys/kernel/debug/stack_stress/deep"
/* Of the module dynamic_stack_expand. */
#define EXPAND_FILE	"/sys/kernel/debug/dynamic_stack_expand/self"

/* What a thread owns under the booted method. */
struct method {
	char name[16];
	long slots;
	long pages_per_thread;
	/* Of these, what checks of the compiler map before it is used. */
	long pages_ahead;
};

struct counters {
	long threads;
	long owned_pages;
	long kernel_stack_pages;
	long vmalloc_pages;
	long stock_pages;
};

static inline struct counters read_counters(void)
{
	long page_kb = sysconf(_SC_PAGESIZE) / 1024;
	struct sysinfo system;

	/* Counters are kept per CPU; reading this file folds them. */
	read_number("/proc/sys/vm/stat_refresh", "");
	sysinfo(&system);
	return (struct counters) {
		.threads = system.procs,
		.owned_pages = read_number("/proc/vmstat",
					   "nr_dynamic_stack_owned"),
		.kernel_stack_pages = read_number("/proc/meminfo",
						  "KernelStack") / page_kb,
		.vmalloc_pages = read_number("/proc/meminfo",
					     "VmallocUsed") / page_kb,
		.stock_pages = read_number("/proc/vmstat",
					   "nr_dynamic_stack_stock"),
	};
}

/* Needs the module dynamic_stack_stats. */
static inline bool read_method_from_debugfs(struct method *method)
{
	const char *path = DEBUGFS_DIR "/summary";
	bool found;
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		return false;
	method->slots = read_number(path, "slots");
	found = fscanf(file, "method %15s", method->name) == 1;
	fclose(file);
	return found && method->slots > 0;
}

/* Of the kernel log, what follows @prefix. Returns the number of conversions. */
static inline int scan_log(const char *prefix, const char *format, ...)
{
	int size = klogctl(10, NULL, 0);	/* SYSLOG_ACTION_SIZE_BUFFER */
	char *log, *line;
	int len, found = 0;
	va_list args;

	if (size <= 0)
		return 0;
	log = malloc(size + 1);
	if (!log)
		return 0;
	len = klogctl(3, log, size);		/* SYSLOG_ACTION_READ_ALL */
	log[len > 0 ? len : 0] = '\0';
	line = strstr(log, prefix);
	if (line) {
		va_start(args, format);
		found = vsscanf(line + strlen(prefix), format, args);
		va_end(args);
	}
	free(log);
	return found;
}

static inline bool read_method_from_log(struct method *method)
{
	return scan_log("dynamic_stack: method ", "%15[^,], %ld slots",
			method->name, &method->slots) == 2;
}

/* Ends the program as skipped, with the reason, where the feature is absent. */
static inline struct method require_method(void)
{
	struct method method = {};
	long margin = 0;

	if (read_number("/proc/vmstat", "nr_dynamic_stack_owned") < 0) {
		ksft_print_header();
		ksft_exit_skip("needs CONFIG_DYNAMIC_STACK\n");
	}
	if (!read_method_from_debugfs(&method) &&
	    !read_method_from_log(&method)) {
		ksft_print_header();
		ksft_exit_skip("needs the module dynamic_stack_stats (the boot log is gone)\n");
	}
	/* Only probe has one. */
	scan_log("dynamic_stack: checks leave a margin of ", "%ld", &margin);
	method.pages_ahead = margin / sysconf(_SC_PAGESIZE);
	method.pages_per_thread = strcmp(method.name, "off") ?
				  1 + method.pages_ahead : method.slots;
	return method;
}

#endif
