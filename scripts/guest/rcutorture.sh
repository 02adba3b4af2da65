#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: tortures RCU for a while, by the modules beside this script.
# usage: rcutorture.sh [SECONDS]

echo "TAP version 13"
[ -e ./rcutorture.ko ] || { echo "1..0 # SKIP needs CONFIG_RCU_TORTURE_TEST=m"; exit 4; }

# The verdict is logged when the module goes.
torture()
{
	insmod ./torture.ko && insmod ./rcutorture.ko && sleep "${1:-20}" &&
		rmmod rcutorture && rmmod torture
}

echo "1..1"
torture "$@" 2>&1
if dmesg | grep -q "End of test: SUCCESS"; then
	echo "ok 1 rcu"
else
	dmesg | grep "End of test:"
	echo "not ok 1 rcu"
	exit 1
fi
