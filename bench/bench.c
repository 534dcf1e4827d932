// SPDX-License-Identifier: GPL-2.0
/*
 * bench [--quick] DEVICE [OPERATION...]
 *
 * Prints a line for each operation (the rows of bench/README.md): its name, the least
 * and the median of its samples in ticks of the TSC, and how many samples. "-" instead
 * of figures: the device does not have this. Best on one CPU; wants root.
 */
#include "bench.h"

#define QUICK	10	/* --quick takes one sample of this many */

static const struct op *const tables[] = { exit_ops, memory_ops, event_ops, host_ops };

int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

void set_priority(int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	must(sched_setscheduler(0, policy, &param), "sched_setscheduler");
}

double least(const double *v, int n)
{
	double best = v[0];
	int i;

	for (i = 1; i < n; i++)
		if (v[i] < best)
			best = v[i];
	return best;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct op *op, int n)
{
	static double v[MAX_SAMPLES];

	n = op->run(op, v, n);
	qsort(v, n, sizeof(*v), compare);
	if (n)
		printf("%s %.1f %.1f %d\n", op->name, v[0], v[n / 2], n);
	else
		printf("%s -\n", op->name);
	fflush(stdout);
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strcmp(argv[1], "--quick");
	const struct op *op;
	cpu_set_t cpu;
	size_t i;

	argv += 1 + quick;
	if (!*argv || **argv == '-')
		errx(2, "usage: bench [--quick] DEVICE [OPERATION...]");
	if (access(*argv, R_OK | W_OK))
		err(1, "%s", *argv);
	setenv("MINIKVM_DEVICE", *argv++, 1);
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	must(sched_setaffinity(0, sizeof(cpu), &cpu), "sched_setaffinity");
	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (op = tables[i]; op->name; op++)
			if (wanted(op->name, argv))
				measure(op, quick ? op->n / QUICK : op->n);
	return 0;
}
