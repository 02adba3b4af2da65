#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tests of LKDTM that read or write stacks, and that a kernel survives: copies to and
# from user memory that leave a frame or the stack are stopped, threads have canaries of
# their own, and what system calls left on the stack is erased.

. "$(dirname "$0")/common.sh"

trigger=/sys/kernel/debug/provoke-crash/DIRECT

need_feature
[ -e "$trigger" ] || modprobe -q lkdtm
[ -w "$trigger" ] || skip_all "needs CONFIG_LKDTM and root"

reported() { logged "$expected"; }

# So far that a check of the compiler maps a page, which is left unused.
go_down() { echo "CALLER 2560 1 1" >"$STRESS/run"; }

provoke() # NAME CONFIG REPORT
{
	expected=$3
	if ! has_config "$2"; then
		ktap_test_skip "$1: needs $2"
		return
	fi
	log_mark
	# The writer may be killed: it must not be this shell.
	(${before:-:}; echo "$1" >"$trigger") 2>/dev/null
	ktap_test_result "$1" reported
}

# Which the next one differs from.
canary_of_another() { (echo REPORT_STACK_CANARY >"$trigger"); }

plan 5
provoke USERCOPY_STACK_FRAME_TO CONFIG_HARDENED_USERCOPY \
	"Kernel memory exposure attempt detected from process stack"
provoke USERCOPY_STACK_FRAME_FROM CONFIG_HARDENED_USERCOPY \
	"Kernel memory overwrite attempt detected to process stack"
provoke USERCOPY_STACK_BEYOND CONFIG_HARDENED_USERCOPY \
	"Kernel memory exposure attempt detected from process stack"
before=canary_of_another
provoke REPORT_STACK_CANARY CONFIG_STACKPROTECTOR "ok: stack canaries differ"
before=go_down
provoke KSTACK_ERASE CONFIG_KSTACK_ERASE \
	"OK: the rest of the thread stack is properly erased"
ktap_finished
