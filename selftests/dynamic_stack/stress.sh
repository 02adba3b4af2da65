#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The tests of the module stack_stress, small enough for emulated CPUs.
# EXPAND, NO_CHECK, IRQ_AT_END, REAL_PATHS, EVENT_* and NMI_STORM have tests of their own.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

deep=$((thread_size - 4096))
names=$(grep -Evx 'EXPAND|NO_CHECK|IRQ_AT_END|REAL_PATHS|EVENT_.*|NMI_STORM' "$STRESS/run")
plan "$(echo "$names" | wc -l)"
for name in $names; do
	case $name in
	RECURSE) stress RECURSE $deep 4 50 ;;
	RECURSE_SLEEP) stress RECURSE_SLEEP $deep 4 5 ;;
	CALLER) stress CALLER $deep 1 5 ;;
	SHARED_OBJECT) stress SHARED_OBJECT $deep 4 20 ;;
	# As deep as it goes: every word next to every page boundary.
	PAGE_BOUNDARY) stress PAGE_BOUNDARY $((thread_size - 3072)) 2 1 ;;
	THREADS) stress THREADS $deep 100 20 ;;
	DOZE) stress DOZE $deep 40 3 ;;
	NEW_PAGES) stress NEW_PAGES $((thread_size - 3072)) 100 1 ;;
	TICKS) stress TICKS $deep 4 5 ;;
	*) ktap_test_fail "$name has no size here" ;;
	esac
done
ktap_finished
