# SPDX-License-Identifier: GPL-2.0
"""The sums of a Timeline as text. Called by minikvm-trace."""

import collections

import timeline

TOP = 20


def name_of(exit_):
    return exit_.reason + ("" if exit_.counted() or exit_.reason == "VMFAIL" else " (entry failed)")


def grouped(exits, key):
    """[(key, exits)], the most frequent first."""
    groups = collections.defaultdict(list)
    for e in exits:
        groups[key(e)].append(e)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def spent(exits, state):
    return sum(e.spent[state] for e in exits)


def columns(rows):
    """Aligned: text to the left, numbers to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    numbers = [all(row[n][:1].isdigit() or row[n] in ("", "-") for row in rows[1:])
               for n in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) if number else cell.ljust(width)
                      for cell, width, number in zip(row, widths, numbers)).rstrip() for row in rows]


def reasons(tl):
    """Where the time of an exit goes: all of it, and of one in the mean."""
    states = (timeline.MODULE, timeline.VMM, timeline.SLEEP, timeline.READY)
    rows = [["exits by reason", "number", "RUN returned", "module, each", "module", "VMM", "sleep", "waits"]]
    for name, exits in grouped(tl.exits(), name_of) + [("all", tl.exits())]:
        rows.append([name, len(exits), sum(e.returns for e in exits),
                     spent(exits, timeline.MODULE) // max(1, len(exits))] +
                    [spent(exits, state) for state in states])
    return columns(rows)


def places(tl, symbols, top):
    """Where in the guest the exits come from."""
    rows = [["exits by guest address", "number", "reason", "function", "module and VMM, each"]]
    groups = grouped(tl.exits(), lambda e: (e.rip, name_of(e)))
    for (rip, name), exits in groups[:top]:
        time = spent(exits, timeline.MODULE) + spent(exits, timeline.VMM)
        rows.append(["0x%x" % rip, len(exits), name, symbols.name(rip) or "-", time // len(exits)])
    return columns(rows) + (["(%d more places: --top)" % (len(groups) - top)] if len(groups) > top else [])


def subjects(tl, top):
    """Which ports and addresses the exits were about."""
    rows = [["exits by what they are about", "number", "reason"]]
    for (about, name), exits in grouped([e for e in tl.exits() if e.about],
                                        lambda e: (e.about, name_of(e)))[:top]:
        rows.append([about, len(exits), name])
    return columns(rows) if len(rows) > 1 else []


def vcpus(tl):
    rows = [["vCPU", "entries", "exits", "injections"] + list(timeline.STATES)]
    for v in tl.vcpus:
        rows.append([v.name(), v.entries, len(v.exits), len(v.injected)] +
                    [v.time(state) for state in range(len(timeline.STATES))])
    return columns(rows)


def verdict(tl):
    """(sentences, is all well?): the sums beside the module's own counters; lost events."""
    said, differences = [], tl.differences()
    if tl.record.lost:
        said.append("%d events were lost: the sums are too small" % tl.record.lost)
    if not tl.has_runs:
        said.append("the record does not say when RUN returned (take minikvm-trace record): "
                    "what the VMM did is in the module's time")
    if differences:
        said += ["the module counted something else: " + d for d in differences]
    elif differences is not None:
        said.append("exits by reason: equal to what the module counted meanwhile")
    return said, not tl.record.lost and not differences


def text(tl, symbols, top=TOP):
    """Lines."""
    about = tl.record.about
    lines = ["command: " + about["command"]] if "command" in about else []
    lines += ["times in %s; all: %d" % (tl.unit, tl.end - tl.begin), ""]
    for part in (reasons(tl), vcpus(tl), places(tl, symbols, top), subjects(tl, top)):
        lines += part + [""] if part else []
    return lines + verdict(tl)[0]
