# SPDX-License-Identifier: GPL-2.0
"""minikvm-top: counters, rates, the table, and what it says when there are none."""

import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import counters

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../minikvm-top")
LINE = ("vm {vm} vcpu {n} entries {e} user_exits {u} irq 4 nmi 1 exception 0 halt_wait 3 ept_fault 9 mmio 0 "
        "pio {u} tlb_flush 2 unknown 0 exit_CPUID {c} exit_IO {u}\n")


def of(vm, n, e, u, c):
    return LINE.format(vm=vm, n=n, e=e, u=u, c=c)


class Counters(unittest.TestCase):
    def test_parse(self):
        vcpus = counters.parse(of(7, 0, 10, 2, 3) + of(7, 1, 1, 0, 1))
        self.assertEqual(sorted(vcpus), [(7, 0), (7, 1)])
        self.assertEqual(vcpus[7, 0]["exit_CPUID"], 3)

    def test_rates(self):
        before, after = (counters.parse(of(7, 0, 10, u, c)) for u, c in ((2, 3), (6, 103)))
        row, = counters.rows(before, after, 2)
        self.assertEqual((row.exits, row.reasons), (52.0, [("CPUID", 50.0), ("IO", 2.0)]))
        self.assertEqual((row.rate["user_exits"], row.rate["halt_wait"]), (2.0, 0.0))

    def test_a_vm_comes_and_another_goes(self):
        before, after = counters.parse(of(7, 0, 10, 2, 3)), counters.parse(of(9, 0, 4, 1, 3))
        row, = counters.rows(before, after, 1)
        self.assertEqual((row.vm, row.exits), (9, 4.0))

    def test_the_table(self):
        lines = counters.lines({}, counters.parse(of(7, 0, 10, 2, 3) + of(8, 0, 1, 0, 1)), 1,
                               about=lambda vm: ("vmm", 2048 * vm))
        self.assertEqual(len(lines), 5)
        self.assertIn("7 vmm, 14 MiB in memory", lines[1])
        self.assertTrue(lines[2].endswith("CPUID 3, IO 2"))
        self.assertEqual(counters.lines({}, {}, 1), ["no VM"])

    def test_memory_of_this_process(self):
        name, resident = counters.memory(os.getpid())
        self.assertTrue(name.startswith("python"))
        self.assertGreater(resident, 1000)

    def test_a_process_may_have_any_name(self):
        with tempfile.TemporaryDirectory() as proc:
            os.mkdir(proc + "/7")
            with open(proc + "/7/status", "wb") as f:
                f.write(b"Name:\t\x1b[2J\xe4 b\nVmRSS:\t  10 kB\n")
            self.assertEqual(counters.memory(7, proc), ("?[2J\ufffd b", 10))
            with open(proc + "/7/status", "wb") as f:
                f.write(b"Name:\t\n")
            self.assertEqual(counters.memory(7, proc), ("", 0))


class Program(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        os.mkdir(self.dir.name + "/minikvm")
        self.write(of(7, 0, 10, 2, 3))

    def tearDown(self):
        self.dir.cleanup()

    def write(self, text):
        with open(self.dir.name + "/minikvm/.new", "w") as f:
            f.write(text)
        os.rename(self.dir.name + "/minikvm/.new", self.dir.name + "/minikvm/vcpus")

    def run_top(self, *words):
        return subprocess.run([sys.executable, TOP, "--debugfs", self.dir.name, *words], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)

    def test_once(self):
        # Each read of the file is waited for, however slow this machine is.
        path = self.dir.name + "/minikvm/vcpus"
        os.unlink(path)
        os.mkfifo(path)

        def serve():
            for cpuids in (3, 3, 1003):	# is there something? then two to compare
                with open(path, "w") as f:
                    f.write(of(7, 0, 10, 2, cpuids))
                time.sleep(0.3)
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        r = self.run_top("--once", "--seconds", "1.5")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        rate = float(r.stdout.split("\n")[2].rsplit("CPUID ", 1)[1])
        self.assertTrue(0 < rate <= 667, r.stdout)

    def test_no_module(self):
        os.unlink(self.dir.name + "/minikvm/vcpus")
        r = self.run_top("--once")
        self.assertEqual((r.returncode, r.stdout, r.stderr.count("\n")), (1, "", 1))
        self.assertIn("not loaded", r.stderr)

    @unittest.skipIf(os.getuid(), "wants to be root first")
    def test_nobody(self):
        os.chmod(self.dir.name + "/minikvm", 0o700)
        os.chmod(self.dir.name, 0o755)
        os.setresuid(-1, 65534, -1)
        try:
            with self.assertRaisesRegex(counters.Missing, "^only root can read "):
                counters.read(self.dir.name)
        finally:
            os.setresuid(-1, 0, -1)

    def test_no_debugfs(self):
        with tempfile.TemporaryDirectory() as empty:
            r = self.run_top("--debugfs", empty, "--once")
        self.assertEqual(r.returncode, 1)
        self.assertIn("mount -t debugfs", r.stderr)

    def on_terminal(self, *words):
        """(the program, the near end of its terminal)."""
        near, far = pty.openpty()
        p = subprocess.Popen([sys.executable, TOP, "--debugfs", self.dir.name, "--seconds", "0.3", *words],
                             stdin=far, stdout=far, stderr=far, env=dict(os.environ, TERM="xterm"))
        os.close(far)
        return p, near

    def test_once_on_a_terminal_is_plain(self):
        p, near = self.on_terminal("--once")
        self.assertEqual(p.wait(15), 0)
        self.assertNotIn(b"\x1b", os.read(near, 4096))
        os.close(near)

    def test_screen(self):
        p, near = self.on_terminal()
        seen, until = b"", time.monotonic() + 15
        while b"in memory" not in seen and time.monotonic() < until:
            seen += os.read(near, 4096)
        os.write(near, b"q")
        self.assertEqual(p.wait(15), 0)
        self.assertIn(b"exits/s", seen)
        os.close(near)


if __name__ == "__main__":
    unittest.main()
