# SPDX-License-Identifier: GPL-2.0
"""A timeline as one HTML file that needs nothing else. Called by minikvm-trace.

The sums on the page are made in the browser, of the data that it draws: page.html.
"""

import html as markup
import json
import os
import re

import picture
import table
import timeline

HERE = os.path.dirname(os.path.realpath(__file__))


def numbered(words):
    """(list of the different words, {word: number})."""
    found = list(dict.fromkeys(words))
    return found, {word: n for n, word in enumerate(found)}


def deltas(times, begin):
    """Each as the distance from the one before: short numbers."""
    out = []
    for time in times:
        out.append(time - begin)
        begin = time
    return out


def vcpu_data(vcpu, begin, reasons, places):
    """What page.html reads of a vCPU; all flat lists."""
    segments, at = [], begin
    for b, e, state in vcpu.segments:
        segments += [b - at, e - b, state]
        at = e
    return {
        "name": vcpu.name(), "segments": segments,
        "exitTimes": deltas([e.time for e in vcpu.exits], begin),
        "exitReasons": [reasons[table.name_of(e)] for e in vcpu.exits],
        "exitPlaces": [places[(e.rip, e.about)] for e in vcpu.exits],
        "injectTimes": deltas([i[0] for i in vcpu.injected], begin),
        "injectVectors": [i[1] for i in vcpu.injected],
    }


def data(tl, symbols, title):
    reasons, reason_numbers = numbered(name for name, _ in table.grouped(tl.exits(), table.name_of))
    places, place_numbers = numbered((e.rip, e.about) for e in tl.exits())
    colors = picture.colors_of({r: -n for n, r in enumerate(reasons)})
    return {
        "title": title, "unit": tl.unit, "length": tl.end - tl.begin,
        "states": timeline.STATES, "stateColors": picture.STATES,
        "reasons": reasons, "reasonColors": [colors[r] for r in reasons],
        "places": [" ".join(filter(None, ("rip 0x%x" % rip, symbols.name(rip), about)))
                   for rip, about in places],
        "vcpus": [vcpu_data(v, tl.begin, reason_numbers, place_numbers) for v in tl.vcpus],
        "counted": tl.record.counted, "lost": tl.record.lost,
    }


def html(tl, symbols, title):
    """The page."""
    with open(os.path.join(HERE, "page.html")) as f:
        page = f.read()
    # What a record says ends no element, and is no gap of the page.
    text = json.dumps(data(tl, symbols, title), separators=(",", ":")).replace("<", "\\u003c")
    filled = {"@title@": markup.escape(title), "@data@": text}
    return re.sub("@title@|@data@", lambda gap: filled[gap.group(0)], page)
