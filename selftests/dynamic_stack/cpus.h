/* SPDX-License-Identifier: GPL-2.0 */
/* On which CPU the calling thread runs. */
#ifndef CPUS_H
#define CPUS_H

#include <sched.h>
#include <stdbool.h>

static inline bool run_only_on(int cpu)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	return !sched_setaffinity(0, sizeof(only), &only);
}

#endif
