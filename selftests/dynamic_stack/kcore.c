// SPDX-License-Identifier: GPL-2.0
/*
 * A debugger reads the stack areas of sleeping threads through /proc/kcore, slots
 * without a page included, while other threads come and go.
 */
#include "kselftest_harness.h"

#include "addresses.h"
#include "core.h"
#include "counters.h"
#include "files.h"
#include "forks.h"
#include "parked.h"

#define KCORE		"/proc/kcore"
#define AREAS		"/proc/vmallocinfo"

#define THREADS		100
#define ROUNDS		5
#define MAX_BYTES	(256 * 1024)

static struct method method;

/* What was seen of all stack areas. */
struct seen {
	long areas;
	/* A thread has run there. */
	long used;
	/* Of these, the lowest slot has no STACK_END_MAGIC, and reads as zeros. */
	long empty;
	long unreadable;
};

/* The line of a stack area; its first slot is behind the address in it. */
static bool is_stack(const char *line, unsigned long *address)
{
	char pages[24];

	snprintf(pages, sizeof(pages), " pages=%ld ", method.slots);
	return sscanf(line, "0x%lx-", address) == 1 && strstr(line, pages) &&
	       (strstr(line, "alloc_thread_stack") || strstr(line, "dup_task_struct") ||
		strstr(line, "copy_process") || strstr(line, "kernel_clone"));
}

static struct seen look(const struct core *core)
{
	static char stack[MAX_BYTES];
	long page = sysconf(_SC_PAGESIZE), bytes = method.slots * page;
	FILE *file = fopen(AREAS, "r");
	struct seen seen = {};
	unsigned long address;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (!is_stack(line, &address))
			continue;
		seen.areas++;
		if (!read_core(core, address, stack, bytes, virtual_start)) {
			seen.unreadable++;
		} else if (!is_zero(stack + bytes - page, page)) {
			seen.used++;
			seen.empty += is_zero(stack, page);
		}
	}
	if (file)
		fclose(file);
	return seen;
}

TEST(stacks)
{
	char before[8] = {};
	struct parked parked;
	struct core core;
	struct seen seen;
	pid_t storm;
	int i;

	if (access(KCORE, R_OK))
		SKIP(return, "needs CONFIG_PROC_KCORE and root");
	ASSERT_LE(method.slots * sysconf(_SC_PAGESIZE), MAX_BYTES);
	ASSERT_TRUE(open_core(&core, KCORE));
	ASSERT_TRUE(show_addresses(before, sizeof(before)));
	ASSERT_TRUE(park(&parked, THREADS));
	storm = start_forks();
	for (i = 0; i < ROUNDS; i++) {
		seen = look(&core);
		TH_LOG("%s: %ld stacks, %ld used, of these %ld with empty slots, %ld unreadable",
		       method.name, seen.areas, seen.used, seen.empty, seen.unreadable);
		EXPECT_GE(seen.used, THREADS);
		EXPECT_EQ(0, seen.unreadable);
		EXPECT_GE(seen.empty, method.pages_per_thread < method.slots ? THREADS : 0);
	}
	stop_forks(storm);
	unpark(&parked);
	EXPECT_TRUE(hide_addresses(before));
	close(core.fd);
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
