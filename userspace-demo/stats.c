// SPDX-License-Identifier: GPL-2.0
/*
 * --stats: exits to us by reason, the time that was spent in RUN, and the module's
 * own counters.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#include "exits.h"
#include "stats.h"

struct moment moment_now(void)
{
	struct moment m = { .ticks = __rdtsc() };

	clock_gettime(CLOCK_MONOTONIC, &m.time);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &m.cpu);
	return m;
}

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

/* ---- of a vCPU */

void stats_begin(struct run_stats *s)
{
	s->begin = moment_now();
}

void stats_exit(struct run_stats *s, uint32_t reason)
{
	s->exits[reason % EXIT_REASONS]++;
}

/*
 * RUN in ticks of the time stamp counter, from when the vCPU first ran, without what the
 * thread slept. (Where our own part slept, too, that is taken away twice.)
 */
void stats_end(struct run_stats *s)
{
	struct moment end = moment_now();
	double elapsed = seconds_between(&s->begin.time, &end.time);
	double busy = elapsed > 0 ? seconds_between(&s->begin.cpu, &end.cpu) / elapsed : 0;
	double ticks = busy * (end.ticks - s->begin.ticks) - s->own_ticks;

	s->ticks_in_run = ticks > 0 ? ticks : 0;
}

void stats_add(struct run_stats *all, const struct run_stats *s)
{
	int i;

	for (i = 0; i < EXIT_REASONS; i++)
		all->exits[i] += s->exits[i];
	all->ticks_in_run += s->ticks_in_run;
}

void stats_print(const struct run_stats *all, const struct moment *start)
{
	struct moment end = moment_now();
	int i;

	fprintf(stderr, "minivmm: %.2f s, %.0f ticks in RUN, exits:",
		seconds_between(&start->time, &end.time), all->ticks_in_run);
	for (i = 0; i < EXIT_REASONS; i++) {
		if (all->exits[i] && exit_name(i))
			fprintf(stderr, " %s %lu", exit_name(i), (unsigned long)all->exits[i]);
		else if (all->exits[i])
			fprintf(stderr, " reason_%d %lu", i, (unsigned long)all->exits[i]);
	}
	fprintf(stderr, "\n");
}

/* ---- of the module */

#define KVM_COUNTERS		"/sys/kernel/debug/kvm"
#define MINIKVM_COUNTERS	"/sys/kernel/debug/minikvm/vcpus"

/* kvm.ko has a file for each counter of all its VMs. */
static void stats_print_kvm(DIR *dir)
{
	struct dirent *entry;
	char text[32];
	ssize_t n;
	int fd;

	fprintf(stderr, "minivmm: in the kernel:");
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
	fprintf(stderr, "\n");
}

/* minikvm.ko has a line for each vCPU: "vm PID vcpu N", then names and values. */
static void stats_print_minikvm(FILE *file)
{
	char line[4096], *rest;
	unsigned int id;
	int pid;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "vm %d vcpu %u", &pid, &id) != 2 || pid != getpid())
			continue;
		rest = strstr(line, " exit_");
		if (!rest)
			continue;
		if (id)
			fprintf(stderr, "minivmm: in the kernel, vCPU %u:%s", id, rest);
		else
			fprintf(stderr, "minivmm: in the kernel:%s", rest);
	}
}

void stats_print_kernel(bool is_kvm)
{
	DIR *dir = is_kvm ? opendir(KVM_COUNTERS) : NULL;
	FILE *file = is_kvm ? NULL : fopen(MINIKVM_COUNTERS, "r");

	if (dir) {
		stats_print_kvm(dir);
		closedir(dir);
	}
	if (file) {
		stats_print_minikvm(file);
		fclose(file);
	}
}
