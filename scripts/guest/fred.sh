#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# How system calls enter the kernel, on each CPU. The flag in /proc/cpuinfo is
# also there when the kernel does not use what it stands for.

cpus=$(nproc)
echo "1..$cpus"
for cpu in $(seq "$cpus"); do
	stack=$(taskset -c $((cpu - 1)) cat /proc/self/stack)
	case $stack in
	*asm_fred_entrypoint_user*) echo "ok $cpu CPU $((cpu - 1)) uses FRED" ;;
	*) echo "not ok $cpu CPU $((cpu - 1)) does not use FRED: was Bochs configured with --enable-fred?" ;;
	esac
done
