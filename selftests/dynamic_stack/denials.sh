# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the tests in which threads have to wait for pages, while the storm blows and
# other threads use the pages up.

# shellcheck source=stress_run.sh
. "$DIR/stress_run.sh"
# shellcheck source=storms.sh
. "$DIR/storms.sh"

MOST_ROUNDS=200
LEAST_TURNS=20
LEAST_PARKS_IN_TURNS=20
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
		[ "$headline" = "ok: THREADS" ] && continue
		wrong=$((wrong + 1))
		ktap_print_msg "$headline"
	done
	[ $wrong -eq 0 ]
}

# COMMAND again and again, until the storm ends. Those that fail are in $work/wrong_turns.
take_turns() # COMMAND
{
	# shellcheck disable=SC2154 # of the test
	until [ -e "$work/calm" ]; do
		"$1" || printf . >>"$work/wrong_turns"
		printf . >>"$work/turns"
	done
}

turns() { wc -c <"$work/turns"; }

enough_turns() { [ "$(turns)" -ge $LEAST_TURNS ] && [ "$(parks)" -ge $LEAST_PARKS_IN_TURNS ]; }

# Fails if a turn was wrong.
turns_end() { wait "$turns"; [ ! -s "$work/wrong_turns" ]; }

# All of a test in which COMMAND takes turns, after the storm has begun: 4 results.
denials_in_turns() # COMMAND WHAT_IT_DOES
{
	touch "$work/turns" "$work/wrong_turns"
	take_turns "$1" &
	turns=$!
	ktap_test_result "no round was wrong" denials_until enough_turns
	ktap_print_msg "$rounds rounds"
	denials_end
	ktap_test_result "the storm lost no event" storms_end
	ktap_test_result "$2, each time" turns_end
	ktap_print_msg "$(turns) times, $(parks) times a thread waited"
	ktap_test_result "at least $LEAST_TURNS times, at least $LEAST_PARKS_IN_TURNS times a thread waited" \
		enough_turns
}
