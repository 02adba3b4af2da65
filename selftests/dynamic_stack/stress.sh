#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every test of the module stack_stress, small enough for an emulated CPU.

. "$(dirname "$0")/common.sh"

need_module "$STATS" dynamic_stack_stats
need_module "$STRESS" stack_stress
deep=$(($(value thread_size_bytes "$STATS/summary") - 4096))
work=$(mktemp -d)
trap 'umount -R "$work" 2>/dev/null; rm -r "$work"' EXIT

# An overlay on an overlay on tmpfs, with a file to read at the bottom.
stack_file_systems()
{
	mount -t tmpfs none "$work" && cd "$work" &&
	mkdir data none1 none2 middle top &&
	dd if=/dev/urandom of=data/file bs=64k count=16 2>/dev/null &&
	mount -t overlay -o "lowerdir=data:none1" none middle &&
	mount -t overlay -o "lowerdir=middle:none2" none top
}

arguments() # TEST
{
	case $1 in
	RECURSE) echo "$deep 4 50" ;;
	RECURSE_SLEEP) echo "$deep 4 5" ;;
	SHARED_OBJECT) echo "$deep 4 20" ;;
	PAGE_BOUNDARY) echo "$deep 2 1" ;;
	THREADS) echo "$deep 100 10" ;;
	REAL_PATHS) echo "$deep 2 2" ;;
	esac
}

stress() # TEST
{
	log_mark
	echo "$1 $(arguments "$1")" >"$STRESS/run"
	headline=$(head -n 1 "$STRESS/result")
	sed 's/^/# /' "$STRESS/result"
	log_since "$LOG_MARK" | grep -Fq "stack_stress: $headline" ||
		headline="FAIL: $1, for its result is not in the log"
	case $headline in
	"ok: $1"*) ktap_test_pass "$1" ;;
	"XFAIL: $1"*) ktap_test_xfail "$headline" ;;
	*) ktap_test_fail "$headline" ;;
	esac
}

names=$(cat "$STRESS/run")
plan "$(echo "$names" | wc -l)"
stack_file_systems || ktap_print_msg "needs CONFIG_OVERLAY_FS, CONFIG_TMPFS and root"
for name in $names; do
	stress "$name"
done
finish
