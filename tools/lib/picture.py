# SPDX-License-Identifier: GPL-2.0
"""A timeline as SVG. Called by minikvm-trace.

Few segments are drawn as they are, with their length. Of many, each column of the picture shows
the share that each state has of its time. Below a vCPU's lane is a stroke for each exit, by
reason (in a column: of each reason that it has), above it one for each event that was put in.
"""

from xml.sax.saxutils import escape

import timeline

STATES = ("#4c9f70", "#d1495b", "#edae49", "#dde1e6", "#9a8fb8")
REASONS = ("#1f4e79", "#c0392b", "#7d3c98", "#117a65", "#b9770e", "#34495e", "#d35400", "#2e86c1")
REST = "#7f8c8d"
WIDTH, LEFT, LANE, STRIP, ROW = 960, 110, 44, 12, 3
COLUMN = 3
LETTER = 6			# of an exit's name, at most
EXACT = 80			# segments


def colors_of(reasons):
    """{reason: color}, the most frequent first."""
    names = [name for name, _ in sorted(reasons.items(), key=lambda r: (-r[1], r[0]))]
    return {name: REASONS[n] if n < len(REASONS) else REST for n, name in enumerate(names)}


def around(tl, reason, nth):
    """(begin, end) of the nth exit of that reason, from its entry to behind the next entry."""
    for vcpu in tl.vcpus:
        found = [n for n, e in enumerate(vcpu.exits) if e.reason == reason]
        if nth and not nth.isdecimal() or len(found) < int(nth or 1) or nth == "0":
            continue
        exit_ = vcpu.exits[found[int(nth or 1) - 1]]
        stays = [s for s in vcpu.segments if s[2] == timeline.GUEST]
        before = [s for s in stays if s[1] <= exit_.time]
        after = [s for s in stays if s[0] > exit_.time]
        return (before[-1][0] if before else exit_.time, after[0][1] if after else tl.end)
    return None


def rect(x, y, w, h, fill, title=""):
    body = "<title>%s</title></rect>" % escape(title) if title else "</rect>"
    return '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s">%s' % (x, y, w, h, fill, body)


def text(x, y, words, more=""):
    return '<text x="%.1f" y="%.1f"%s>%s</text>' % (x, y, more, escape(str(words)))


def shares(segments, begin, end, n):
    """[n columns][state]: how much of the time of a column a state has, from 0 to 1."""
    columns = [[0.0] * len(timeline.STATES) for _ in range(n)]
    step = (end - begin) / n
    for b, e, state in segments:
        b, e = max(b, begin), min(e, end)
        first = int((b - begin) / step) if b < e else n
        for c in range(first, min(n, int((e - begin) / step) + 1)):
            low = begin + c * step
            columns[c][state] += max(0.0, min(e, low + step) - max(b, low)) / step
    return columns


