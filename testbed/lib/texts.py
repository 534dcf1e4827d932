# SPDX-License-Identifier: GPL-2.0
"""The texts of the tree that people read, and the code in them.

Called by scripts/static/50-docs and 51-commands.
"""

import glob
import re

PATTERNS = ("*.md", "MAINTAINERS", "Documentation/*.rst", "*/README.md", "*/*/README.md",
            "packaging/man/*", "scripts/make-help.txt", "labs/*/*.rst")


def paths():
    return sorted(path for pattern in PATTERNS for path in glob.glob(pattern)
                  if not path.startswith("build/"))


def unescaped(text):
    """A man page as one reads it, as far as code goes."""
    text = re.sub(r'^\.\\".*\n', "", text, flags=re.M)
    return re.sub(r"\\(.)", lambda m: {"-": "-", "&": ""}.get(m.group(1), m.group(0)), text)


def man_code(text):
    for block in re.findall(r"^\.nf\n(.*?)^\.fi$", text, re.S | re.M):
        yield re.sub(r"^\.\w+ ?", "", block, flags=re.M)
    yield from re.findall(r"^\.B (.*)$", text, re.M)


def indented(text):
    """Blocks behind an empty line that are indented by a tab or four spaces."""
    for block in re.findall(r"(?:^|\n)[ \t]*\n((?:(?:\t| {4}).*\n|[ \t]*\n)+)", text + "\n"):
        yield block


def code():
    """(path, piece of code) of all texts."""
    for path in paths():
        with open(path) as f:
            text = f.read()
        if path.startswith("packaging/man/"):
            pieces = man_code(unescaped(text))
        elif path.endswith(".txt"):
            pieces = (re.sub(r"(?<=\S)  .*", "", line) for line in text.split("\n"))
        else:
            inline = re.sub(r"(?:^|\n)((?:\t| {4}).*\n)+", "\n", text)
            pieces = [m.group(2) for m in re.finditer(r"(`+)([^`]+)\1", inline)] + list(indented(text))
        for piece in pieces:
            yield path, piece
