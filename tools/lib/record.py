# SPDX-License-Identifier: GPL-2.0
"""A record of the tracepoints as text: what tools/record writes, a copy of the kernel's trace
file, or what trace-cmd report prints. Called by minikvm-trace.

An event is (time, pid, tgid or None, IRQs off, name, text). Times are whole numbers of `unit`.
"""

import re

# "  comm-12  ( 12) [000] d..2.  1234: name: text"; tgid and flags are not always there.
LINE = re.compile(r"^\s*.+?-(\d+)\s+(?:\(\s*([\d-]+)\)\s+)?\[\d+\]\s+(?:(\S{4,6})\s+)?"
                  r"(\d+)(?:\.(\d+))?:\s+(\w+):\s*(.*)$")
LOST = re.compile(r"^CPU:\d+ \[(?:LOST (\d+) EVENTS|EVENTS DROPPED)\]")
IRQS_OFF = "dDX"		# the first of the flags


class Record:
    """All of a file. `about`: what the record says of itself, by word; `counted`: {exit: number}
    that the module counted meanwhile, or None."""

    def __init__(self, lines):
        self.about, self.counted, self.events, self.lost = {}, None, [], 0
        self.has_flags = False
        whole = True
        for line in lines:
            if line.startswith("#"):
                self.comment(line)
                continue
            m = LINE.match(line)
            if m:
                self.event(*m.groups())
                whole &= m.group(5) is None
            elif LOST.match(line):
                self.lost += int(LOST.match(line).group(1) or 1)
        self.lost = max(self.lost, int(self.about.get("lost", 0)))
        self.unit = self.about.get("unit", "ticks" if whole else "us")

    def comment(self, line):
        m = re.match(r"# ([a-z-]+): (.*)$", line)
        if not m:
            return
        if m.group(1) == "minikvm-trace":
            self.counted = {}
        if m.group(1) == "counted" and self.counted is not None:
            name, count = m.group(2).split()
            self.counted[name] = int(count)
        else:
            self.about[m.group(1)] = m.group(2)

    def event(self, pid, tgid, flags, time, fraction, name, text):
        if fraction is not None:	# seconds: to microseconds
            time += fraction[:6].ljust(6, "0")
        tgid = int(tgid) if tgid and tgid.isdigit() else None
        self.has_flags |= flags is not None
        self.events.append((int(time), int(pid), tgid, bool(flags) and flags[0] in IRQS_OFF,
                            name, text))


def read(path):
    """The Record in a file; a ValueError says that it is none."""
    with open(path, errors="replace") as f:
        record = Record(f)
    if not any(e[4] in ("minikvm_exit", "minikvm_entry") for e in record.events):
        raise ValueError("'%s' has no events of minikvm" % path)
    return record
