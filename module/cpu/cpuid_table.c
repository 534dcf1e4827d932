// SPDX-License-Identifier: GPL-2.0
/*
 * Which CPUID bits a guest may have, and how a table of answers is searched.
 * Called by cpuid.c; pure.
 *
 * The offer is an allow-list: a bit that is not named here is 0, whatever the
 * host has. Left out on purpose: VMX, SMX, MONITOR, performance counters, debug
 * store, transactional memory, SGX, processor trace, AMX, CET, user interrupts.
 * SDM "CPUID - CPU Identification".
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "cpuid_table.h"

#define BASIC_MAX	0xd
#define BASIC_NO_XSAVE	0xb
#define HYPERVISOR	0x40000000
#define EXTENDED	0x80000000
#define EXTENDED_MAX	0x80000008
#define EBX_AMD		0x68747541	/* leaf 0: "Auth", of AuthenticAMD */
#define EBX_HYGON	0x6f677948	/* "Hygo", of HygonGenuine */
#define XSTATE_HEADER	576	/* legacy region and header: the first component is behind */

enum { EAX, EBX, ECX, EDX };

#define BITS2(a, b)		(BIT(a) | BIT(b))
#define BITS4(a, b, c, d)	(BITS2(a, b) | BITS2(c, d))

static const struct word {
	u32 function, index;
	int reg;
	u32 allowed;
} words[NR_WORDS] = {
	[WORD_1_ECX] = { 1, 0, ECX,
		/* SSE3, PCLMULQDQ, SSSE3, FMA */
		BITS4(0, 1, 9, 12) |
		/* CMPXCHG16B, PCID, SSE4.1, SSE4.2 */
		BITS4(13, 17, 19, 20) |
		/* x2APIC, MOVBE, POPCNT, AES */
		BITS4(21, 22, 23, 25) |
		/* XSAVE, AVX, F16C, RDRAND */
		BITS4(26, 28, 29, 30) },
	[WORD_1_EDX] = { 1, 0, EDX,
		/* FPU, VME, DE, PSE, TSC, MSR, PAE, MCE, CX8, APIC */
		GENMASK(9, 0) |
		/* SEP, MTRR, PGE, MCA, CMOV, PAT, PSE36, CLFSH */
		GENMASK(17, 11) | BIT(19) |
		/* MMX, FXSR, SSE, SSE2, self snoop */
		GENMASK(27, 23) },
	[WORD_7_EBX] = { 7, 0, EBX,
		/* FSGSBASE, TSC_ADJUST, BMI1, AVX2 */
		BITS4(0, 1, 3, 5) |
		/* FDP_EXCPTN_ONLY, SMEP, BMI2, ERMS */
		BITS4(6, 7, 8, 9) |
		/* INVPCID, no FCS and FDS, AVX512F, AVX512DQ */
		BITS4(10, 13, 16, 17) |
		/* RDSEED, ADX, SMAP, AVX512IFMA */
		BITS4(18, 19, 20, 21) |
		/* CLFLUSHOPT, CLWB, AVX512PF, AVX512ER */
		BITS4(23, 24, 26, 27) |
		/* AVX512CD, SHA, AVX512BW, AVX512VL */
		BITS4(28, 29, 30, 31) },
	[WORD_7_ECX] = { 7, 0, ECX,
		/* AVX512VBMI, UMIP, PKU, AVX512VBMI2 */
		BITS4(1, 2, 3, 6) |
		/* GFNI, VAES, VPCLMULQDQ, AVX512VNNI */
		BITS4(8, 9, 10, 11) |
		/* AVX512BITALG, AVX512VPOPCNTDQ, LA57, RDPID */
		BITS4(12, 14, 16, 22) |
		/* CLDEMOTE, MOVDIRI, MOVDIR64B */
		BIT(25) | BITS2(27, 28) },
	[WORD_7_EDX] = { 7, 0, EDX,
		/* AVX512_4VNNIW, AVX512_4FMAPS, fast short REP MOV, AVX512_VP2INTERSECT */
		BITS4(2, 3, 4, 8) |
		/* MD_CLEAR, SERIALIZE, AVX512_FP16, SPEC_CTRL */
		BITS4(10, 14, 23, 26) |
		/* STIBP, FLUSH_L1D, ARCH_CAPABILITIES, SSBD */
		BITS4(27, 28, 29, 31) },
	[WORD_7_1_EAX] = { 7, 1, EAX,
		/* AVX-VNNI, AVX512_BF16, CMPCCXADD, AVX-IFMA */
		BITS4(4, 5, 7, 23) |
		/* fast zero-length MOVSB, fast short STOSB, CMPSB and SCASB */
		BIT(10) | BITS2(11, 12) },
	[WORD_7_1_EDX] = { 7, 1, EDX,
		/* AVX-VNNI-INT8, AVX-NE-CONVERT, PREFETCHI */
		BIT(4) | BITS2(5, 14) },
	[WORD_7_2_EDX] = { 7, 2, EDX,
		/* PSFD, IPRED_CTRL, RRSBA_CTRL, DDPD_U, BHI_CTRL, MCDT_NO */
		GENMASK(5, 0) },
	[WORD_D_1_EAX] = { 0xd, 1, EAX,
		/* XSAVEOPT, XSAVEC, XGETBV with ECX = 1 */
		BIT(0) | BITS2(1, 2) },
	[WORD_80000001_ECX] = { 0x80000001, 0, ECX,
		/* LAHF, LZCNT, PREFETCHW */
		BIT(0) | BITS2(5, 8) },
	[WORD_80000001_EDX] = { 0x80000001, 0, EDX,
		/* SYSCALL, NX, 1 GiB pages, RDTSCP, long mode */
		BITS4(11, 20, 26, 27) | BIT(29) },
	[WORD_80000007_EDX] = { 0x80000007, 0, EDX,
		/* invariant TSC */
		BIT(8) },
};

