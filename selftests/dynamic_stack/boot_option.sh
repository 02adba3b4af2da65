#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel says at boot which method it uses, and obeys dynamic_stack=.

. "$(dirname "$0")/common.sh"

need_feature
boot_log=$(dmesg | sed -n 's/.*\(dynamic_stack: .*method .*\)/\1/p')
[ -n "$boot_log" ] || skip_all "the boot messages are no longer in the kernel log"
page=$(getconf PAGESIZE)

# The last value that the command line gives it.
value_of() # OPTION
{
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n 1
}

method_line() # METHOD
{
	echo "$boot_log" | grep -Eqx "dynamic_stack: method $1, [0-9]+ slots of $page bytes"
}

unknown_lines()
{
	echo "$boot_log" | grep -Eqx "dynamic_stack: unknown method '$option', expected one of: off lend( fault)?( probe)?; using '$known'" || return
	refused fail_dynamic_stack "expected <interval>,<probability>,<space>,<times>[,<sites>]" &&
	refused dynamic_stack_check "expected a boolean (0 or 1); not checking" &&
	refused dynamic_stack_margin "expected "
}

# Or it is not on the command line, or not of this kernel.
refused() # OPTION TEXT
{
	given=$(value_of "$1")
	case $1 in
	fail_dynamic_stack) has_config CONFIG_FAIL_DYNAMIC_STACK || return 0 ;;
	dynamic_stack_margin) has_config CONFIG_DYNAMIC_STACK_PROBE || return 0 ;;
	esac
	[ -z "$given" ] || dmesg | grep -Fq "dynamic_stack: $1=$given: $2" ||
		{ ktap_print_msg "no line says '$1=$given: $2'"; return 1; }
}

# The first allocation fails: the stock of the first CPU.
no_memory()
{
	echo "$boot_log" | grep -Fqx "dynamic_stack: method $option refused: no memory for the stock; using 'off'" &&
		method_line off
}

# Of the stack of the idle thread of the second CPU, all or one in the middle.
no_idle_thread()
{
	[ "$(cat /sys/devices/system/cpu/online)" = 0 ] &&
		dmesg | grep -Fq 'SMP: fork_idle() failed for CPU 1' &&
		method_line "$option"
}

known='(off|lend|fault|probe)'
option=$(value_of dynamic_stack)
fail=
if has_config CONFIG_FAIL_DYNAMIC_STACK; then
	fail=$(value_of fail_dynamic_stack)
fi
plan 2
case $fail,$option in
1,100,0,1,*)
	ktap_test_result "method is off, for want of memory" no_memory
	;;
1,100,0,-1,0x20,* | 2,100,0,1,0x20,*)
	ktap_test_result "method is $option, on the CPU that has an idle thread" no_idle_thread
	;;
,off | ,lend | ,fault | ,probe)
	ktap_test_result "method is $option, as the command line says" method_line "$option"
	;;
,)
	ktap_test_result "a default method is in use" method_line "$known"
	;;
*)
	ktap_test_result "a known method is in use" method_line "$known"
	ktap_test_result "messages say what is expected" unknown_lines
	ktap_finished
	;;
esac
ktap_test_skip "message about an unknown method: boot with dynamic_stack=bogus"
ktap_finished
