#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the modules, runs the tests one after another, unloads.
# usage: test.sh [MODULE.KO[:MODULE.KO...]] DIRECTORY TIMEOUT_SECONDS TEST...
# Without modules their argument is empty. A marker before and after each test divides
# its output and the kernel log.

modules=$1
dir=$2
limit=$3
shift 3

mark() { echo "@dynstack $*" | tee /dev/kmsg; }

# One step as a test of its own.
step() # NAME COMMAND...
{
	name=$1
	shift
	mark "start $name"
	echo "1..1"
	if "$@" 2>&1; then echo "ok 1 $name"; else echo "not ok 1 $name"; fi
	mark "end $name 0"
}

each() # COMMAND: calls it with each module
{
	(
		IFS=:
		for module in $modules; do "$1" "$module" || exit; done
	)
}

remove() { rmmod "$(basename "$1" .ko)"; }
load() { each insmod; }
unload() { each remove; }

# What runs the tests outlives what they do to memory.
echo -1000 >/proc/self/oom_score_adj

# The kernel's tests of live patching skip if no directory of this name is there to
# build modules in. Here theirs are built.
export KDIR="$dir"

[ -z "$modules" ] || step load load
cd "$dir" || exit
for test; do
	mark "start $test"
	# Of the kernel's tests, each finds its files in the folder that it is in. The
	# list gives "overflow.sh NAME" as one word.
	# shellcheck disable=SC2086
	(echo 0 >/proc/self/oom_score_adj
	cd "$(dirname "$test")" && exec timeout -k 10 "$limit" ./${test##*/} 2>&1)
	mark "end $test $?"
done
[ -z "$modules" ] || step unload unload
