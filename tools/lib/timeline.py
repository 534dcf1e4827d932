# SPDX-License-Identifier: GPL-2.0
"""From events to what each vCPU did, and to sums. Called by minikvm-trace; pure.

The events of a thread are cut at minikvm_entry and minikvm_exit. Between the two the guest ran.
In the gap from an exit to the next entry it was the module's turn, unless
  - RUN returned: RUN switches the thread's FPU state when it begins and when it ends, with
    interrupts on, and nobody else does in a thread of a VMM but the end of a signal handler;
  - sched_switch says that the thread slept, or waited for a processor.
"""

import collections
import re

GUEST, MODULE, VMM, SLEEP, READY = range(5)
STATES = ("guest", "module", "VMM", "sleep", "waits for a CPU")

ENTRY = re.compile(r"vcpu (\d+) rip (0x[0-9a-f]+)")
EXIT = re.compile(r"vcpu (\d+) reason (\S+?)( \(entry failed\))? rip (0x[0-9a-f]+) qualification (\S+)")
INJECT = re.compile(r"vector (\d+) type (\d+)")
SWITCH = re.compile(r"prev_comm=.* prev_pid=(\d+) .*prev_state=(\S+) ==> next_comm=.* next_pid=(\d+)")
# A word on what the exit was about, of the events behind it.
ABOUT = {
    "minikvm_pio": re.compile(r"((?:in|out) port 0x[0-9a-f]+)"),
    "minikvm_mmio": re.compile(r"((?:read|write) gpa 0x[0-9a-f]+)"),
    "minikvm_ept_fault": re.compile(r"(gpa 0x[0-9a-f]+)"),
}


def said(pattern, name, text):
    """The groups of an event's text; a ValueError says that it is cut, or not as the module has it."""
    found = pattern.match(text)
    if not found:
        raise ValueError("the event '%s: %s' is not as the module writes it" % (name, text))
    return found.groups()


class Exit:
    """One exit, and what became of it up to the next entry."""

    def __init__(self, time, reason, failed, rip):
        self.time, self.reason, self.failed, self.rip = time, reason, failed, rip
        self.spent = [0] * len(STATES)
        self.returns = 0	# of RUN, until the next entry
        self.about = ""

    def counted(self):
        """Does the module count it? A refused entry was no exit."""
        return not self.failed and self.reason != "VMFAIL"


class Vcpu:
    """segments: [begin, end, state]; injected: [time, vector, type]; thread: if it takes that
    to tell it from another one: two VMs of one process."""

    def __init__(self, vm, number):
        self.vm, self.number, self.thread = vm, number, None
        self.segments, self.exits, self.injected, self.entries = [], [], [], 0

    def name(self):
        return ("" if self.vm is None else "VM %d, " % self.vm) + "vCPU %d" % self.number + (
            "" if self.thread is None else ", thread %d" % self.thread)

    def add(self, begin, end, state, exit_=None):
        if end <= begin:
            return
        if exit_:
            exit_.spent[state] += end - begin
        last = self.segments[-1] if self.segments else None
        if last and last[1] == begin and last[2] == state != GUEST:
            last[1] = end
        else:
            self.segments.append([begin, end, state])

    def append(self, other):
        """What another thread did with this vCPU, later."""
        self.segments += other.segments
        self.exits += other.exits
        self.injected += other.injected
        self.entries += other.entries

    def time(self, state):
        return sum(end - begin for begin, end, s in self.segments if s == state)


class Gap:
    """What happened in a thread between two stays in a guest."""

    def __init__(self, begin):
        self.begin, self.switches, self.off = begin, [], []

    def sides(self):
        """[(time, in RUN?)]: where RUN ends and begins. Between an exit and an entry these come
        in pairs; a signal handler's end adds one: then it was the VMM's turn all along."""
        times = self.switches
        if len(times) % 2 and len(times) > 1:
            times = [times[0], times[-1]]
        return [(time, n % 2 == 1) for n, time in enumerate(times)]


def gap_segments(gap, end, inside):
    """(begin, end, state) of a gap; inside: it begins in RUN."""
    # The order at one time: first the thread is there, then what it does.
    marks = sorted([(time, 1, inside_now) for time, inside_now in gap.sides()] +
                   [(time, 0, why) for time, why in gap.off] + [(end, 2, None)],
                   key=lambda mark: mark[:2])
    begin, away = gap.begin, None
    for time, kind, what in marks:
        state = away if away is not None else MODULE if inside else VMM
        yield begin, time, state
        begin = max(begin, time)
        if kind == 0:
            away = what
        elif kind == 1:
            inside = what
        else:
            return


