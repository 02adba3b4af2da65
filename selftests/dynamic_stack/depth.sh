#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Who measures how deep threads go sees the deep ones, and only them.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

TRACER=/proc/sys/kernel/stack_tracer_enabled
TRACING=/sys/kernel/tracing
DEEP=8
SHALLOW=100
bytes=$((thread_size - 4096))
# The tracer reports new depths right there, and needs room to do so.
traced=$((thread_size / 2))

kstack() { value "kstack_$((thread_size / 1024))k" /proc/vmstat; }

kstack_counts()
{
	before=$(kstack)
	for _ in $(seq $SHALLOW); do (:); done
	shallow=$(($(kstack) - before))
	echo "RECURSE $bytes $DEEP 1" >"$STRESS/run"
	deep=$(($(kstack) - before - shallow))
	[ $deep -ge $DEEP ] && [ $shallow -lt $DEEP ] && return
	ktap_print_msg "counted as deep: $deep of $DEEP deep, $shallow of $SHALLOW shallow threads"
	return 1
}

tracer_sees()
{
	echo 0 >$TRACING/stack_max_size
	echo 1 >$TRACER
	stress RECURSE_SLEEP $traced 4 1
	echo 0 >$TRACER
	max=$(cat $TRACING/stack_max_size)
	[ "$max" -ge $traced ] && [ "$max" -le "$thread_size" ] && return
	ktap_print_msg "stack_max_size is $max, expected $traced to $thread_size"
	sed 's/^/# /' $TRACING/stack_trace
	return 1
}

plan 3
if has_config CONFIG_KSTACK_ERASE && [ "$(value method "$STATS/summary")" = off ]; then
	ktap_test_skip "kstack_* counts threads by their depth: KSTACK_ERASE fills stacks"
elif grep -q '^kstack_1k ' /proc/vmstat; then
	ktap_test_result "kstack_* counts threads by their depth" kstack_counts
else
	ktap_test_skip "kstack_* counts threads by their depth: needs CONFIG_DEBUG_STACK_USAGE"
fi
mountpoint -q $TRACING || mount -t tracefs none $TRACING
if [ -e $TRACER ]; then
	ktap_test_result "the stack tracer sees the deepest place" tracer_sees
else
	ktap_test_skip "RECURSE_SLEEP while it is traced: needs CONFIG_STACK_TRACER"
	ktap_test_skip "the stack tracer sees the deepest place: needs CONFIG_STACK_TRACER"
fi
ktap_finished
