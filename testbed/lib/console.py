# SPDX-License-Identifier: GPL-2.0
"""The machine's serial port: a pty whose far end the emulator holds.

Called by testbed/run. Shows what the machine prints, logs it, finds the
markers of image/init in it, and in interactive mode hands over what is typed.
"""

import base64
import binascii
import gzip
import os
import pty
import re
import select
import termios
import time
import tty

ESCAPE = 0x01		# Ctrl-A: then X quits, Ctrl-A sends a Ctrl-A
QUIT = (b"x", b"X")


class Quit(Exception):
    """The user pressed the exit key."""


class Taken:
    """A file of the machine that comes by the console: what is between two markers."""

    def __init__(self, marker_id):
        self.begin = re.compile(rb"@@testbed-take " + marker_id.encode() + rb" (\d+)@@\r?\n")
        self.end = b"@@testbed-taken %s@@" % marker_id.encode()
        self.number, self.text = None, bytearray()
        self.files = {}		# by their number

    def split(self, data):
        """Keeps what belongs to a file, and returns the rest."""
        m = self.number is None and self.begin.search(data)
        if m:
            self.number = int(m.group(1))
            return data[:m.start()] + self.split(data[m.end():])
        if self.number is None:
            return data
        # The end, with CR and LF, may come in parts; to look at all of it each time takes too long.
        near = max(0, len(self.text) - len(self.end) - 2)
        self.text += data
        end = self.text.find(self.end, near)
        over = self.text.find(b"\n", end)
        if end < 0 or over < 0:
            return b""
        rest = bytes(self.text[over + 1:])
        try:
            self.files[self.number] = gzip.decompress(base64.b64decode(bytes(self.text[:end])))
        except (OSError, EOFError, binascii.Error):
            pass		# somebody else has printed into it: the file did not come
        self.number, self.text = None, bytearray()
        return self.split(rest)


class Console:
    """Context manager: on leaving, the user's terminal is as it was."""

    def __init__(self, marker_id, log=None, show=True, times=False, interactive=False):
        self.id = marker_id
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.tty_name = os.ttyname(self.slave)
        self.marker = re.compile(rb"@@testbed-(start|counted|exit) " + marker_id.encode() +
                                 rb"(?: (\w+))?(?: (\d+))?@@\r?\n")
        self.taken = Taken(marker_id)
        self.log = log
        self.show = show
        self.times = times
        self.interactive = interactive
        self.held = b""		# may be the beginning of a marker
        self.tail = b""		# the last of the output, to look for a splat in
        self.line_start = True
        self.started = None	# seconds until the command ran
        self.status = None	# exit status of the command
        self.exits = {}		# of guests, by name, if they were counted
        self.begin = time.monotonic()
        self.escaped = False
        self.saved = None

    def __enter__(self):
        if self.interactive:
            self.saved = termios.tcgetattr(0)
            tty.setraw(0)
        return self

    def __exit__(self, *exc):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)
        os.close(self.master)
        os.close(self.slave)

    def size(self):
        """The user's terminal as arguments to stty."""
        try:
            size = os.get_terminal_size(0)
        except OSError:
            return ""
        return "rows %d cols %d" % (size.lines, size.columns) if size.lines else ""

    def wait(self, seconds):
        """Move bytes for at most that long; True if the machine printed something."""
        fds = [self.master, 0] if self.interactive else [self.master]
        ready = select.select(fds, [], [], seconds)[0]
        if 0 in ready:
            self.typed(os.read(0, 4096))
        if self.master not in ready:
            return False
        self.printed(os.read(self.master, 65536))
        return True

    def typed(self, data):
        for i in range(len(data)):
            c = data[i:i + 1]
            if self.escaped:
                self.escaped = False
                if c in QUIT:
                    raise Quit
            elif c[0] == ESCAPE:
                self.escaped = True
                continue
            os.write(self.master, c)

    def printed(self, data):
        data = self.taken.split(self.held + data)
        self.held = b""
        for m in self.marker.finditer(data):
            if m.group(1) == b"start":
                self.started = time.monotonic() - self.begin
            elif m.group(1) == b"counted":
                self.exits[m.group(2).decode()] = int(m.group(3))
            else:
                self.output(self.marker.sub(b"", data[:m.start()]))
                data = data[m.end():]
                self.status = int(m.group(2) or 1)
                break
        data = self.marker.sub(b"", data)
        line = data[data.rfind(b"\n") + 1:]
        first = line.find(b"@@")
        if first >= 0 and len(line) - first < 64 or line.endswith(b"@"):
            keep = len(line) - (first if first >= 0 else len(line) - 1)
            self.held = data[-keep:]
            data = data[:-keep]
        self.tail = (self.tail + data)[-65536:]
        self.output(data)

    def output(self, data):
        if self.log:
            self.log.write(data.replace(b"\r", b""))
            self.log.flush()
        if not self.show or self.status is not None:
            return
        if not self.interactive:
            data = data.replace(b"\r", b"")
        if self.times and not self.interactive:
            data = self.stamped(data)
        while data:
            try:
                data = data[os.write(1, data):]
            except BlockingIOError:
                select.select([], [1], [])

    def stamped(self, data):
        stamp = b"%6.1f " % (time.monotonic() - self.begin)
        out = b""
        for line in data.splitlines(keepends=True):
            out += (stamp if self.line_start else b"") + line
            self.line_start = line.endswith(b"\n")
        return out

    def flush(self):
        """Nothing more will come: let go of what was held back."""
        self.output(self.held)
        self.held = b""

    def splat(self):
        """What the kernel said when it died, or nothing."""
        text = self.tail.replace(b"\r", b"").decode(errors="replace")
        where = [text.rfind(s) for s in ("------------[ cut here", "BUG:", "Oops:",
                                         "Kernel panic", "detected stall")]
        found = [w for w in where if w >= 0]
        return text[text.rfind("\n", 0, min(found)) + 1:] if found else ""
