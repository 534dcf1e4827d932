# SPDX-License-Identifier: GPL-2.0
"""Arguments that are looked at before anything is done.

Called by the Python scripts of testbed/, bench/ and scripts/static. What is wrong with an
argument is one sentence, and exit status 2. Who imports this leaves no traceback, either,
when a file is missing, the disk is full or somebody interrupts.
"""

import argparse
import os
import re
import subprocess
import sys

import image
import machine

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
WRONG = 2


def prog():
    """What a script calls itself: testbed/run."""
    directory, name = os.path.split(os.path.realpath(sys.argv[0]))
    return "%s/%s" % (os.path.basename(directory), name)


def in_a_sentence(kind, error, traceback):
    """sys.excepthook: only a mistake of ours shows where it came from."""
    if issubclass(kind, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    elif issubclass(kind, KeyboardInterrupt):
        print("%s: interrupted" % prog(), file=sys.stderr)
    elif issubclass(kind, (OSError, subprocess.CalledProcessError, image.ImageError)):
        print("%s: %s" % (prog(), error), file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = in_a_sentence


class Parser(argparse.ArgumentParser):
    """Answers wrong arguments in one sentence; --help has the rest."""

    def __init__(self, **more):
        super().__init__(prog=prog(),
                         formatter_class=argparse.RawDescriptionHelpFormatter,
                         allow_abbrev=False, **more)

    def parse_args(self, args=None, namespace=None):
        """An option that is none is said before an argument that is missing."""
        first = (sys.argv[1:] if args is None else args)[:1]
        if first and first[0].startswith("--") and len(first[0]) > 2 and \
                first[0].split("=")[0] not in self._option_string_actions:
            self.error("no option %s" % first[0])
        return super().parse_args(args, namespace)

    def error(self, message):
        self.exit(WRONG, "%s: %s (see --help)\n" % (self.prog, message))


def whole(low, high, what):
    """For add_argument(type=): a whole number of @what within limits."""
    def parse(text):
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError("'%s' is no number of %s from %d to %d" % (
                text, what, low, high))
        return int(text)
    return parse


def kernel_name(text):
    """For add_argument(type=): a kernel that testbed/kernel knows."""
    names = subprocess.run([os.path.join(HERE, "kernel"), "--list"], stdout=subprocess.PIPE,
                           text=True, check=True).stdout.split()
    if text not in names:
        raise argparse.ArgumentTypeError("no kernel '%s': take one of %s" % (
            text, ", ".join(names)))
    return text


def cpu_model(text):
    """For add_argument(type=): a CPU that Bochs knows, if it is here to be asked."""
    try:
        said = subprocess.run([machine.built_bochs() or "bochs", "--help", "cpu"], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False).stdout
    except OSError:
        return text
    if not re.search("^%s$" % re.escape(text), said, re.M):
        raise argparse.ArgumentTypeError("no CPU model '%s': bochs --help cpu lists them" % text)
    return text


def addition(text):
    """For add_argument(type=): SRC:/DEST of a source that is here."""
    try:
        image.split(text)
    except image.ImageError as e:
        raise argparse.ArgumentTypeError(str(e)) from None
    return text


def existing_file(text):
    """For add_argument(type=): a file that can be read."""
    if not os.path.isfile(text):
        raise argparse.ArgumentTypeError("no file '%s' here" % text)
    if not os.access(text, os.R_OK):
        raise argparse.ArgumentTypeError("'%s' cannot be read" % text)
    return text


def file_to_write(text):
    """For add_argument(type=): a file that can be written, or made. (It is not made yet.)"""
    new = not os.path.lexists(text)
    try:
        with open(text, "ab"):
            pass
    except OSError as e:
        raise argparse.ArgumentTypeError("'%s' cannot be written: %s" % (text, e.strerror)) from None
    if new:
        os.unlink(text)
    return text


def directory_to_write(text):
    """For add_argument(type=): a directory, which is made."""
    try:
        os.makedirs(text, exist_ok=True)
    except OSError as e:
        raise argparse.ArgumentTypeError("'%s' cannot be made: %s" % (text, e.strerror)) from None
    if not os.access(text, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError("'%s' cannot be written to" % text)
    return text
