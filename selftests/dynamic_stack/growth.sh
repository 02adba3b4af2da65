#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# While it is recorded which functions make stacks grow, those of the module
# stack_stress are among them.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

THREADS=8
GROWTH=$STATS/growth
deep=$((thread_size - 4096))
method=$(value method "$STATS/summary")
work=$(mktemp -d)
trap 'echo 0 >"$GROWTH"; rm -r "$work"' EXIT

# Sums over the functions of stack_stress, the names of which end so, and those of the
# kernel that stand for inline functions in Rust: with KASAN these call others.
sum() # COLUMN
{
	awk -v column="$1" '$NF == "[stack_stress]" || $3 ~ /^rust_helper_/ { sum += $column }
		END { print sum + 0 }' "$GROWTH"
}

recorded() { echo "$1" >"$GROWTH" && [ "$(value growth_recorded "$STATS/summary")" = "$1" ]; }
same() { [ "$(cat "$GROWTH")" = "$before" ]; }

# Each thread gets from one page to all. Some may be found in an interrupt then.
grew()
{
	events=$(($(sum 1) - events)) pages=$(($(sum 2) - pages))
	case $method in
	off) least=0 most=0 ;;
	*) least=$((THREADS / 2)) most=1000 ;;
	esac
	[ $events -ge $least ] && [ $events -le $most ] && [ $pages -ge $events ] && return
	ktap_print_msg "$events events, expected $least to $most, and $pages pages"
	sed 's/^/# /' "$GROWTH"
	return 1
}

is_table()
{
	[ "$(head -n 1 "$GROWTH")" = "events pages symbol" ] &&
	tail -n 1 "$GROWTH" | grep -Eqx '[0-9]+ - \(lost\)' &&
	sed '1d;$d' "$GROWTH" >"$work/rows" && sort -n -r -s -k 1,1 "$work/rows" | cmp - "$work/rows" &&
	! cut -d ' ' -f 3- "$work/rows" | sort | uniq -d | grep .
}

plan 7
ktap_test_result "recording is switched off" recorded 0
before=$(cat "$GROWTH")
stress RECURSE $deep $THREADS 1
ktap_test_result "nothing is recorded meanwhile" same
ktap_test_result "recording is switched on" recorded 1
events=$(sum 1) pages=$(sum 2)
stress RECURSE $deep $THREADS 1
ktap_test_result "functions of stack_stress are recorded" grew
recorded 0
ktap_test_result "rows are sorted, and no function has two" is_table
ktap_finished
