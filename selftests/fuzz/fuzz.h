/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fuzzers of pure files: a unit test's model and its random steps, with a fuzzer's bytes in
 * place of random numbers. Included first: it stands for unit.h and random.h of selftests/unit.
 * A claim that does not hold ends the program, and libFuzzer keeps the bytes.
 */
#ifndef FUZZ_H
#define FUZZ_H

#define UNIT_H
#define UNIT_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int unit_bad __attribute__((unused));
static const char *unit_skip __attribute__((unused));

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("%s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		fflush(stdout);						\
		abort();						\
	}								\
} while (0)

#define CHECK_EQ(a, b) do {						\
	long long unit_a = (a), unit_b = (b);				\
	if (unit_a != unit_b) {						\
		printf("%s:%d: %s is 0x%llx, not %s, 0x%llx\n", __FILE__, __LINE__, \
		       #a, unit_a, #b, unit_b);				\
		fflush(stdout);						\
		abort();						\
	}								\
} while (0)

/* The tests of a file are not run here: its parts are used. */
#define RUN(test)	((void)(test))
#define unit_end()	0

/* ---- the fuzzer's bytes; zeros behind their end */

static const uint8_t *fuzz_data;
static size_t fuzz_left;

static inline void fuzz_begin(const uint8_t *data, size_t size)
{
	fuzz_data = data;
	fuzz_left = size;
}

static inline size_t fuzz_bytes(void *to, size_t n)
{
	size_t had = n < fuzz_left ? n : fuzz_left;

	memset(to, 0, n);
	if (had)
		memcpy(to, fuzz_data, had);
	fuzz_data += had;
	fuzz_left -= had;
	return had;
}

static inline u64 any(void)
{
	u64 value;

	fuzz_bytes(&value, sizeof(value));
	return value;
}

/* No more bytes than it takes: so small changes of them are small changes of what is done. */
static inline u64 below(u64 n)
{
	u64 value = 0;

	fuzz_bytes(&value, n <= 1 << 8 ? 1 : n <= 1 << 16 ? 2 : n <= 1ull << 32 ? 4 : 8);
	return value % n;
}

static inline bool one_in(u64 n)
{
	return below(n) == 1;
}

#endif
