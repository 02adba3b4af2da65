#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel says at boot which method it uses, and obeys dynamic_stack=.

. "$(dirname "$0")/common.sh"

need_feature
boot_log=$(dmesg | sed -n 's/.*\(dynamic_stack: .*method .*\)/\1/p')
[ -n "$boot_log" ] || skip_all "the boot messages are no longer in the kernel log"
option=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^dynamic_stack=//p' | tail -n 1)
page=$(getconf PAGESIZE)

method_line() # METHOD
{
	echo "$boot_log" | grep -Eqx "dynamic_stack: method $1, [0-9]+ slots of $page bytes"
}

unknown_line()
{
	echo "$boot_log" | grep -Eqx "dynamic_stack: unknown method '$option', expected one of: off lend( fault)?( probe)?; using '$known'"
}

# The first allocation fails: the stock of the first CPU.
no_memory()
{
	echo "$boot_log" | grep -Fqx "dynamic_stack: method $option refused: no memory for the stock; using 'off'" &&
		method_line off
}

known='(off|lend|fault|probe)'
plan 2
grep -q 'fail_dynamic_stack=1,100,0,1' /proc/cmdline && has_config CONFIG_FAIL_DYNAMIC_STACK &&
	option="$option without memory"
case $option in
*" without memory")
	option=${option%% *}
	ktap_test_result "method is off, for want of memory" no_memory
	ktap_test_skip "message about an unknown method: boot with dynamic_stack=bogus"
	;;
off | lend | fault | probe)
	ktap_test_result "method is $option, as the command line says" method_line "$option"
	ktap_test_skip "message about an unknown method: boot with dynamic_stack=bogus"
	;;
"")
	ktap_test_result "a default method is in use" method_line "$known"
	ktap_test_skip "message about an unknown method: boot with dynamic_stack=bogus"
	;;
*)
	ktap_test_result "a known method is in use" method_line "$known"
	ktap_test_result "message names the known methods" unknown_line
	;;
esac
finish
