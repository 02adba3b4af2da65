#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# CPUs go offline and come back while threads have to wait for pages, and the storm blows.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"
. "$(dirname "$0")/denials.sh"
. "$(dirname "$0")/storms.sh"

LEAST_TURNS=20
LEAST_PARKS=20
cpus=$(echo /sys/devices/system/cpu/cpu[0-9]*/online)
[ -e "${cpus%% *}" ] || skip_all "needs CONFIG_HOTPLUG_CPU and a second CPU"
work=$(mktemp -d)
trap 'denials_end; come_back; rm -r "$work"' EXIT

come_back()
{
	status=0
	for online in $cpus; do
		echo 1 >"$online" || status=1
	done
	return $status
}

go_and_come_back()
{
	for online in $cpus; do
		echo 0 >"$online" || { come_back; return 1; }
	done
	come_back
}

enough() { [ "$(turns)" -ge $LEAST_TURNS ] && [ "$(parks)" -ge $LEAST_PARKS ]; }

plan 4
storms_begin
turns_begin go_and_come_back
ktap_test_result "no round was wrong" denials_until enough
ktap_print_msg "$rounds rounds"
echo 0 >"$FAIL/times"
ktap_test_result "the storm lost no event" storms_end
ktap_test_result "CPUs went offline and came back each time" turns_end
ktap_print_msg "$(turns) times, $(parks) times a thread waited"
ktap_test_result "at least $LEAST_TURNS times, at least $LEAST_PARKS times a thread waited" enough
ktap_finished
