# SPDX-License-Identifier: GPL-2.0
"""The module's counters in debugfs, and what they grew by. Called by minikvm-top."""

import os

DEBUGFS = "/sys/kernel/debug"
EXIT = "exit_"


def parse(text):
    """{(vm, vCPU): {counter: value}} of the file vcpus."""
    vcpus = {}
    for line in text.splitlines():
        words = line.split()
        pairs = dict(zip(words[::2], map(int, words[1::2])))
        vcpus[pairs.pop("vm"), pairs.pop("vcpu")] = pairs
    return vcpus


class Missing(Exception):
    """The counters cannot be read; a sentence."""


def read(debugfs=DEBUGFS):
    """What there is now."""
    path = os.path.join(debugfs, "minikvm/vcpus")
    try:
        with open(path) as f:
            return parse(f.read())
    except PermissionError:
        raise Missing("only root can read %s" % path) from None
    except FileNotFoundError:
        if not os.path.isdir(debugfs) or not os.listdir(debugfs):
            raise Missing("no debugfs: mount -t debugfs debugfs %s" % debugfs) from None
        raise Missing("no %s: the module is not loaded" % path) from None


def memory(vm, proc="/proc"):
    """(name, KiB that it has in memory) of the process of a VM; its guest's memory is in it."""
    name, resident = "?", 0
    try:
        with open("%s/%d/status" % (proc, vm), errors="replace") as f:
            for line in f:
                if line.startswith("Name:"):
                    # Who runs a VM may call it anything, also what a terminal obeys.
                    name = "".join(c if c.isprintable() else "?" for c in line[len("Name:"):].strip())
                elif line.startswith("VmRSS:"):
                    resident = int(line.split()[1])
    except OSError:
        pass			# it has ended
    return name, resident


def rates(before, after, seconds):
    """{counter: a second} between two values of one vCPU; a new one began at zero."""
    return {name: max(0, value - before.get(name, 0)) / seconds for name, value in after.items()}


class Row:
    """What is shown of a vCPU: all a second."""

    def __init__(self, key, before, after, seconds):
        self.vm, self.number = key
        self.rate = rates(before, after, seconds)
        exits = {name[len(EXIT):]: rate for name, rate in self.rate.items() if name.startswith(EXIT)}
        self.exits = sum(exits.values())
        self.reasons = sorted(((name, rate) for name, rate in exits.items() if rate > 0),
                              key=lambda r: (-r[1], r[0]))


def rows(before, after, seconds):
    """[Row], by VM and number."""
    return [Row(key, before.get(key, {}), after[key], seconds) for key in sorted(after)]


def head():
    return "%8s %4s %9s %9s %9s %9s %9s  %s" % ("VM", "vCPU", "exits/s", "to VMM/s", "halts/s",
                                             "events/s", "faults/s", "exits a second by reason")


def row_text(row, most=None):
    """A line of the table; `most`: how many reasons."""
    r = row.rate
    events = r.get("irq", 0) + r.get("nmi", 0) + r.get("exception", 0)
    return "%8d %4d %9.0f %9.0f %9.0f %9.0f %9.0f  %s" % (
        row.vm, row.number, row.exits, r.get("user_exits", 0), r.get("halt_wait", 0), events,
        r.get("ept_fault", 0), ", ".join("%s %.0f" % reason for reason in row.reasons[:most]))


def lines(before, after, seconds, most=None, about=memory):
    """The table: a line for each VM, with its memory, and one for each of its vCPUs."""
    out, vm = [head()], None
    for row in rows(before, after, seconds):
        if row.vm != vm:
            vm = row.vm
            out.append("%8d %s, %d MiB in memory" % ((vm,) + (lambda n, kib: (n, kib >> 10))(*about(vm))))
        out.append(row_text(row, most))
    return out if vm is not None else ["no VM"]
