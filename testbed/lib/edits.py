# SPDX-License-Identifier: GPL-2.0
"""Tables of edits that break the real code on purpose, and the edits themselves.

Called by scripts/static/60-mutations and testbed/check-mutants, which say what a block of
their table is. These keys are the edit:
  file:  what is edited
  old:   text that is in the file once (more such lines: it goes on)
  every: or text that is there more than once, and is replaced everywhere
  new:   what stands there instead; without an old: text at the file's end, or a new file
  times: as often; @ is another word each time
"""


def table(path):
    """[{key: text}] of a table; a block is ended by an empty line."""
    blocks, block = [], {}
    with open(path) as f:
        for line in f.read().split("\n") + [""]:
            if line.startswith("#"):
                continue
            key, colon, text = line.partition(": " if ": " in line else ":")
            if colon:
                block[key] = block[key] + "\n" + text if key in block else text
            elif block:
                blocks.append(block)
                block = {}
    return blocks


def word(n):
    """Another one for each number, of letters."""
    return (word(n // 26 - 1) if n >= 26 else "") + chr(ord("a") + n % 26)


def mutated(block, text):
    """The file's text after the edit, or None: it does not apply any more."""
    new = block.get("new", "")
    if "times" in block:
        new = "\n".join(new.replace("@", word(n)) for n in range(int(block["times"])))
    if "every" in block:
        return text.replace(block["every"], new) if text and block["every"] in text else None
    if "old" not in block:
        return (text or "") + new + "\n"
    if text is None or text.count(block["old"]) != 1:
        return None
    return text.replace(block["old"], new)
