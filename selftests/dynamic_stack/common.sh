# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the shell tests: what they need, how they begin and end.

DIR=$(dirname "$(readlink -f "$0")")
# shellcheck disable=SC2034 # for the tests
STATS=/sys/kernel/debug/dynamic_stack
# shellcheck disable=SC2034
EXPAND=/sys/kernel/debug/dynamic_stack_expand
# shellcheck disable=SC2034
STRESS=/sys/kernel/debug/stack_stress
FAIL=/sys/kernel/debug/fail_dynamic_stack

helpers=$DIR/ktap_helpers.sh
[ -e "$helpers" ] || helpers=$DIR/../kselftest/ktap_helpers.sh
[ -e "$helpers" ] || { echo "1..0 # SKIP no $helpers"; exit 4; }
# shellcheck source=/dev/null
. "$helpers"
# shellcheck source=log.sh
. "$DIR/log.sh"

skip_all() { ktap_print_header; ktap_skip_all "$1"; exit "$KSFT_SKIP"; }

need_feature()
{
	grep -q '^nr_dynamic_stack_owned ' /proc/vmstat ||
		skip_all "needs CONFIG_DYNAMIC_STACK"
	[ -w /dev/kmsg ] || skip_all "needs CONFIG_PRINTK and root"
}

need_module() # DIRECTORY MODULE
{
	need_feature
	[ -d "$1" ] || skip_all "needs CONFIG_DEBUG_FS, mounted, root and the module $2"
}

# As far as the kernel tells its configuration.
has_config() { zcat /proc/config.gz 2>/dev/null | grep -qx "$1=y"; }

# The second word of the line that begins with KEY.
value() # KEY FILE
{
	awk -v key="$1" '$1 == key { print $2 }' "$2"
}

# Counters are kept per CPU; reading that file folds them.
vmstat() # KEY
{
	cat /proc/sys/vm/stat_refresh
	value "$1" /proc/vmstat
}

# What memory is allocated for: bits of $FAIL/sites, as in fail.h.
# shellcheck disable=SC2034
REFILL_RESERVE_SITES=0x6
# shellcheck disable=SC2034
CPU_SITE=0x8
# shellcheck disable=SC2034
EXPAND_SITE=0x10

# Each allocation of stack memory at these sites fails, so many of them.
fail_at() # SITES TIMES
{
	echo 100 >"$FAIL/probability" && echo 1 >"$FAIL/interval" && echo "$2" >"$FAIL/times" &&
		echo 0 >"$FAIL/verbose" && echo N >"$FAIL/task-filter" && echo "$1" >"$FAIL/sites"
}

# The rows "PID OWNED_PAGES DEPTH COMM" of all threads.
all_threads()
{
	echo 1000 >"$STATS/threads" && cat "$STATS/threads"
}

plan() # TESTS
{
	ktap_print_header
	ktap_set_plan "$1"
}

