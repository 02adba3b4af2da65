# SPDX-License-Identifier: GPL-2.0
"""Run by drgn: reads the stack areas whose addresses are in the standard input.

usage: drgn_stacks.py SLOTS ADDRESS_OF_SYS_PAUSE ITS_END

Prints how many there are, how many of them have a frame of sys_pause() on the topmost
page, and how many of these have nothing but zeros on the lowest one.
"""

import os
import struct
import sys

page = os.sysconf("SC_PAGESIZE")
size = int(sys.argv[1]) * page
pause, end = (int(arg, 16) for arg in sys.argv[2:4])
areas = asleep = empty = 0
for line in sys.stdin:
    stack = prog.read(int(line, 16), size)  # noqa: F821, defined by drgn
    words = struct.unpack(f"{page // 8}Q", stack[-page:])
    areas += 1
    if any(pause < word < end for word in words):
        asleep += 1
        empty += not any(stack[:page])
print("areas", areas)
print("asleep", asleep)
print("empty", empty)
