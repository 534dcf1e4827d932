# SPDX-License-Identifier: GPL-2.0
# Forwards only: every target is a script or another Makefile, which can be run
# by itself. Everything that is built goes to build/.

# The headers to build against: KDIR=<directory>, or KVER=<release>; default the
# running kernel's, or else the newest set that is installed.
KDIR ?= $(shell scripts/headers $(KVER))
# DEBUG=1: a module that checks what the hardware forgives. It is never installed.
DEBUG ?= 0

# make fuzz MINUTES=60: how long it looks.
MINUTES ?= 10

# These call make, too, but with jobs and options of their own.
ALONE := MAKEFLAGS=

all: module minivmm

# "+": it calls make, which takes part in -j and -n.
module:
	+@kdir="$(KDIR)" && [ "$$kdir" ] || exit 2; testbed/build-module "$$kdir" DEBUG=$(DEBUG)

minivmm:
	@mkdir -p build && flock build/.minivmm $(MAKE) --no-print-directory -C userspace-demo O=../build/userspace-demo

demo:
	@$(ALONE) testbed/demo

check:
	@$(ALONE) testbed/check

check-matrix:
	@$(ALONE) testbed/check-matrix

check-guests:
	@$(ALONE) testbed/check-guests

check-pictures:
	@$(ALONE) testbed/check-pictures

check-faults:
	@testbed/check-faults

coverage:
	@testbed/coverage

fuzz:
	@testbed/fuzz --minutes "$(MINUTES)"

check-debug:
	@testbed/check-debug

check-host:
	@testbed/check-host

check-mutants:
	@testbed/check-mutants

check-kernels:
	@$(ALONE) testbed/check-kernels

check-upstream:
	@testbed/check-upstream

# CASES= so many, SEED= from this one on, GENERATOR= one of them; what was found is no result.
check-oracle:
	@$(ALONE) testbed/check-oracle --record $(if $(CASES),--cases $(CASES)) \
		$(if $(SEED),--seed $(SEED)) $(if $(GENERATOR),--generator $(GENERATOR))

check-debian12 check-debian13:
	@$(ALONE) testbed/check-debian $(@:check-debian%=%)

check-labs:
	@$(ALONE) labs/check --record

# In a student's tree its own lab, elsewhere LAB=.
grade:
	@$(ALONE) labs/lab grade $(LAB)

bench:
	@$(ALONE) bench/run

bench-check:
	@$(ALONE) bench/check

load:
	@scripts/load

unload:
	@scripts/unload

install: module minivmm
	@DESTDIR="$(DESTDIR)" prefix="$(prefix)" scripts/install "$(KDIR)"

uninstall:
	@DESTDIR="$(DESTDIR)" prefix="$(prefix)" scripts/install --remove

deb:
	@$(ALONE) packaging/build-deb

clean:
	rm -rf build

help:
	@cat scripts/make-help.txt

.PHONY: all module minivmm demo check check-matrix check-guests check-pictures check-debug check-host check-kernels check-upstream \
	check-oracle check-faults check-mutants coverage fuzz \
	check-debian12 check-debian13 check-labs grade \
	bench bench-check load unload install uninstall deb clean help
