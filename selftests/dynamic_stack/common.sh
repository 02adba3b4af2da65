# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the shell tests: what they need, and the kernel log.
# Where SPLATS names a file with lines "splat TEXT", a test fails when the
# kernel log gained a line that contains one of the texts.

DIR=$(dirname "$(readlink -f "$0")")
LOG_START="selftests: dynamic_stack: $(basename "$0") $$"
LOG_MARK="$LOG_START step"
# shellcheck disable=SC2034 # for the tests
STATS=/sys/kernel/debug/dynamic_stack
# shellcheck disable=SC2034
STRESS=/sys/kernel/debug/stack_stress

helpers=$DIR/ktap_helpers.sh
[ -e "$helpers" ] || helpers=$DIR/../kselftest/ktap_helpers.sh
[ -e "$helpers" ] || { echo "1..0 # SKIP no $helpers"; exit 4; }
# shellcheck source=/dev/null
. "$helpers"

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

log_mark() { echo "$LOG_MARK" >/dev/kmsg; }

# The whole log where the mark is gone: better too much than nothing.
log_since() { dmesg | awk -v mark="$1" '{ log = index($0, mark) ? "" : log $0 "\n" } END { printf "%s", log }'; }

logged() { log_since "$LOG_MARK" | grep -Eq "$1"; }

log_is_clean()
{
	splats=$(sed -n 's/^splat //p' "$SPLATS")
	[ -n "$splats" ] || { ktap_print_msg "no line 'splat TEXT' in $SPLATS"; return 1; }
	! log_since "$LOG_START begins" | grep -F "$splats" | sed 's/^/# /' | grep .
}

plan() # TESTS
{
	echo "$LOG_START begins" >/dev/kmsg
	ktap_print_header
	ktap_set_plan $(($1 + ${SPLATS:+1} + 0))
}

finish()
{
	[ -z "${SPLATS:-}" ] || ktap_test_result "the kernel log gained no splat" log_is_clean
	ktap_finished
}
