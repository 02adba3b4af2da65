#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: tortures RCU for a while, by the modules beside this script.

SECONDS_EACH=20
echo "TAP version 13"
[ -e ./rcutorture.ko ] || { echo "1..0 # SKIP needs CONFIG_RCU_TORTURE_TEST=m"; exit 4; }

# The verdict is logged when the module goes.
torture() # TYPE
{
	dmesg -c >/dev/null
	insmod ./torture.ko || return
	insmod ./rcutorture.ko torture_type="$1" && sleep $SECONDS_EACH && rmmod rcutorture
	rmmod torture
	verdict=$(dmesg | grep "End of test:")
	echo "$verdict"
	case $verdict in *"End of test: SUCCESS"*) ;; *) return 1 ;; esac
}

n=0
failed=0
echo "1..2"
for type in rcu tasks; do
	n=$((n + 1))
	if torture $type 2>&1; then
		echo "ok $n $type"
	else
		echo "not ok $n $type"
		failed=1
	fi
done
exit $failed
