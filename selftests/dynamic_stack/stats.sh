#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What dynamic_stack_stats shows agrees with itself and with /proc.

. "$(dirname "$0")/common.sh"

need_module "$STATS" dynamic_stack_stats
page_kb=$(($(getconf PAGESIZE) / 1024))
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# One process reads all, so that all files see the same threads.
look()
{
	mv "$work/now" "$work/before" 2>/dev/null
	cat /proc/sys/vm/stat_refresh
	grep -H . "$STATS/summary" "$STATS/histogram" "$STATS/per_cpu" \
		/proc/vmstat /proc/meminfo >"$work/now"
}

number() { awk -v key="$1" '{ sub(/:$/, "", $1) } $1 == key { print $2 }' "$work/${2:-now}"; }
summary() { number "$STATS/summary:$1"; }
vmstat() { number "/proc/vmstat:$1"; }
vmstat_before() { number "/proc/vmstat:$1" before; }
kernel_stack() { echo $(($(number /proc/meminfo:KernelStack) / page_kb)); }
charged() { echo $(($(summary owned_pages) - $(summary debt_pages))); }
column() { awk -v file="$STATS/$1:" -v n="$2" 'index($1, file) && $2 ~ /^[0-9]+$/ { sum += $n } END { print sum + 0 }' "$work/now"; }
stock() { echo $(($(column per_cpu 2) + $(column per_cpu 3) + $(column per_cpu 4))); }
listed_pages() { awk -F '[: ]' -v file="$STATS/histogram" '$1 == file { sum += $2 * $3 } END { print sum }' "$work/now"; }
# Idle threads have no pid, so no row counts those of the CPUs but the first.
idle_pages() { echo $((($(grep -c "^$STATS/per_cpu:[0-9]" "$work/now") - 1) * $(summary slots))); }
listed_and_idle() { echo $(($(listed_pages) + $(idle_pages))); }

# Gauges move while they are read: equal at one of many looks.
equal() # COMMAND COMMAND
{
	for _ in $(seq 30); do
		look
		[ "$($1)" = "$($2)" ] && return
		sleep 0.1
	done
	ktap_print_msg "$1 is $($1), $2 is $($2)"
	return 1
}

# Events only grow, so what is read later is not less.
rising() # COMMAND COMMAND COMMAND
{
	look
	[ "$($1)" -le "$($2)" ] && [ "$($2)" -le "$($3)" ] && return
	ktap_print_msg "$1 is $($1), $2 is $($2), $3 is $($3)"
	return 1
}

try() { if "$@"; then ktap_test_pass "$*"; else ktap_test_fail "$*"; fi; }

plan 14
look
try equal "summary owned_pages" "vmstat nr_dynamic_stack_owned"
try equal "summary stock_pages" "vmstat nr_dynamic_stack_stock"
try equal charged kernel_stack
try equal "summary owned_pages" listed_and_idle
try equal "summary threads" "column histogram 2"
try equal "summary stock_pages" stock
try rising "vmstat_before dynamic_stack_lend" "summary lends" "vmstat dynamic_stack_lend"
try rising "vmstat_before dynamic_stack_keep" "summary keeps" "vmstat dynamic_stack_keep"
try rising "vmstat_before dynamic_stack_refill_fail" "summary refill_failures" "vmstat dynamic_stack_refill_fail"
try rising "vmstat_before dynamic_stack_park" "summary parks" "vmstat dynamic_stack_park"
try rising "summary lends" "column per_cpu 5" "vmstat dynamic_stack_lend"
try rising "summary keeps" "column per_cpu 6" "vmstat dynamic_stack_keep"
try rising "summary refill_failures" "column per_cpu 7" "vmstat dynamic_stack_refill_fail"
try rising "summary parks" "column per_cpu 8" "vmstat dynamic_stack_park"
ktap_finished
