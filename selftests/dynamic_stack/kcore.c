// SPDX-License-Identifier: GPL-2.0
/*
 * A debugger reads the stack areas of sleeping threads through /proc/kcore, slots
 * without a page included, while other threads come and go.
 */
#include "kselftest_harness.h"

#include <linux/elf.h>
#include <signal.h>

#include "counters.h"
#include "files.h"
#include "parked.h"

#define KCORE		"/proc/kcore"
#define AREAS		"/proc/vmallocinfo"
#define KPTR_RESTRICT	"/proc/sys/kernel/kptr_restrict"

#define THREADS		100
#define ROUNDS		5
#define MAX_HEADERS	64
#define MAX_BYTES	(256 * 1024)

static struct method method;

struct kcore {
	int fd;
	int count;
	struct elf64_phdr headers[MAX_HEADERS];
};

static bool open_kcore(struct kcore *kcore)
{
	struct elf64_hdr ehdr;
	ssize_t bytes;

	kcore->fd = open(KCORE, O_RDONLY);
	if (pread(kcore->fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) || ehdr.e_phnum > MAX_HEADERS)
		return false;
	kcore->count = ehdr.e_phnum;
	bytes = kcore->count * sizeof(*kcore->headers);
	return pread(kcore->fd, kcore->headers, bytes, ehdr.e_phoff) == bytes;
}

static bool read_kcore(const struct kcore *kcore, unsigned long address, void *buffer,
		       long bytes)
{
	int i;

	for (i = 0; i < kcore->count; i++) {
		const struct elf64_phdr *header = &kcore->headers[i];

		if (header->p_type == PT_LOAD && address >= header->p_vaddr &&
		    address - header->p_vaddr < header->p_memsz)
			return pread(kcore->fd, buffer, bytes, header->p_offset +
				     (address - header->p_vaddr)) == bytes;
	}
	return false;
}

static bool is_zero(const char *bytes, long count)
{
	return !*bytes && !memcmp(bytes, bytes + 1, count - 1);
}

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

static struct seen look(const struct kcore *kcore)
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
		if (!read_kcore(kcore, address, stack, bytes)) {
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

/* Threads that come and go, until the process is killed. */
static pid_t start_storm(void)
{
	pid_t pid = fork();

	while (!pid)
		if (!fork())
			_exit(0);
		else
			wait(NULL);
	return pid;
}

TEST(stacks)
{
	char before[8] = {};
	struct parked parked;
	struct kcore kcore;
	struct seen seen;
	pid_t storm;
	int fd, i;

	if (access(KCORE, R_OK))
		SKIP(return, "needs CONFIG_PROC_KCORE and root");
	ASSERT_LE(method.slots * sysconf(_SC_PAGESIZE), MAX_BYTES);
	ASSERT_TRUE(open_kcore(&kcore));
	/* Root sees addresses. */
	fd = open(KPTR_RESTRICT, O_RDWR);
	ASSERT_GT(read(fd, before, sizeof(before) - 1), 0);
	ASSERT_TRUE(write_text(KPTR_RESTRICT, "1"));
	ASSERT_TRUE(park(&parked, THREADS));
	storm = start_storm();
	for (i = 0; i < ROUNDS; i++) {
		seen = look(&kcore);
		TH_LOG("%s: %ld stacks, %ld used, of these %ld with empty slots, %ld unreadable",
		       method.name, seen.areas, seen.used, seen.empty, seen.unreadable);
		EXPECT_GE(seen.used, THREADS);
		EXPECT_EQ(0, seen.unreadable);
		EXPECT_GE(seen.empty, method.pages_per_thread < method.slots ? THREADS : 0);
	}
	kill(storm, SIGKILL);
	waitpid(storm, NULL, 0);
	unpark(&parked);
	EXPECT_TRUE(write_text(KPTR_RESTRICT, before));
	close(fd);
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
