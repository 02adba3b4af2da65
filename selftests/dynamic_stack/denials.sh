# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the tests in which threads have to wait for pages, after stress_run.sh, which
# has the threads that use the pages up.

MOST_ROUNDS=200
# shellcheck disable=SC2154 # of stress_run.sh
THREADS="THREADS $((thread_size - 4096)) 50 2"

[ "$(value method "$STATS/summary")" != off ] || skip_all "booted with dynamic_stack=off: nobody waits"
[ -w "$FAIL/sites" ] || skip_all "needs CONFIG_FAIL_DYNAMIC_STACK, _DEBUG_FS"
sites=$(cat "$FAIL/sites")
parks_before=$(vmstat dynamic_stack_park)

denials_end() { echo 0 >"$FAIL/times"; echo "$sites" >"$FAIL/sites"; }

# Those who wait go on when the last one has failed.
refills_fail() { fail_at "$REFILL_RESERVE_SITES" 300; }

parks() { echo $(($(vmstat dynamic_stack_park) - parks_before)); }

# Rounds, until COMMAND says that there were enough. Leaves how many in $rounds.
denials_until() # COMMAND
{
	rounds=0 wrong=0
	until "$1" || [ $rounds -ge $MOST_ROUNDS ]; do
		rounds=$((rounds + 1))
		refills_fail
		# shellcheck disable=SC2086 # words
		run_stress $THREADS
		# shellcheck disable=SC2154 # of stress_run.sh
		[ "$headline" = "ok: THREADS" ] && continue
		wrong=$((wrong + 1))
		ktap_print_msg "$headline"
	done
	[ $wrong -eq 0 ]
}

# Meanwhile COMMAND again and again, until the storm ends. Those that fail are in
# $work/wrong_turns.
turns_begin() # COMMAND
{
	# shellcheck disable=SC2154 # of the test
	touch "$work/turns" "$work/wrong_turns"
	take_turns "$1" &
	turns=$!
}

take_turns()
{
	until [ -e "$work/calm" ]; do
		"$1" || printf . >>"$work/wrong_turns"
		printf . >>"$work/turns"
	done
}

# Fails if a turn was wrong.
turns_end() { wait "$turns"; [ ! -s "$work/wrong_turns" ]; }

turns() { wc -c <"$work/turns"; }
