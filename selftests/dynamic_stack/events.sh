#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Interrupts, NMIs and exceptions with the stack pointer at every word around
# page boundaries: none is lost. Of larger stacks, the boundaries in the first
# 16 KiB, or all: events.sh all.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

method=$(value method "$STATS/summary")
deepest=$((thread_size - 3072))
[ "${1:-}" = all ] || [ $deepest -le 13312 ] || deepest=13312
names=$(grep -x 'EVENT_.*' "$STRESS/run") || skip_all "needs CONFIG_X86_64"

# The events hit threads that had not used the slot below, or they prove little (a
# check of the compiler may have mapped it).
hit_new_slots()
{
	wanted=$(value at_place "$STRESS/result")
	case $method in
	off) key=untouched wanted=0 ;;
	lend | probe) key=untouched ;;
	*) key=unmapped ;;
	esac
	new=$(value $key "$STRESS/result")
	[ "$new" = "$wanted" ] && return
	ktap_print_msg "$key should be $wanted and is $new"
	return 1
}

plan $(($(echo "$names" | wc -l) * 2 + 1))
for name in $names; do
	stress "$name" $deepest 32 1
	case $headline in
	ok:*) ktap_test_result "$name hit new slots" hit_new_slots ;;
	*) ktap_test_skip "$name hit new slots: it has no counts" ;;
	esac
done
stress NMI_STORM $deepest 4 50
ktap_finished
