# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the tests that take CPUs offline. The files of those that can be are in $cpus.

cpus=$(echo /sys/devices/system/cpu/cpu[0-9]*/online)
[ -e "${cpus%% *}" ] || skip_all "needs CONFIG_HOTPLUG_CPU and a second CPU"

# Fails if one stays down.
all_come_back()
{
	status=0
	for online in $cpus; do
		echo 1 >"$online" || status=1
	done
	return $status
}
