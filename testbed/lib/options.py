# SPDX-License-Identifier: GPL-2.0
"""What testbed/run is asked for, and whether it can be had.

Called by testbed/run, before anything is done.
"""

import argparse
import math
import os
import shutil
import tempfile

import arguments
import image
import machine

BOOT_SIGNATURE_AT, BOOT_SIGNATURE = 0x202, b"HdrS"
# isolinux takes 2047 bytes, the kernel 2048; testbed/run's own words take some 350.
COMMAND_LINE = 1600
CPU = "corei7_haswell_4770"
LEAST_MEMORY = 128
MOST_PROCESSORS = 8
BARE_IMAGE = 24 << 20
LEAST_IPS = 1000000		# Bochs' own limit

EPILOG = """\
The command runs as root under busybox's sh in an initramfs; files come in with
--add. Without a command an interactive machine runs a shell. In the image:
load-kvm loads kvm-intel (see --with-kvm).

exit status: the command's, or
  2    an argument is wrong; nothing was done
  124  the time limit passed
  125  the kernel panicked, oopsed or warned (the splat is printed)
  126  the machine could not be started, or ended without a word
  130  interrupted

examples:
  testbed/run -- uname -a
  testbed/run --kernel small --cpus 2 --add build/x/minikvm.ko:/ \\
              -- sh -c 'insmod /minikvm.ko && ls -l /dev/minikvm'
  testbed/run --kernel small --interactive        (Ctrl-A X quits)
"""


def kernel(text):
    """A kernel's name, or the absolute path of a bzImage."""
    if "/" not in text:
        return arguments.kernel_name(text)
    with open(arguments.existing_file(text), "rb") as f:
        f.seek(BOOT_SIGNATURE_AT)
        if f.read(len(BOOT_SIGNATURE)) != BOOT_SIGNATURE:
            raise argparse.ArgumentTypeError("'%s' is no bzImage" % text)
    return os.path.realpath(text)


