// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at the dump of a kernel that has crashed, in the kernel that was started for
 * that: into stacks of sleeping threads, through the page tables of x86-64, as
 * debuggers do.
 * usage: vmcore ADDRESS...: of areas, hexadecimal
 */
#include <stdio.h>
#include <stdlib.h>

#include "core.h"
#include "counters.h"

#define VMCORE		"/proc/vmcore"
#define KERNEL_MAP	0xffffffff80000000UL
#define MAX_NOTES	65536

#define PRESENT		1UL
#define HUGE		0x80UL
#define ADDRESS_MASK	0x000ffffffffff000UL

struct tables {
	struct core core;
	unsigned long top;
	int levels;
};

/* Of the notes that a kernel leaves for whoever reads its dump. */
static bool find_in_notes(const struct core *core, const char *key, char *value, int size)
{
	static char notes[MAX_NOTES + 1];
	char *found = NULL;
	long i, bytes;

	for (i = 0; i < core->count && !found; i++) {
		if (core->headers[i].p_type != PT_NOTE)
			continue;
		bytes = pread(core->fd, notes, MAX_NOTES, core->headers[i].p_offset);
		if (bytes > 0)
			found = memmem(notes, bytes, key, strlen(key));
	}
	if (!found)
		return false;
	snprintf(value, size, "%.*s", (int)strcspn(found + strlen(key), "\n"),
		 found + strlen(key));
	return true;
}

static bool open_tables(struct tables *tables)
{
	unsigned long top;
	long phys_base;
	char value[32];

	if (!open_core(&tables->core, VMCORE) ||
	    !find_in_notes(&tables->core, "SYMBOL(init_top_pgt)=", value, sizeof(value)))
		return false;
	top = strtoul(value, NULL, 16);
	if (!find_in_notes(&tables->core, "NUMBER(phys_base)=", value, sizeof(value)))
		return false;
	phys_base = strtol(value, NULL, 10);
	if (!find_in_notes(&tables->core, "NUMBER(pgtable_l5_enabled)=", value, sizeof(value)))
		return false;
	tables->levels = atoi(value) ? 5 : 4;
	tables->top = top - KERNEL_MAP + phys_base;
	return true;
}

enum slot { HOLE, PAGE, UNREADABLE };

static enum slot read_slot(const struct tables *tables, unsigned long address, void *page,
			   long bytes)
{
	unsigned long entry = tables->top | PRESENT;
	int level;

	for (level = tables->levels; level; level--) {
		unsigned long index = address >> (3 + 9 * level) & 511;

		if (!read_core(&tables->core, (entry & ADDRESS_MASK) + index * sizeof(entry),
			       &entry, sizeof(entry), physical_start))
			return UNREADABLE;
		if (!(entry & PRESENT))
			return HOLE;
		if (level > 1 && entry & HUGE)
			return UNREADABLE;
	}
	return read_core(&tables->core, entry & ADDRESS_MASK, page, bytes, physical_start) ?
	       PAGE : UNREADABLE;
}

int main(int argc, char **argv)
{
	struct method method = require_method();
	long bytes = sysconf(_SC_PAGESIZE);
	int areas = argc - 1, used = 0, holes = 0, unreadable = 0, i;
	struct tables tables;
	char *page = malloc(bytes);

	ksft_print_header();
	if (access(VMCORE, R_OK))
		ksft_exit_skip("needs a kernel that was started by a crash\n");
	if (areas < 1 || !page)
		ksft_exit_fail_msg("usage: vmcore ADDRESS...\n");
	ksft_set_plan(3);
	ksft_test_result(open_tables(&tables), "the dump leads to the page tables\n");
	for (i = 1; i <= areas; i++) {
		unsigned long low = strtoul(argv[i], NULL, 16);
		unsigned long top = low + (method.slots - 1) * bytes;
		enum slot slot = read_slot(&tables, top, page, bytes);

		used += slot == PAGE && !is_zero(page, bytes);
		unreadable += slot == UNREADABLE;
		slot = read_slot(&tables, low, page, bytes);
		holes += slot == HOLE;
		unreadable += slot == UNREADABLE;
	}
	ksft_print_msg("%s: %d stacks, %d used, %d with an empty slot, %d slots unreadable\n",
		       method.name, areas, used, holes, unreadable);
	ksft_test_result(used == areas && !unreadable, "stacks of sleeping threads are there\n");
	/* Some of them may have been deep. */
	ksft_test_result(method.pages_per_thread < method.slots ? holes > areas / 2 : !holes,
			 "a slot without a page is a hole\n");
	ksft_finished();
}
