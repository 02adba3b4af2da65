#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# CPUs go offline and come back while the storm blows.

. "$(dirname "$0")/common.sh"

ROUNDS=50
need_feature
cpus=$(ls -d /sys/devices/system/cpu/cpu[0-9]*/online 2>/dev/null)
[ -n "$cpus" ] || skip_all "needs CONFIG_HOTPLUG_CPU and a second CPU"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

storms()
{
	until [ -e "$work/ended" ]; do "$DIR/storm" || return; done
}

switch() # FILE STATE
{
	echo "$2" >"$1" && [ "$(cat "$1")" = "$2" ] && transitions=$((transitions + 1))
}

plan 2
storms >"$work/log" 2>&1 &
storm=$!
transitions=0
expected=0
for round in $(seq $ROUNDS); do
	for cpu in $cpus; do
		switch "$cpu" 0
		switch "$cpu" 1
		expected=$((expected + 2))
	done
	[ $((round % 10)) -ne 0 ] || ktap_print_msg "$transitions of $expected transitions"
done
touch "$work/ended"
ktap_test_result "$expected transitions done" [ "$transitions" -eq "$expected" ]
ktap_test_result "the storm lost no event" wait "$storm"
sed "s/^/# /" "$work/log"
finish