/* ---- the offer */

/* A list under construction; counts on when the room is used up. */
struct list {
	const struct cpuid_host *host;
	struct minikvm_cpuid_entry2 *entries;
	u32 room, n;
	struct minikvm_cpuid_entry2 overflow;	/* the entry for which there was no room */
};

/* A new entry without any bit. */
static struct minikvm_cpuid_entry2 *add_empty(struct list *l, u32 function, u32 index,
					      bool indexed)
{
	struct minikvm_cpuid_entry2 *e = l->n < l->room ? &l->entries[l->n] : &l->overflow;

	l->n++;
	*e = (struct minikvm_cpuid_entry2) {
		.function = function,
		.index = index,
		.flags = indexed ? MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
	};
	return e;
}

static void read_host(const struct list *l, u32 function, u32 index, u32 r[4])
{
	l->host->read(function, index, r);
}

/* A new entry with the host's bits of the words that are in it, as far as allowed. */
static struct minikvm_cpuid_entry2 *add_words(struct list *l, u32 function, u32 index,
					      bool indexed)
{
	struct minikvm_cpuid_entry2 *e = add_empty(l, function, index, indexed);
	u32 r[4];
	int i;

	read_host(l, function, index, r);
	for (i = 0; i < NR_WORDS; i++) {
		if (words[i].function != function || words[i].index != index)
			continue;
		(&e->eax)[words[i].reg] = (r[words[i].reg] & words[i].allowed &
					   ~l->host->off[i]) | l->host->on[i];
	}
	return e;
}

/* A new entry as the host has it. */
static struct minikvm_cpuid_entry2 *add_raw(struct list *l, u32 function, u32 index, bool indexed)
{
	struct minikvm_cpuid_entry2 *e = add_empty(l, function, index, indexed);
	u32 r[4];

	read_host(l, function, index, r);
	e->eax = r[EAX];
	e->ebx = r[EBX];
	e->ecx = r[ECX];
	e->edx = r[EDX];
	return e;
}

/* Family, model, stepping, and the line size of CLFLUSH; no APIC ID, no count of CPUs. */
static void add_version(struct list *l)
{
	struct minikvm_cpuid_entry2 *e = add_words(l, 1, 0, false);
	u32 r[4];

	read_host(l, 1, 0, r);
	e->eax = r[EAX];
	e->ebx = r[EBX] & 0xff00;
}

/* Caches as the host has them, but shared by nobody: not the host's topology. */
static void add_caches(struct list *l)
{
	struct minikvm_cpuid_entry2 *e;
	u32 i = 0;

	do {
		e = add_raw(l, 4, i++, true);
		e->eax &= 0x3fff;
	} while ((e->eax & 0x1f) && i < 8);
}

static void add_features(struct list *l)
{
	struct minikvm_cpuid_entry2 *e = add_words(l, 7, 0, true);
	u32 r[4], i;

	read_host(l, 7, 0, r);
	e->eax = min_t(u32, r[EAX], 2);
	for (i = 1; i <= min_t(u32, r[EAX], 2); i++)
		add_words(l, 7, i, true);
}

/* Where a component is in the compacted layout, if the one before ends at @offset. */
static u32 align_component(u32 offset, u32 ecx)
{
	return ecx & BIT(1) ? (offset + 63) & ~63u : offset;
}

/* Size of the save area for the components of the offer. */
static u32 offered_size(const struct list *l, bool compact)
{
	u32 size = XSTATE_HEADER, r[4], i;

	for (i = 2; i < 63; i++) {
		if (!(l->host->xcr0 & BIT_ULL(i)))
			continue;
		read_host(l, 0xd, i, r);
		size = compact ? align_component(size, r[ECX]) + r[EAX] : max(size, r[EAX] + r[EBX]);
	}
	return size;
}

