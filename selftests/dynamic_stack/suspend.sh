#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Suspends to RAM; an alarm wakes the machine. Stacks grow as before, then. Not one
# of the usual tests: a root file system over virtio does not live through that.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

ALARM=/sys/class/rtc/rtc0/wakealarm
DONE=/sys/power/suspend_stats/success
ROUNDS=3
deepest=$((thread_size - 3072))

grep -qw mem /sys/power/state 2>/dev/null || skip_all "needs CONFIG_SUSPEND"
[ -w $ALARM ] || skip_all "needs CONFIG_RTC_CLASS and a clock with an alarm"
echo deep >/sys/power/mem_sleep 2>/dev/null
grep -q '\[deep\]' /sys/power/mem_sleep || skip_all "needs a machine with ACPI S3"

online() { cat /sys/devices/system/cpu/online; }

suspend()
{
	before=$(cat $DONE)
	echo 0 >$ALARM
	echo +5 >$ALARM
	echo mem >/sys/power/state || return
	[ "$(cat $DONE)" -eq $((before + 1)) ] && [ "$(online)" = "$cpus" ] && return
	ktap_print_msg "$before suspends before, $(cat $DONE) after; CPUs $cpus before, $(online) after"
	return 1
}

cpus=$(online)
plan $((ROUNDS * 3))
for round in $(seq $ROUNDS); do
	ktap_test_result "suspend $round" suspend
	stress RECURSE $deepest 4 100
	stress EVENT_TIMER $deepest 4 1
done
finish
