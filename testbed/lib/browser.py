# SPDX-License-Identifier: GPL-2.0
"""What a browser makes of a page: its document after the scripts have run, and its pixels.

Called by testbed/check-pictures.
"""

import os
import re
import struct
import subprocess
import tempfile
import zlib

BROWSER = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
           "--force-device-scale-factor=1", "--virtual-time-budget=20000")


def browse(url, *options):
    """What the browser prints, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="minikvm-browser.", ignore_cleanup_errors=True) as home:
        return subprocess.run(
            BROWSER + ("--user-data-dir=" + home,) + options + (url,), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=180, check=False,
            env=dict(os.environ, HOME=home)).stdout


def document(url):
    return browse(url, "--dump-dom")


def table(dom, name):
    """{row: (in view, all)} of a table of the page."""
    body = re.search(r'<table id="%s">(.*?)</table>' % name, dom, re.S)
    return {row: (float(seen), float(all_)) for row, seen, all_ in re.findall(
        r'<tr data-name="([^"]*)".*?</i>.*?</td><td>([^<]*)</td><td>([^<]*)</td>', body.group(1) if body else "", re.S)}


def unfilter(raw, height, stride, size):
    """The rows of a PNG: each says how it was made of its neighbours."""
    before = bytearray(stride)
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride if kind else 0):
            left, up = (row[x - size] if x >= size else 0), before[x]
            corner = before[x - size] if x >= size else 0
            p = left + up - corner
            paeth = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
            row[x] = (row[x] + (0, left, up, (left + up) // 2, paeth)[kind]) & 0xff
        yield row
        before = row


def pixels(url, width, height):
    """[y][x] = '#rrggbb' of a screenshot."""
    with tempfile.TemporaryDirectory(prefix="minikvm-shot.") as where:
        path = os.path.join(where, "shot.png")
        browse(url, "--screenshot=" + path, "--window-size=%d,%d" % (width, height))
        with open(path, "rb") as f:
            data = f.read()
    at, body = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            w, h, depth, color = struct.unpack(">IIBB", data[at + 8:at + 18])
        elif kind == b"IDAT":
            body += data[at + 8:at + 8 + length]
        at += length + 12
    size = {2: 3, 6: 4}[color]
    if depth != 8:
        raise ValueError("a PNG of %d bits" % depth)
    return [["#%02x%02x%02x" % tuple(row[x:x + 3]) for x in range(0, w * size, size)]
            for row in unfilter(zlib.decompress(body), h, w * size, size)]