static void add_xstate(struct list *l)
{
	struct minikvm_cpuid_entry2 *e = add_empty(l, 0xd, 0, true);
	u64 xcr0 = l->host->xcr0;
	u32 i;

	e->eax = xcr0;
	e->ebx = offered_size(l, false);
	e->ecx = e->ebx;
	e->edx = xcr0 >> 32;
	e = add_words(l, 0xd, 1, true);
	if (e->eax & FD1A_XSAVEC)
		e->ebx = offered_size(l, true);
	for (i = 2; i < 63; i++) {
		if (!(xcr0 & BIT_ULL(i)))
			continue;
		e = add_raw(l, 0xd, i, true);
		e->ecx &= BIT(1);	/* alignment */
		e->edx = 0;
	}
}

static void add_basic(struct list *l)
{
	struct minikvm_cpuid_entry2 *e = add_raw(l, 0, 0, false);
	u32 top = min_t(u32, e->eax, l->host->xcr0 ? BASIC_MAX : BASIC_NO_XSAVE), i;

	e->eax = top;
	for (i = 1; i <= top; i++) {
		switch (i) {
		case 1:
			add_version(l);
			break;
		case 2:
			add_raw(l, 2, 0, false);
			break;
		case 4:
			add_caches(l);
			break;
		case 6:	/* the virtual APIC's timer never stops */
			add_empty(l, 6, 0, false)->eax = BIT(2);
			break;
		case 7:
			add_features(l);
			break;
		case 0xd:
			add_xstate(l);
			break;
		default:
			add_empty(l, i, 0, i == 0xb);
		}
	}
}

/*
 * By these leaves a guest knows whose hypercalls and MSRs it may use. The
 * interface is KVM's, so the name is, and Linux then uses the x2APIC without
 * interrupt remapping.
 */
static void add_hypervisor(struct list *l)
{
	struct minikvm_cpuid_entry2 *e = add_empty(l, HYPERVISOR, 0, false);

	e->eax = HYPERVISOR + 1;
	memcpy(&e->ebx, "KVMK", 4);
	memcpy(&e->ecx, "VMKV", 4);
	memcpy(&e->edx, "M\0\0\0", 4);
	add_empty(l, HYPERVISOR + 1, 0, false)->eax =
		/* The clock by its old MSRs, no delay for ports, the clock by its new ones, stable */
		BITS4(0, 1, 3, 24) |
		/* Steal time, EOI in memory */
		(l->host->steal_time ? BIT(5) : 0) | BIT(6);
}

/* Widths: physical, linear, and what of the physical one can be mapped. */
static void add_widths(struct list *l)
{
	u32 r[4], physical, linear;

	read_host(l, 0x80000008, 0, r);
	physical = r[EAX] & 0xff;
	linear = max_t(u32, r[EAX] >> 8 & 0xff, 48);
	add_empty(l, 0x80000008, 0, false)->eax =
		physical | linear << 8 | min_t(u32, physical, l->host->gpa_bits) << 16;
}

static void add_extended(struct list *l)
{
	struct minikvm_cpuid_entry2 *e = add_raw(l, EXTENDED, 0, false);
	u32 top = min_t(u32, e->eax, EXTENDED_MAX), i;

	*e = (struct minikvm_cpuid_entry2) { .function = EXTENDED, .eax = top };
	for (i = EXTENDED + 1; i <= top && top > EXTENDED; i++) {
		switch (i) {
		case 0x80000001:
		case 0x80000007:
			add_words(l, i, 0, false);
			break;
		case 0x80000002 ... 0x80000004:	/* brand string */
			add_raw(l, i, 0, false);
			break;
		case 0x80000006:	/* ECX: the L2 cache */
			e = add_raw(l, i, 0, false);
			e->eax = e->ebx = e->edx = 0;
			break;
		case 0x80000008:
			add_widths(l);
			break;
		default:
			add_empty(l, i, 0, false);
		}
	}
}

/**
 * cpuid_offer - what guests may have on this host
 * @host: the host
 * @entries: filled as far as there is room
 * @room: entries that @entries can take
 *
 * Return: entries that the whole offer takes.
 */
u32 cpuid_offer(const struct cpuid_host *host, struct minikvm_cpuid_entry2 *entries, u32 room)
{
	struct list l = { .host = host, .entries = entries, .room = room };

	add_basic(&l);
	add_hypervisor(&l);
	add_extended(&l);
	return l.n;
}

/* ---- a guest's table */

/**
 * cpuid_table_sort - bring the entries into order of function
 * @t: in the VMM's order, which stays among entries of one function: the first
 * that matches a query answers it
 */
