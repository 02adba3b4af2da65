#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The storm loses no event if it is frozen and thawed again and again, while its threads
# have to wait for pages.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/denials.sh"

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

plan 4
echo $$ >"$group/tasks"
storms_begin
echo $$ >"$freezer/tasks"
denials_in_turns freeze_and_thaw "all were frozen"
ktap_finished
