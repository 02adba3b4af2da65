#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What dynamic_stack_stats shows agrees with itself and with /proc.

. "$(dirname "$0")/common.sh"

need_module "$STATS" dynamic_stack_stats
page_kb=$(($(getconf PAGESIZE) / 1024))

summary() { value "$1" "$STATS/summary"; }
vmstat() { value "$1" /proc/vmstat; }
kernel_stack() { awk -v kb="$page_kb" '$1 == "KernelStack:" { print $2 / kb }' /proc/meminfo; }
column() { awk -v n="$2" 'NR > 1 { sum += $n } END { print sum + 0 }' "$STATS/$1"; }
# Idle threads have no pid, so no row counts those of the CPUs but the first.
idle_pages() { echo $((($(wc -l <"$STATS/per_cpu") - 2) * $(summary slots))); }
listed_pages() { awk 'NR > 1 { sum += $1 * $2 } END { print sum + 0 }' "$STATS/histogram"; }
with_idle() { echo $(($(listed_pages) + $(idle_pages))); }
stock() { echo $(($(column per_cpu 2) + $(column per_cpu 3) + $(column per_cpu 4))); }
charged() { echo $(($(summary owned_pages) - $(summary debt_pages))); }

# Gauges move while they are read: equal in one of many tries.
equal() # COMMAND... = COMMAND...
{
	for _ in $(seq 50); do
		cat /proc/sys/vm/stat_refresh
		left=$(eval "$1") right=$(eval "$2")
		[ "$left" = "$right" ] && return
		sleep 0.1
	done
	ktap_print_msg "$1 is $left, $2 is $right"
	return 1
}

# Events only grow: the middle reading lies between the outer ones.
between() # OUTER INNER
{
	low=$(eval "$1") middle=$(eval "$2") high=$(eval "$1")
	[ "$low" -le "$middle" ] && [ "$middle" -le "$high" ] && return
	ktap_print_msg "$2 is $middle, $1 went from $low to $high"
	return 1
}

try() # COMPARISON LEFT RIGHT
{
	if "$@"; then ktap_test_pass "$1: $2, $3"; else ktap_test_fail "$1: $2, $3"; fi
}

plan 12
try equal "summary owned_pages" "vmstat nr_dynamic_stack_owned"
try equal "summary stock_pages" "vmstat nr_dynamic_stack_stock"
try equal "charged" "kernel_stack"
try equal "summary owned_pages" "with_idle"
try equal "summary threads" "column histogram 2"
try equal "summary stock_pages" "stock"
try between "vmstat dynamic_stack_lend" "summary lends"
try between "vmstat dynamic_stack_keep" "summary keeps"
try between "vmstat dynamic_stack_refill_fail" "summary refill_failures"
try between "summary lends" "column per_cpu 5"
try between "summary keeps" "column per_cpu 6"
try between "summary refill_failures" "column per_cpu 7"
finish
