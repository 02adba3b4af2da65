#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Bad writes to debugfs get EINVAL and a log line, and change nothing.

. "$(dirname "$0")/common.sh"

need_module "$STATS" dynamic_stack_stats
need_module "$STRESS" stack_stress

state() { wc -l <"$STATS/threads"; cat "$STRESS/result"; }

rejected() # FILE TEXT LOGREGEX
{
	before=$(state)
	log_mark
	error=$(printf '%s\n' "$2" | LC_ALL=C tee "$1" 2>&1 >/dev/null)
	case $error in
	*"Invalid argument"*) ;;
	*) ktap_print_msg "expected EINVAL, got: ${error:-success}"; return 1 ;;
	esac
	logged "$3" || { ktap_print_msg "nothing like '$3' in the log"; return 1; }
	[ "$(state)" = "$before" ] || { ktap_print_msg "the state changed"; return 1; }
}

try() # FILE TEXT LOGREGEX
{
	if rejected "$@"; then
		ktap_test_pass "'$2' to $(basename "$1")"
	else
		ktap_test_fail "'$2' to $(basename "$1")"
	fi
}

echo 5 >"$STATS/threads"
echo RECURSE 1024 1 1 >"$STRESS/run"
plan 12
for number in 0 1001 -1 many "5 6" ""; do
	try "$STATS/threads" "$number" 'dynamic_stack_stats: .*from 1 to 1000'
done
for line in NOSUCH "RECURSE deep" "RECURSE 0" "RECURSE 1099511627776" "RECURSE 1024 1 1 1" ""; do
	try "$STRESS/run" "$line" 'stack_stress: .*expected'
done
echo 20 >"$STATS/threads"
finish
