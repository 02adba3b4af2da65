#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# CPUs go offline and come back while the storm blows. A CPU has pages to lend
# as long as it is not dead, and none afterwards.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/storms.sh"

ROUNDS=50
need_module "$STATS" dynamic_stack_stats
. "$(dirname "$0")/cpus.sh"
method=$(value method "$STATS/summary")
work=$(mktemp -d)
trap 'all_come_back; rm -r "$work"' EXIT

stock() { awk -v cpu="$1" '$1 == cpu { print $2 + $3 + $4 }' "$STATS/per_cpu"; }

# Within ten seconds: what was kept is replaced soon, but not at once.
stocks_are_as_before()
{
	for _ in $(seq 100); do
		pages=$(vmstat nr_dynamic_stack_stock)
		[ "$pages" -ne "$before" ] || return 0
		sleep 0.1
	done
	ktap_print_msg "$before pages were in stocks, $pages are now"
	return 1
}

switch() # CPU STATE
{
	online=/sys/devices/system/cpu/cpu$1/online
	echo "$2" >"$online" && [ "$(cat "$online")" = "$2" ] && transitions=$((transitions + 1))
	case $method$2 in
	lend1 | fault1 | probe1) [ "$(stock "$1")" -gt 0 ] ;;
	*) [ "$(stock "$1")" -eq 0 ] ;;
	esac && stocks=$((stocks + 1))
}

plan 4
before=$(vmstat nr_dynamic_stack_stock)
storms_begin
transitions=0 stocks=0 expected=0
for round in $(seq $ROUNDS); do
	for online in $cpus; do
		cpu=${online%/online}
		cpu=${cpu##*/cpu}
		switch "$cpu" 0
		switch "$cpu" 1
		expected=$((expected + 2))
	done
	[ $((round % 10)) -ne 0 ] || ktap_print_msg "$transitions of $expected transitions"
done
ktap_test_result "$expected transitions done" [ $transitions -eq $expected ]
ktap_test_result "$expected times the stock was there, or gone" [ $stocks -eq $expected ]
ktap_test_result "the storm lost no event" storms_end
ktap_test_result "the pages of CPUs that went offline are free" stocks_are_as_before
ktap_finished
