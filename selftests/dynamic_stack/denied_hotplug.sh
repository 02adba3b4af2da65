#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# CPUs go offline and come back while threads have to wait for pages, and the storm blows.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/denials.sh"
. "$(dirname "$0")/cpus.sh"

work=$(mktemp -d)
trap 'denials_end; all_come_back; rm -r "$work"' EXIT

go_and_come_back()
{
	for online in $cpus; do
		echo 0 >"$online" || { all_come_back; return 1; }
	done
	all_come_back
}

plan 4
storms_begin
denials_in_turns go_and_come_back "CPUs went offline and came back"
ktap_finished
