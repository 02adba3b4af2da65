# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by tests that do something while the storm blows, and that have made the
# directory $work.

# shellcheck disable=SC2154 # of the test
storms() { until [ -e "$work/calm" ]; do "$DIR/storm" || return; done; }

storms_begin()
{
	rm -f "$work/calm"
	storms >"$work/storms" 2>&1 &
	storms=$!
}

# Waits for the storm to end. Fails if it lost an event.
storms_end()
{
	touch "$work/calm"
	wait "$storms"
	status=$?
	sed 's/^/# /' "$work/storms"
	return $status
}
