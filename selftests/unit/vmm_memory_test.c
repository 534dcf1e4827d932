// SPDX-License-Identifier: GPL-2.0
/* minivmm's memory and what is where in it: userspace-demo/memory.c, layout.c. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "random.h"
#include "../../userspace-demo/die.c"
#include "../../userspace-demo/memory.c"
#include "../../userspace-demo/layout.c"

#define GIB	(1024 * MIB)

static void the_hole_is_left_out(void)
{
	static const struct { u64 size, low, high; } rows[] = {
		{ 2 * MIB, 2 * MIB, 0 },
		{ 3 * GIB - MIB, 3 * GIB - MIB, 0 },
		{ 3 * GIB, 3 * GIB, 0 },
		{ 3 * GIB + MIB, 3 * GIB, MIB },
		{ 4 * GIB, 3 * GIB, GIB },
		{ 8 * GIB, 3 * GIB, 5 * GIB },
		{ 1023 * GIB, 3 * GIB, 1020 * GIB },
	};
	struct memory m;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memory_split(&m, rows[i].size);
		CHECK_EQ(m.nr, rows[i].high ? 2 : 1);
		CHECK_EQ(m.range[0].start, 0);
		CHECK_EQ(m.range[0].size, rows[i].low);
		CHECK_EQ(memory_low_end(&m), rows[i].low);
		if (rows[i].high)
			CHECK_EQ(m.range[1].start, 4 * GIB);
		CHECK_EQ(m.range[1].size, rows[i].high);
	}
}

/* Two small ranges with memory behind them, as memory_map() would leave them. */
static struct memory mapped(void)
{
	static uint8_t low[4096], high[8192];

	return (struct memory) {
		.range = { { 0, sizeof(low), low }, { HIGH_MEMORY, sizeof(high), high } }, .nr = 2,
	};
}

static void a_pointer_is_all_in_one_range(void)
{
	struct memory m = mapped();
	uint8_t *low = m.range[0].host, *high = m.range[1].host;

	CHECK(memory_at(&m, 0, 1) == low);
	CHECK(memory_at(&m, 0, 4096) == low);
	CHECK(memory_at(&m, 4095, 1) == low + 4095);
	CHECK(!memory_at(&m, 4095, 2));
	CHECK(!memory_at(&m, 4096, 1));
	CHECK(!memory_at(&m, 0, 4097));
	CHECK(!memory_at(&m, LOW_MEMORY_MAX, 1));
	CHECK(!memory_at(&m, HIGH_MEMORY - 1, 1));
	CHECK(!memory_at(&m, HIGH_MEMORY - 1, 2));
	CHECK(memory_at(&m, HIGH_MEMORY, 8192) == high);
	CHECK(memory_at(&m, HIGH_MEMORY + 8191, 1) == high + 8191);
	CHECK(!memory_at(&m, HIGH_MEMORY + 8191, 2));
	CHECK(!memory_at(&m, HIGH_MEMORY, ~0ull));
	CHECK(!memory_at(&m, HIGH_MEMORY + 1, ~0ull));
	CHECK(!memory_at(&m, ~0ull, 2));
}

/* Whether an address is usable memory by the map. */
static int by_e820(const struct e820_range *r, unsigned int n, u64 address)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (address >= r[i].start && address - r[i].start < r[i].size)
			return r[i].type == E820_USABLE;
	return 0;
}

/* Of what there is, all but a part of the first MiB is usable, and nothing else. */
static void e820_is_the_memory(void)
{
	static const u64 sizes[] = { 2 * MIB, 256 * MIB, 3 * GIB, 3 * GIB + MIB, 8 * GIB };
	static uint8_t host;
	struct e820_range r[E820_MAX];
	struct memory m;
	size_t i, j;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned int n;

		memory_split(&m, sizes[i]);
		m.range[0].host = m.range[1].host = &host;
		n = e820_fill(r, &m);
		CHECK(n <= E820_MAX);
		for (j = 1; j < n; j++)
			CHECK(r[j].start >= r[j - 1].start + r[j - 1].size);
		for (j = 0; j < 20000; j++) {
			u64 address = below(sizes[i] + 2 * GIB);
			int usable = by_e820(r, n, address);

			if (address >= MIB)
				CHECK_EQ(usable, memory_at(&m, address, 1) != NULL);
			else
				CHECK_EQ(usable, address < LOW_RAM_END);
		}
		CHECK(!by_e820(r, n, 3 * GIB));
		CHECK(!by_e820(r, n, 4 * GIB - 1));
		CHECK(!by_e820(r, n, ACPI_TABLES));
	}
}

