# SPDX-License-Identifier: GPL-2.0
"""The emulators: how each is started, and how each says that it powered off.

Called by testbed/run. A machine is a process with a pty as its serial port.
"""

import collections
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PR_SET_PDEATHSIG = 1
BXSHARE = "/usr/share/bochs"

# Of the display libraries this one wants no window, and opens no port: it draws on a terminal
# of its own, see drain_screen(). (rfb is a VNC server without a password.)
BOCHSRC = """\
display_library: term
romimage: file={bios}
vgaromimage: file={share}/VGABIOS-lgpl-latest
cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0
memory: guest={mem}, host={mem}
ata0-master: type=cdrom, path="{iso}", status=inserted
boot: cdrom
com1: enabled=1, mode=term, dev={tty}
clock: sync=none, time0=1700000000
mouse: enabled=0
{plugins}log: {log}
panic: action=report
panic: {fatal}
error: action=ignore
error: {told}
info: action=report
debug: action=ignore
"""

# Debian's Bochs has its devices in plugins; testbed/bochs builds one without.
PLUGINS = """\
sound: driver=dummy
plugin_ctrl: speaker=0, gameport=0, parallel=0, usb_uhci=0
"""


def built_bochs():
    """The Bochs that testbed/bochs has built, or None; that there is no cache is said later."""
    out = subprocess.run([os.path.join(HERE, "bochs"), "--cached"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return out.stdout.strip() or None


def die_with_parent(number=signal.SIGKILL):
    """In the child: no machine outlives its testbed/run, whatever ends that."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def have_kvm():
    """Whether QEMU can have VT-x here, nested: KVM lets guests have it, and us have KVM."""
    try:
        with open("/sys/module/kvm_intel/parameters/nested") as f:
            return f.read(1) in "Yy1" and os.access("/dev/kvm", os.R_OK | os.W_OK)
    except OSError:
        return False


def most_memory():
    """MB that a machine can have here: Bochs' limit, and what this machine has."""
    with open("/proc/meminfo") as f:
        return min(2048, int(re.search(r"MemTotal: *(\d+)", f.read()).group(1)) >> 10)


def missing(backend):
    """What has to be installed before a machine can run, in a sentence; or None."""
    if not backend.startswith("bochs"):
        return None if shutil.which("qemu-system-x86_64") else (
            "no qemu-system-x86_64 here: install the package qemu-system-x86")
    if backend == "bochs-built" and not built_bochs():
        return "no Bochs was built here: testbed/bochs builds it"
    if not shutil.which("bochs") or not glob.glob("/usr/lib/*/bochs/plugins/libbx_term_gui.so*"):
        return "no bochs, or not all of it: testbed/packages run installs it"
    return None


def screen_of(pid):
    """The terminal, /dev/pts/N, whose near end a process holds; or None."""
    fds = "/proc/%d/fd" % pid
    for fd in os.listdir(fds):
        if os.readlink(os.path.join(fds, fd)) == "/dev/ptmx":
            with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
                return "/dev/pts/" + re.search(r"tty-index:\s*(\d+)", f.read()).group(1)
    return None


def drain_screen(process):
    """Bochs draws on a pty that nobody looks at, and stops for ever when that is full."""
    try:
        path = None
        while not path and process.poll() is None:
            time.sleep(0.2)
            path = screen_of(process.pid)
        fd = os.open(path, os.O_RDONLY | os.O_NOCTTY)
        while os.read(fd, 4096):
            pass
    except (OSError, TypeError, AttributeError):
        pass			# it has ended


def waited(pid):
    """Seconds in which a process could have run, and others had the processors: of its threads,
    the one that waited longest."""
    waits = [0]
    for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
        try:
            with open(path) as f:
                waits.append(int(f.read().split()[1]))
        except OSError:
            pass		# the thread has ended
    return max(waits) / 1e9


class Machine:
    """A running emulator. `log` is what the emulator itself had to say."""

    def __init__(self, argv, log):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, preexec_fn=die_with_parent,
                env=dict(os.environ, TERM="linux"))

    def running(self):
        return self.process.poll() is None

    def waited(self):
        return waited(self.process.pid)

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()

    def refusals(self):
        """{sentence: how often}, where the emulator knows."""
        return {}

    def log_text(self):
        with open(self.log, errors="replace") as f:
            return f.read()


class Bochs(Machine):
    """Its exit status says nothing: an orderly power-off exits with 1."""

    def __init__(self, work, opts, iso, tty):
        rc = os.path.join(work, "bochsrc")
        log = os.path.join(work, "bochs.log")
        built = opts.backend == "bochs-built"
        with open(rc, "w") as f:
            f.write(BOCHSRC.format(share=BXSHARE, bios=self.bios(work, opts.vmx_locked_off),
                                   cpu=opts.cpu, cpus=opts.cpus,
                                   ips=opts.ips, mem=opts.mem, iso=iso, tty=tty, log=log,
                                   plugins="" if built else PLUGINS,
                                   fatal=self.each(opts.cpus, "fatal"),
                                   told=self.each(opts.cpus, "report")))
            if opts.com2:
                f.write("com2: enabled=1, mode=term, dev=%s\n" % opts.com2)
            f.writelines(line + "\n" for line in opts.bochsrc)
        command = [built_bochs() if built else "bochs", "-q", "-f", rc]
        super().__init__(command + ([] if built else self.debugger(work, opts)), log)
        threading.Thread(target=drain_screen, args=(self.process,), daemon=True).start()

    @staticmethod
    def debugger(work, opts):
        """Arguments for the debugger that is in Debian's Bochs: what it is told, or to go on."""
        script = opts.debugger
        if not script:
            script = os.path.join(work, "debugger.rc")
            with open(script, "w") as f:
                f.write("c\n")
        return ["-rc", script]

    @staticmethod
    def each(cpus, action):
        return ", ".join("cpu%d=%s" % (i, action) for i in range(cpus))

    def refusals(self):
        """{sentence: how often}: the rules that VM entries and VMX instructions broke."""
        return collections.Counter(
            ("a VM entry was refused: " if entry else "a VMX instruction failed: ") + rule.strip()
            for entry, rule in re.findall(
                r"^\d+e\[CPU\d+ *\] (?:VMFAIL|(VMENTER)[ A-Z]*): (.*?)(?: *!)?$",
                self.log_text(), re.M))

    @staticmethod
    def bios(work, vmx_locked_off):
        """The BIOS; or a copy that sets only the lock bit in FEATURE_CONTROL, as
        firmware does where VT-x is switched off. The two places (first and other
        processors) are: rdmsr; or $5, %eax; wrmsr."""
        path = os.path.join(BXSHARE, "BIOS-bochs-latest")
        if not vmx_locked_off:
            return path
        with open(path, "rb") as f:
            bios = f.read()
        bios, places = re.subn(rb"(\x0f\x32\x66?\x83\xc8)\x05(\x0f\x30)", b"\\1\x01\\2", bios)
        if places != 2:
            raise OSError("%s: not the BIOS that this can patch" % path)
        path = os.path.join(work, "bios")
        with open(path, "wb") as f:
            f.write(bios)
        return path

    def powered_off(self):
        return "soft power off" in self.log_text()

    def was_reset(self):
        return "exception with no resolution" in self.log_text()


class Qemu(Machine):
    """With KVM where the CPU can nest; without, for tests that want no VT-x."""

    def __init__(self, work, opts, kernel, initrd, cmdline, tty, accel):
        cpu = "host" if accel == "kvm" else "qemu64"
        super().__init__(["qemu-system-x86_64", "-accel", accel, "-cpu", cpu,
                          "-smp", str(opts.cpus), "-m", str(opts.mem),
                          "-kernel", kernel, "-initrd", initrd, "-append", cmdline,
                          "-serial", tty, *(["-serial", opts.com2] if opts.com2 else []),
                          "-display", "none", "-monitor", "none",
                          "-nodefaults", "-no-reboot",
                          "-action", "shutdown=poweroff,panic=exit-failure",
                          "-trace", "qemu_system_shutdown_request"],
                         os.path.join(work, "qemu.log"))

    # 6 is guest-shutdown in QEMU's ShutdownCause. A reset isn't traced.
    def powered_off(self):
        return "shutdown_request reason=6" in self.log_text()

    def was_reset(self):
        return self.process.poll() == 0 and not self.powered_off()
