# SPDX-License-Identifier: GPL-2.0
"""Run by drgn: reads the stack areas whose addresses are in the standard input.

usage: drgn_stacks.py SLOTS ADDRESS_OF_SYS_PAUSE

Prints how many there are, how many of them have a frame of sys_pause() on the topmost
page, and how many of these have nothing but zeros on the lowest one.
"""

import os
import struct
import sys

LONGEST_SYS_PAUSE = 128

page = os.sysconf("SC_PAGESIZE")
size = int(sys.argv[1]) * page
pause = int(sys.argv[2], 16)
areas = asleep = empty = 0
for line in sys.stdin:
    stack = prog.read(int(line, 16), size)  # noqa: F821, defined by drgn
    words = struct.unpack(f"{page // 8}Q", stack[-page:])
    areas += 1
    if any(0 < word - pause < LONGEST_SYS_PAUSE for word in words):
        asleep += 1
        empty += not any(stack[:page])
print("areas", areas)
print("asleep", asleep)
print("empty", empty)