/* As a stock kernel asks. */
static struct linux_needs stock(void)
{
	return (struct linux_needs) {
		.pref_address = 16 * MIB, .init_size = 48 * MIB, .image_size = 12 * MIB,
		.initrd_size = 5 * MIB + 1, .initrd_max = 0x7fffffff,
	};
}

static void places(u64 size, int kernel_fits, int initrd_fits, u64 initrd)
{
	struct linux_needs needs = stock();
	struct linux_layout l;
	struct memory m;

	memory_split(&m, size);
	CHECK_EQ(linux_place_kernel(&l, &needs, &m), kernel_fits);
	CHECK_EQ(l.kernel, 16 * MIB);
	CHECK_EQ(linux_place_initrd(&l, &needs, &m), initrd_fits);
	if (initrd_fits)
		CHECK_EQ(l.initrd, initrd);
}

static void a_kernel_and_its_initrd(void)
{
	places(63 * MIB, 0, 0, 0);
	places(64 * MIB, 1, 0, 0);
	places(69 * MIB, 1, 0, 0);
	places(70 * MIB, 1, 1, 65 * MIB - 4096);
	places(256 * MIB, 1, 1, 251 * MIB - 4096);
	places(2 * GIB, 1, 1, 2 * GIB - 5 * MIB - 4096);
	places(8 * GIB, 1, 1, 2 * GIB - 5 * MIB - 4096);
}

/* Headers that no kernel has. */
static void numbers_that_would_wrap(void)
{
	struct linux_needs needs = stock();
	struct linux_layout l;
	struct memory m;

	memory_split(&m, 8 * GIB);
	needs.pref_address = ~0ull - MIB;
	CHECK(!linux_place_kernel(&l, &needs, &m));
	needs.pref_address = 4 * GIB;
	CHECK(!linux_place_kernel(&l, &needs, &m));
	needs.pref_address = 3 * GIB - 16 * MIB;
	CHECK(!linux_place_kernel(&l, &needs, &m));
	needs.pref_address = 0;
	CHECK(linux_place_kernel(&l, &needs, &m));
	CHECK_EQ(l.kernel, 16 * MIB);
	needs.init_size = 0;
	needs.image_size = 3 * GIB;
	CHECK(!linux_place_kernel(&l, &needs, &m));
	needs.initrd_size = 4 * GIB;
	CHECK(!linux_place_initrd(&l, &needs, &m));
}

/* An initrd above 4 GiB would be out of the kernel's reach, even if it says it is not. */
static void an_initrd_is_below_the_hole(void)
{
	struct linux_needs needs = stock();
	struct linux_layout l;
	struct memory m;

	memory_split(&m, 8 * GIB);
	needs.initrd_max = 0xffffffff;
	CHECK(linux_place_kernel(&l, &needs, &m));
	CHECK(linux_place_initrd(&l, &needs, &m));
	CHECK(l.initrd + needs.initrd_size <= 3 * GIB);
}

/* Whatever the size, and whatever was mapped before it. */
static void a_huge_page_is_one_of_both(void)
{
	static const u64 sizes[] = { 2 * MIB, 5 * MIB, MIB, 3 * GIB + 7 * MIB, 64 * MIB };
	struct memory m;
	size_t i, n;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memory_split(&m, sizes[i]);
		memory_map(&m, false);
		for (n = 0; n < m.nr; n++) {
			char *host = (char *)m.range[n].host;

			CHECK_EQ(((uintptr_t)host - m.range[n].start) % (2 * MIB), 0);
			host[0] = host[m.range[n].size - 1] = 1;
			CHECK(!munmap(host, m.range[n].size));
		}
	}
}

int main(void)
{
	RUN(a_huge_page_is_one_of_both);
	RUN(the_hole_is_left_out);
	RUN(a_pointer_is_all_in_one_range);
	RUN(e820_is_the_memory);
	RUN(a_kernel_and_its_initrd);
	RUN(numbers_that_would_wrap);
	RUN(an_initrd_is_below_the_hole);
	return unit_end();
}
