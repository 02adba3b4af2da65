#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Threads that wait for pages lose no event, and do not wake early: the storm blows while
# others use pages up, and refills fail, those of the reserves, too.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/denials.sh"

ROUNDS=20
DOZES=5
LEAST_PARKS=100
work=$(mktemp -d)
trap 'denials_end; rm -r "$work"' EXIT

# The slower the guest, the more failures kstackd has used up before a thread waits.
enough_parks() { [ "$(parks)" -ge $LEAST_PARKS ]; }

plan $((ROUNDS + DOZES + 4))
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
ktap_test_result "no further round was wrong" denials_until enough_parks
ktap_print_msg "$rounds further rounds"
denials_end
ktap_test_result "the storm lost no event" storms_end
ktap_test_result "threads were preempted on their way to sleep" [ $dozed -gt 0 ]
ktap_print_msg "$dozed times a thread was preempted there"
ktap_print_msg "$(parks) times a thread waited"
ktap_test_result "threads waited at least $LEAST_PARKS times" enough_parks
ktap_finished