class Picture:
    def __init__(self, tl, begin, end, title):
        self.tl, self.begin, self.end = tl, begin, end
        self.colors = colors_of(tl.by_reason())
        rows = min(len(self.colors), len(REASONS) + 1)
        self.strip = STRIP if all(self.few(v) for v in tl.vcpus) else max(STRIP, ROW * rows)
        self.scale = (WIDTH - LEFT - 10) / (end - begin)
        self.out = [text(10, 22, title, ' font-size="15" font-weight="bold"')] if title else []

    def x(self, time):
        return LEFT + (time - self.begin) * self.scale

    def inside(self, time):
        return self.begin <= time <= self.end

    # ---- a lane

    def exact(self, segments, y):
        for b, e, state in segments:
            b, e = max(b, self.begin), min(e, self.end)
            x, w = self.x(b), (e - b) * self.scale
            self.out.append(rect(x, y, w, LANE, STATES[state],
                                 "%s: %d %s" % (timeline.STATES[state], e - b, self.tl.unit)))
            if w > 46:
                middle = ' text-anchor="middle"%s' % (' fill="white"' if state < 2 else "")
                self.out += [text(x + w / 2, y + 19, timeline.STATES[state], middle),
                             text(x + w / 2, y + 34, e - b, middle)]

    def summed(self, segments, y):
        """A path for each state: columns next to each other that look alike are one."""
        n = (WIDTH - LEFT - 10) // COLUMN
        paths = {}
        run, last = 0, None
        columns = [[round(share * LANE) for share in c]
                   for c in shares(segments, self.begin, self.end, n)] + [None]
        for c, column in enumerate(columns):
            if c and column != last:
                low = y + LANE
                for state, height in enumerate(last):
                    if height:
                        low -= height
                        paths.setdefault(state, []).append("M%d %dh%dv%dh-%dz" % (
                            LEFT + run * COLUMN, low, (c - run) * COLUMN, height, (c - run) * COLUMN))
                run = c
            last = column
        for state, parts in sorted(paths.items()):
            self.out.append('<path fill="%s" d="%s"/>' % (STATES[state], "".join(parts)))

    def strokes(self, times, y, height, color):
        """One for each time, but not two at one place; those side by side are one bar."""
        wide, bars = 2, []
        for place in sorted({int(self.x(t)) // wide for t in times if self.inside(t)}):
            if bars and bars[-1][1] == place:
                bars[-1][1] += 1
            else:
                bars.append([place, place + 1])
        if bars:
            self.out.append('<path fill="%s" d="%s"/>' % (color, "".join(
                "M%d %dh%dv%dh-%dz" % (a * wide, y, (b - a) * wide, height, (b - a) * wide) for a, b in bars)))

    def exits(self, vcpu, y):
        """A row for each of the reasons that have a color of their own, one for the others."""
        for n, (reason, color) in enumerate(self.colors.items()):
            times = [e.time for e in vcpu.exits if e.reason == reason]
            if self.strip == STRIP:
                self.strokes(times, y, STRIP, color)
            else:
                self.strokes(times, y + ROW * min(n, len(REASONS)), ROW - 1, color)

    def few(self, vcpu):
        return sum(s[1] > self.begin and s[0] < self.end for s in vcpu.segments) <= EXACT

    def lane(self, vcpu, y):
        self.out += [text(10, y + 20, "vCPU %d" % vcpu.number),
                     text(10, y + LANE + 11, "exits", ' fill="#666" font-size="10"')]
        segments = [s for s in vcpu.segments if s[1] > self.begin and s[0] < self.end]
        (self.exact if self.few(vcpu) else self.summed)(segments, y)
        self.strokes([t for t, _, _ in vcpu.injected], y - 7, 5, "#222")
        self.exits(vcpu, y + LANE + 2)
        if self.few(vcpu):
            self.names(vcpu, y + LANE + STRIP)

    def names(self, vcpu, y):
        """What there is room for up to the next exit. At the end is none."""
        shown = [e for e in vcpu.exits if self.begin <= e.time < self.end]
        places = [self.x(e.time) for e in shown] + [WIDTH]
        for n, e in enumerate(shown):
            room = (places[n + 1] - places[n]) / LETTER
            words = next((w for w in ((e.reason + " " + e.about).strip(), e.reason) if len(w) <= room), None)
            if words:
                self.out.append(text(places[n] + 3, y, words,
                                     ' font-size="10" fill="%s"' % self.colors.get(e.reason, REST)))

    # ---- around the lanes

    def legend(self, y):
        x = LEFT
        for n, name in enumerate(timeline.STATES):
            self.out += [rect(x, y - 9, 10, 10, STATES[n]), text(x + 14, y, name)]
            x += 34 + 7 * len(name)
        if any(self.inside(i[0]) for v in self.tl.vcpus for i in v.injected):
            self.out += ['<path stroke="#222" d="M%d %dv8"/>' % (x + 5, y - 9), text(x + 14, y, "an event put in")]
        x, y = LEFT, y + 18
        for reason, color in self.colors.items():
            count = sum(e.reason == reason and self.inside(e.time) for v in self.tl.vcpus for e in v.exits)
            words = "%s %d" % (reason, count)
            if count:
                if x + 24 + 7 * len(words) > WIDTH:
                    x, y = LEFT, y + 16
                self.out += ['<path stroke="%s" stroke-width="2" d="M%d %dv9"/>' % (color, x + 5, y - 9),
                             text(x + 14, y, words)]
                x += 28 + 7 * len(words)
        return y

    def axis(self, y):
        step = 10 ** max(0, len(str((self.end - self.begin) // 4)) - 1)
        while (self.end - self.begin) / step > 8:
            step *= 2
        for n in range(int((self.end - self.begin) / step) + 1):
            x = self.x(self.begin + n * step)
            self.out += ['<path stroke="#999" d="M%.1f %dv5"/>' % (x, y),
                         text(x, y + 17, "%d" % (n * step), ' font-size="10" text-anchor="middle"')]
        self.out.append(text(10, y + 17, self.tl.unit, ' font-size="10"'))

    def draw(self):
        y = 50
        for vcpu in self.tl.vcpus:
            self.lane(vcpu, y)
            y += LANE + self.strip + 24
        self.axis(y - 12)
        height = self.legend(y + 28) + 12
        return "\n".join(
            ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
             'font-family="sans-serif" font-size="12">' % (WIDTH, height, WIDTH, height),
             '<rect width="100%" height="100%" fill="white"/>'] + self.out + ["</svg>", ""])


def svg(tl, begin, end, title):
    """The picture of a part of a timeline."""
    return Picture(tl, begin, end, title).draw()
