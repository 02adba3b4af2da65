#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Process 1 of a guest that holds nothing but this archive: runs script.sh with
# the arguments that the kernel passes on, writes to the second serial port, and
# ends the machine: by the command END if the kernel's command line has END=.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
exec </dev/null >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 115200

echo "@dynstack begin"
sh /script.sh "$@"
echo "@dynstack exit $?"
"${END:-poweroff}" -f
