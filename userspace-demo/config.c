// SPDX-License-Identifier: GPL-2.0
/* The command line: what it may say, and what of it does not go together. */
#include <cpuid.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "die.h"
#include "memory.h"

static const char usage_text[] =
"usage: minivmm [options] --kernel BZIMAGE | --flat FILE\n"
"\n"
"  --kernel FILE     boot this Linux (bzImage) by the 64-bit boot protocol\n"
"  --initrd FILE     with this initial RAM disk\n"
"  --cmdline TEXT    and this command line (default: console=ttyS0 panic=-1)\n"
"  --flat FILE       or run a flat binary in real mode, from its first byte\n"
"  --load ADDRESS    guest physical address of the flat binary (default: 0x1000)\n"
"  --irqchip         interrupt chips in the kernel for a flat binary, too\n"
"  --cpus N          processors of the guest, 1 to 64, each a thread (default: 1)\n"
"  --mem MIB         memory of the guest (default: 256); what does not fit below\n"
"                    3 GiB is above 4 GiB\n"
"  --populate        have the host provide all of it at the start\n"
"  --device PATH     /dev/minikvm (default) or /dev/kvm\n"
"  --timeout SECONDS give up after this time (default: never)\n"
"  --stats           print exits by reason at the end, and the kernel's own (root)\n"
"  --gdb PORT|TTY    wait for gdb on this port of localhost, or on a serial line\n"
"                    (/dev/...): breakpoints, watchpoints, steps, registers, memory;\n"
"                    each vCPU is a thread. The guest begins when gdb says continue\n"
"  --help            this text\n"
"\n"
"The guest's serial port is the terminal. Ctrl-A X quits, Ctrl-A Ctrl-A sends Ctrl-A.\n"
"\n"
"exit status: 0 the guest powered off (a flat binary: or halted), 1 error,\n"
"2 wrong arguments, 3 the guest crashed, 4 it asked for a reset, 5 time-out, 6 quit\n";

/* strtoul() would take "-1", " 1" and "". */
static unsigned long config_number(const char *option, const char *text, unsigned long least,
				   unsigned long most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || value < least || value > most)
		refuse("%s takes a number from %lu to %lu, not '%s'", option, least, most, text);
	return value;
}

/* MiB that the processor's physical addresses reach, less the hole; 1 TiB is enough. */
static unsigned long mem_most(void)
{
	unsigned int a = 0, b, c, d, bits;

	bits = __get_cpuid(0x80000008, &a, &b, &c, &d) ? a & 0xff : 36;
	if (bits > 40)
		bits = 40;
	return ((1ull << bits) - (HIGH_MEMORY - LOW_MEMORY_MAX)) >> 20;
}

static void config_check(const struct config *c)
{
	if (!c->kernel == !c->flat)
		refuse("give either --kernel or --flat");
	if (c->flat && (c->initrd || c->cmdline))
		refuse("--initrd and --cmdline are for --kernel");
	if (c->kernel && c->load)
		refuse("--load is for --flat");
	if (c->cpus > 1 && c->flat && !c->irqchip)
		refuse("--cpus for a flat binary wants --irqchip: who else would start them");
}

static void config_defaults(struct config *c)
{
	if (c->kernel)
		c->irqchip = true;
	if (!c->cmdline)
		c->cmdline = "console=ttyS0 panic=-1";
	if (!c->load)
		c->load = 0x1000;
}

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cmdline", required_argument, NULL, 'c' },
	{ "flat", required_argument, NULL, 'f' },
	{ "load", required_argument, NULL, 'l' },
	{ "irqchip", no_argument, NULL, 'q' },
	{ "cpus", required_argument, NULL, 'n' },
	{ "mem", required_argument, NULL, 'm' },
	{ "device", required_argument, NULL, 'd' },
	{ "timeout", required_argument, NULL, 't' },
	{ "populate", no_argument, NULL, 'p' },
	{ "stats", no_argument, NULL, 's' },
	{ "gdb", required_argument, NULL, 'g' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static void config_option(struct config *c, int option, const char *text)
{
	switch (option) {
	case 'k': c->kernel = optarg; break;
	case 'i': c->initrd = optarg; break;
	case 'c': c->cmdline = optarg; break;
	case 'f': c->flat = optarg; break;
	case 'l': c->load = config_number("--load", optarg, 1, 0xffff); break;
	case 'q': c->irqchip = true; break;
	case 'n': c->cpus = config_number("--cpus", optarg, 1, MAX_CPUS); break;
	case 'm': c->mem = (uint64_t)config_number("--mem", optarg, 2, mem_most()) << 20; break;
	case 'd': c->device = optarg; break;
	case 't': c->timeout = config_number("--timeout", optarg, 1, 1000000); break;
	case 'p': c->populate = true; break;
	case 's': c->stats = true; break;
	case 'g': c->gdb = optarg; break;
	case 'h': fputs(usage_text, stdout); exit(0);
	case ':': refuse("'%s' wants a value", text);
	default: refuse("'%s' is not understood", text);
	}
}

void config_parse(struct config *c, int argc, char **argv)
{
	int at = 1, option;

	*c = (struct config) { .cpus = 1, .mem = 256ull << 20 };
	opterr = 0;	/* one sentence of ours */
	while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		config_option(c, option, argv[at]);
		at = optind;
	}
	if (optind < argc)
		refuse("'%s' is too much", argv[optind]);
	config_check(c);
	config_defaults(c);
}
