# SPDX-License-Identifier: GPL-2.0
# Forwards only: every target is a script or another Makefile, which can be run
# by itself. Everything that is built goes to build/.

# The headers to build against: KDIR=<directory>, or KVER=<release>; default the
# running kernel's, or else the newest set that is installed.
KDIR ?= $(shell scripts/headers $(KVER))

all: module minivmm

module:
	@testbed/build-module "$(KDIR)"

minivmm:
	@$(MAKE) --no-print-directory -C userspace-demo O="$(CURDIR)/build/userspace-demo"

demo:
	@testbed/demo

check:
	@testbed/check

check-matrix:
	@testbed/check-matrix

check-debug:
	@testbed/check-debug

bench:
	@bench/run

bench-check:
	@bench/check

load:
	@scripts/load

unload:
	@scripts/unload

install: module
	@scripts/install "$(KDIR)"

clean:
	rm -rf build

help:
	@cat scripts/make-help.txt

.PHONY: all module minivmm demo check check-matrix check-debug bench bench-check load unload install clean help
