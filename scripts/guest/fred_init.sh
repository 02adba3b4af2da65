#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Process 1 of a guest that holds nothing but this archive: runs test.sh, writes
# to the second serial port, and powers off.
# usage: fred_init.sh TIMEOUT_SECONDS TEST...

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
exec </dev/null >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 115200

echo "@dynstack begin"
sh /test.sh /dynamic_stack_stats.ko /stack_stress.ko /selftests "$@"
echo "@dynstack exit $?"
poweroff -f