void cpuid_table_sort(struct cpuid_answers *t)
{
	u32 i, j;

	for (i = 1; i < t->n; i++) {
		struct minikvm_cpuid_entry2 e = t->entries[i];

		for (j = i; j && t->entries[j - 1].function > e.function; j--)
			t->entries[j] = t->entries[j - 1];
		t->entries[j] = e;
	}
}

/**
 * cpuid_table_find - the entry for a query
 * @t: sorted
 * @function: EAX
 * @index: ECX
 *
 * Return: the entry, or NULL.
 */
const struct minikvm_cpuid_entry2 *cpuid_table_find(const struct cpuid_answers *t, u32 function,
						    u32 index)
{
	const struct minikvm_cpuid_entry2 *e, *end = t->entries + t->n;
	u32 low = 0, high = t->n;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (t->entries[mid].function < function)
			low = mid + 1;
		else
			high = mid;
	}
	for (e = t->entries + low; e < end && e->function == function; e++)
		if (!(e->flags & MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index)
			return e;
	return NULL;
}

/* The first leaf of the range that a function is in: its EAX is the last one. */
static u32 range_of(u32 function)
{
	if (function >= 0x40000000 && function <= 0x4fffffff)
		return function & 0xffffff00;
	return function >= 0xc0000000 ? 0xc0000000 : function & 0x80000000;
}

/**
 * cpuid_table_beyond - what answers a query that has no entry
 * @t: sorted
 * @function: EAX; becomes that of the entry that answers
 * @index: ECX
 *
 * A function behind the last one of its range, or in a range that is not there, is answered
 * by the last basic one. SDM "CPUID - CPU Identification". AMD's and Hygon's have zeroes there.
 *
 * Return: the entry, or NULL: all 0.
 */
const struct minikvm_cpuid_entry2 *cpuid_table_beyond(const struct cpuid_answers *t,
						      u32 *function, u32 index)
{
	const struct minikvm_cpuid_entry2 *basic = cpuid_table_find(t, 0, 0), *range;

	if (!basic || basic->ebx == EBX_AMD || basic->ebx == EBX_HYGON)
		return NULL;
	range = cpuid_table_find(t, range_of(*function), 0);
	if (range && *function <= range->eax)
		return NULL;
	*function = basic->eax;
	return cpuid_table_find(t, *function, index);
}

/** cpuid_table_word - the feature bits of a word; 0 if there is no such leaf */
u32 cpuid_table_word(const struct cpuid_answers *t, enum cpuid_word word)
{
	const struct minikvm_cpuid_entry2 *e = cpuid_table_find(t, words[word].function,
								words[word].index);

	return e ? (&e->eax)[words[word].reg] : 0;
}

/**
 * cpuid_table_pv - the leaf with KVM's own features; NULL: the table does not show KVM
 * @t: sorted
 *
 * Where the leaves of another hypervisor are first, those of KVM are some 0x100 further.
 */
const struct minikvm_cpuid_entry2 *cpuid_table_pv(const struct cpuid_answers *t)
{
	const struct minikvm_cpuid_entry2 *e;
	u32 base;

	for (base = HYPERVISOR; base < HYPERVISOR + 0x10000; base += 0x100) {
		e = cpuid_table_find(t, base, 0);
		if (!e || memcmp(&e->ebx, "KVMKVMKVM\0\0", 12))
			continue;
		return cpuid_table_find(t, base + 1, 0);
	}
	return NULL;
}

/** cpuid_table_xcr0 - the state components that the table has */
u64 cpuid_table_xcr0(const struct cpuid_answers *t)
{
	const struct minikvm_cpuid_entry2 *e = cpuid_table_find(t, 0xd, 0);

	return e ? e->eax | (u64)e->edx << 32 : 0;
}

/**
 * cpuid_xstate_size - bytes that XSAVE, or XSAVEC, writes
 * @t: sorted; says where each component is
 * @xcr0: components that are enabled
 * @compact: XSAVEC's layout
 */
u32 cpuid_xstate_size(const struct cpuid_answers *t, u64 xcr0, bool compact)
{
	const struct minikvm_cpuid_entry2 *e;
	u32 size = XSTATE_HEADER, i;

	for (i = 2; i < 63; i++) {
		e = xcr0 & BIT_ULL(i) ? cpuid_table_find(t, 0xd, i) : NULL;
		if (!e)
			continue;
		size = compact ? align_component(size, e->ecx) + e->eax :
				 max(size, e->eax + e->ebx);
	}
	return size;
}

/** cpuid_table_valid - are linear addresses of a width that there is? */
bool cpuid_table_valid(const struct cpuid_answers *t)
{
	const struct minikvm_cpuid_entry2 *e = cpuid_table_find(t, 0x80000008, 0);
	u32 width = e ? e->eax >> 8 & 0xff : 0;

	return !width || width == 48 || width == 57;
}
