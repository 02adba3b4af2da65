#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemleak reads the stacks of all threads. None comes to own a page by that,
# and the scans find no leak.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

KMEMLEAK=/sys/kernel/debug/kmemleak
SCANS=3
[ -e $KMEMLEAK ] || skip_all "needs CONFIG_DEBUG_KMEMLEAK"
. "$(dirname "$0")/parked_run.sh"
slots=$(value slots "$STATS/summary")

# While threads use half of their stacks, asleep and awake.
scan()
{
	go_deep RECURSE_SLEEP $((thread_size / 2 - 2048)) 8 100 &
	deep=$! seen=0
	for _ in $(seq $SCANS); do
		echo scan >$KMEMLEAK || { seen=0; break; }
		owned_by stack_stress >"$work/deep"
		seen=$((seen + $(wc -l <"$work/deep")))
		grep " $slots\$" "$work/deep" >>"$work/too_deep"
	done
	: >"$work/looked"
	wait $deep
	status=$?
	[ $status -eq 0 ] && [ $seen -gt 0 ] && return
	ktap_print_msg "deep threads were seen $seen times, RECURSE_SLEEP ended with $status"
	return 1
}

deep_threads_are_the_same()
{
	[ "$(value method "$STATS/summary")" = off ] || ! sort -u "$work/too_deep" | sed 's/^/# /' | grep .
}

no_leak() { ! sed 's/^/# /' $KMEMLEAK | grep .; }

plan 4
parked_begin
ktap_test_result "$SCANS scans" scan
ktap_test_result "deep threads own no page that they did not use" deep_threads_are_the_same
ktap_test_result "parked threads own what they owned before" parked_are_the_same
ktap_test_result "no leak" no_leak
ktap_finished
