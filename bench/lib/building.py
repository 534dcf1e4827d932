# SPDX-License-Identifier: GPL-2.0
"""Builds what runs in the machine: minikvm.ko and bench. Called by the scripts of bench/."""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TESTBED = os.path.join(TOP, "testbed")
OUT = os.path.join(TOP, "build/bench")
CFLAGS = ("-O2 -static -Wall -D_GNU_SOURCE -I%s/uapi -I%s/selftests/lib" % (TOP, TOP)).split()


class Failed(Exception):
    pass


BEGIN = time.monotonic()


def step(text):
    print("[%4d s] %s" % (time.monotonic() - BEGIN, text), file=sys.stderr, flush=True)


def output_of(*argv, **env):
    """What a command prints; all it said if it fails."""
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       check=False, env=dict(os.environ, **env))
    if r.returncode:
        raise Failed("%s%s%s failed" % (r.stdout, r.stderr, argv[0]))
    return r.stdout.strip()


def build(kernel):
    """The module's path, as built; bench and the module that is loaded are in OUT."""
    output_of(os.path.join(TESTBED, "packages"), "run", "build")
    step("building minikvm.ko for %s, and bench" % kernel)
    module = output_of(os.path.join(TESTBED, "build-module"), kernel,
                       OUT=os.path.join(OUT, "module-" + kernel))
    output_of("objcopy", "--strip-debug", module, os.path.join(OUT, "minikvm.ko"))
    sources = [os.path.join(TOP, "bench", f) for f in sorted(os.listdir(TOP + "/bench")) if f.endswith(".c")]
    output_of("gcc", *CFLAGS, "-o", os.path.join(OUT, "bench"), *sources,
              os.path.join(TOP, "selftests/lib/vm.c"), "-lpthread")
    return module
