# SPDX-License-Identifier: GPL-2.0
"""Names of the guest's addresses. Called by minikvm-trace."""

import bisect
import os
import re
import subprocess

ELF = b"\x7fELF"
FAR = 1 << 20			# no function is that long: behind the last one is nothing


class Symbols:
    """Of a System.map, of a copy of the guest's /proc/kallsyms, or of nm's output."""

    def __init__(self, lines=()):
        found = {}
        for line in lines:
            m = re.match(r"([0-9a-f]{8,16}) [tTwW] (\S+)", line)
            if m and int(m.group(1), 16):
                found.setdefault(int(m.group(1), 16), m.group(2))
        self.addresses = sorted(found)
        self.names = [found[a] for a in self.addresses]

    def name(self, address):
        """The function that an address is in; without one, nothing."""
        n = bisect.bisect_right(self.addresses, address) - 1
        return self.names[n] if n >= 0 and address - self.addresses[n] < FAR else ""


def read(path):
    """The Symbols of a vmlinux or of a text; a ValueError says that there are none."""
    with open(path, "rb") as f:
        elf = f.read(len(ELF)) == ELF
    if elf:
        r = subprocess.run(["nm", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True, check=False)
        symbols = Symbols(r.stdout.splitlines())
    else:
        with open(path, errors="replace") as f:
            symbols = Symbols(f)
    if not symbols.addresses:
        raise ValueError("'%s' has no symbols of functions%s" % (
            os.path.basename(path), " (it takes nm to see those of an ELF file)" if elf else ""))
    return symbols
