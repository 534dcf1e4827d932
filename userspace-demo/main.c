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

static void wrong_argument(const char *argument, const char *what)
{
	fprintf(stderr, "minivmm: '%s' %s (see minivmm --help)\n", argument, what);
	exit(ST_USAGE);
}

/* strtoul() would take "-1", " 1" and "". */
static unsigned long parsed(const char *option, const char *text, unsigned long least,
			    unsigned long most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || value < least || value > most) {
		fprintf(stderr, "minivmm: %s takes a number from %lu to %lu, not '%s'\n",
			option, least, most, text);
		exit(ST_USAGE);
	}
	return value;
}

/* What of the command line does not go together. */
static void config_check(const struct config *c)
{
	if (!c->kernel == !c->flat)
		usage_error("give either --kernel or --flat");
	if (c->flat && (c->initrd || c->cmdline))
		usage_error("--initrd and --cmdline are for --kernel");
	if (c->kernel && c->load)
		usage_error("--load is for --flat");
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

	opterr = 0;	/* one sentence, below */
	while ((o = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (o) {
		case 'k': c->kernel = optarg; break;
		case 'i': c->initrd = optarg; break;
		case 'c': c->cmdline = optarg; break;
		case 'f': c->flat = optarg; break;
		case 'l': c->load = parsed("--load", optarg, 1, 0xffff); break;
		case 'q': c->irqchip = true; break;
		case 'm': c->mem_mib = parsed("--mem", optarg, 2, 3072); break;
		case 'd': c->device = optarg; break;
		case 't': c->timeout = parsed("--timeout", optarg, 1, 1000000); break;
		case 'p': c->populate = true; break;
		case 's': c->stats = true; break;
		case 'h': fputs(usage_text, stdout); exit(0);
		case ':': wrong_argument(argv[optind - 1], "wants a value"); break;
		default: wrong_argument(argv[optind - 1], "is not understood");
		}
	}
	if (optind < argc)
		wrong_argument(argv[optind], "is too much");
	config_check(c);
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

/*
 * RUN in ticks of the time stamp counter, from when the vCPU first ran, without what the
 * thread slept. (Where our own part slept, too, that is taken away twice.)
 */
static double ticks_in_run(const struct start *from, const struct start *to)
{
	double elapsed = seconds(&from->time, &to->time);
	double busy = elapsed > 0 ? seconds(&from->cpu, &to->cpu) / elapsed : 0;
	double ticks = busy * (to->ticks - from->ticks) - vmm.own_ticks;

	return ticks > 0 ? ticks : 0;
}

static void print_stats(const struct start *start, const struct start *run)
{
#define NAME(name)	\
	[MINIKVM_EXIT_##name] = #name,
	static const char *const names[] = { MINIKVM_USER_EXITS(NAME) };
#undef NAME
	struct start end = now();
	size_t i;

	fprintf(stderr, "minivmm: %.2f s, %.0f ticks in RUN, exits:",
		seconds(&start->time, &end.time), ticks_in_run(run, &end));
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
		.device = "/dev/minikvm", .mem_mib = 256,
	};
	struct start start, run;

	parse(&c, argc, argv);
	if (c.kernel)
		c.irqchip = true;
	if (!c.cmdline)
		c.cmdline = "console=ttyS0 panic=-1";
	if (!c.load)
		c.load = 0x1000;
	start = now();

	vm_create(&vmm, &c);
	vcpu_create(&vmm);
	if (c.kernel)
		boot_linux(&vmm, &c);
	else
		boot_flat(&vmm, &c);
	catch_signals(c.timeout);
	terminal_start(&vmm);
	run = now();
	vcpu_run(&vmm);

	serial_flush();
	terminal_restore();
	if (vmm.status == ST_TIMEOUT)
		fprintf(stderr, "minivmm: the time limit of %u s passed\n", c.timeout);
	if (vmm.status == ST_RESET)
		fprintf(stderr, "minivmm: the guest asked for a reset\n");
	if (c.stats) {
		print_stats(&start, &run);
		print_counters(c.device);
	}
	return vmm.status;
}
