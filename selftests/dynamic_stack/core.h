/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a kernel in the form of an ELF core: /proc/kcore, /proc/vmcore. */
#ifndef CORE_H
#define CORE_H

#include <fcntl.h>
#include <linux/elf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define MAX_CORE_HEADERS	64

struct core {
	int fd;
	int count;
	struct elf64_phdr headers[MAX_CORE_HEADERS];
};

static inline bool open_core(struct core *core, const char *path)
{
	struct elf64_hdr ehdr;
	ssize_t bytes;

	core->fd = open(path, O_RDONLY);
	if (pread(core->fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) || ehdr.e_phnum > MAX_CORE_HEADERS)
		return false;
	core->count = ehdr.e_phnum;
	bytes = core->count * sizeof(*core->headers);
	return pread(core->fd, core->headers, bytes, ehdr.e_phoff) == bytes;
}

/* @address is one of those that @start gives the first of, for a header. */
static inline bool read_core(const struct core *core, unsigned long address, void *buffer,
			     long bytes, unsigned long (*start)(const struct elf64_phdr *))
{
	int i;

	for (i = 0; i < core->count; i++) {
		const struct elf64_phdr *header = &core->headers[i];
		unsigned long first = start(header);

		if (header->p_type == PT_LOAD && address >= first &&
		    address - first < header->p_memsz)
			return pread(core->fd, buffer, bytes, header->p_offset +
				     (address - first)) == bytes;
	}
	return false;
}

static inline unsigned long virtual_start(const struct elf64_phdr *header)
{
	return header->p_vaddr;
}

static inline unsigned long physical_start(const struct elf64_phdr *header)
{
	return header->p_paddr;
}

static inline bool is_zero(const char *bytes, long count)
{
	return !*bytes && !memcmp(bytes, bytes + 1, count - 1);
}

#endif
