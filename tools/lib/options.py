# SPDX-License-Identifier: GPL-2.0
"""Arguments of minikvm-trace and minikvm-top: what is wrong with one is one sentence."""

import argparse
import os
import sys

WRONG = 2


class Parser(argparse.ArgumentParser):
    """Answers wrong arguments in one sentence; --help has the rest."""

    def __init__(self, **more):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter,
                         allow_abbrev=False, **more)

    def parse_args(self, args=None, namespace=None):
        """An option that is none is said before an argument that is missing."""
        first = (sys.argv[1:] if args is None else args)[:1]
        if first and first[0].startswith("--") and len(first[0]) > 2 and \
                first[0].split("=")[0] not in self._option_string_actions:
            self.error("no option %s" % first[0])
        return super().parse_args(args, namespace)

    def error(self, message):
        self.exit(WRONG, "%s: %s (see --help)\n" % (self.prog, message))


def existing_file(text):
    """For add_argument(type=): a file that can be read."""
    if not os.path.isfile(text):
        raise argparse.ArgumentTypeError("no file '%s' here" % text)
    if not os.access(text, os.R_OK):
        raise argparse.ArgumentTypeError("'%s' cannot be read" % text)
    return text


def whole(low, high, what):
    """For add_argument(type=): a whole number of @what within limits."""
    def parse(text):
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError("'%s' is no number of %s from %d to %d" % (
                text, what, low, high))
        return int(text)
    return parse


def guarded(prog, main):
    """main()'s exit status; files that fail, a reader that left and an interrupt are no traceback."""
    try:
        status = main()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as e:
        print("%s: %s" % (prog, e), file=sys.stderr)
        return 1