def limit(text):
    """Seconds; 0 is none."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not math.isfinite(seconds) or seconds < 0:
        raise argparse.ArgumentTypeError("'%s' is no number of seconds" % text)
    return seconds


def kernel_words(text):
    if len(text) > COMMAND_LINE or not text.isprintable():
        raise argparse.ArgumentTypeError("takes one line of at most %d characters" % COMMAND_LINE)
    return text


def terminal(text):
    try:
        fd = os.open(text, os.O_RDWR | os.O_NOCTTY)
    except OSError as e:
        raise argparse.ArgumentTypeError("'%s': %s" % (text, e.strerror)) from None
    is_one = os.isatty(fd)
    os.close(fd)
    if not is_one:
        raise argparse.ArgumentTypeError("'%s' is no terminal" % text)
    return text


def taking(text):
    """PATH:FILE: a path in the machine, and a file here that can be written."""
    path, sep, file = text.partition(":")
    if not sep or not path.startswith("/") or not path.isprintable():
        raise argparse.ArgumentTypeError("'%s' is not /PATH:FILE" % text)
    return path, arguments.file_to_write(file)


def program(text):
    if not shutil.which(text):
        raise argparse.ArgumentTypeError("no program '%s' here" % text)
    return text


def parser():
    p = arguments.Parser(
        usage="testbed/run [options] [-- command...]", epilog=EPILOG,
        description="Boot a machine with VT-x and run a command in it.")
    p.add_argument("--kernel", default="6.12-cloud", metavar="NAME", type=kernel,
                   help="6.12-cloud (default), 6.12-amd64, 6.1-cloud, 6.1-amd64, small "
                        "(see testbed/kernel --help), or a bzImage's path")
    p.add_argument("--cpu", metavar="MODEL", type=arguments.cpu_model,
                   help="Bochs CPU model (default " + CPU + "; bochs --help cpu lists them)")
    p.add_argument("--cpus", type=arguments.whole(1, MOST_PROCESSORS, "processors"), default=1,
                   metavar="N", help="processors (1)")
    p.add_argument("--mem", default=1024, metavar="MB", help="memory (1024)",
                   type=arguments.whole(LEAST_MEMORY, machine.most_memory(), "MB"))
    p.add_argument("--ips", default=50000000, metavar="N",
                   type=arguments.whole(LEAST_IPS, 10**9, "instructions"),
                   help="instructions per emulated second (50000000)")
    p.add_argument("--add", action="append", default=[], metavar="SRC:DEST", type=arguments.addition,
                   help="put a file or a directory into the image")
    p.add_argument("--add-program", action="append", default=[], metavar="PROG", type=program,
                   help="put a program of this machine and its libraries into /bin")
    p.add_argument("--take", action="append", default=[], metavar="PATH:FILE", type=taking,
                   help="fetch a file out of the machine after the command")
    p.add_argument("--with-kvm", action="store_true", help="pack kvm-intel for load-kvm")
    p.add_argument("--append", default="", metavar="ARGS", type=kernel_words,
                   help="more kernel command line")
    p.add_argument("--timeout", type=limit, default=600, metavar="S",
                   help="limit for everything (600), by the clock; what the machine waits for a "
                        "processor does not count; 0: none, with --interactive")
    p.add_argument("--interactive", action="store_true",
                   help="connect this terminal to the console; Ctrl-A X quits")
    p.add_argument("--com2", metavar="TTY", type=terminal,
                   help="a second serial line: /dev/ttyS1 in the machine, this terminal here")
    p.add_argument("--log", metavar="FILE", type=arguments.file_to_write,
                   help="write the console to FILE")
    p.add_argument("--quiet", action="store_true", help="don't show the console or the steps")
    p.add_argument("--times", action="store_true", help="seconds before each console line")
    p.add_argument("--backend", default="auto", metavar="B",
                   choices=("auto", "bochs", "bochs-built", "qemu", "qemu-tcg"),
                   help="auto: bochs-built if testbed/bochs has built it, else Debian's bochs; "
                        "qemu: with KVM, where VT-x can nest; qemu-tcg: a CPU without VT-x")
    p.add_argument("--vmx-locked-off", action="store_true",
                   help="FEATURE_CONTROL as firmware leaves it with VT-x switched off (Bochs)")
    p.add_argument("--bochsrc", action="append", default=[], metavar="LINE",
                   help="one more line for the bochsrc")
    p.add_argument("--debugger", metavar="FILE", type=arguments.existing_file,
                   help="commands for Bochs' debugger")
    p.add_argument("--keep", metavar="DIR", type=arguments.directory_to_write,
                   help="keep ISO and logs in DIR")
    p.add_argument("--only-look", action="store_true",
                   help="look at the arguments, and do nothing")
    p.add_argument("command", nargs="*", help=argparse.SUPPRESS)
    return p


def backend(opts, p):
    """The emulator that --backend stands for here."""
    only_bochs = opts.cpu or opts.vmx_locked_off or opts.bochsrc or opts.debugger
    name = opts.backend
    if name == "auto":
        name = "bochs-built" if not opts.debugger and machine.built_bochs() else "bochs"
    if not name.startswith("bochs") and only_bochs:
        p.error("--cpu, --vmx-locked-off, --bochsrc and --debugger are for Bochs only")
    if name == "bochs-built" and opts.debugger:
        p.error("--debugger wants --backend bochs: the built one has no debugger")
    if name == "qemu" and not machine.have_kvm():
        p.error("no nested virtualisation here: take --backend bochs")
    return name


def room(opts):
    """Bytes that the image takes: in the tree, the initramfs and the ISO."""
    additions = sum(image.size(image.split(spec)[0]) for spec in opts.add)
    return 3 * additions + BARE_IMAGE


def options():
    """The arguments of testbed/run; does not return if they can't be met."""
    p = parser()
    opts = p.parse_args()
    if not opts.command and not opts.interactive:
        p.error("no command (and not --interactive)")
    if opts.interactive and not os.isatty(0):
        p.error("--interactive wants a terminal on stdin")
    if not opts.timeout and not opts.interactive:
        p.error("--timeout 0 is for --interactive only")
    if opts.with_kvm and "/" in opts.kernel:
        p.error("--with-kvm wants a kernel by name")
    # Whoever looks at the log finds nothing of an earlier run, whatever ends this one.
    if opts.log and not opts.only_look:
        with open(opts.log, "wb"):
            pass
    opts.backend = backend(opts, p)
    opts.cpu = opts.cpu or CPU
    missing = machine.missing(opts.backend)
    if missing and not opts.only_look:
        p.error(missing)
    where = opts.keep or tempfile.gettempdir()
    free = shutil.disk_usage(where).free
    if free < room(opts):
        p.error("%s is too full: %d MB are free, the image takes %d" % (
            where, free >> 20, room(opts) >> 20))
    return opts
