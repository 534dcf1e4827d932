# SPDX-License-Identifier: GPL-2.0
"""Functions of C files, found by universal-ctags, and other bodies for them.

Called by labs/lab, labs/check and labs/grade-class. A function is as the kernel's style has it: its body begins
with a line of one brace.
"""

import json
import os
import re
import shutil
import subprocess

from description import Wrong

# What a stub returns, by the first of these that the type matches.
NEUTRAL = ((r"void$", None), (r".*\*$", "NULL"), (r"bool$", "false"), (r"(struct|union) \w+$", "(%s) {}"), ("", "0"))


class Tag:
    """A function, or a variable, of a file; lines count from 0, @end is the last one."""

    def __init__(self, found):
        self.name, self.kind = found["name"], found["kind"]
        self.line, self.end = found["line"] - 1, found.get("end", found["line"]) - 1
        self.static = found.get("file", False)
        self.type = re.sub(r"^typename:", "", found.get("typeref", "")).replace("struct:", "struct ")


def tags(path):
    """[Tag] of what a file defines."""
    if not shutil.which("ctags"):
        raise Wrong("there is no ctags here: testbed/packages labs installs it")
    out = subprocess.run(["ctags", "--options=NONE", "--quiet", "--language-force=C", "--output-format=json",
                          "--fields=+nef", "--kinds-C=fvp", "-f", "-", path], check=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [Tag(json.loads(line)) for line in out.splitlines()]


def functions(path):
    return {tag.name: tag for tag in tags(path) if tag.kind == "function"}


def body_of(lines, tag, path):
    """(first line, last line) of a function's body: of the braces."""
    for n in range(tag.line, tag.end):
        if lines[n] == "{" and lines[tag.end] == "}":
            return n, tag.end
    raise Wrong("%s: %s() does not begin with a line of one brace" % (path, tag.name))


def code(text):
    """Without comments and strings, line for line."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def return_type(lines, tag):
    text = " ".join(lines[tag.line:tag.end])
    before = text[:re.search(r"\b%s\(" % tag.name, text).start()].strip()
    return re.sub(r"\b(static|inline|noinline|__always_inline|noinstr|const|__init|__cold)\b ?", "", before).strip()


def stub(lines, tag, given):
    """The lines of a stub's body."""
    if given is not None:
        return ["\t" + line for line in given.split("\n")]
    kind = return_type(lines, tag)
    value = next(value for pattern, value in NEUTRAL if re.match(pattern, kind))
    return [] if value is None else ["\treturn %s;" % (value % kind if "%s" in value else value)]


def unused(path, text, bodies):
    """Static functions and variables of a file that only the holes used: a compiler would warn."""
    lines = code(text).split("\n")
    for first, last in bodies:
        lines[first:last + 1] = [""] * (last + 1 - first)
    found = tags(path)
    for tag in found:
        if tag.kind == "function" and not tag.static:
            continue
        rest = list(lines)
        for other in found:
            if other.name == tag.name:		# its definition, and its prototype
                rest[other.line:other.end + 1] = [""] * (other.end + 1 - other.line)
        if tag.static and tag.kind != "prototype" and not re.search(r"\b%s\b" % tag.name, "\n".join(rest)):
            yield tag


def with_stubs(path, names, stubs):
    """The text of a file, with stubs for bodies of the functions named."""
    with open(path) as f:
        text = f.read()
    lines, there = text.split("\n"), functions(path)
    for name in names:
        if name not in there:
            raise Wrong("%s has no function %s()" % (path, name))
    holes = sorted((there[name] for name in names), key=lambda tag: tag.line)
    bodies = [body_of(lines, tag, path) for tag in holes]
    keep = {tag.name: [] for tag in holes}
    for tag in unused(path, text, bodies):
        for hole, (first, last) in zip(holes, bodies):
            if re.search(r"\b%s\b" % tag.name, code("\n".join(lines[first:last]))):
                keep[hole.name].append("\t(void)%s;" % tag.name)
                break
    for hole, (first, last) in reversed(list(zip(holes, bodies))):
        lines[first + 1:last] = keep[hole.name] + stub(lines, hole, stubs.get(hole.name))
    return "\n".join(lines)


def with_answer(paths, answer):
    """{file: text} of the files that have a function which @answer, a C file, has, too."""
    with open(answer) as f:
        other = f.read().split("\n")
    texts = {}
    for name, tag in functions(answer).items():
        for path in paths:
            there = functions(path).get(name)
            if there:
                break
        else:
            raise Wrong("%s: no function %s() in %s" % (answer, name, ", ".join(paths)))
        first, last = body_of(other, tag, answer)
        texts.setdefault(path, []).append((there, other[first:last + 1]))
    changed = {}
    for path, bodies in texts.items():
        with open(path) as f:
            lines = f.read().split("\n")
        for tag, body in sorted(bodies, key=lambda b: -b[0].line):
            first, last = body_of(lines, tag, path)
            lines[first:last + 1] = body
        changed[path] = "\n".join(lines)
    return changed


def tracked(tree):
    """Files of a tree: those of git, or all that is there."""
    run = subprocess.run(["git", "-C", tree, "ls-files", "--cached", "--others", "--exclude-standard"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if run.returncode == 0 and os.path.exists(os.path.join(tree, ".git")):
        return [path for path in run.stdout.splitlines() if os.path.lexists(os.path.join(tree, path))]
    found = []
    for folder, folders, files in os.walk(tree):
        folders[:] = [name for name in folders if name not in ("build", ".git")]
        found += [os.path.relpath(os.path.join(folder, name), tree) for name in files]
    return sorted(found)


def copy_tree(tree, to):
    """Bring a copy of a tree up to date; what was built in it stays.

    A file that is put back is newer than what was built from its other text: times are not copied.
    """
    os.makedirs(to, exist_ok=True)
    subprocess.run(["rsync", "-rlp", "--checksum", "--delete", "--exclude=/build", "--exclude=/.git",
                    tree + "/", to + "/"], check=True)
