#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Threads that wait for pages lose no event: the storm blows while others use pages up,
# and refills fail, those of the reserves, too.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"
. "$(dirname "$0")/storms.sh"

ROUNDS=20
LEAST_PARKS=100
FAIL=/sys/kernel/debug/fail_dynamic_stack
REFILL_RESERVE=0x6
[ "$(value method "$STATS/summary")" != off ] || skip_all "booted with dynamic_stack=off: nobody waits"
[ -w "$FAIL/sites" ] || skip_all "needs CONFIG_FAIL_DYNAMIC_STACK, _DEBUG_FS"
work=$(mktemp -d)
sites=$(cat $FAIL/sites)
trap 'echo "$sites" >$FAIL/sites; rm -r "$work"' EXIT

parks() { cat /proc/sys/vm/stat_refresh; value dynamic_stack_park /proc/vmstat; }

# For a while: those who wait go on when the last one has failed.
fail_refills()
{
	echo 100 >$FAIL/probability && echo 1 >$FAIL/interval && echo 0 >$FAIL/verbose &&
		echo N >$FAIL/task-filter && echo 300 >$FAIL/times &&
		echo $REFILL_RESERVE >$FAIL/sites
}

plan $((ROUNDS + 2))
before=$(parks)
storms_begin
for _ in $(seq $ROUNDS); do
	fail_refills
	stress THREADS $((thread_size - 4096)) 50 2
done
echo 0 >$FAIL/times
storms_end
status=$?
parked=$(($(parks) - before))
ktap_test_result "the storm lost no event" [ $status -eq 0 ]
ktap_print_msg "$parked times a thread waited"
ktap_test_result "threads waited at least $LEAST_PARKS times" [ $parked -ge $LEAST_PARKS ]
finish
