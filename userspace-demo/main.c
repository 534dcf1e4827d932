// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm: a virtual machine monitor to read. main() is the recipe: open the
 * device, make a VM, give it memory, make a vCPU, load a guest, run it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "vmm.h"

static const char usage_text[] =
"usage: minivmm [options] --kernel BZIMAGE | --flat FILE\n"
"\n"
"  --kernel FILE     boot this Linux (bzImage) by the 64-bit boot protocol\n"
"  --initrd FILE     with this initial RAM disk\n"
"  --cmdline TEXT    and this command line (default: console=ttyS0 panic=-1)\n"
"  --flat FILE       or run a flat binary in real mode, from its first byte\n"
"  --load ADDRESS    guest physical address of the flat binary (default: 0x1000)\n"
"  --irqchip         interrupt chips in the kernel for a flat binary, too\n"
"  --mem MIB         memory of the guest (default: 256)\n"
"  --populate        have the host provide all of it at the start\n"
"  --device PATH     /dev/minikvm (default) or /dev/kvm\n"
"  --timeout SECONDS give up after this time\n"
"  --stats           print exits by reason at the end, and the kernel's own (root)\n"
"  --help            this text\n"
"\n"
"The guest's serial port is the terminal. Ctrl-A X quits, Ctrl-A Ctrl-A sends Ctrl-A.\n"
"\n"
"exit status: 0 the guest powered off (a flat binary: or halted), 1 error,\n"
"2 wrong arguments, 3 the guest crashed, 4 it asked for a reset, 5 time-out, 6 quit\n";

static struct vmm vmm = { .dev = -1, .vm = -1, .vcpu = -1 };

void die(const char *format, ...)
{
	va_list args;

	terminal_restore();
	va_start(args, format);
	fprintf(stderr, "minivmm: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(ST_ERROR);
}

static void usage_error(const char *message)
{
	fprintf(stderr, "minivmm: %s (see minivmm --help)\n", message);
	exit(ST_USAGE);
}

static unsigned long number(const char *text, const char *what)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (!*text || *end) {
		fprintf(stderr, "minivmm: %s is no %s\n", text, what);
		exit(ST_USAGE);
	}
	return value;
}

static void parse(struct config *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "initrd", required_argument, NULL, 'i' },
		{ "cmdline", required_argument, NULL, 'c' },
		{ "flat", required_argument, NULL, 'f' },
		{ "load", required_argument, NULL, 'l' },
		{ "irqchip", no_argument, NULL, 'q' },
		{ "mem", required_argument, NULL, 'm' },
		{ "device", required_argument, NULL, 'd' },
		{ "timeout", required_argument, NULL, 't' },
		{ "populate", no_argument, NULL, 'p' },
		{ "stats", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'k': c->kernel = optarg; break;
		case 'i': c->initrd = optarg; break;
		case 'c': c->cmdline = optarg; break;
		case 'f': c->flat = optarg; break;
		case 'l': c->load = number(optarg, "address"); break;
		case 'q': c->irqchip = true; break;
		case 'm': c->mem_mib = number(optarg, "number of MiB"); break;
		case 'd': c->device = optarg; break;
		case 't': c->timeout = number(optarg, "number of seconds"); break;
		case 'p': c->populate = true; break;
		case 's': c->stats = true; break;
		case 'h': fputs(usage_text, stdout); exit(0);
		default: usage_error("unknown option");
		}
	}
	if (optind < argc)
		usage_error("too many arguments");
	if (!c->kernel == !c->flat)
		usage_error("give either --kernel or --flat");
	if (c->mem_mib < 2 || c->mem_mib > 3072)
		usage_error("--mem takes 2 to 3072 MiB");
}

struct start {
	struct timespec time, cpu;
	uint64_t ticks;
};

static struct start now(void)
{
	struct start s = { .ticks = __rdtsc() };

	clock_gettime(CLOCK_MONOTONIC, &s.time);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &s.cpu);
	return s;
}

