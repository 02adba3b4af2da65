#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Calls the firmware, which uses the stack of its caller and has no checks. Who called
# it owns all of its stack where pages are mapped on demand.

. "$(dirname "$0")/common.sh"

need_module "$STATS" dynamic_stack_stats
[ -d /sys/firmware/efi/efivars ] || skip_all "needs CONFIG_EFIVAR_FS and a machine with UEFI"
variables=$(mktemp -d)
variable=$variables/DynamicStack-4b2a4c41-6f3b-4f0c-9c0e-2d3c5a1b7e90
trap 'remove_variable; umount "$variables"; rmdir "$variables"' EXIT

# It outlives the machine, and nobody may write to a name that is not known.
remove_variable()
{
	[ ! -e "$variable" ] || { chattr -i "$variable" && rm "$variable"; }
}

mount -t efivarfs none "$variables" || skip_all "cannot mount efivarfs"
remove_variable
slots=$(value slots "$STATS/summary")

get_variables()
{
	for file in "$variables"/*; do
		cat "$file" >/dev/null || return
	done
	[ "${file#"$variables"/}" != '*' ]
}

# Attributes, then the value.
set_variable()
{
	printf '\007\000\000\000text' >"$variable"
}

# Those that call it for others, in the workqueue of it.
workers_own_their_stacks()
{
	whole=$(all_threads | awk -v slots="$slots" '$4 ~ /^kworker\/u/ && $2 == slots' | wc -l)
	[ "$whole" -gt 0 ] && return
	ktap_print_msg "no worker owns $slots pages"
	return 1
}

plan 3
ktap_test_result "variables are read" get_variables
ktap_test_result "a variable is written" set_variable
case $(value method "$STATS/summary") in
fault | probe) ktap_test_result "workers own their stacks" workers_own_their_stacks ;;
*) ktap_test_skip "workers own their stacks: they do not need to, all of it is there" ;;
esac
ktap_finished
