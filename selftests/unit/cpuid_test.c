// SPDX-License-Identifier: GPL-2.0
/* The CPUID tables: module/cpu/cpuid_table.c. */
#include <string.h>

#include "unit.h"
#include "../../module/cpu/cpuid_table.c"

#define ROOM	100

/* A processor that has every bit in every leaf, and AVX and PKRU state. */
static u32 last_basic, last_extended;

static void read_all(u32 function, u32 index, u32 r[4])
{
	memset(r, 0xff, 4 * sizeof(r[0]));
	if (function == 0 || function == 0x80000000)
		r[0] = function ? last_extended : last_basic;
	if (function == 4)
		r[0] = index < 4 ? 0xfc00c121 + index : 0;
	if (function == 0x80000008)
		r[0] = 0x3934;
	if (function == 0xd && index == 2)
		memcpy(r, (u32[4]) { 256, 576, 0, 0 }, 16);
	if (function == 0xd && index == 9)
		memcpy(r, (u32[4]) { 8, 2688, 0, 0 }, 16);
	if (function == 0xd && (index == 5 || index == 6 || index == 7))
		memcpy(r, (u32[4]) { 64 << 2 * (index - 5), 1088 + 64 * (index - 5), 6, 9 }, 16);
}

static void read_none(u32 function, u32 index, u32 r[4])
{
	(void)index;
	memset(r, 0, 4 * sizeof(r[0]));
	if (function == 0)
		r[0] = 0xb;
	if (function == 0x80000000)
		r[0] = 0x80000008;
	if (function == 0x80000008)
		r[0] = 0x3024;
}

static struct cpuid_host host;
static struct minikvm_cpuid_entry2 entries[ROOM];
static struct cpuid_answers t;

static u32 offer(void)
{
	u32 n = cpuid_offer(&host, entries, ROOM);

	t = (struct cpuid_answers) { entries, n < ROOM ? n : ROOM };
	cpuid_table_sort(&t);
	return n;
}

static void full_host(void)
{
	last_basic = 0x20;
	last_extended = 0x80000021;
	memset(&host, 0, sizeof(host));
	memset(entries, 0x5a, sizeof(entries));
	host.read = read_all;
	host.xcr0 = 0x207;
	host.gpa_bits = 48;
}

static void offer_names_every_bit_it_gives(void)
{
	static const u32 expected[NR_WORDS] = {
		[WORD_1_ECX] = 0x76fa3203,
		[WORD_1_EDX] = 0x0f8bfbff,
		[WORD_7_EBX] = 0xfdbf27eb,
		[WORD_7_ECX] = 0x1a415f4e,
		[WORD_7_EDX] = 0xbc80451c,
		[WORD_7_1_EAX] = 0x00801cb0,
		[WORD_7_1_EDX] = 0x00004030,
		[WORD_7_2_EDX] = 0x0000003f,
		[WORD_D_1_EAX] = 0x00000007,
		[WORD_80000001_ECX] = 0x00000121,
		[WORD_80000001_EDX] = 0x2c100800,
		[WORD_80000007_EDX] = 0x00000100,
	};
	u32 n, i;

	full_host();
	n = offer();
	CHECK(n <= 80);
	for (i = 0; i < NR_WORDS; i++)
		CHECK_EQ(cpuid_table_word(&t, i), expected[i]);
	CHECK_EQ(cpuid_table_word(&t, WORD_1_ECX) & BIT(5), 0);	/* VMX */
	CHECK_EQ(cpuid_table_find(&t, 0, 0)->eax, 0xd);
	CHECK_EQ(cpuid_table_find(&t, 1, 0)->ebx, 0xff00);
	CHECK_EQ(cpuid_table_find(&t, 6, 0)->eax, 4);
	CHECK_EQ(cpuid_table_find(&t, 6, 0)->ecx, 0);
	CHECK_EQ(cpuid_table_find(&t, 0x80000000, 0)->eax, 0x80000008);
	CHECK_EQ(cpuid_table_find(&t, 0x80000008, 0)->eax, 0x303934);
	CHECK_EQ(cpuid_table_find(&t, 0x80000008, 0)->ebx, 0);
	CHECK(!memcmp(&cpuid_table_find(&t, 0x40000000, 0)->ebx, "KVMKVMKVM\0\0\0", 12));
	CHECK_EQ(cpuid_table_find(&t, 0x40000001, 0)->eax, 0x100004b);
}

