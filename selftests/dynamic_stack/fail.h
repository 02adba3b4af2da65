/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations of stack memory that fail on demand. */
#ifndef FAIL_H
#define FAIL_H

#include "files.h"

#define FAIL_DIR	"/sys/kernel/debug/fail_dynamic_stack/"

/* What memory is allocated for: the bits of FAIL_DIR "sites". */
#define AREA		"0x01"
#define REFILL		"0x02"
#define REFILL_RESERVE	"0x06"
#define CPU		"0x08"
#define EXPAND		"0x10"
#define ALL_BUT_RESERVE	"0x3b"
#define REFILL_RESERVE_KILL "0x46"
#define NOWHERE		"0x00"

#define ALWAYS		"-1"

/* Of the allocations at @sites, each @interval-th fails, @times in all. */
static inline bool arm(const char *sites, const char *interval, const char *times,
		       const char *only_us)
{
	return write_text(FAIL_DIR "sites", NOWHERE) &&
	       write_text(FAIL_DIR "probability", "100") &&
	       write_text(FAIL_DIR "verbose", "0") &&
	       write_text(FAIL_DIR "interval", interval) &&
	       write_text(FAIL_DIR "times", times) &&
	       write_text(FAIL_DIR "task-filter", only_us) &&
	       write_text("/proc/self/make-it-fail", only_us) &&
	       write_text(FAIL_DIR "sites", sites);
}

static inline void disarm(void)
{
	write_text(FAIL_DIR "sites", NOWHERE);
	write_text("/proc/self/make-it-fail", "0");
}

/* Of those that arm() was told; -1 for ever, or if the file cannot be read. */
static inline long failures_left(void)
{
	return read_first_number(FAIL_DIR "times");
}

#endif
