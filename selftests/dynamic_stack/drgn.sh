#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A debugger looks at all stacks through /proc/kcore, while threads come and go: those
# that sleep are there, slots without a page read as zeros, and stay without.

. "$(dirname "$0")/common.sh"
need_module "$STATS" dynamic_stack_stats
command -v drgn >/dev/null || skip_all "needs drgn, of PyPI"
[ -r /proc/kcore ] || skip_all "needs CONFIG_PROC_KCORE and root"
. "$(dirname "$0")/storms.sh"
. "$(dirname "$0")/parked_run.sh"
slots=$(value slots "$STATS/summary")
RESTRICT=/proc/sys/kernel/kptr_restrict

# What drgn_stacks.py sees goes to $work/seen.
look()
{
	restrict=$(cat $RESTRICT)
	echo 1 >$RESTRICT
	# Up to the next symbol: how long it is depends on the compiler's checks.
	pause=$(awk '/ __[a-z0-9]+_sys_pause$/ && !p { p = $1 } p && $1 "" > p "" { print p, $1; exit }' \
		/proc/kallsyms)
	areas | sed 's/-.*//' >"$work/areas"
	echo "$restrict" >$RESTRICT
	# shellcheck disable=SC2086 # where it begins and ends
	drgn --quiet --no-default-symbols "$DIR/drgn_stacks.py" "$slots" $pause \
		<"$work/areas" >"$work/seen" || return
	ktap_print_msg "$(tr '\n' ' ' <"$work/seen")"
}

saw() # WHAT NUMBER
{
	[ "$(value "$1" "$work/seen")" -ge "$2" ]
}

none_is_empty() { [ "$(value empty "$work/seen")" -eq 0 ]; }

plan 5
parked_begin
storms_begin
ktap_test_result "drgn reads all stacks" look
ktap_test_result "threads that sleep are where they sleep" saw asleep $PARKED
if [ "$(value method "$STATS/summary")" = off ]; then
	ktap_test_result "no slot of theirs is empty" none_is_empty
else
	ktap_test_result "their empty slots read as zeros" saw empty $PARKED
fi
ktap_test_result "the storm lost no event" storms_end
ktap_test_result "parked threads own what they owned before" parked_are_the_same
ktap_finished
