# SPDX-License-Identifier: GPL-2.0
# Each target is a subcommand of the host program in scripts/, which is built
# first. The modules also build as any out-of-tree modules do: see Kbuild.

.DEFAULT_GOAL := help

targets := demo test test-kernel test-machine test-exhaustion test-fred
targets += growth bench probe-cost margin bloat prefixes
targets += check-env setup tree refresh kernel modules check clean distclean

demo: ## boot, run 10 000 threads, compare off and lend (N=threads)
test: ## run the selftests in a VM, once for each method (CONFIGS=names)
test-kernel: ## run the kernel's own suites, the base against each method (SUITES=names)
test-machine: ## suspend, hibernate, kexec and crash under each method
test-exhaustion: ## more deep threads than memory, in small guests (CPUS="1 2 4")
test-fred: ## run selftests on CPUs with FRED, in Bochs (BOCHS=binary)
growth: ## show which functions make stacks grow (METHODS=... TOP=number)
bench: ## count instructions per operation (SIZES="16 32 64" METHODS=...)
probe-cost: ## price the compiler's checks that probe needs (KERNELS=names)
check-env: ## say which tools are missing and how to get them
setup: ## install what check-env misses
tree: ## make the kernel tree: source and series, one commit a patch
refresh: ## write patches/ from the commits of the tree (TREE=dir)
kernel: ## build the kernel of the tree (CONFIGS=names)
modules: ## build rust/ and samples/ (KDIR=built tree)
prefixes: ## build and boot the kernel after each patch (FROM=number, ONLY=numbers)
margin: ## compute how much stack can be used between two checks (KDIR=, INDIRECT=number)
bloat: ## compare sizes without CONFIG_DYNAMIC_STACK, with and without the series
check: ## check formats and styles, run the host program's tests
clean: ## remove what was built, keep what was downloaded
distclean: ## remove all that is in the cache

$(targets):
	@scripts/bootstrap.sh $@

help:
	@echo 'Usage: make TARGET [LINUX=source tree or tarball of 7.3.y] [KDIR=built tree]'
	@awk -F ': ## ' '/^[a-z-]+: ## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: help $(targets)
