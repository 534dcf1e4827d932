# SPDX-License-Identifier: GPL-2.0
"""What a tree is worth by the claims of a lab: each claim is one test of the tree, and what went
wrong with it is one sentence.

Called by labs/lab, labs/check and labs/grade-class. Unit tests run here, each claim in a process
of its own; the others in machine_claims.py. Nothing waits without a limit.
"""

import json
import os
import re
import resource
import signal
import subprocess
import time

import machine_claims as machine
from description import Result, compiler_says, now, place

LIMIT = 10		# seconds of processor time for one claim in userspace
PATIENCE = 8		# times that, by the clock: it sleeps
OUTPUT = 16 << 20	# bytes that a claim may write to a file
# A sanitizer's report: #1 0x55... in ept_map ../../module/mm/ept.c:210
FRAME = re.compile(r"^\s*#\d+ 0x[0-9a-f]+ in (\w+) (\S+?):(\d+)", re.M)
UNDEFINED = re.compile(r"^(\S+?):(\d+):\d+: runtime error: (.*)$", re.M)


def where(said, tree):
    """"in f(), path:line" of the first function on a sanitizer's stack that is not the test's."""
    frames = [(name, place(path, tree), line) for name, path, line in FRAME.findall(said)]
    ours = [f for f in frames if os.path.exists(os.path.join(tree, f[1]))]
    for name, path, line in [f for f in ours if not f[1].startswith("selftests/")] + ours:
        return "in %s(), %s:%s" % (name, path, line)
    return "somewhere"


def processor_time(pid):
    """Seconds that a process has had."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def limit_output():
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))


def end_group(process):
    """Whatever it started ends with it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def wait_limited(process):
    began, late = time.monotonic(), False
    while True:
        try:
            status = process.wait(timeout=0.1)
            return None if late else status
        except subprocess.TimeoutExpired:
            pass
        wall = time.monotonic() - began
        if not late and (processor_time(process.pid) > LIMIT or wall > PATIENCE * LIMIT):
            late, began = True, time.monotonic()
            process.send_signal(signal.SIGABRT)
        elif late and wall > LIMIT:
            process.kill()


def run_limited(argv, env, log):
    """A process's status, or None: it was told to say where it is, since its time was over."""
    with open(log, "wb") as out:
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   start_new_session=True, preexec_fn=limit_output)
        try:
            return wait_limited(process)
        finally:
            end_group(process)


def why_not(status, said, tree):
    """What a unit test's output says of one claim: nothing is wrong, or a sentence."""
    if status is None:
        return "it did not end within %d seconds: it was %s" % (LIMIT, where(said, tree))
    found = UNDEFINED.search(said)
    if found:
        return "undefined: %s, in %s:%s" % (found.group(3), place(found.group(1), tree), found.group(2))
    found = re.search(r"ERROR: AddressSanitizer: (?:attempting )?([\w-]+)(.*)", said)
    if found:
        if found.group(1) == "ABRT":
            return "it was stopped by an assertion %s" % where(said, tree)
        null = "SEGV" in found.group(1) and re.search(r"unknown address 0x0{9}", found.group(2))
        return "a wild access (%s%s) %s" % (found.group(1), ", address 0 or near it" if null else "", where(said, tree))
    found = re.search(r"ERROR: LeakSanitizer", said)
    if found:
        return "memory is lost that was allocated %s" % where(said, tree)
    if re.search(r"^ok 1 ", said, re.M) and status == 0:
        return None
    found = re.search(r"^# (\S+?):(\d+): (.*)$", said, re.M)
    if found:
        return "%s:%s: %s" % (place(found.group(1), tree), found.group(2), found.group(3))
    found = re.search(r"^# (.*)$", said, re.M)
    if found:
        return found.group(1)
    return "signal %d ended it" % -status if status < 0 else "it ended with status %d, without a word" % status


def unit(tree, out, claims):
    """A Result for each of these claims, as it comes: unit tests check them."""
    built = {}
    env = dict(os.environ, ASAN_OPTIONS="handle_abort=1:detect_leaks=0:allocator_may_return_null=1",
               UBSAN_OPTIONS="print_stacktrace=0")
    for claim in claims:
        if claim.program not in built:
            now("building the test of %s" % claim.program)
            make = subprocess.run([os.path.join(tree, "testbed/build-unit"), out, claim.program], text=True, errors="replace", check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            built[claim.program] = compiler_says(make.stdout, tree) if make.returncode else None
        why = built[claim.program]
        if not why:
            log = os.path.join(out, claim.test + ".log")
            status = run_limited([os.path.join(out, claim.program)], dict(env, UNIT_ONLY=claim.name), log)
            with open(log, errors="replace") as f:
                why = why_not(status, f.read(), tree)
        yield Result(claim, why)


def grade(tree, lab, out):
    """A Result for each claim of a lab, as it comes: first what needs no machine."""
    os.makedirs(out, exist_ok=True)
    yield from unit(tree, out, [claim for claim in lab.claims if claim.kind == "unit"])
    rest = [claim for claim in lab.claims if claim.kind != "unit"]
    if rest:
        yield from machine.run(tree, out, rest, lab.cpus)


def as_json(lab, results, seconds):
    """The form of Gradescope's results.json, which other graders take, too."""
    return json.dumps({
        "score": sum(result.score for result in results),
        "execution_time": round(seconds),
        "output": "%s: %s" % (lab, lab.title),
        "tests": [{
            "number": "%d.%d" % (lab.number, n), "name": result.claim.says,
            "score": result.score, "max_score": result.claim.points,
            "status": "failed" if result.why else "passed", "output": result.why or "",
        } for n, result in enumerate(results, 1)],
    }, indent=2) + "\n"
