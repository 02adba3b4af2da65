#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Triggers the test NAME of tests_fatal, of LKDTM or stack_stress, then looks for its report. Run
# it in a kernel that is not needed afterwards; where that one does not live
# to answer, the same report has to be on its console.

. "$(dirname "$0")/common.sh"

trigger=/sys/kernel/debug/provoke-crash/DIRECT
expected=$(sed -n "s/^${1:-EXHAUST_STACK} //p" "$DIR/tests_fatal")

[ -n "$expected" ] || skip_all "usage: overflow.sh NAME, a name listed in tests_fatal"
need_feature
grep -qx "${1:-}" "$STRESS/run" 2>/dev/null && trigger=$STRESS/run
[ -e "$trigger" ] || modprobe -q lkdtm
[ -w "$trigger" ] || skip_all "needs CONFIG_LKDTM and root"

# A function without arguments: ktap_test_result() splits them at spaces.
reported() { echo "$expected" | while read -r line; do logged "$line" || exit; done; }

plan 1
log_mark
# The writer may be killed: it must not be this shell.
echo "${1:-EXHAUST_STACK}" | cat >"$trigger"
ktap_test_result "the log shows what tests_fatal asks for" reported
ktap_finished
