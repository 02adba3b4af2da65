/* SPDX-License-Identifier: GPL-2.0 */
/* Memory cgroups in a hierarchy that only the test sees, one test at a time. */
#ifndef CGROUP_H
#define CGROUP_H

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "files.h"

#define CGROUPS		"/tmp/dynamic_stack_cgroup"
#define CGROUP_POLL_MS	100
#define CGROUP_POLLS	100	/* who was killed is a member until it has exited */

static inline void unmount_cgroups(void)
{
	umount(CGROUPS);
	rmdir(CGROUPS);
}

/* What is missing for that, with a reason in errno; NULL if nothing is. */
static inline const char *mount_cgroups(void)
{
	const char *missing = "CONFIG_CGROUPS and root";
	int error;

	mkdir(CGROUPS, 0700);
	if (!mount("none", CGROUPS, "cgroup2", 0, NULL)) {
		if (write_text(CGROUPS "/cgroup.subtree_control", "+memory"))
			return NULL;
		missing = "CONFIG_MEMCG, not used by cgroup v1";
	}
	error = errno;
	unmount_cgroups();
	errno = error;
	return missing;
}

/* Without error where there is none. */
static inline bool remove_cgroup(const char *path)
{
	int poll;

	for (poll = 0; poll < CGROUP_POLLS; poll++) {
		if (!rmdir(path) || errno == ENOENT)
			return true;
		usleep(CGROUP_POLL_MS * 1000);
	}
	return false;
}

#endif
