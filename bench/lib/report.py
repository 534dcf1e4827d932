# SPDX-License-Identifier: GPL-2.0
"""What figures mean: rows, targets, the mean, and how all that is shown.

Called by bench/run and bench/check. `data` is what a JSON file of the bench holds.
"""

import json
import math
import os
import re

HERE = os.path.dirname(os.path.realpath(__file__))
PEERS = ("kvm-intel", "minikvm")

# Operation: what it is, the target (ticks on the small kernel; or a ratio, "0.6x"), and
# whether it counts in the mean. The order is the table's.
ROWS = {
    "T1a": ("CPUID, leaf 1", 270, True),
    "T1b": ("CPUID, leaf 0x80000008", 270, True),
    "T2": ("VMCALL, unknown number", 250, True),
    "T3": ("OUT to the VMM and back", 900, True),
    "T4a": ("MMIO write, 4 bytes", 1450, True),
    "T4b": ("MMIO read, 4 bytes", 1450, True),
    "T5a": ("RDMSR TSC_ADJUST", 300, True),
    "T5b": ("WRMSR TSC_ADJUST", 300, True),
    "T6a": ("EPT violation, page by itself", 1100, True),
    "T6as": ("the same, per page of a walk", 300, True),
    "T6b": ("EPT violation, host page absent", 4000, True),
    "T6bs": ("the same, per page of a walk", None, False),
    "T7": ("TSC deadline, armed to EOI", "0.6x", True),
    "T8": ("irqfd to EOI", "0.6x", True),
    "T8b": ("OUT to an ioeventfd", "0.6x", False),
    "T8c": ("MMIO write to an ioeventfd", "0.6x", False),
    "T8d": ("the same, of any length", "1.0x", False),
    "T9a": ("HLT, event pending", "0.4x", True),
    "T9b": ("HLT and wake", "0.8x", True),
    "T10a": ("GET_REGS and SET_REGS", 900, True),
    "T10b": ("the same by the run page", 150, True),
    "T11a": ("dirty log, per page dirtied", "0.4x", False),
    "T11b": ("dirty log, per page harvested", "0.5x", False),
    "T12": ("add and delete a slot", 8000, True),
    "T13": ("create and destroy a VM: work", "0.2x", True),
    "T13f": ("the same, when it is the only one", None, False),
    "T13e": ("as T13, with what it waits", 158000, False),
    "T14": ("switch of vCPUs", "0.5x", False),
    "ENOTTY": ("an ioctl that does nothing", None, False),
    "vm-bytes": ("kernel memory of a VM", None, False),
    "vcpu-bytes": ("and of its vCPU", 65536, False),
}

# These take turns with kernel threads, wait for RCU, or count pages: not repeatable to 1 %.
TOLERANCE = {"T13": 0.02, "T13f": 0.03, "T13e": 1.0, "vm-bytes": 0.5, "vcpu-bytes": 0.5}


def least(data, op, peer):
    """The minimum of an operation, or None."""
    figures = data["figures"].get(op, {}).get(peer)
    return figures and figures[0]


def tolerance(op):
    """How much of itself a minimum may move unnoticed."""
    return TOLERANCE.get(op, 0.01)


def ratio(data, op):
    theirs, ours = (least(data, op, p) for p in PEERS)
    return ours / theirs if theirs and ours is not None else None


def geometric_mean(data):
    """Over the rows that count and that both have; and how many those are."""
    ratios = [r for op, row in ROWS.items() if row[2] for r in [ratio(data, op)] if r]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else float("nan")
    return mean, len(ratios), sum(row[2] for row in ROWS.values())


def target_of(data, op):
    """As a ratio, and as it is shown. Ticks are targets for one machine only."""
    target = ROWS[op][1]
    if isinstance(target, str):
        return float(target[:-1]), target
    theirs = least(data, op, PEERS[0])
    if target is None or not theirs or (data["table"], data["kernel"]) != ("haswell", "small"):
        return 1.0, ""
    return target / theirs, "%d" % target


def number(x):
    return "-" if x is None else "%.1f" % x if abs(x) < 1000 and x % 1 else "%.0f" % x


def hardware_exits():
    """{number: name} of the one table that there is, as text."""
    with open(os.path.join(HERE, "../../uapi/linux/minikvm_exits.h")) as f:
        return dict(re.findall(r"^\tX\((\d+), (\w+)\)", f.read(), re.M))


def reasons(exits):
    """A module's own counters, the largest first. (Files of old have numbers.)"""
    names = {"exit_" + n: name for n, name in hardware_exits().items()}
    names.update({"exit_" + name: name for name in names.values()})
    return ", ".join("%s %d" % (names.get(k, k), n)
                     for k, n in sorted(exits.items(), key=lambda e: -e[1])) or "not known"


