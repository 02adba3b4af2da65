// SPDX-License-Identifier: GPL-2.0
/*
 * Calls nothing at the start of every function: the least that it would cost to
 * let ftrace find out when a stack has to grow.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/module.h>

/* Without it there are functions of this name that do nothing. */
#ifndef CONFIG_FUNCTION_TRACER
#error "ftrace_noop needs a kernel with CONFIG_FUNCTION_TRACER"
#endif

/* Without FTRACE_OPS_FL_RECURSION nothing stands between the trampoline and it. */
static void notrace ftrace_noop_call(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *op,
				     struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ftrace_noop_ops = {
	.func = ftrace_noop_call,
};

static int __init ftrace_noop_init(void)
{
	int err = register_ftrace_function(&ftrace_noop_ops);

	if (err)
		pr_err("cannot trace all functions, error %d: is ftrace switched off (kernel.ftrace_enabled)?\n",
		       err);
	return err;
}
module_init(ftrace_noop_init);

static void __exit ftrace_noop_exit(void)
{
	unregister_ftrace_function(&ftrace_noop_ops);
}
module_exit(ftrace_noop_exit);

MODULE_DESCRIPTION("A callback of ftrace that does nothing, on all functions");
MODULE_LICENSE("GPL");