/* Leaves without an allow-list are empty: counters, topology, unknown ones. */
static void offer_is_empty_where_nothing_is_named(void)
{
	static const u32 empty[] = { 3, 5, 8, 9, 0xa, 0xb, 0xc, 0x80000005 };
	const struct minikvm_cpuid_entry2 *e;
	u32 i;

	full_host();
	offer();
	for (i = 0; i < ARRAY_SIZE(empty); i++) {
		e = cpuid_table_find(&t, empty[i], 0);
		CHECK(e && !(e->eax | e->ebx | e->ecx | e->edx));
	}
}

static void offer_leaves_no_byte_unwritten(void)
{
	u32 i, j, n;

	full_host();
	n = offer();
	for (i = 0; i < n; i++)
		for (j = 0; j < 3; j++)
			CHECK_EQ(entries[i].padding[j], 0);
}

static void offer_counts_on_when_room_is_short(void)
{
	u32 n, room;

	full_host();
	n = offer();
	for (room = 0; room <= n; room++) {
		memset(entries, 0x5a, sizeof(entries));
		CHECK_EQ(cpuid_offer(&host, entries, room), n);
		CHECK_EQ(entries[room].function, 0x5a5a5a5a);
	}
}

static void kernel_and_vmx_take_bits_away(void)
{
	full_host();
	memset(host.off, 0xff, sizeof(host.off));
	host.on[WORD_1_ECX] = F1C_X2APIC;
	offer();
	CHECK_EQ(cpuid_table_word(&t, WORD_1_ECX), F1C_X2APIC);
	CHECK_EQ(cpuid_table_word(&t, WORD_7_EBX), 0);
	CHECK_EQ(cpuid_table_word(&t, WORD_80000001_EDX), 0);
}

static void a_host_without_xsave_has_no_leaf_for_it(void)
{
	full_host();
	host.read = read_none;
	host.xcr0 = 0;
	offer();
	CHECK_EQ(cpuid_table_find(&t, 0, 0)->eax, 0xb);
	CHECK(!cpuid_table_find(&t, 0xd, 0));
	CHECK_EQ(cpuid_table_xcr0(&t), 0);
	CHECK_EQ(cpuid_table_find(&t, 0x80000008, 0)->eax, 0x243024);
}

static void strange_hosts_end(void)
{
	full_host();
	last_basic = 0;
	last_extended = 0;
	offer();
	CHECK_EQ(cpuid_table_find(&t, 0, 0)->eax, 0);
	CHECK(!cpuid_table_find(&t, 1, 0));
	CHECK(!cpuid_table_find(&t, 0x80000001, 0));
}

