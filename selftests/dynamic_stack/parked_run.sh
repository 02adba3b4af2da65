# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by tests that look at threads which sleep all the time: $PARKED of
# them, each with a page or so, the other slots empty. They must stay as they are.

PARKED=100
work=$(mktemp -d)
rows=$(($(wc -l <"$STATS/threads") - 1))
trap 'parked_end' EXIT

parked_end()
{
	kill "$park"
	echo "$rows" >"$STATS/threads"
	rm -r "$work"
} 2>/dev/null

owned_by() { awk -v comm="$1" 'index($4, comm) == 1 { print $1, $2 }' "$STATS/threads"; }

parked_begin()
{
	"$DIR/park" $PARKED sh -c "touch '$work/parked'; exec sleep 100000" &
	park=$!
	until [ -e "$work/parked" ]; do
		kill -0 $park || ktap_exit_fail_msg "cannot start $PARKED threads"
		sleep 1
	done
	echo 1000 >"$STATS/threads"
	owned_by park >"$work/before"
}

# A test of stack_stress again and again, as long as others look at its threads.
go_deep() # NAME BYTES THREADS ROUNDS
{
	until [ -e "$work/looked" ]; do
		echo "$*" >"$STRESS/run" || return
	done
}

parked_are_the_same()
{
	owned_by park >"$work/after"
	lines $PARKED . <"$work/after" && cmp "$work/before" "$work/after" && return
	diff "$work/before" "$work/after" | sed 's/^/# /'
	return 1
}

# Their stacks, and those of all other threads; $slots is the size.
areas()
{
	# shellcheck disable=SC2154 # is set by the test
	grep -E "(alloc_thread_stack|dup_task_struct|copy_process|kernel_clone).* pages=$slots " /proc/vmallocinfo
}

# At least so many lines of the input have it.
lines() # NUMBER REGEX
{
	found=$(grep -Ec "$2")
	[ "$found" -ge "$1" ] && return
	ktap_print_msg "$found lines with '$2', expected $1"
	return 1
}
