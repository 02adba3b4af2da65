# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the kernel log gained: since the start of a test, since a step of it.

LOG_NAME="selftests: dynamic_stack: $(basename "$0") $$"
LOG_START="$LOG_NAME begins"
LOG_MARK="$LOG_NAME step"

log_start() { echo "$LOG_START" >/dev/kmsg; }

log_mark() { echo "$LOG_MARK" >/dev/kmsg; }

# The whole log where the mark is gone: better too much than nothing.
log_since()
{
	dmesg | awk -v mark="$1" '{ line[NR] = $0 } index($0, mark) { start = NR }
		END { for (i = start + 1; i <= NR; i++) print line[i] }'
}

logged() { log_since "$LOG_MARK" | grep -Eq "$1"; }

log_is_clean()
{
	texts=$(sed -n 's/^splat //p' "$SPLATS")
	[ -n "$texts" ] || { ktap_print_msg "no line 'splat TEXT' in $SPLATS"; return 1; }
	# Without any, a text that is not there: an empty one would allow all.
	allowed=$(sed -n "s/^allow \(\*\|$(basename "$0")\) \(.*\) # .*/\2/p" "$SPLATS")
	gained=$(log_since "$LOG_START") || return 1
	! echo "$gained" | grep -F "$texts" | grep -Fv "${allowed:-$LOG_START}" | sed 's/^/# /' | grep .
}
