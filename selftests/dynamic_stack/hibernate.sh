#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Hibernates to a disk in RAM, from where the image is loaded at once.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/suspend_run.sh"

DISK=/dev/ram0

grep -qw disk /sys/power/state 2>/dev/null || skip_all "needs CONFIG_HIBERNATION"
[ -b $DISK ] || skip_all "needs CONFIG_BLK_DEV_RAM"
{ mkswap $DISK && swapon $DISK; } >/dev/null || skip_all "cannot swap to $DISK"
restore_afterwards /sys/power/disk "swapoff $DISK"
echo test_resume >/sys/power/disk

# The log is in the image as it was when memory was copied: what was logged until
# then is there, and what came after is only if that memory was never put back.
hibernate()
{
	log_mark
	echo disk >/sys/power/state || return
	if ! logged "Preallocating image memory" || logged "Image (saving|loading)"; then
		ktap_print_msg "the memory is not that of an image"
		return 1
	fi
	owns_its_stack
}

suspend_rounds hibernate
