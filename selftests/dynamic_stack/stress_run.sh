# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the tests that run a test of the module stack_stress.

need_module "$STATS" dynamic_stack_stats
need_module "$STRESS" stack_stress
# shellcheck disable=SC2034 # for the tests
thread_size=$(value thread_size_bytes "$STATS/summary")

# The result is of this run, and the log has it too.
is_result_of() # NAME BYTES THREADS ROUNDS
{
	[ "$(sed -n '2,4s/^[a-z]* //p' "$STRESS/result" | xargs)" = "$2 $3 $4" ] &&
	log_since_mark | grep -Fq "stack_stress: $(head -n 1 "$STRESS/result")"
}

run_stress() # NAME BYTES THREADS ROUNDS
{
	log_mark
	echo "$*" >"$STRESS/run"
	headline=$(head -n 1 "$STRESS/result")
	is_result_of "$@" || headline="no result of '$*'"
}

stress() # NAME BYTES THREADS ROUNDS
{
	run_stress "$@"
	sed 's/^/# /' "$STRESS/result"
	case $headline in
	"ok: $1") ktap_test_pass "$*" ;;
	"XFAIL: $1: "*) ktap_test_xfail "$headline" ;;
	*) ktap_test_fail "$headline" ;;
	esac
}
