/* SPDX-License-Identifier: GPL-2.0 */
/* --stats: what a run took. bench/run reads what it prints. */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define EXIT_REASONS	64

struct moment {
	struct timespec time, cpu;	/* cpu: of the thread */
	uint64_t ticks;			/* of the time stamp counter */
};

/* Of one vCPU, kept by its thread. */
struct run_stats {
	uint64_t exits[EXIT_REASONS];
	uint64_t own_ticks;		/* between two RUNs */
	double ticks_in_run;		/* known at the end */
	struct moment begin;
};

struct moment moment_now(void);
/* In the vCPU's thread: before its first RUN, after each that came back, after the last. */
void stats_begin(struct run_stats *s);
void stats_exit(struct run_stats *s, uint32_t reason);
void stats_end(struct run_stats *s);

/* One vCPU's are added to those of all. */
void stats_add(struct run_stats *all, const struct run_stats *s);
/* On stderr: since @start. */
void stats_print(const struct run_stats *all, const struct moment *start);
/* What the module itself has counted, for who may see it. */
void stats_print_kernel(bool is_kvm);

#endif
