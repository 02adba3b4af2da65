#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# REAL_PATHS of the module stack_stress: reads a file through two overlays, a
# disk file system and a loop device, with too little memory to cache it.

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/stress_run.sh"

FILE_MB=16
work=$(mktemp -d)
group=$work/cgroup/dynamic_stack_real_paths
trap 'cleanup' EXIT

cleanup()
{
	set +e
	echo $$ >"$work/cgroup/cgroup.procs"
	rmdir "$group"
	umount "$work/top" "$work/middle" "$work/disk" "$work/cgroup" "$work"
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

plan 1
echo "$work/top/file" >"$STRESS/file"
stress REAL_PATHS $((thread_size - 8192)) 2 2
finish
