#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: it has booted if a program starts and ends.
/bin/true
