#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: starts the kernel /bzImage with WORD on its command line.
# usage: kexec.sh WORD
exec /selftests/kexec /bzImage "$1"