def text(data):
    """The table. A mark after the ratio: * reached, ! above 1."""
    lines = ["", "%s, %s kernel %s, minikvm %s: minima" % (
        data["table"], data["kernel"], data["release"], data["revision"]), "",
        "%-45s %10s %10s %7s  %7s" % ("operation", *PEERS, "ratio", "target")]
    for op, row in ROWS.items():
        if op not in data["figures"]:
            continue
        r = ratio(data, op)
        goal, shown = target_of(data, op)
        mark = " " if r is None else "!" if r > 1 else "*" if shown and r <= goal else " "
        lines.append("%-10s %-34s %10s %10s %7s%s %7s" % (
            op, row[0], *(number(least(data, op, p)) for p in PEERS),
            "-" if r is None else "%.3f" % r, mark, shown))
    lines += ["", "geometric mean of %d of %d figures: %.3f" % (geometric_mean(data)[1:] +
                                                               geometric_mean(data)[:1]),
              "module text: %d bytes, kvm.ko and kvm-intel.ko %d" % (
                  data["text"]["minikvm"], data["text"]["kvm-intel"])]
    boot = data.get("boot_overhead")
    if boot:
        lines += ["boot of a Linux guest: overhead %d ticks, kvm-intel's %d: %.3f (%d entries)" % (
            boot["minikvm"], boot["kvm-intel"], boot["minikvm"] / boot["kvm-intel"],
            boot["entries"])]
        lines += ["  exits of %s: %s" % (peer, reasons(boot["exits"][peer])) for peer in PEERS]
    lines += ["the two orders differ: " + d for d in data["orders_differ"]]
    return "\n".join(lines)


def exits_above(data):
    """Reasons of which the fewest in a boot here are more than the most there."""
    theirs, ours = (data["exits"][peer] for peer in PEERS)
    return [reason for reason in sorted({r for boot in ours for r in boot})
            if min(boot.get(reason, 0) for boot in ours) > max(boot.get(reason, 0) for boot in theirs)]


def exits_text(data):
    """By reason, of each boot. A mark: see exits_above()."""
    theirs, ours = (data["exits"][peer] for peer in PEERS)
    lines = ["", "exits of a %s guest's boot, minikvm %s" % (data["guest"], data["revision"]), "",
             "%-20s %16s %16s" % ("reason", *PEERS)]
    for reason in sorted({r for boot in theirs + ours for r in boot},
                         key=lambda r: -max(boot.get(r, 0) for boot in theirs)):
        columns = [[boot.get(reason, 0) for boot in boots] for boots in (theirs, ours)]
        lines.append("%-20s %16s %16s%s" % (
            reason, *(" ".join(map(str, c)) for c in columns),
            " !" if reason in exits_above(data) else ""))
    sums = [" ".join(str(sum(boot.values())) for boot in boots) for boots in (theirs, ours)]
    return "\n".join(lines + ["%-20s %16s %16s" % ("all", *sums)])


def write_exits(data, path):
    """A boot a line."""
    with open(path, "w") as f:
        f.write(re.sub(r"\n {3,}", " ", json.dumps(data, indent=1, sort_keys=True)) + "\n")


def plot_path(path):
    return os.path.splitext(path)[0] + ".svg"


def plot(data):
    """Bars of minikvm/kvm-intel; lines at 1 and at the mean."""
    rows = [(op, r) for op in ROWS for r in [ratio(data, op)] if r is not None and r >= 0]
    left, unit, high = 270, 340 / max(1, *(r for _, r in rows)), 20
    bottom = 40 + high * len(rows)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="700" height="%d" '
           'font-family="sans-serif" font-size="12">' % (bottom + 30),
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="20" font-size="14">minikvm / kvm-intel, %s, %s kernel: '
           'instructions</text>' % (data["table"], data["kernel"])]
    for i, (op, r) in enumerate(rows):
        y = 36 + high * i
        out += ['<text x="10" y="%d">%s %s</text>' % (y + 12, op, ROWS[op][0]),
                '<rect x="%d" y="%d" width="%.1f" height="14" fill="%s"/>' % (
                    left, y, r * unit, "#c44" if r > 1 else "#48a"),
                '<text x="%.1f" y="%d">%.2f</text>' % (left + r * unit + 4, y + 12, r)]
    for x, label in ((1, "1"), (geometric_mean(data)[0], "mean %.2f" % geometric_mean(data)[0])):
        out += ['<path d="M%.1f 30V%d" stroke="black" stroke-dasharray="3"/>' % (
            left + x * unit, bottom),
            '<text x="%.1f" y="%d">%s</text>' % (left + x * unit - 4, bottom + 16, label)]
    return "\n".join(out + ["</svg>", ""])


def write(data, path):
    """The JSON, an operation a line, so that changes show; and the plot."""
    figures = ",\n".join("  %s: %s" % (json.dumps(op), json.dumps(data["figures"][op]))
                         for op in sorted(data["figures"], key=list(ROWS).index))
    rest = json.dumps({k: v for k, v in data.items() if k != "figures"}, indent=1)
    with open(path, "w") as f:
        f.write(rest[:-2] + ',\n "figures": {\n%s\n }\n}\n' % figures)
    with open(plot_path(path), "w") as f:
        f.write(plot(data))


def read(path):
    with open(path) as f:
        return json.load(f)
