/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that sleep in the kernel until they are told to exit. */
#ifndef PARKED_H
#define PARKED_H

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#define MAX_PARKED	1000

struct parked {
	int count;
	int release[2];
	pthread_t threads[MAX_PARKED];
};

static inline void *parked_thread(void *arg)
{
	struct parked *parked = arg;
	char byte;

	/* End of file, once the other end is closed. */
	return (void *)read(parked->release[0], &byte, sizeof(byte));
}

static inline void unpark(struct parked *parked)
{
	close(parked->release[1]);
	while (parked->count)
		pthread_join(parked->threads[--parked->count], NULL);
	close(parked->release[0]);
}

static inline bool park(struct parked *parked, int count)
{
	pthread_attr_t small;

	parked->count = 0;
	if (count > MAX_PARKED || pipe(parked->release))
		return false;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	while (parked->count < count &&
	       !pthread_create(&parked->threads[parked->count], &small,
			       parked_thread, parked))
		parked->count++;
	pthread_attr_destroy(&small);
	if (parked->count == count)
		return true;
	unpark(parked);
	return false;
}

#endif
