/* SPDX-License-Identifier: GPL-2.0 */
/* Where the code of a function is; see addresses.h for who is shown addresses. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS		"/proc/kallsyms"

struct range {
	unsigned long start, end;
};

/* Where the symbol is whose line ends with @name, and the next one. */
static inline struct range find_symbol(const char *name)
{
	struct range range = {};
	unsigned long address;
	char line[512], *rest;
	bool found;
	FILE *file;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		file = fopen(SYMBOLS, "r");
		while (file && fgets(line, sizeof(line), file)) {
			address = strtoul(line, &rest, 16);
			found = strlen(rest) > 3 && !strcmp(rest + 3, name);
			if (!pass && found)
				range.start = address;
			else if (pass && address > range.start &&
				 (!range.end || address < range.end))
				range.end = address;
		}
		if (file)
			fclose(file);
	}
	return range;
}

#endif
