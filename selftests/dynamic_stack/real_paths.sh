#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# REAL_PATHS of the module stack_stress: reads a file through two overlays, a
# disk file system and a loop device, with too little memory to cache it. Once more while
# code on the way asks for stack in vain, where it does ask.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

FILE_MB=16
TIMES=1000000	# more than there are requests
# What the way to the disk needs. The red zones of KASAN double it.
paths=8192
! has_config CONFIG_KASAN || paths=16384
work=$(mktemp -d)
group=$work/cgroup/dynamic_stack_real_paths
trap 'cleanup' EXIT

cleanup()
{
	set +e
	echo 0 >"$FAIL/sites"
	echo $$ >"$work/cgroup/cgroup.procs"
	rmdir "$group"
	umount "$work/top" "$work/middle" "$work/disk" "$work/cgroup"
	losetup --detach "$loop"	# if it could not be mounted
	umount "$work"
	rmdir "$work"
} 2>/dev/null

[ -e /dev/loop-control ] || skip_all "needs CONFIG_BLK_DEV_LOOP"
command -v mkfs.ext4 >/dev/null || skip_all "needs the program mkfs.ext4"
for fs in tmpfs ext4 overlay cgroup2; do
	grep -qw "$fs" /proc/filesystems || skip_all "needs the file system $fs in the kernel"
done

set -e
mount -t tmpfs none "$work"
cd "$work"
mkdir disk none1 none2 middle top cgroup
truncate -s $((2 * FILE_MB))M image
mkfs.ext4 -q image
loop=$(losetup --find --show image)
mount "$loop" disk
losetup --detach "$loop"	# as soon as it is no longer mounted
dd if=/dev/urandom of=disk/file bs=1M count=$FILE_MB 2>/dev/null
mount -t overlay -o lowerdir=disk:none1 none middle
mount -t overlay -o lowerdir=middle:none2 none top
mount -t cgroup2 none cgroup
echo +memory >cgroup/cgroup.subtree_control || skip_all "needs CONFIG_MEMCG"
mkdir "$group"
echo $((FILE_MB / 4))M >"$group/memory.max"
echo $$ >"$group/cgroup.procs"
set +e
cd /

plan 3
echo "$work/top/file" >"$STRESS/file"
stress REAL_PATHS $((thread_size - paths)) 2 2
if [ "$(value method "$STATS/summary")" = off ]; then
	ktap_test_skip "nobody gets stack: under off all have it"
	ktap_test_skip "requests for stack were refused: under off all have it"
elif ! has_config CONFIG_DYNAMIC_STACK_EXPAND_SITES || ! fail_at $EXPAND_SITE $TIMES 2>/dev/null; then
	needed="CONFIG_DYNAMIC_STACK_EXPAND_SITES, CONFIG_FAIL_DYNAMIC_STACK"
	ktap_test_skip "nobody gets stack: needs $needed"
	ktap_test_skip "requests for stack were refused: needs $needed"
else
	stress REAL_PATHS $((thread_size - paths)) 2 2
	ktap_test_result "requests for stack were refused" \
		[ "$(cat $FAIL/times)" -lt $TIMES ]
fi
ktap_finished
