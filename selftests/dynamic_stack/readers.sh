#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Who looks at the stacks of others, while threads come and go, sees what is
# there, and no thread comes to own a page by that.

. "$(dirname "$0")/common.sh"
need_module "$STATS" dynamic_stack_stats
. "$(dirname "$0")/storms.sh"
. "$(dirname "$0")/parked_run.sh"
slots=$(value slots "$STATS/summary")

try() # DESCRIPTION FILE CONFIG COMMAND
{
	if [ ! -e "$2" ]; then
		ktap_test_skip "$1: needs $3"
	else
		ktap_test_result "$1" "$4"
	fi
}

sysrq_t()
{
	printk=$(cat /proc/sys/kernel/printk)
	echo 5 >/proc/sys/kernel/printk		# to the log, not to the console
	# One of those that run is the writer.
	running=$(getconf _NPROCESSORS_ONLN)
	[ "$running" -lt 2 ] || running=2
	for _ in $(seq 20); do
		log_mark
		echo t >/proc/sysrq-trigger
		log_since_mark >"$work/log"
		[ "$(grep -c 'task:.* state:R' "$work/log")" -lt "$running" ] || break
	done
	echo "$printk" >/proc/sys/kernel/printk
	lines $PARKED 'task:park ' <"$work/log" && lines $PARKED 'sys_pause' <"$work/log" &&
		lines "$running" 'task:.* state:R' <"$work/log"
}

stack_files()
{
	# Threads come and go meanwhile.
	for _ in $(seq 5); do cat /proc/[0-9]*/task/[0-9]*/stack; done >/dev/null 2>&1
	cat "/proc/$park"/task/*/stack | lines $PARKED 'sys_pause'
}

state_of() # PID
{
	read -r _ _ state _ <"/proc/$1/stat" && echo "$state"
}

# Of a thread that looks busy before and after.
stack_of_a_running_thread()
{
	(while :; do :; done) &
	spinner=$!
	seen=1
	for _ in $(seq 50); do
		before=$(state_of $spinner)
		if ! cat /proc/$spinner/stack >"$work/stack" ||
			grep -v '^\[<0>\] ' "$work/stack"; then
			seen=1
			break
		fi
		[ "$before$(state_of $spinner)" != RR ] || seen=0
	done
	kill $spinner
	wait $spinner 2>/dev/null
	return $seen
}

# Of one that sleeps there, and of those that run or were preempted on their way.
stacks_of_deep_threads()
{
	go_deep RECURSE $(($(value thread_size_bytes "$STATS/summary") - 4096)) 4 20000 &
	deep=$!
	echo 10240 10000 >"$STRESS/deep" &		# bytes, milliseconds
	sleeper=$!
	until grep -q msleep "/proc/$sleeper/stack"; do
		kill -0 $sleeper || break
	done
	cat "/proc/$sleeper/stack" >"$work/asleep"
	for _ in $(seq 20); do
		# Threads end meanwhile.
		for pid in $(owned_by stack_stress | sed 's/ .*//'); do
			cat "/proc/$pid/stack"
		done 2>/dev/null
	done >"$work/awake"
	: >"$work/looked"
	wait $sleeper && wait $deep && ! grep -hv '^\[<0>\] ' "$work/asleep" "$work/awake" &&
		lines 2 '\[stack_stress\]' <"$work/asleep" && lines 1 vfs_write <"$work/asleep"
}

wait_channels()
{
	# Threads come and go meanwhile.
	for _ in $(seq 5); do cat /proc/[0-9]*/task/[0-9]*/wchan; done >/dev/null 2>&1
	for file in "/proc/$park"/task/*/wchan; do cat "$file" && echo; done |
		lines $PARKED 'sys_pause'
}

LATENCYTOP=/proc/sys/kernel/latencytop

waits_are_listed() { grep -qE '^([0-9]+ ){3}[a-z_]' "$work/latency"; }

# The scheduler reads the stacks of those that it wakes.
latencies()
{
	before=$(cat $LATENCYTOP)
	echo 1 >$LATENCYTOP
	for _ in $(seq 20); do
		# Threads come and go meanwhile.
		cat /proc/[0-9]*/task/[0-9]*/latency >"$work/latency" 2>/dev/null
		! waits_are_listed || break
	done
	echo "$before" >$LATENCYTOP
	waits_are_listed
}

vmallocinfo()
{
	for _ in $(seq 10); do cat /proc/vmallocinfo; done >/dev/null || return
	areas | lines $PARKED vmalloc
}

# Each CPU keeps up to two areas for its next threads. Equal at one of many looks.
nodes_add_up()
{
	cached=$((2 * $(getconf _NPROCESSORS_CONF) * slots))
	for _ in $(seq 30); do
		listed=$(areas | grep -o ' N[0-9]*=[0-9]*' | awk -F= '{ n += $2 } END { print n + 0 }')
		owned=$(value owned_pages "$STATS/summary")
		[ "$listed" -ge "$owned" ] && [ "$listed" -le $((owned + cached)) ] && return
		sleep 1
	done
	ktap_print_msg "$listed pages on all nodes, $owned owned, at most $cached cached"
	return 1
}

plan 10
parked_begin
storms_begin
try "sysrq-t under the storm" /proc/sysrq-trigger CONFIG_MAGIC_SYSRQ sysrq_t
try "/proc/PID/stack under the storm" /proc/self/stack CONFIG_STACKTRACE stack_files
try "/proc/PID/stack of a running thread" /proc/self/stack CONFIG_STACKTRACE stack_of_a_running_thread
try "stacks of deep threads" "$STRESS/run" "the module stack_stress" stacks_of_deep_threads
try "/proc/PID/wchan under the storm" /proc/self/wchan CONFIG_KALLSYMS wait_channels
try "/proc/PID/latency under the storm" $LATENCYTOP CONFIG_LATENCYTOP latencies
ktap_test_result "/proc/vmallocinfo under the storm" vmallocinfo
ktap_test_result "the storm lost no event" storms_end
try "/proc/vmallocinfo counts the owned pages" /sys/devices/system/node CONFIG_NUMA nodes_add_up
ktap_test_result "parked threads own what they owned before" parked_are_the_same
ktap_finished
