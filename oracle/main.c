// SPDX-License-Identifier: GPL-2.0
/* The oracle's front: cases in batches on both devices, findings made small, sums. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "oracle.h"

static struct machine machines[2];
static struct trace kvm_traces[BATCH], mini_trace, shrink_traces[2];
static struct scene scenes[BATCH];

static struct {
	u64 seed, cases, seconds, most;
	const struct generator *only;
	int attempts;
	bool trace;		/* print every record */
} opts = { .cases = 10000, .most = 20, .attempts = 150 };

static u64 done, endless, findings;

static const char usage[] =
	"usage: oracle [--seed N] [--cases N] [--seconds N] [--generator NAME] [--findings N] [--attempts N]\n"
	"	[--trace 1]\n";

static void options(char **argv)
{
	const char *name;

	while ((name = *++argv)) {
		const char *value = argv[1];

		if (!value)
			errx(2, "%s", usage);
		argv++;
		if (!strcmp(name, "--seed"))
			opts.seed = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--cases"))
			opts.cases = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--seconds"))
			opts.seconds = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--findings"))
			opts.most = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--attempts"))
			opts.attempts = atoi(value);
		else if (!strcmp(name, "--trace"))
			opts.trace = atoi(value);
		else if (!strcmp(name, "--generator"))
			opts.only = generator_find(value);
		else
			errx(2, "%s", usage);
		if (!strcmp(name, "--generator") && !opts.only)
			errx(2, "no generator %s", value);
	}
}

static void nothing(int signal)
{
}

/* The signal that ends a guest that goes round for ever; play.c asks for it. */
static void watch(void)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGALRM, &action, NULL);
}

/* Whether the devices can have a VM at the same time. */
static void see_turns(void)
{
	machine_make(&machines[0], 0);
	machine_watch(false);
	machines[1].vm = ioctl(machines[1].dev, MINIKVM_CREATE_VM, 0);
	machine_turns = machines[1].vm < 0;
	if (machines[1].vm >= 0)
		close(machines[1].vm);
	machines[1].vm = -1;
	machine_rest(&machines[0]);
	printf("# the devices %s\n", machine_turns ? "take turns" : "have VMs at the same time");
}

static void finding(const struct difference *found)
{
	static struct scene small;
	const struct scene *s = found->scene;
	struct difference d;

	findings++;
	if (findings > opts.most)
		return;
	small = *s;
	if (shrink(machines, &small, &d, shrink_traces, opts.attempts)) {
		show(&small, &d);
	} else {
		printf("# not alone: it needs those before it, from %llu on\n",
		       (unsigned long long)(s->seed / BATCH * BATCH));
		show(s, found);
	}
	fflush(stdout);
}

static struct trace *play_one(struct machine *m, int i)
{
	struct trace *t = m == &machines[0] ? &kvm_traces[i] : &mini_trace;

	if (m->vm < 0 || m->spoiled || m->kind != scenes[i].machine || m->kind & WITH_FRESH_VCPU) {
		machine_rest(m);
		machine_make(m, scenes[i].machine);
	}
	play(m, &scenes[i], t);
	endless += t->endless;
	if (opts.trace)
		show_trace(m->name, &scenes[i], t);
	return t;
}

/*
 * All cases on KVM leave their traces, then those on minikvm are compared; so the devices need
 * not have VMs at the same time. A case finds the same of those before it on both: where one
 * device's machine is not fit for another case, the other's is not used any more, either.
 */
static void batch(u64 first, int n)
{
	static struct difference differences[BATCH];
	static bool spoiled[BATCH];
	int i, from, found = 0;
	bool alone;

	for (i = 0; i < n; i++)
		scene_make(&scenes[i], first + i, opts.only);
	for (from = 0; from < n; from = i) {
		for (i = from; i < n; i++) {
			play_one(&machines[0], i);
			spoiled[i] = machines[0].spoiled;
		}
		machine_rest(&machines[0]);
		for (i = from, alone = false; i < n && !alone; i++) {
			struct trace *t = play_one(&machines[1], i);

			untangle(&kvm_traces[i], t);
			if (compare(&scenes[i], &kvm_traces[i], t, &differences[found]))
				differences[found++].mini = NULL;	/* the next one's trace */
			alone = machines[1].spoiled && !spoiled[i];
			machines[1].spoiled |= spoiled[i];
		}
		machine_rest(&machines[1]);
	}
	for (i = 0; i < found; i++)
		finding(&differences[i]);
	done += n;
}

int main(int argc, char **argv)
{
	time_t begin = time(NULL);
	u64 seed, n;

	options(argv);
	machine_open(&machines[0], "kvm", "/dev/kvm");
	machine_open(&machines[1], "minikvm", "/dev/minikvm");
	machines[0].other = &machines[1];
	machines[1].other = &machines[0];
	machine_common_cpuid(&machines[0], &machines[1]);
	watch();
	see_turns();
	for (seed = opts.seed; seed < opts.seed + opts.cases && findings < opts.most; seed += n) {
		n = BATCH - seed % BATCH;
		if (n > opts.seed + opts.cases - seed)
			n = opts.seed + opts.cases - seed;
		if (opts.seconds && (u64)(time(NULL) - begin) >= opts.seconds)
			break;
		batch(seed, n);
		if (seed / BATCH % 16 == 0) {
			printf("# to seed %llu: %llu cases, %llu findings, %llu endless, %llu s\n",
			       (unsigned long long)(seed + n), (unsigned long long)done,
			       (unsigned long long)findings, (unsigned long long)endless,
			       (unsigned long long)(time(NULL) - begin));
			fflush(stdout);
		}
	}
	explained_print();
	printf("# %llu cases, %llu endless, %llu s of the machine's time\n", (unsigned long long)done,
	       (unsigned long long)endless, (unsigned long long)(time(NULL) - begin));
	printf("%s - %llu cases, %llu unexplained\n", findings ? "not ok" : "ok",
	       (unsigned long long)done, (unsigned long long)findings);
	return findings ? 1 : 0;
}
