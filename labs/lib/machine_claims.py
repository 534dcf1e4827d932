# SPDX-License-Identifier: GPL-2.0
"""Claims that take a machine: selftests on the tree's module, and programs. One boot for all of
them; another one for the rest if a claim ends the host.

Called by grading.py.
"""

import os
import re
import shlex
import shutil
import subprocess

import splat
from description import Result, compiler_says, now

CLAIM_LIMIT = 25	# seconds of the machine for one claim: less than a selftest gives its tests
STALL = 5		# of a processor that does not come out of the kernel
BOOTS = 3		# that the host may die
BOOT_LIMIT = 120
# Of a claim: a guest without end is killed; a thread that cannot be killed is in the kernel. A
# selftest runs its test in another process.
SESSION = """\
insmod /minikvm.ko || exit 7
echo %d >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
export MINIKVM_DEVICE=/dev/minikvm
main=$$
running()
{
	for p in /proc/[0-9]*; do
		[ "$(readlink $p/exe)" = $1 ] && echo ${p#/proc/}
	done
}
guard()
{
	sleep %d
	echo "claim $2 late"
	kill -9 $(running $1)
	sleep 2
	left=$(running $1)
	[ "$left" ] || return
	echo "claim $2 stuck"
	for p in $left; do
		cat /proc/$p/stack
	done
	echo l >/proc/sysrq-trigger
	sleep 1
	kill -9 $main
}
claim()
{
	n=$1
	shift
	echo "claim $n begins"
	"$@" &
	program=$!
	guard $1 $n &
	guard=$!
	wait $program
	status=$?
	[ $status = 137 ] && wait $guard
	echo "claim $n ends with $status"
	kill $guard
}
"""


