#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: the tests of lib/test_vmalloc.c, by two workers at once. The module is
# beside this script, and never stays: what it logs is the result.

echo "TAP version 13"
[ -e ./test_vmalloc.ko ] || { echo "1..0 # SKIP needs CONFIG_TEST_VMALLOC=m"; exit 4; }

# All tests that there are. Few loops: most of the time goes to what is around them.
insmod ./test_vmalloc.ko run_test_mask=0x7fffffff nr_threads=2 test_loop_count=20 \
	nr_pcpu_objects=1000 2>/dev/null

dmesg | awk '
	/Summary: [a-z0-9_]* passed: / {
		sub(/.*Summary: /, "")
		if (!($1 in passed)) names[++count] = $1
		passed[$1] += $3 + $7
		failed[$1] += $5
	}
	END {
		if (!count) names[++count] = "summary"
		print "1.." count
		for (i = 1; i <= count; i++) {
			bad = failed[names[i]] || !passed[names[i]]
			print (bad ? "not ok " : "ok ") i " " names[i]
			status = status || bad
		}
		exit status
	}'
