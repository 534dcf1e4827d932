# SPDX-License-Identifier: GPL-2.0
"""What a lab is: the folder labs/NN-name, read off its lab.toml.

Called by labs/lab, labs/check and labs/grade-class.
"""

import argparse
import glob
import os
import re
import sys
import tomllib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
KINDS = ("unit", "selftest", "program")
LEAST_CPUS = 2		# one looks at the other, which may hang with its interrupts off
CURRENT = "labs/current"	# in a student's tree: the lab's number


class Wrong(Exception):
    """A lab that cannot be: one sentence."""


class Claim:
    """What is graded: one test of the tree, and what it is worth."""

    def __init__(self, lab, table):
        kinds = [kind for kind in KINDS if kind in table]
        if len(kinds) != 1 or not isinstance(table.get("points"), int) or "says" not in table:
            raise Wrong("%s: a claim has one of %s, and says and points: %s" % (
                lab, ", ".join(KINDS), table))
        self.kind, self.test = kinds[0], table[kinds[0]]
        self.program, _, self.name = self.test.partition(".")
        self.says, self.points = table["says"], table["points"]
        self.expects = table.get("expects")	# of a program: a pattern that a line it prints has


class Result:
    """One claim, and what became of it: @why is nothing, or a sentence."""

    def __init__(self, claim, why):
        self.claim, self.why = claim, why
        self.score = 0 if why else claim.points


def place(path, tree):
    """A path of a compiler's as the tree has it: unit tests are built where they are, the module in build/."""
    if not os.path.isabs(path) and os.path.exists(os.path.join(tree, "selftests/unit", path)):
        return os.path.normpath(os.path.join("selftests/unit", path))
    return re.sub(r"^.*/(?=(?:module|userspace-demo|samples|uapi|selftests)/)", "", path)


def now(what):
    """Tell who waits what for."""
    print("  (%s)" % what, file=sys.stderr, flush=True)


def compiler_says(text, tree):
    """The first error of a compiler, as a sentence."""
    found = re.search(r"^(\S+?):(\d+):\d+: (?:fatal )?error: (.*)$", text, re.M)
    if found:
        return "it does not compile: %s:%s: %s" % (place(found.group(1), tree), found.group(2), found.group(3))
    return "it does not build: %s" % (text.strip().split("\n")[-1] or "no reason is given")


class Answer:
    """A planted wrong answer: functions of other bodies, and the tests that notice."""

    def __init__(self, lab, name, table):
        self.name, self.says, self.fails = name, table["says"], table["fails"]
        self.path = os.path.join(lab.folder, "wrong", name + ".c")	# a student's tree does not have it


class Lab:
    """A folder of labs/."""

    def __init__(self, folder):
        self.folder = folder
        self.number = int(re.match(r"\d+", os.path.basename(folder)).group(0))
        try:
            with open(os.path.join(folder, "lab.toml"), "rb") as f:
                table = tomllib.load(f)
        except tomllib.TOMLDecodeError as e:
            raise Wrong("%s/lab.toml: %s" % (folder, e)) from None
        self.title = table["title"]
        self.holes = table["holes"]			# {file: [function]}
        self.stubs = table.get("stubs", {})		# {function: statement}
        self.show = table["show"]
        self.cpus = table.get("cpus", LEAST_CPUS)	# of the machine
        self.claims = [Claim(self, claim) for claim in table["claim"]]
        self.wrong = [Answer(self, *item) for item in table.get("wrong", {}).items()]
        tests = {claim.test for claim in self.claims}
        for answer in self.wrong:
            if set(answer.fails) - tests:
                raise Wrong("%s: %s is no claim" % (answer.path, set(answer.fails) - tests))

    def __str__(self):
        return "labs/" + os.path.basename(self.folder)

    def points(self):
        return sum(claim.points for claim in self.claims)

    def machine(self):
        """Does it take a machine to grade it?"""
        return any(claim.kind != "unit" for claim in self.claims)

    def hints(self):
        """[text] of hints.rst, without what stands before the first."""
        with open(os.path.join(self.folder, "hints.rst")) as f:
            parts = re.split(r"^Hint \d+\n-+\n", f.read(), flags=re.M)
        return [part.strip() for part in parts[1:]]


def labs():
    """All of them, in order."""
    found = [Lab(folder) for folder in glob.glob(os.path.join(TOP, "labs/[0-9]*-*")) if os.path.isdir(folder)]
    return sorted(found, key=lambda lab: lab.number)


def current():
    """The lab that a student's tree is for, or None: it is no student's."""
    try:
        with open(os.path.join(TOP, CURRENT)) as f:
            return f.read().strip()
    except FileNotFoundError:
        return None


def lab(text):
    """For add_argument(type=): a lab by its number."""
    known = labs()
    for one in known:
        if text.isdecimal() and int(text) == one.number:
            return one
    raise argparse.ArgumentTypeError("no lab '%s': there are %s" % (
        text, ", ".join(str(one.number) for one in known)))
