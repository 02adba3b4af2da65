#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: what made stacks grow while programs came and went, files were
# read, and a file was read through stacked file systems with too little memory;
# and what the threads own that are still there.
# usage: growth.sh STATS.KO STRESS.KO SELFTESTS
set -e

stats=/sys/kernel/debug/dynamic_stack
growth=$stats/growth

# A skip is explained, and no failure.
try() { "$@" || [ $? -eq 4 ]; }

insmod "$1"
insmod "$2"
echo 1 >$growth
try "$3/storm"
try "$3/real_paths.sh"
find /usr -xdev -type f 2>/dev/null | head -n 1000 | xargs -d '\n' cat >/dev/null
echo 0 >$growth
echo "@dynstack start summary"
cat $stats/summary
echo "@dynstack start growth"
cat $growth
