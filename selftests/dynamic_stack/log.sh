# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the kernel log gained since a step of the test.

LOG_MARK="selftests: dynamic_stack: $(basename "$0") $$ step"

log_mark() { echo "$LOG_MARK" >/dev/kmsg; }

# The whole log where the mark is gone: better too much than nothing.
log_since_mark()
{
	dmesg | awk -v mark="$LOG_MARK" '{ line[NR] = $0 } index($0, mark) { start = NR }
		END { for (i = start + 1; i <= NR; i++) print line[i] }'
}

logged() { log_since_mark | grep -Eq "$1"; }
