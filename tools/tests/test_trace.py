# SPDX-License-Identifier: GPL-2.0
"""From lines of the kernel's trace to sums: tools/lib, without a machine."""

import json
import re
import types
import unittest
import xml.dom.minidom

import page
import picture
import record
import symbols
import table
import timeline

HEAD = ["# minikvm-trace: 1", "# clock: x86-tsc", "# unit: instructions", "# lost: 0"]
FPU = "x86_fpu_regs_activated: x86/fpu: 00000000aa load: 0 xfeatures: 2 xcomp_bv: 0"


def line(time, text, pid=7, flags=".....", tgid=7):
    return "    a v-m (x)-%d     (%7d) [000] %s %9d: %s" % (pid, tgid, flags, time, text)


def entry(time, vcpu=0, **more):
    return line(time, "minikvm_entry: vcpu %d rip 0x1000" % vcpu, flags="d....", **more)


def exit_(time, reason, vcpu=0, rip=0x1000, **more):
    return line(time, "minikvm_exit: vcpu %d reason %s rip 0x%x qualification 0x0" % (
        vcpu, reason, rip), flags="d....", **more)


def side(time, **more):
    return line(time, FPU, flags="b....", **more)


def switch(time, before, state, after):
    return line(time, "sched_switch: prev_comm=a prev_pid=%d prev_prio=120 prev_state=%s ==> "
                "next_comm=b c next_pid=%d next_prio=120" % (before, state, after), pid=before, flags="d..2.")


def made(*lines, counted=()):
    return timeline.Timeline(record.Record(HEAD + ["# counted: " + c for c in counted] + list(lines)))


def segments(tl, n=0):
    return [tuple(s) for s in tl.vcpus[n].segments]


G, M, V, S, R = range(5)


class Reading(unittest.TestCase):
    def test_kernel_text(self):
        r = record.Record(HEAD + [entry(5), exit_(9, "CPUID")])
        self.assertEqual(r.events[0], (5, 7, 7, True, "minikvm_entry", "vcpu 0 rip 0x1000"))
        self.assertEqual(r.unit, "instructions")
        self.assertEqual(r.counted, {})

    def test_seconds_and_trace_cmd(self):
        r = record.Record(["   minivmm-12    [001]   12.345678: minikvm_entry:        vcpu 0 rip 0x1",
                           "   minivmm-12    [001] d....   12.345679: minikvm_exit: vcpu 0 reason HLT rip 0x1 qualification 0x0"])
        self.assertEqual([e[0] for e in r.events], [12345678, 12345679])
        self.assertEqual((r.unit, r.counted, r.events[0][2]), ("us", None, None))

    def test_lost(self):
        self.assertEqual(record.Record(["CPU:0 [LOST 12 EVENTS]", "CPU:1 [LOST 3 EVENTS]"]).lost, 15)
        self.assertEqual(record.Record(["# minikvm-trace: 1", "# lost: 4"]).lost, 4)

    def test_cut_event(self):
        for text in ("minikvm_entry: vcp", "minikvm_exit: vcpu 0 reason HLT rip 0x", "minikvm_inject: vector"):
            with self.assertRaisesRegex(ValueError, "not as the module writes it"):
                made(entry(5), exit_(6, "HLT"), line(7, text))

    def test_symbols(self):
        s = symbols.Symbols(["0000000000000000 A x", "ffffffff81000000 T _stext",
                             "ffffffff81000100 t inner", "ffffffff81000200 D data"])
        self.assertEqual([s.name(a) for a in (0xffffffff80ffffff, 0xffffffff81000000, 0xffffffff810001ff, 0x99)],
                         ["", "_stext", "inner", ""])


