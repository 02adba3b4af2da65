#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: crashes while threads sleep. The kernel that starts then, with this
# script and the addresses of some stacks, looks for these in the dump.
# usage: crash.sh [ADDRESS...]

# Every eighth stack, at most 24. A line begins with the address of the lowest slot.
some_stacks() # SLOTS
{
	awk -v pages=" pages=$1 " -F - '
		index($0, pages) && /alloc_thread_stack|dup_task_struct|copy_process|kernel_clone/ &&
			++seen % 8 == 0 && ++printed <= 24 { print $1 }' /proc/vmallocinfo
}

if [ -e /proc/vmcore ]; then
	echo "@dynstack start vmcore" | tee /dev/kmsg
	/selftests/vmcore "$@"
	echo "@dynstack end vmcore $?" | tee /dev/kmsg
elif [ -z "$THREADS_SLEEP" ]; then
	THREADS_SLEEP=y exec /selftests/park 200 sh "$0"
else
	echo 1 >/proc/sys/kernel/kptr_restrict
	slots=$(dmesg | sed -n 's/.*dynamic_stack: method .*, \([0-9]*\) slots .*/\1/p')
	exec /selftests/kexec /bzImage "$(some_stacks "$slots" | xargs)" /crashed.cpio
fi
