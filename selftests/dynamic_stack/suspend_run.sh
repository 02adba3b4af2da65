# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the tests that suspend the machine: after that it is as before, and
# stacks grow. None of the usual tests: a root file system over virtio does not live
# through that.

. "$(dirname "$0")/stress_run.sh"

ROUNDS=3

# The setting FILE, of which the brackets show what is chosen; COMMAND then, too.
restore_afterwards() # FILE [COMMAND]
{
	chosen=$(sed 's/.*\[\(.*\)\].*/\1/' "$1")
	# shellcheck disable=SC2064 # as they are now
	trap "stop_failing; echo '$chosen' >'$1'; ${2:-}" EXIT
}

stop_failing() { [ ! -w "$FAIL/times" ] || echo 0 >"$FAIL/times"; }

online() { cat /sys/devices/system/cpu/online; }

# The thread that goes down cannot have faults on its stack there: it owns all of it.
owns_its_stack()
{
	pages=$(all_threads | awk -v pid=$$ '$1 == pid { print $2 }')
	slots=$(value slots "$STATS/summary")
	[ "$pages" = "$slots" ] && return
	ktap_print_msg "the thread that suspended owns $pages pages of $slots"
	return 1
}

# A CPU that comes back has kept its stock. If it asked for a page it would stay down.
without_pages_for_cpus() # COMMAND
{
	[ ! -w "$FAIL/sites" ] || fail_at "$CPU_SITE" -1 || return
	"$1"
	status=$?
	stop_failing
	return $status
}

suspend_and_count_cpus() # COMMAND
{
	cpus=$(online)
	without_pages_for_cpus "$1" || return
	[ "$(online)" = "$cpus" ] && return
	ktap_print_msg "CPUs $cpus before, $(online) after"
	return 1
}

suspend_rounds() # COMMAND
{
	deepest=$((thread_size - 3072))
	plan $((ROUNDS * 3))
	for round in $(seq $ROUNDS); do
		ktap_test_result "suspend $round" suspend_and_count_cpus "$1"
		stress RECURSE $deepest 4 100
		stress EVENT_TIMER $deepest 4 1
	done
	ktap_finished
}
