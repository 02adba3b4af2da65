/* SPDX-License-Identifier: GPL-2.0 */
/* Whether files of proc show kernel addresses to root. */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include "files.h"

#define KPTR_RESTRICT	"/proc/sys/kernel/kptr_restrict"

/* What was set before is kept in @before, for hide_addresses(). */
static inline bool show_addresses(char *before, int size)
{
	int fd = open(KPTR_RESTRICT, O_RDONLY);
	ssize_t len = read(fd, before, size - 1);

	close(fd);
	before[len > 0 ? len : 0] = '\0';
	return len > 0 && write_text(KPTR_RESTRICT, "1");
}

static inline bool hide_addresses(const char *before)
{
	return write_text(KPTR_RESTRICT, before);
}

#endif
