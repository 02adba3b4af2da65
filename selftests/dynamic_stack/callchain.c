// SPDX-License-Identifier: GPL-2.0
/*
 * perf takes call chains in a debug exception, which is to it as an NMI is, while
 * threads are at page boundaries of their stacks: each leads to where the thread
 * began.
 */
#include "kselftest_harness.h"

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "addresses.h"
#include "counters.h"
#include "files.h"
#include "symbols.h"

/* The test of stack_stress, and the instruction that it executes at each place. */
#define EVENT		"EVENT_BREAKPOINT"
#define SITE		"stack_stress_watch_site\t[stack_stress]\n"
/* A thread at its beginning. */
#define BOTTOM		"kthread\n"

#define MAX_CPUS	16
#define RING_PAGES	64
#define DEEP_BYTES	12000
#define REG_SP		7	/* PERF_REG_X86_SP */

static struct method method;

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

/* Returns false where there is no such CPU. */
static bool open_ring(struct ring *ring, int cpu, unsigned long address)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_X,
		.bp_addr = address,
		.bp_len = sizeof(long),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_INTR,
		.sample_regs_intr = 1 << REG_SP,
		.exclude_callchain_user = 1,
	};
	long bytes = (RING_PAGES + 1) * sysconf(_SC_PAGESIZE);

	ring->fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
	if (ring->fd < 0)
		return false;
	ring->page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	return ring->page != MAP_FAILED;
}

struct seen {
	long samples;
	/* The chain leads to the beginning of the thread. */
	long complete;
	long deep;
};

/* Behind the header: the length of the chain, the chain, the ABI, the register. */
static void look(const unsigned long *words, const struct range *bottom, struct seen *seen)
{
	unsigned long i, frames = words[0], sp = words[1 + frames + 1];
	long area = method.slots * sysconf(_SC_PAGESIZE);
	bool complete = false;

	for (i = 1; i <= frames; i++)
		complete |= words[i] >= bottom->start && words[i] < bottom->end;
	seen->samples++;
	seen->complete += complete;
	seen->deep += area - (long)(sp & (area - 1)) >= DEEP_BYTES;
}

static void read_ring(const struct ring *ring, const struct range *bottom, struct seen *seen)
{
	const char *data = (char *)ring->page + sysconf(_SC_PAGESIZE);
	unsigned long head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	const struct perf_event_header *header;
	unsigned long at;

	/* It stops when it is full: nothing is overwritten, and nothing wraps. */
	for (at = 0; at < head; at += header->size) {
		header = (const void *)(data + at);
		if (header->type == PERF_RECORD_SAMPLE)
			look((const unsigned long *)(header + 1), bottom, seen);
	}
}

FIXTURE(callchain) {
};

FIXTURE_SETUP(callchain)
{
}

FIXTURE_TEARDOWN(callchain)
{
}

/* EVENT_BREAKPOINT visits some thousand places: slow in a kernel with sanitizers. */
TEST_F_TIMEOUT(callchain, to_the_end, 600)
{
	struct ring rings[MAX_CPUS];
	struct range site, bottom;
	int cpu, i, cpus = 0;
	char before[8] = {};
	struct seen seen = {};
	char command[48];

	if (access(STRESS_FILE, W_OK))
		SKIP(return, "needs the module stack_stress and root");
	ASSERT_TRUE(show_addresses(before, sizeof(before)));
	site = find_symbol(SITE);
	bottom = find_symbol(BOTTOM);
	EXPECT_TRUE(hide_addresses(before));
	if (!site.start || !bottom.start)
		SKIP(return, "needs CONFIG_KALLSYMS_ALL");
	for (cpu = 0; cpu < MAX_CPUS; cpu++)
		cpus += open_ring(&rings[cpus], cpu, site.start);
	if (!cpus)
		SKIP(return, "needs CONFIG_PERF_EVENTS and breakpoints: %s", strerror(errno));
	snprintf(command, sizeof(command), EVENT " %ld 4 1",
		 method.slots * sysconf(_SC_PAGESIZE) - 3072);
	ASSERT_TRUE(write_text(STRESS_FILE, command));
	for (i = 0; i < cpus; i++)
		read_ring(&rings[i], &bottom, &seen);
	TH_LOG("%s: %ld call chains, %ld of them complete, %ld from below %d bytes",
	       method.name, seen.samples, seen.complete, seen.deep, DEEP_BYTES);
	EXPECT_GT(seen.deep, 0);
	EXPECT_EQ(seen.samples, seen.complete);
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