class Times(unittest.TestCase):
    def test_module_only(self):
        tl = made(side(10), entry(12), exit_(20, "CPUID"), entry(25), exit_(40, "HLT"), side(43))
        self.assertEqual(segments(tl), [(10, 12, M), (12, 20, G), (20, 25, M), (25, 40, G), (40, 43, M)])
        self.assertEqual([e.spent for e in tl.exits()], [[0, 5, 0, 0, 0], [0, 3, 0, 0, 0]])
        self.assertEqual((tl.returns(), tl.vcpus[0].entries), (1, 2))

    def test_vmm_and_sleep_in_it(self):
        tl = made(side(10), entry(12), exit_(20, "IO"), line(21, "minikvm_pio: out port 0x3f8 size 1 count 1"),
                  side(22), switch(30, 7, "S", 0), switch(35, 0, "R", 7), side(40), entry(44), exit_(50, "HLT"))
        self.assertEqual(segments(tl)[2:6], [(20, 22, M), (22, 30, V), (30, 35, S), (35, 40, V)])
        e = tl.exits()[0]
        self.assertEqual((e.spent, e.returns, e.about), ([0, 6, 13, 5, 0], 1, "out port 0x3f8"))

    def test_sleep_and_preemption_in_the_module(self):
        # The FPU's registers come back with interrupts off: no side of RUN.
        tl = made(side(1), entry(2), exit_(20, "HLT"), switch(23, 7, "S", 0), switch(33, 0, "R", 7),
                  switch(34, 7, "R+", 9), switch(40, 9, "S", 7), line(41, FPU, flags="d...."), entry(42), exit_(50, "CPUID"))
        self.assertEqual(segments(tl)[2:], [(20, 23, M), (23, 33, S), (33, 34, M), (34, 40, R), (40, 42, M), (42, 50, G)])
        self.assertEqual(tl.returns(), 0)

    def test_end_of_signal_handler(self):
        tl = made(side(1), entry(2), exit_(20, "EXTERNAL_INTR"), side(22), side(30), side(40), entry(44), exit_(50, "HLT"))
        self.assertEqual(segments(tl)[2:5], [(20, 22, M), (22, 40, V), (40, 44, M)])
        self.assertEqual(tl.returns(), 1)

    def test_run_that_enters_no_guest(self):
        tl = made(side(1), entry(2), exit_(20, "IO"), side(22), side(30), side(33), side(40), entry(44), exit_(50, "HLT"))
        self.assertEqual(segments(tl)[2:7], [(20, 22, M), (22, 30, V), (30, 33, M), (33, 40, V), (40, 44, M)])
        self.assertEqual(tl.returns(), 2)

    def test_entry_that_fails(self):
        tl = made(side(1), entry(2), exit_(5, "BAD_GUEST_STATE (entry failed)"), side(9), counted=["CPUID 1"])
        self.assertEqual(segments(tl), [(1, 9, M)])
        self.assertEqual(tl.by_reason(), {})
        self.assertEqual(tl.differences(), ["CPUID: 0 events, 1 counted"])

    def test_more_events_than_counted(self):
        tl = made(side(1), entry(2), exit_(5, "CPUID"), entry(6), exit_(7, "CPUID"), counted=["CPUID 1"])
        self.assertEqual(tl.differences(), ["CPUID: 2 events, 1 counted"])

    def test_end_of_the_program(self):
        tl = made(side(1), entry(2), exit_(5, "HLT"), side(7), switch(12, 7, "D", 0), switch(90, 0, "R", 7),
                  switch(95, 7, "Z", 0))
        self.assertEqual(segments(tl)[2:], [(5, 7, M), (7, 12, V)])

    def test_two_threads_two_vcpus(self):
        tl = made(side(1), entry(2), side(3, pid=8), entry(4, vcpu=1, pid=8), exit_(9, "CPUID"),
                  exit_(10, "HLT", vcpu=1, pid=8), entry(12), switch(13, 8, "S", 0), exit_(14, "CPUID"),
                  counted=["CPUID 2", "HLT 1"])
        self.assertEqual([v.name() for v in tl.vcpus], ["VM 7, vCPU 0", "VM 7, vCPU 1"])
        self.assertEqual(segments(tl, 1), [(3, 4, M), (4, 10, G), (10, 13, M)])
        self.assertEqual(tl.differences(), [])

    def test_two_vms_of_one_process(self):
        tl = made(side(1), entry(2), side(3, pid=8), entry(4, pid=8), exit_(9, "CPUID"), exit_(10, "HLT", pid=8))
        self.assertEqual([v.name() for v in tl.vcpus], ["VM 7, vCPU 0", "VM 7, vCPU 0, thread 8"])

    def test_another_thread_takes_over(self):
        tl = made(side(1), entry(2), exit_(9, "IO"), side(10), side(20, pid=8), entry(22, pid=8), exit_(30, "HLT", pid=8))
        self.assertEqual([(v.name(), v.entries, len(v.exits)) for v in tl.vcpus], [("VM 7, vCPU 0", 2, 2)])

    def test_one_thread_two_vcpus(self):
        tl = made(side(1), entry(2), exit_(9, "IO"), side(11), side(20), entry(22, vcpu=1), exit_(30, "IO", vcpu=1), side(31))
        self.assertEqual(segments(tl, 0), [(1, 2, M), (2, 9, G), (9, 11, M), (11, 20, V)])
        self.assertEqual(segments(tl, 1), [(20, 22, M), (22, 30, G), (30, 31, M)])

    def test_injection(self):
        tl = made(side(1), line(2, "minikvm_inject: vector 236 type 0 error 0x0"), entry(3), exit_(4, "HLT"))
        self.assertEqual(tl.vcpus[0].injected, [[2, 236, 0]])

    def test_every_tick_is_somebodys(self):
        tl = made(side(1), entry(2), exit_(20, "IO"), side(22), switch(30, 7, "S", 0), switch(35, 0, "R", 7), side(40), entry(44), exit_(50, "HLT"))
        self.assertEqual(sum(tl.vcpus[0].time(s) for s in range(5)), tl.end - tl.begin)


