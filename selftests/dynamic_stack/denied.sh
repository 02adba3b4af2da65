#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Threads that wait for pages lose no event, and do not wake early: the storm blows while
# others use pages up, and refills fail, those of the reserves, too.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"
. "$(dirname "$0")/storms.sh"

ROUNDS=20
DOZES=5
LEAST_PARKS=100
MOST_ROUNDS=200
[ "$(value method "$STATS/summary")" != off ] || skip_all "booted with dynamic_stack=off: nobody waits"
[ -w "$FAIL/sites" ] || skip_all "needs CONFIG_FAIL_DYNAMIC_STACK, _DEBUG_FS"
work=$(mktemp -d)
sites=$(cat $FAIL/sites)
trap 'echo 0 >$FAIL/times; echo "$sites" >$FAIL/sites; rm -r "$work"' EXIT

# Those who wait go on when the last one has failed.
refills_fail()
{
	fail_at $REFILL_RESERVE_SITES 300
}

parks() { echo $(($(vmstat dynamic_stack_park) - before)); }

THREADS="THREADS $((thread_size - 4096)) 50 2"
plan $((ROUNDS + DOZES + 4))
before=$(vmstat dynamic_stack_park)
storms_begin
for _ in $(seq $ROUNDS); do
	refills_fail
	# shellcheck disable=SC2086 # words
	stress $THREADS
done
dozed=0
for _ in $(seq $DOZES); do
	refills_fail
	stress DOZE $((thread_size - 4096)) 100 2
	preempted=$(value preempted "$STRESS/result")
	dozed=$((dozed + ${preempted:-0}))
done
# The slower the guest, the more failures kstackd has used up before a thread waits.
rounds=$ROUNDS
wrong=0
while [ "$(parks)" -lt $LEAST_PARKS ] && [ "$rounds" -lt $MOST_ROUNDS ]; do
	rounds=$((rounds + 1))
	refills_fail
	# shellcheck disable=SC2086 # words
	run_stress $THREADS
	[ "$headline" = "ok: THREADS" ] && continue
	wrong=$((wrong + 1))
	ktap_print_msg "$headline"
done
echo 0 >$FAIL/times
storms_end
status=$?
parked=$(parks)
ktap_test_result "no further round was wrong" [ $wrong -eq 0 ]
ktap_print_msg "$((rounds - ROUNDS)) further rounds"
ktap_test_result "the storm lost no event" [ $status -eq 0 ]
ktap_test_result "threads were preempted on their way to sleep" [ $dozed -gt 0 ]
ktap_print_msg "$dozed times a thread was preempted there"
ktap_print_msg "$parked times a thread waited"
ktap_test_result "threads waited at least $LEAST_PARKS times" [ "$parked" -ge $LEAST_PARKS ]
ktap_finished