static void caches_are_shared_by_nobody(void)
{
	const struct minikvm_cpuid_entry2 *e;
	u32 i;

	full_host();
	offer();
	for (i = 0; i < 4; i++) {
		e = cpuid_table_find(&t, 4, i);
		CHECK_EQ(e->eax, 0x121 + i);
		CHECK_EQ(e->flags, MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	}
	CHECK_EQ(cpuid_table_find(&t, 4, 4)->eax & 0x1f, 0);
	CHECK(!cpuid_table_find(&t, 4, 5));
}

static void xstate_sizes(void)
{
	const struct minikvm_cpuid_entry2 *e;

	full_host();
	host.xcr0 = 0x2e7;
	offer();
	e = cpuid_table_find(&t, 0xd, 0);
	CHECK_EQ(e->eax, 0x2e7);
	CHECK_EQ(e->ebx, 2696);
	CHECK_EQ(e->ecx, 2696);
	/* 576 + 256, then 64, 256, 1024 aligned to 64, then 8 */
	CHECK_EQ(cpuid_table_find(&t, 0xd, 1)->ebx, 576 + 256 + 64 + 256 + 1024 + 8);
	CHECK_EQ(cpuid_table_find(&t, 0xd, 6)->ecx, 2);
	CHECK_EQ(cpuid_table_find(&t, 0xd, 6)->edx, 0);
	CHECK(!cpuid_table_find(&t, 0xd, 3));
	CHECK_EQ(cpuid_table_xcr0(&t), 0x2e7);

	CHECK_EQ(cpuid_xstate_size(&t, 1, false), 576);
	CHECK_EQ(cpuid_xstate_size(&t, 3, true), 576);
	CHECK_EQ(cpuid_xstate_size(&t, 7, false), 832);
	CHECK_EQ(cpuid_xstate_size(&t, 0x207, false), 2696);
	CHECK_EQ(cpuid_xstate_size(&t, 0x207, true), 840);
	/* A component that is not aligned, then one that is. */
	CHECK_EQ(cpuid_xstate_size(&t, 0x2e7, true), 2184);
	/* A component that the table does not have takes no place. */
	CHECK_EQ(cpuid_xstate_size(&t, 0x1f, false), 832);
}

/* One entry of the table that a VMM sets. */
static void add(u32 function, u32 index, bool indexed, u32 eax)
{
	entries[t.n++] = (struct minikvm_cpuid_entry2) {
		.function = function, .index = index, .eax = eax,
		.flags = indexed ? MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
	};
}

static void start(void)
{
	t = (struct cpuid_answers) { entries, 0 };
}

static u32 answer(u32 function, u32 index)
{
	const struct minikvm_cpuid_entry2 *e = cpuid_table_find(&t, function, index);

	return e ? e->eax : 0xdead;
}

static void find_in_any_order(void)
{
	u32 i;

	start();
	CHECK_EQ(answer(0, 0), 0xdead);
	for (i = 0; i < 50; i++)
		add(i * 37 % 50 * 2, 0, false, i * 37 % 50 + 100);
	cpuid_table_sort(&t);
	for (i = 0; i < 50; i++) {
		CHECK_EQ(answer(2 * i, 7), i + 100);
		CHECK_EQ(answer(2 * i + 1, 0), 0xdead);
	}
	CHECK_EQ(answer(~0u, 0), 0xdead);
}

static void find_takes_the_first_that_matches(void)
{
	start();
	add(0xd, 1, true, 1);
	add(4, 2, true, 42);
	add(0xd, 1, true, 2);
	add(4, 0, false, 40);
	add(4, 3, true, 43);
	add(4, 1, true, 41);
	cpuid_table_sort(&t);
	CHECK_EQ(answer(0xd, 1), 1);
	CHECK_EQ(answer(0xd, 0), 0xdead);
	CHECK_EQ(answer(4, 2), 42);
	/* The entry without an index comes before these. */
	CHECK_EQ(answer(4, 1), 40);
	CHECK_EQ(answer(4, 3), 40);
}

static u32 beyond(u32 function, u32 *as)
{
	const struct minikvm_cpuid_entry2 *e = cpuid_table_beyond(&t, &function, 0);

	*as = function;
	return e ? e->eax : 0xdead;
}

static void beyond_the_last_leaf_the_last_basic_one_answers(void)
{
	u32 as;

	start();
	CHECK_EQ(beyond(5, &as), 0xdead);
	add(0, 0, false, 7);
	add(7, 0, true, 77);
	add(0x40000000, 0, false, 0x40000001);
	add(0x80000000, 0, false, 0x80000008);
	cpuid_table_sort(&t);
	CHECK_EQ(beyond(8, &as), 77);
	CHECK_EQ(as, 7);
	CHECK_EQ(beyond(0x3fffffff, &as), 77);
	CHECK_EQ(beyond(0x50000000, &as), 77);
	CHECK_EQ(beyond(0x40000002, &as), 77);
	CHECK_EQ(beyond(0x40000100, &as), 77);
	CHECK_EQ(beyond(0x80000009, &as), 77);
	CHECK_EQ(beyond(0xc0000000, &as), 77);
	CHECK_EQ(beyond(~0u, &as), 77);
	/* In range, but not there. */
	CHECK_EQ(beyond(3, &as), 0xdead);
	CHECK_EQ(as, 3);
	CHECK_EQ(beyond(0x40000001, &as), 0xdead);
	CHECK_EQ(beyond(0x80000008, &as), 0xdead);
	/* AMD's and Hygon's. */
	entries[0].ebx = 0x68747541;
	CHECK_EQ(beyond(8, &as), 0xdead);
	entries[0].ebx = 0x6f677948;
	CHECK_EQ(beyond(0x3fffffff, &as), 0xdead);
}

static void linear_widths(void)
{
	u32 width;

	for (width = 0; width < 256; width++) {
		start();
		add(0x80000008, 0, false, width << 8 | 39);
		CHECK_EQ(cpuid_table_valid(&t), width == 0 || width == 48 || width == 57);
	}
	start();
	CHECK(cpuid_table_valid(&t));
}

int main(void)
{
	RUN(offer_names_every_bit_it_gives);
	RUN(offer_is_empty_where_nothing_is_named);
	RUN(offer_leaves_no_byte_unwritten);
	RUN(offer_counts_on_when_room_is_short);
	RUN(kernel_and_vmx_take_bits_away);
	RUN(a_host_without_xsave_has_no_leaf_for_it);
	RUN(strange_hosts_end);
	RUN(caches_are_shared_by_nobody);
	RUN(xstate_sizes);
	RUN(find_in_any_order);
	RUN(find_takes_the_first_that_matches);
	RUN(beyond_the_last_leaf_the_last_basic_one_answers);
	RUN(linear_widths);
	return unit_end();
}