static double seconds(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

/* RUN in ticks of the time stamp counter, without what it slept. */
static double ticks_in_run(const struct start *from, const struct start *to)
{
	double per_second = (to->ticks - from->ticks) / seconds(&from->time, &to->time);

	return seconds(&from->cpu, &to->cpu) * per_second - vmm.own_ticks;
}

static void print_stats(const struct start *start)
{
	static const char *const names[] = {
		[MINIKVM_EXIT_IO] = "io", [MINIKVM_EXIT_HLT] = "hlt", [MINIKVM_EXIT_MMIO] = "mmio",
		[MINIKVM_EXIT_IRQ_WINDOW_OPEN] = "irq_window",
		[MINIKVM_EXIT_SHUTDOWN] = "shutdown", [MINIKVM_EXIT_FAIL_ENTRY] = "fail_entry",
		[MINIKVM_EXIT_INTR] = "intr", [MINIKVM_EXIT_INTERNAL_ERROR] = "internal_error",
	};
	struct start end = now();
	size_t i;

	fprintf(stderr, "minivmm: %.2f s, %.0f ticks in RUN, exits:",
		seconds(&start->time, &end.time), ticks_in_run(start, &end));
	for (i = 0; i < sizeof(vmm.exits) / sizeof(vmm.exits[0]); i++) {
		if (!vmm.exits[i])
			continue;
		if (i < sizeof(names) / sizeof(names[0]) && names[i])
			fprintf(stderr, " %s %lu", names[i], (unsigned long)vmm.exits[i]);
		else
			fprintf(stderr, " reason_%zu %lu", i, (unsigned long)vmm.exits[i]);
	}
	fprintf(stderr, "\n");
}

/* kvm.ko has a file for each counter of all its VMs. */
static void print_kvm_counters(DIR *dir)
{
	struct dirent *entry;
	char text[32];
	ssize_t n;
	int fd;

	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, "exits"))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		if (text[0] > '0' && text[0] <= '9')
			fprintf(stderr, " %s %.*s", entry->d_name, (int)strcspn(text, "\n"), text);
		if (fd >= 0)
			close(fd);
	}
}

/* minikvm.ko has a line for each vCPU: "vm PID vcpu N", then names and values. */
static void print_minikvm_counters(FILE *file)
{
	char line[4096], *rest;
	int pid;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "vm %d vcpu", &pid) != 1 || pid != getpid())
			continue;
		rest = strstr(line, " exit_");
		if (rest)
			fprintf(stderr, "%.*s", (int)strcspn(rest, "\n"), rest);
	}
}

/* What the module itself has counted, for who may see it. */
static void print_counters(const char *device)
{
	bool is_kvm = strstr(device, "/kvm");
	DIR *dir = is_kvm ? opendir("/sys/kernel/debug/kvm") : NULL;
	FILE *file = is_kvm ? NULL : fopen("/sys/kernel/debug/minikvm/vcpus", "r");

	if (!dir && !file)
		return;
	fprintf(stderr, "minivmm: in the kernel:");
	if (dir) {
		print_kvm_counters(dir);
		closedir(dir);
	} else {
		print_minikvm_counters(file);
		fclose(file);
	}
	fprintf(stderr, "\n");
}

/* Only interrupts RUN: the loop looks at vmm.done. */
static void on_signal(int sig)
{
	vmm_stop(&vmm, sig == SIGALRM ? ST_TIMEOUT : ST_QUIT);
}

static void catch_signals(unsigned int timeout)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	alarm(timeout);
}

int main(int argc, char **argv)
{
	struct config c = {
		.device = "/dev/minikvm", .cmdline = "console=ttyS0 panic=-1",
		.load = 0x1000, .mem_mib = 256,
	};
	struct start start;

	parse(&c, argc, argv);
	if (c.kernel)
		c.irqchip = true;
	start = now();

	vm_create(&vmm, &c);
	vcpu_create(&vmm);
	if (c.kernel)
		boot_linux(&vmm, &c);
	else
		boot_flat(&vmm, &c);
	catch_signals(c.timeout);
	terminal_start(&vmm);
	vmm.own_ticks = __rdtsc() - start.ticks;
	vcpu_run(&vmm);

	serial_flush();
	terminal_restore();
	if (vmm.status == ST_TIMEOUT)
		fprintf(stderr, "minivmm: the time limit of %u s passed\n", c.timeout);
	if (vmm.status == ST_RESET)
		fprintf(stderr, "minivmm: the guest asked for a reset\n");
	if (c.stats) {
		print_stats(&start);
		print_counters(c.device);
	}
	return vmm.status;
}
