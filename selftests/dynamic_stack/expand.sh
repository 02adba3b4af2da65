#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A thread that asks for stack owns it before it uses it. Here the thread is this
# shell: all that reads or writes the file has to be built in.

. "$(dirname "$0")/common.sh"
need_module "$EXPAND" dynamic_stack_expand
. "$(dirname "$0")/stress_run.sh"

# How much deeper one way into the kernel may be than another.
FRAMES=2048
slots=$(value slots "$STATS/summary")
method=$(value method "$STATS/summary")

# Sets pages, owned and room.
look()
{
	while read -r key number; do
		case $key in
		owned_pages) pages=$number ;;
		owned_bytes) owned=$number ;;
		room_bytes) room=$number ;;
		esac
	done <"$EXPAND/self"
}

holds() # EXPRESSION...
{
	[ "$@" ] && return
	ktap_print_msg "not so: $*; pages $pages, owned bytes $owned, room $room"
	return 1
}

ask() { echo "$1" >"$EXPAND/self" && look; }

# With lend and fault there must be something to ask for.
starts_small() { look && { [ "$method" = off ] || holds "$pages" -lt "$slots"; }; }
# An interrupt may make the stack grow meanwhile: at a second try it has.
unchanged() { before=$pages; ask "$1" && holds "$pages" -eq "$before"; }
nothing() { unchanged 0 || unchanged 0; }
half() { bytes=$((room / 2)); ask "$bytes" && holds "$owned" -ge $((bytes - FRAMES)); }
again() { unchanged "$bytes" || unchanged "$bytes"; }
nearly_all() { ask $((room - FRAMES)) && holds "$pages" -eq "$slots"; }
other_thread() { (starts_small); }

plan 7
ktap_test_result "a thread that did not ask owns a part" starts_small
ktap_test_result "0 bytes change nothing" nothing
ktap_test_result "half of what is left is owned" half
ktap_test_result "to ask once more changes nothing" again
ktap_test_result "all slots are owned" nearly_all
ktap_test_result "another thread does not own them" other_thread
stress EXPAND $((thread_size - 4096)) 4 20
ktap_finished