class Shown(unittest.TestCase):
    def setUp(self):
        self.tl = made(side(1), entry(2), exit_(20, "IO", rip=0x1b), side(22), side(30), entry(44),
                       exit_(50, "</script>", rip=0x1c), side(51), counted=["IO 1", "</script> 1"])

    def test_table(self):
        text = "\n".join(table.text(self.tl, symbols.Symbols(["00000000000000010 T f", "0000000000000010 T f"])))
        self.assertRegex(text, r"(?m)^IO +1 +1 +16 +16 +8 +0 +0$")
        self.assertRegex(text, r"0x1b +1 +IO +f +24")
        self.assertIn("equal to what the module counted", text)

    def test_lost_events_are_no_success(self):
        self.tl.record.lost = 3
        self.assertFalse(table.verdict(self.tl)[1])

    def test_svg(self):
        dom = xml.dom.minidom.parseString(picture.svg(self.tl, 1, 51, "a & b"))
        states = [t.firstChild.data for t in dom.getElementsByTagName("title")]
        self.assertEqual(states, ["module: 1 instructions", "guest: 18 instructions", "module: 2 instructions",
                                  "VMM: 8 instructions", "module: 14 instructions", "guest: 6 instructions",
                                  "module: 1 instructions"])

    def test_names_do_not_overlap(self):
        vcpu = types.SimpleNamespace(exits=[types.SimpleNamespace(time=t, reason=r, about=a) for t, r, a in (
            (5, "EPT_VIOLATION", "gpa 0x1000"), (6, "IO", "out port 0x3f8"), (8, "IO", "out port 0x3f8"),
            (20, "HLT", ""))])
        drawn = picture.Picture(self.tl, 1, 51, "")
        drawn.names(vcpu, 0)
        self.assertEqual([re.sub("<.*?>", "", words) for words in drawn.out], ["IO", "IO out port 0x3f8", "HLT"])

    def test_shares(self):
        columns = picture.shares([[0, 15, G], [15, 20, M], [20, 40, V]], 0, 40, 4)
        self.assertEqual([c[:3] for c in columns], [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1], [0, 0, 1]])
        columns = picture.shares([[0, 2, G], [2, 4, M], [4, 8, G]], 0, 8, 1)
        self.assertEqual(columns[0][:2], [0.75, 0.25])

    def test_around(self):
        self.assertEqual(picture.around(self.tl, "IO", ""), (2, 50))
        self.assertIsNone(picture.around(self.tl, "IO", "2"))
        self.assertIsNone(picture.around(self.tl, "IO", "x"))

    def test_page(self):
        text = page.html(self.tl, symbols.Symbols(), "<t>")
        self.assertNotIn("@data@", text)
        self.assertNotRegex(text, r"(?:src|href)=|@import|url\(")	# nothing from elsewhere
        data = json.loads(re.search(r'application/json">(.*?)</script>', text).group(1))
        self.assertEqual(data["vcpus"][0]["segments"], [0, 1, 1, 0, 18, 0, 0, 2, 1, 0, 8, 2, 0, 14, 1, 0, 6, 0, 0, 1, 1])
        self.assertEqual(data["counted"], {"IO": 1, "</script>": 1})

    def test_page_of_hostile_words(self):
        tl = made(entry(1), exit_(5, "<!--<script>"), entry(7), exit_(9, "HLT"))
        text = page.html(tl, symbols.Symbols(), "@data@<b>")
        found = re.search(r'application/json">(.*?)</script>', text).group(1)
        self.assertNotIn("<", found)
        self.assertEqual(json.loads(found)["title"], "@data@<b>")
        self.assertIn("<title>@data@&lt;b&gt;</title>", text)
        self.assertNotRegex(text, r"(?<!plain\()\bhead\}")		# what goes into innerHTML is made plain


if __name__ == "__main__":
    unittest.main()