def build(argv, tree, env=None):
    """(the last line of what it printed, None), or (None, all of it)."""
    run = subprocess.run(argv, cwd=tree, env=dict(os.environ, **env or {}), text=True, errors="replace", check=False,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        return None, run.stderr + run.stdout
    return (run.stdout.strip().split("\n") or [""])[-1], None


class Programs:
    """What the claims run, built into a directory for the image's /tests."""

    def __init__(self, tree, out):
        self.tree, self.out, self.faults = tree, out, {}

    def add(self, claim):
        """Build what a claim takes."""
        name = claim.program.split()[0]
        if name in self.faults:
            return
        os.makedirs(self.out, exist_ok=True)
        if claim.kind == "selftest":
            argv = ["testbed/build-selftests", self.out, name]
        elif os.path.exists(os.path.join(self.tree, "samples", name + ".c")):
            argv = ["gcc", "-O2", "-Wall", "-static", "-Iuapi", "-o", os.path.join(self.out, name), "samples/%s.c" % name]
        else:
            argv = ["make", "-s", "--no-print-directory", "minivmm"]
        _, said = build(argv, self.tree)
        self.faults[name] = said and compiler_says(said, self.tree)
        if not said and name == "minivmm":
            for path in os.listdir(os.path.join(self.tree, "build/userspace-demo")):
                if path == "minivmm" or path.endswith(".bin"):
                    shutil.copy(os.path.join(self.tree, "build/userspace-demo", path), self.out)


def command(claim):
    if claim.kind == "selftest":
        return ["/tests/" + claim.program, "-t", claim.name]
    return shlex.split("/tests/" + claim.test)


def boot(tree, out, module, claims, cpus):
    """(status, console, what testbed/run said) of a machine that tries these claims."""
    session, console = os.path.join(out, "session"), os.path.join(out, "console")
    with open(session, "w") as f:
        f.write(SESSION % (STALL, CLAIM_LIMIT))
        f.writelines("claim %d %s\n" % (n, shlex.join(command(claim))) for n, claim in claims)
    now("booting a machine for %d claim%s" % (len(claims), "s" * (len(claims) != 1)))
    run = subprocess.run(
        ["testbed/run", "--kernel", "small", "--cpus", str(cpus), "--quiet",
         "--timeout", str(BOOT_LIMIT + CLAIM_LIMIT * len(claims)), "--log", console,
         "--add", module + ":/", "--add", os.path.join(out, "tests") + ":/tests",
         "--add", session + ":/", "--", "sh", "-c", "cd /tests; sh /session"],
        cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    with open(console, errors="replace") as f:
        return run.returncode, f.read(), run.stdout


def in_words(line, text):
    """A kernel's line of why it died. A fault with interrupts off is a warning of the fault's handler."""
    address = re.search(r"^CR2: ([0-9a-f]+)", text, re.M)
    if " exc_page_fault+" in line and address:
        return "a wild access, to address 0x%x" % int(address.group(1), 16)
    return re.sub(r"WARNING: CPU: .*", "a warning", line)


def death(status, console, said):
    """Why the host's end was, as a sentence."""
    lines = re.search(r"in the sources:\n +(\w+)\+\S+ (\S+)", said)
    place = " in %s(), %s" % (lines.group(1), lines.group(2)) if lines else ""
    if re.search(r"detected stall", said + console):
        return "the host hangs: a processor does not come out%s" % (place.replace(" in", " of", 1) or " of the kernel")
    for pattern in (r"BUG: [^\n]*", r"kernel BUG at [^\n]*", r"WARNING: [^\n]*", r"general protection fault[^\n]*",
                    r"Oops: [^\n]*", r"Kernel panic[^\n]*"):
        found = re.search(pattern, said + console)
        if found:
            return "the host kernel died%s: %s" % (place, in_words(found.group(0), said + console))
    if status == 124:
        return "the machine did not end in time"
    return "the machine was reset: a triple fault of the host" if "was reset" in said else "the machine ended: %s" % (
        said.strip().split("\n") or ["without a word"])[-1]


def stuck(part, module):
    """A thread that could not be killed: where in the module it is."""
    for line in splat.source_lines(part, module):
        name, _, where = line.partition("+")
        return "the host hangs: a thread does not come out of %s(), %s" % (name, where.split(": ")[-1])
    return "the host hangs: a thread of the VMM cannot be killed"


def why_not(claim, part, status):
    """What a claim's piece of the console says: nothing is wrong, or a sentence."""
    if "late\n" in part:
        return "it did not end within %d seconds: the guest, or who runs it, goes round in a circle" % CLAIM_LIMIT
    if claim.kind == "program":
        return None if re.search(claim.expects, part, re.M) and status == 0 else \
            "it ended with status %d, and printed %s" % (status, shown(part))
    # One test, or one for each variant of its fixture.
    if status == 0 and re.search(r"^ok 1 (?!.*# SKIP)", part, re.M):
        return None
    found = re.search(r"^# (\w+\.[ch]):(\d+):\w+:(.*)$", part, re.M)
    if found:
        return "selftests/%s:%s: %s" % found.groups()
    found = re.search(r"^# (.*(?:terminated|SKIP).*)$", part, re.M)
    return found.group(1) if found else "it ended with status %d, and said %s" % (status, shown(part))


def shown(part):
    lines = [line for line in part.strip().split("\n") if line.strip()]
    return "'%s'" % lines[-1].strip() if lines else "nothing"


def judged(claims, module, status, console, said):
    """[(claim, why)] of those that a boot has tried."""
    verdicts = []
    for n, claim in claims:
        found = re.search(r"^claim %d begins\n(.*?)(?:^claim %d ends with (\d+)$|\Z)" % (n, n), console, re.S | re.M)
        if not found:
            break
        part, ended = found.groups()
        if ended is not None:
            verdicts.append((claim, why_not(claim, part, int(ended))))
        elif "stuck\n" in part:
            verdicts.append((claim, stuck(part, module)))
        else:
            verdicts.append((claim, death(status, part, said)))
    return verdicts


def run(tree, out, claims, cpus):
    """A Result for each of these claims, as a boot ends."""
    programs = Programs(tree, os.path.join(out, "tests"))
    now("building the module")
    module, fault = build(["testbed/build-module", "small"], tree)
    for claim in claims if module else ():
        programs.add(claim)
    ready, number = [], 0
    for claim in claims:
        number += 1
        why = compiler_says(fault, tree) if fault else programs.faults[claim.program.split()[0]]
        if why:
            yield Result(claim, why)
        else:
            ready.append((number, claim))
    for _ in range(BOOTS):
        if not ready:
            return
        status, console, said = boot(tree, out, module, ready, cpus)
        verdicts = judged(ready, module, status, console, said)
        if not verdicts:		# it did not come to the first one
            why = "the module does not load" if status == 7 else death(status, console, said)
            verdicts = [(claim, why) for _, claim in ready]
        for claim, why in verdicts:
            yield Result(claim, why)
        ready = ready[len(verdicts):]
    for _, claim in ready:
        yield Result(claim, "not tried: the host had died %d times" % BOOTS)
