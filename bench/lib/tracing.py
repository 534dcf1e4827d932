# SPDX-License-Identifier: GPL-2.0
"""The instructions of one sample of a bench operation, from Bochs' debugger.

Called by bench/trace and bench/budgets.
"""

import collections
import os
import re
import subprocess

from building import OUT, TESTBED

# Kinds of instructions that have a budget: what is counted, and how it looks.
KINDS = (
    ("vmread", r"vmread"), ("vmwrite", r"vmwrite"), ("vmentry", r"vm(launch|resume)"),
    ("rdmsr", r"rdmsr"), ("wrmsr", r"wrmsr"),
    ("locked", r"lock |xchg .*ptr"),
    ("xsave", r"xsave|fxsave"), ("xrstor", r"xrstor|fxrstor"),
    ("indirect", r"(call|jmp) .*(ptr|\br[a-z0-9]+)\b"), ("invept", r"invept"), ("invvpid", r"invvpid"),
    ("verw", r"verw"), ("lfence", r"lfence"), ("rsb", r"call \.\+1 "), ("xgetbv/xsetbv", r"x[gs]etbv"), ("cpuid", r"cpuid"),
    ("sti", r"sti$"), ("swapgs", r"swapgs"), ("cr", r"mov (cr|.*, cr)"), ("dr", r"mov (dr|.*, dr)"),
)


# LOCK prefixes stay on a machine with one processor; the instructions are the same.
APPEND = "noreplace-smp"
# One of so many is listed, the shortest: in it the host's timer did not tick.
SAMPLES = 5


def run(operation, device, cpu, append, kernel="small", module=None, skip=100, names=False):
    """(emulator's output, console's) of a boot that lists samples of an operation.

    skip: samples before them. names: the console has the symbols, too.
    """
    work = os.path.join(OUT, "trace-%s-%s" % (operation, device))
    os.makedirs(work, exist_ok=True)
    script = os.path.join(work, "debugger")
    with open(script, "w") as f:
        f.write("c\n" * (2 * skip + 1) + "trace on\nc\ntrace off\nc\n" * SAMPLES + "q\n")
    for name in ("bochs.log", "console"):
        if os.path.exists(os.path.join(work, name)):
            os.unlink(os.path.join(work, name))
    load = ["insmod /minikvm.ko" if device == "minikvm" else "load-kvm"]
    if names:
        load.append("grep '%s' /proc/kallsyms" % ("\\[" if system_map(kernel) else " [tT] "))
    load.append("bench /dev/%s %s" % (device, operation))
    subprocess.run(
        [os.path.join(TESTBED, "run"), "--kernel", kernel, "--cpu", cpu, "--with-kvm",
         "--append", append + " " + APPEND, "--timeout", "300", "--keep", work, "--quiet",
         "--log", os.path.join(work, "console"),
         "--bochsrc", "magic_break: enabled=1", "--debugger", script,
         "--add", (module or os.path.join(OUT, "minikvm.ko")) + ":/minikvm.ko",
         "--add", os.path.join(OUT, "bench") + ":/bin/", "--", "sh", "-c", " && ".join(load)],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    with open(os.path.join(work, "bochs.log"), errors="replace") as log, \
            open(os.path.join(work, "console"), errors="replace") as console:
        return log.read(), console.read()


def instructions(log):
    """[(address, text)] of the shortest sample that was listed to its end."""
    samples = [[(int(address, 16), text) for address, text in re.findall(
        r"^\(0\)\.\[\d+\] \[\w+\] [0-9a-f]{4}:([0-9a-f]{16}) \([^)]*\): (.*?)\s*; [0-9a-f]+$",
        part, re.M)] for part in log.split("Tracing enabled")[1:] if "Tracing disabled" in part]
    return min(filter(None, samples), key=len, default=[])


def count(insns):
    """{kind: number} of what the kernel did."""
    kinds = collections.Counter()
    for address, text in insns:
        if address < 1 << 47:
            continue
        for kind, looks in KINDS:
            if re.match(looks, text):
                kinds[kind] += 1
    return dict(kinds)


def system_map(kernel):
    """The kernel's symbols, if it was built here: the console is slow."""
    path = subprocess.run([os.path.join(TESTBED, "kernel"), kernel], stdout=subprocess.PIPE,
                          text=True, check=False).stdout.strip() + "/build/System.map"
    return path if os.path.exists(path) else None


def symbols(text):
    """Sorted addresses, and their names."""
    found = {}
    for m in re.finditer(r"^([0-9a-f]{16}) [tT] (\S+)", text, re.M):
        found.setdefault(int(m.group(1), 16), m.group(2))
    return sorted(found.items())


def name_of(table, address):
    if address < 1 << 47:
        return "(user or guest)"
    low, high = 0, len(table)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if table[middle][0] <= address else (low, middle)
    return table[low][1] if table else "?"
