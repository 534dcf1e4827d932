# SPDX-License-Identifier: GPL-2.0
"""Marks of clever code, which is there only for its speed. Called by bench/clever and by
scripts/static/50-docs.

A mark is a comment "Clever: NAME". Behind code it stands for its line; else for all from its
comment to "Clever ends: NAME". One mark of each name goes on "delete this and all still works,
N instructions slower (row ROW)"; N is ? until bench/clever has measured it.
"""

import re

BEGIN = re.compile(r"\bClever: ([\w-]+)")
END = re.compile(r"\bClever ends: ([\w-]+)")
FIGURE = re.compile(r"Clever: ([\w-]+): delete this and all still works, (\d+|\?)\s+instructions\s+slower\s+\(row\s+([\w-]+)\)")


def names(text):
    return set(BEGIN.findall(text))


def figures(text):
    """[(name, instructions, row)] of one file's text, all words."""
    return FIGURE.findall(re.sub(r"\n[ \t]*\*[ \t]+", " ", text))


def with_figure(text, name, n):
    """The text with another number in the mark's sentence, or in the list's row."""
    text = re.sub(r"(Clever: %s: delete this and all still works, )(\d+|\?)" % name, r"\g<1>%d" % n, text)
    return re.sub(r"^(``%s`` +)(?:\d+|\?) *(?=  T)" % name, lambda m: m.group(1) + "%-6d" % n, text, flags=re.M)


def without(text, gone):
    """The text less what is marked with one of the names in @gone."""
    kept, inside = [], None
    for line in text.split("\n"):
        begin, end = BEGIN.search(line), END.search(line)
        if inside:
            if end and end.group(1) == inside:
                inside = None
        elif not begin or begin.group(1) not in gone:
            kept.append(line)
        elif line.strip().startswith(("/*", "*")):
            inside = begin.group(1)
            if line.strip().startswith("*"):		# its comment began above
                while not kept.pop().strip().startswith("/*"):
                    pass
    if inside:
        raise ValueError("no end of %s" % inside)
    return "\n".join(kept)


def wrong(texts):
    """Sentences about marks that are not as they should be; @texts is {path: text}."""
    all_figures = [f for text in texts.values() for f in figures(text)]
    for name in sorted(set().union(*map(names, texts.values()))):
        found = [f for f in all_figures if f[0] == name]
        if len(found) != 1:
            yield "%s has %d figures, must be one" % (name, len(found))
    for path, text in texts.items():
        inside = None
        for line in text.split("\n"):
            begin, end = BEGIN.search(line), END.search(line)
            if end and end.group(1) != inside:
                yield "%s: the end of %s, which did not begin" % (path, end.group(1))
            if begin and inside:
                yield "%s: %s begins in %s" % (path, begin.group(1), inside)
            if begin and line.strip().startswith(("/*", "*")):
                inside = begin.group(1)
            if end:
                inside = None
        if inside:
            yield "%s: %s does not end" % (path, inside)
