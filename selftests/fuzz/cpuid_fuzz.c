// SPDX-License-Identifier: GPL-2.0
/*
 * module/cpu/cpuid_table.c: in a VMM's table of any entries each query is answered by the first
 * that matches; what is offered fits, with any host, and is a table that is accepted.
 */
#include "fuzz.h"
#define main unit_main
#include "../unit/cpuid_test.c"
#undef main

#define MOST	24

static u32 some_function(void)
{
	static const u32 functions[] = { 0, 1, 4, 7, 0xd, 0x40000000, 0x40000100, 0x80000000, 0x80000008 };
	u32 near = below(3);

	return one_in(8) ? any() : functions[below(ARRAY_SIZE(functions))] + near;
}

static struct minikvm_cpuid_entry2 some_entry(void)
{
	struct minikvm_cpuid_entry2 e = {
		.function = some_function(), .index = below(4), .flags = below(2),
		.eax = below(4) ? below(64) : any(), .ebx = below(4) ? below(1 << 12) : any(),
	};

	e.ecx = one_in(4) ? any() : below(64);
	e.edx = one_in(4) ? any() : 0;
	if (e.function >> 16 == 0x4000 && one_in(2))
		memcpy(&e.ebx, "KVMKVMKVM\0\0", 12);
	return e;
}

static const struct minikvm_cpuid_entry2 *look(const struct minikvm_cpuid_entry2 *list, u32 n,
					       u32 function, u32 index)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (list[i].function == function &&
		    (!(list[i].flags & MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX) || list[i].index == index))
			return &list[i];
	return NULL;
}

static void guests_table(void)
{
	static struct minikvm_cpuid_entry2 list[MOST];
	u32 n = below(MOST + 1), i, function, index;
	struct cpuid_answers table = { malloc(n * sizeof(list[0])), n };

	for (i = 0; i < n; i++)
		list[i] = some_entry();
	memcpy(table.entries, list, n * sizeof(list[0]));
	cpuid_table_sort(&table);
	for (i = 0; i < 8; i++) {
		const struct minikvm_cpuid_entry2 *want, *got;

		function = n && one_in(2) ? list[below(n)].function : some_function();
		index = below(5);
		want = look(list, n, function, index);
		got = cpuid_table_find(&table, function, index);
		CHECK(!got == !want);
		CHECK(!got || !memcmp(got, want, sizeof(*got)));
		got = cpuid_table_beyond(&table, &function, index);
		CHECK(!got || got->function == function);
	}
	cpuid_table_valid(&table);
	cpuid_table_pv(&table);
	for (i = 0; i < NR_WORDS; i++)
		cpuid_table_word(&table, i);
	cpuid_xstate_size(&table, cpuid_table_xcr0(&table) & any(), below(2));
	free(table.entries);
}

/* ---- what a host offers */

static u32 answers[32][4];

static void read_some(u32 function, u32 index, u32 r[4])
{
	memcpy(r, answers[(function * 7 + index + (function >> 28)) % 32], 16);
	if (function == 0)
		r[0] %= 0x40;
	if (function == 0x80000000)
		r[0] = 0x80000000 | r[0] % 0x40;
	if (function == 0x80000008)
		r[0] = 0x3024 + r[0] % 16;
}

static void hosts_offer(void)
{
	struct cpuid_host some = { .read = read_some, .gpa_bits = 36 + below(17), .steal_time = below(2) };
	u32 room = below(ROOM + 1), n, again;
	struct minikvm_cpuid_entry2 *e = malloc(room * sizeof(*e));
	struct cpuid_answers offered = { e };

	some.xcr0 = one_in(2) ? 7 : any() & 0x2e7;
	fuzz_bytes(some.off, sizeof(some.off));
	fuzz_bytes(answers, sizeof(answers));
	n = cpuid_offer(&some, e, room);
	again = cpuid_offer(&some, e, room);
	CHECK_EQ(n, again);
	offered.n = n < room ? n : room;
	cpuid_table_sort(&offered);
	if (n <= room)
		CHECK(cpuid_table_valid(&offered));
	free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	if (below(2))
		hosts_offer();
	else
		guests_table();
	return 0;
}
