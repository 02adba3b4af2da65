#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: what kernel stacks take at boot, with N parked threads, and
# after the stress tests ran beside them.
# usage: demo.sh STATS.KO STRESS.KO SELFTESTS N
set -e

snapshot() # NAME
{
	# Counters are kept per CPU; reading this file folds them.
	cat /proc/sys/vm/stat_refresh
	echo "@dynstack start $1"
	echo "page_kb $(($(getconf PAGESIZE) / 1024))"
	grep -E '^(MemTotal|MemFree|KernelStack):' /proc/meminfo
	# Free, but not in MemFree: the pages on the lists of the CPUs.
	awk '$1 == "count:" { n += $2 } END { print "free_on_lists", n + 0 }' /proc/zoneinfo
	grep dynamic_stack /proc/vmstat ||
		{ echo "needs CONFIG_DYNAMIC_STACK and CONFIG_VM_EVENT_COUNTERS"; exit 1; }
	sed 's|.*/\([0-9]*\) .*|threads \1|' /proc/loadavg
}

case $1 in
parked)
	snapshot parked
	insmod "$2"
	insmod "$3"
	echo "@dynstack start stress"
	"$4/stress.sh" 2>&1 || true
	snapshot stressed
	echo "@dynstack start summary"
	cat /sys/kernel/debug/dynamic_stack/summary
	;;
*)
	echo 4194304 >/proc/sys/kernel/pid_max
	echo 4194304 >/proc/sys/kernel/threads-max
	# Threads that only the boot needed end now, not between two snapshots.
	udevadm control --exit 2>/dev/null || true
	sleep 5
	snapshot boot
	"$3/park" "$4" sh "$0" parked "$1" "$2" "$3"
	;;
esac
