#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: crashes while threads sleep. The kernel that starts then, with this
# script and the addresses of some stacks, looks for these in the dump.
# usage: crash.sh [ADDRESS...]

# From here on no program is started that could end, and its stack with it, before the
# crash. Those of earlier ones are freed after a grace period.
wait_for_stacks()
{
	read -r now _ </proc/uptime
	end=$((${now%.*} + 3))
	while [ "${now%.*}" -lt $end ]; do
		read -r now _ </proc/uptime
	done
}

# Every eighth stack, at most 24. A line begins with the address of the lowest slot.
find_stacks() # SLOTS
{
	seen=0 stacks=
	while read -r area line; do
		case $line in
		*alloc_thread_stack*" pages=$1 "* | *dup_task_struct*" pages=$1 "* | \
		*copy_process*" pages=$1 "* | *kernel_clone*" pages=$1 "*)
			seen=$((seen + 1))
			[ $((seen % 8)) -ne 0 ] || [ $seen -gt 192 ] || stacks="$stacks ${area%%-*}"
			;;
		esac
	done </proc/vmallocinfo
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
	wait_for_stacks
	find_stacks "$slots"
	exec /selftests/kexec /bzImage "$stacks" /crashed.cpio
fi
