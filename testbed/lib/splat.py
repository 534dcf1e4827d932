# SPDX-License-Identifier: GPL-2.0
"""What a kernel said when it died, with the module's source lines.

Called by testbed/run. The .ko that was packed has them if it was built with them.
"""

import collections
import re
import subprocess

# RIP: 0010:vcpu_run+0x12/0x340 [minikvm], or without RIP: a place to return to.
PLACE = re.compile(r"(RIP: \S*?:)?([A-Za-z_][\w.]*)\+0x([0-9a-f]+)/0x[0-9a-f]+ \[minikvm\]")


def output(argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False).stdout


def functions(module):
    """{name: [(section, address)]}: a static one's name may be there twice."""
    table = collections.defaultdict(list)
    for address, section, name in re.findall(
            r"^([0-9a-f]{16}) .{6}F (\S+)\t[0-9a-f]+ (?:\.hidden )?(\S+)$",
            output(["objdump", "-t", module]), re.M):
        table[name].append((section, int(address, 16)))
    return table


def source_lines(text, module):
    """["vcpu_run+0x12: module/run/run.c:123"], of each place once."""
    table, found = functions(module), {}
    for rip, name, offset in PLACE.findall(text):
        if len(table[name]) != 1:
            continue
        section, address = table[name][0]
        # What a call returns to may be another line's.
        at = address + int(offset, 16) - (0 if rip else 1)
        line = output(["addr2line", "-e", module, "-j", section, hex(at)]).split(" (")[0].strip()
        if re.search(r":[1-9]\d*$", line):
            place = "%s+0x%s" % (name, offset)
            found.setdefault(place, "%s: %s" % (place, re.sub(r"^.*/(?=module/)", "", line)))
    return list(found.values())
