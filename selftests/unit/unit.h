/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unit tests of the module's pure files: one function per claim, TAP on stdout.
 * UNIT_ONLY=claim in the environment tries that one alone.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int unit_nr, unit_failed, unit_bad;
static const char *unit_skip;	/* set by a test that cannot be tried here */

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		unit_bad = 1;						\
	}								\
} while (0)

#define CHECK_EQ(a, b) do {						\
	long long unit_a = (a), unit_b = (b);				\
	if (unit_a != unit_b) {						\
		printf("# %s:%d: %s is 0x%llx, not %s, 0x%llx\n", __FILE__, __LINE__, \
		       #a, unit_a, #b, unit_b);				\
		unit_bad = 1;						\
	}								\
} while (0)

static inline int unit_wanted(const char *test)
{
	const char *only = getenv("UNIT_ONLY");

	return !only || !strcmp(only, test);
}

#define RUN(test) do {							\
	if (!unit_wanted(#test))					\
		break;							\
	unit_bad = 0;							\
	unit_skip = NULL;						\
	test();								\
	printf("%sok %d %s%s%s\n", unit_bad ? "not " : "", ++unit_nr, #test, \
	       unit_skip ? " # SKIP " : "", unit_skip ? unit_skip : ""); \
	unit_failed += unit_bad;					\
} while (0)

static inline int unit_end(void)
{
	printf("1..%d\n", unit_nr);
	return unit_failed != 0;
}

#endif
