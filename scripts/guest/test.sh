#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the modules, runs the tests one after another, unloads.
# usage: test.sh STATS.KO STRESS.KO DIRECTORY TIMEOUT_SECONDS TEST...
# A marker before and after each test divides its output and the kernel log.

stats=$1
stress=$2
dir=$3
limit=$4
shift 4

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

load() { insmod "$stats" && insmod "$stress"; }
unload() { rmmod stack_stress && rmmod dynamic_stack_stats; }

step load load
cd "$dir" || exit
for test; do
	mark "start $test"
	# Of the kernel's tests, each finds its files in the folder that it is in. The
	# list gives "overflow.sh NAME" as one word.
	# shellcheck disable=SC2086
	(cd "$(dirname "$test")" && exec timeout -k 10 "$limit" ./${test##*/} 2>&1)
	mark "end $test $?"
done
step unload unload
