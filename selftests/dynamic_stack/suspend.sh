#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Suspends to RAM; an alarm wakes the machine.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/suspend_run.sh"

ALARM=/sys/class/rtc/rtc0/wakealarm
DONE=/sys/power/suspend_stats/success

grep -qw mem /sys/power/state 2>/dev/null || skip_all "needs CONFIG_SUSPEND"
[ -w $ALARM ] || skip_all "needs CONFIG_RTC_CLASS and a clock with an alarm"
[ -w /sys/power/mem_sleep ] || skip_all "needs a machine with ACPI S3"
restore_afterwards /sys/power/mem_sleep
echo deep >/sys/power/mem_sleep 2>/dev/null
grep -q '\[deep\]' /sys/power/mem_sleep || skip_all "needs a machine with ACPI S3"

suspend()
{
	before=$(cat $DONE)
	echo 0 >$ALARM
	echo +15 >$ALARM
	echo mem >/sys/power/state || return
	if [ "$(cat $DONE)" -ne $((before + 1)) ]; then
		ktap_print_msg "$before suspends before, $(cat $DONE) after"
		return 1
	fi
	# What is lent is there as well.
	[ "$(value method "$STATS/summary")" = lend ] || owns_its_stack
}

suspend_rounds suspend
