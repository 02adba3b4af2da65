#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The storm loses no event if it is frozen and thawed again and again, while its threads
# have to wait for pages.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"
. "$(dirname "$0")/denials.sh"
. "$(dirname "$0")/storms.sh"

LEAST_TURNS=20
LEAST_PARKS=20
POLLS=1200
work=$(mktemp -d)
freezer=$work/freezer
group=$freezer/storm
trap 'denials_end; clean_up' EXIT

clean_up()
{
	if [ -d "$group" ]; then
		echo THAWED >"$group/freezer.state"
		rmdir "$group"
	fi
	umount "$freezer" 2>/dev/null
	rm -r "$work"
}

mkdir "$freezer"
mount -t cgroup -o freezer none "$freezer" 2>/dev/null || skip_all "needs CONFIG_CGROUP_FREEZER and root"
mkdir "$group"

# A thread that waits for pages freezes when it has them, but not if it went to sleep
# uninterruptibly then: it has to be asked again.
freeze()
{
	for _ in $(seq $POLLS); do
		echo FROZEN >"$group/freezer.state"
		[ "$(cat "$group/freezer.state")" = FROZEN ] && return
		sleep 0.1
	done
	return 1
}

freeze_and_thaw()
{
	freeze
	status=$?
	echo THAWED >"$group/freezer.state"
	sleep 0.1
	return $status
}

enough() { [ "$(turns)" -ge $LEAST_TURNS ] && [ "$(parks)" -ge $LEAST_PARKS ]; }

plan 4
echo $$ >"$group/tasks"
storms_begin
echo $$ >"$freezer/tasks"
turns_begin freeze_and_thaw
ktap_test_result "no round was wrong" denials_until enough
ktap_print_msg "$rounds rounds"
echo 0 >"$FAIL/times"
ktap_test_result "the storm lost no event" storms_end
ktap_test_result "all were frozen each time" turns_end
ktap_print_msg "$(turns) times frozen, $(parks) times a thread waited"
ktap_test_result "at least $LEAST_TURNS times frozen, at least $LEAST_PARKS times a thread waited" enough
ktap_finished