class Thread:
    """The events of a thread, one after the other. An entry closes a gap, an exit opens one."""

    def __init__(self, find_vcpu):
        self.find_vcpu = find_vcpu
        self.vcpu = self.exit = self.entered = None
        self.gap = Gap(None)
        self.injected = []
        self.last = 0

    def switched(self, time):
        """The FPU's state was switched: RUN begins or ends."""
        if self.vcpu is None:		# whatever was before, the last one begins RUN
            self.gap = Gap(time)
        else:
            self.gap.switches.append(time)

    def entry(self, time, number):
        vcpu = self.find_vcpu(number)
        self.close_gap(time, vcpu)
        for event in self.injected:
            vcpu.injected.append(event)
        self.injected = []
        vcpu.entries += 1
        self.vcpu, self.entered = vcpu, time

    def close_gap(self, time, vcpu):
        """The time up to an entry of @vcpu is that vCPU's, or this and the last one's."""
        gap = self.gap
        if gap.begin is None:
            return
        if self.vcpu not in (None, vcpu) and gap.switches:
            begin = gap.switches.pop()
            self.spend(gap, begin)
            gap, self.vcpu, self.exit = Gap(begin), vcpu, None
        elif self.vcpu is None:
            self.vcpu = vcpu
        self.gap = gap
        self.spend(gap, time)

    def spend(self, gap, end):
        for begin, end_, state in gap_segments(gap, end, True):
            self.vcpu.add(begin, end_, state, self.exit)
        if self.exit:
            self.exit.returns = sum(not inside for _, inside in gap.sides())

    def left(self, time, number, exit_):
        """An exit; or there was no guest, since the entry failed."""
        self.vcpu = self.find_vcpu(number)
        if self.entered is not None:
            self.vcpu.add(self.entered, time, GUEST if exit_.counted() else MODULE)
        self.vcpu.exits.append(exit_)
        self.exit, self.entered, self.gap = exit_, None, Gap(time)

    def over(self):
        """The record ends: what the thread did since its last exit. When RUN has returned and the
        thread sleeps, it may be the end of the program, which is nobody's time."""
        if not self.exit:
            return
        sides = self.gap.switches[-1:] or [self.gap.begin]
        self.spend(self.gap, min([time for time, why in self.gap.off if why is not None and time >= sides[0]] +
                                 [max(self.last, *sides)]))


def merged(found):
    """[Vcpu] of {(vm, number, thread): Vcpu}, by VM and number. A thread may have taken a vCPU over
    from another one; but what two threads do at one time is of two VMs of their process."""
    vcpus = []
    order = sorted(found.items(), key=lambda item: (item[0][0] or 0, item[0][1], item[1].segments[:1]))
    for (vm, number, thread), vcpu in order:
        last = vcpus[-1] if vcpus and (vcpus[-1].vm, vcpus[-1].number) == (vm, number) else None
        if last and last.segments and vcpu.segments and last.segments[-1][1] <= vcpu.segments[0][0]:
            last.append(vcpu)
            continue
        if last:
            vcpu.thread = thread
        vcpus.append(vcpu)
    return vcpus


class Timeline:
    """vcpus: in the order of VM and number. has_runs: is it known when RUN returned?"""

    def __init__(self, record):
        self.record, self.unit = record, record.unit
        self.found, self.threads, self.tgids = {}, {}, {}
        self.has_runs = record.has_flags and any(e[4] == "x86_fpu_regs_activated" for e in record.events)
        for event in record.events:
            self.take(*event)
        for thread in self.threads.values():
            thread.over()
        self.vcpus = merged(self.found)
        ends = [s for v in self.vcpus for s in v.segments]
        self.begin = min((s[0] for s in ends), default=0)
        self.end = max((s[1] for s in ends), default=0)

    def thread(self, pid):
        if pid not in self.threads:
            def find(number, pid=pid):
                key = (self.tgids.get(pid), number, pid)
                if key not in self.found:
                    self.found[key] = Vcpu(*key[:2])
                return self.found[key]
            self.threads[pid] = Thread(find)
        return self.threads[pid]

    def take(self, time, pid, tgid, irqs_off, name, text):
        if tgid is not None:
            self.tgids[pid] = tgid
        if name == "sched_switch":
            self.scheduled(time, text)
            return
        thread = self.thread(pid)
        time = thread.last = max(time, thread.last)	# clocks of processors may differ a little
        if name == "minikvm_entry":
            thread.entry(time, int(said(ENTRY, name, text)[0]))
        elif name == "minikvm_exit":
            number, reason, failed, rip, _ = said(EXIT, name, text)
            thread.left(time, int(number), Exit(time, reason, bool(failed), int(rip, 16)))
        elif name == "minikvm_inject":
            vector, kind = said(INJECT, name, text)
            thread.injected.append([time, int(vector), int(kind)])
        elif name == "x86_fpu_regs_activated":
            if not irqs_off:
                thread.switched(time)
        elif name in ABOUT and thread.exit and not thread.exit.about:
            thread.exit.about = said(ABOUT[name], name, text)[0]

    def scheduled(self, time, text):
        m = SWITCH.match(text)
        if not m:
            return
        before, state, after = int(m.group(1)), m.group(2), int(m.group(3))
        for pid, why in ((before, READY if state.startswith("R") else SLEEP), (after, None)):
            thread = self.threads.get(pid)
            if thread:
                time = thread.last = max(time, thread.last)
                thread.gap.off.append((time, why))

    # ---- sums

    def exits(self):
        return [e for v in self.vcpus for e in v.exits]

    def by_reason(self):
        """{reason: number} of the exits that the module counts, too."""
        return collections.Counter(e.reason for e in self.exits() if e.counted())

    def returns(self):
        """How often RUN returned to the VMM."""
        return sum(e.returns for e in self.exits())

    def differences(self):
        """Sentences; none: the sums are the module's own. None: it has not said."""
        counted = self.record.counted
        if counted is None:
            return None
        here = self.by_reason()
        return ["%s: %d events, %d counted" % (name, here.get(name, 0), counted.get(name, 0))
                for name in sorted(set(here) | set(counted))
                if here.get(name, 0) != counted.get(name, 0)]
