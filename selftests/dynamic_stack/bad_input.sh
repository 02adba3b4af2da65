#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Bad writes to debugfs get an error and a log line, and change nothing.

. "$(dirname "$0")/common.sh"

need_module "$STATS" dynamic_stack_stats
need_module "$EXPAND" dynamic_stack_expand
need_module "$STRESS" stack_stress

SITES=$FAIL/sites

state()
{
	wc -l <"$STATS/threads"
	value growth_recorded "$STATS/summary"
	cat "$STRESS/result" "$STRESS/file"
	[ ! -r "$SITES" ] || cat "$SITES"
}

rejected() # FILE TEXT LOGREGEX [ERROR]
{
	expected=${4:-Invalid argument}
	before=$(state)
	log_mark
	error=$(printf '%s\n' "$2" | LC_ALL=C tee "$1" 2>&1 >/dev/null)
	case $error in
	*"$expected"*) ;;
	*) ktap_print_msg "expected '$expected', got: ${error:-success}"; return 1 ;;
	esac
	logged "$3" || { ktap_print_msg "nothing like '$3' in the log"; return 1; }
	[ "$(state)" = "$before" ] || { ktap_print_msg "the state changed"; return 1; }
}

try() # FILE TEXT LOGREGEX [ERROR]
{
	if rejected "$@"; then
		ktap_test_pass "'$2' to $(basename "$1")"
	else
		ktap_test_fail "'$2' to $(basename "$1")"
	fi
}

echo 5 >"$STATS/threads"
echo RECURSE 4096 1 1 >"$STRESS/run"
echo 1 >"$STATS/growth"
plan 30
for number in 0 1001 -1 many "5 6" ""; do
	try "$STATS/threads" "$number" 'dynamic_stack_stats: threads: expected a number from 1 to 1000'
done
for switch in 2 on ""; do
	try "$STATS/growth" "$switch" 'dynamic_stack_stats: growth: expected 0 or 1, got '
done
for number in many -1 "5 6" ""; do
	try "$EXPAND/self" "$number" 'dynamic_stack_expand: self: expected a number of bytes, got '
done
for number in 1099511627776 99999999999999999999999; do
	try "$EXPAND/self" "$number" 'dynamic_stack_expand: self: [0-9]+ bytes are more than the [0-9]+ left' "Argument list too long"
done
for name in NOSUCH recurse ""; do
	try "$STRESS/run" "$name" 'stack_stress: unknown test .*, expected one of: RECURSE '
done
try "$STRESS/run" "RECURSE deep" 'stack_stress: bytes must be a number from [0-9]+ to [0-9]+'
try "$STRESS/run" "RECURSE 1099511627776" 'stack_stress: bytes must be a number from [0-9]+ to [0-9]+'
try "$STRESS/run" "RECURSE 4096 0" 'stack_stress: threads must be a number from [0-9]+ to [0-9]+'
try "$STRESS/run" "CALLER 4096 2" 'stack_stress: threads must be a number from 1 to 1, not .2.'
try "$STRESS/run" "RECURSE 4096 1 1 1" 'stack_stress: .*expected NAME \[bytes \[threads \[rounds\]\]\]'
try "$STRESS/run" "RECURSE 4100" 'stack_stress: bytes must be a multiple of 8, not 4100'
for text in 4100 many 99999999; do
	try "$STRESS/deep" "$text" 'stack_stress: bytes must be a (multiple of 8|number from [0-9]+ to [0-9]+), not '
done
try "$STRESS/deep" "4096 0 0" 'stack_stress: .*expected \[BYTES \[NAP in milliseconds\]\]'
try "$STRESS/file" "relative/path" 'stack_stress: file must be an absolute path'
if [ -w "$SITES" ]; then
	try "$SITES" 0x80 'dynamic_stack: sites=0x80: expected no bits but those of 0x7f'
else
	ktap_test_skip "'0x80' to sites: needs CONFIG_FAIL_DYNAMIC_STACK, _DEBUG_FS"
fi
echo 20 >"$STATS/threads"
echo 0 >"$STATS/growth"
ktap_finished
