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
	bool ok = read(fd, before, size - 1) > 0;

	close(fd);
	return ok && write_text(KPTR_RESTRICT, "1");
}

static inline bool hide_addresses(const char *before)
{
	return write_text(KPTR_RESTRICT, before);
}

#endif
