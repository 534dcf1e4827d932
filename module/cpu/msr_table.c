// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of the MSRs that are a word in memory, and the answers of those that
 * have only one. Called by msr.c; pure.
 *
 * Which MSRs there are, which values they take and who may write them is as in
 * KVM, so that a guest finds the same machine; AMD's are there for guests that
 * try them on any processor. What is not here and not in msr.c is #GP. SDM
 * "Model-Specific Registers (MSRs)".
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "mce.h"
#include "msr_table.h"

/* How a new value is judged. */
enum check {
	ANY,
	ZERO,
	U32,
	CANONICAL,
	MTRR_DEFTYPE,
	MTRR_FIXED,
	MISC_ENABLE,
	FEAT_CTL,
	PLATFORM_INFO,
	HWCR,
	MCG_CTL,
};

enum {
	HOST_WRITE	= BIT(0),	/* the guest gets #GP */
	HOST_ONLY_SETS	= BIT(1),	/* the guest's write is dropped */
	READ_ONLY	= BIT(2),	/* for everybody */
};

/* MSRs that are a word of struct msr_state, by index. */
struct stored {
	u32 index;
	u16 offset;
	u8 check;
	u8 flags;
	u32 needs;	/* MSR_HAS_*: the guest gets #GP without it */
};

#define AT(field) offsetof(struct msr_state, field)
static const struct stored stored[] = {
	{ 0x00000034, AT(smi_count), ANY, HOST_WRITE },
	{ 0x0000003a, AT(feat_ctl), FEAT_CTL },
	{ 0x0000003b, AT(tsc_adjust), ANY },
	{ 0x0000008b, AT(ucode_rev), ANY, HOST_ONLY_SETS },
	{ 0x000000ce, AT(platform_info), PLATFORM_INFO, HOST_WRITE },
	{ 0x0000010a, AT(arch_capabilities), ANY, HOST_WRITE, MSR_HAS_ARCH_CAPS },
	{ 0x00000140, AT(misc_features), ZERO },
	{ 0x00000179, AT(mcg_cap), ANY, READ_ONLY },
	{ 0x0000017a, AT(mcg_status), ANY },
	{ 0x0000017b, AT(mcg_ctl), MCG_CTL },
	{ 0x000001a0, AT(misc_enable), MISC_ENABLE },
	{ 0x000001fc, AT(power_ctl), ANY },
	{ 0x00000250, AT(mtrr.fixed[0]), MTRR_FIXED },	/* 64 KiB */
	{ 0x00000258, AT(mtrr.fixed[1]), MTRR_FIXED },	/* 16 KiB */
	{ 0x00000259, AT(mtrr.fixed[2]), MTRR_FIXED },
	{ 0x00000268, AT(mtrr.fixed[3]), MTRR_FIXED },	/* 4 KiB */
	{ 0x00000269, AT(mtrr.fixed[4]), MTRR_FIXED },
	{ 0x0000026a, AT(mtrr.fixed[5]), MTRR_FIXED },
	{ 0x0000026b, AT(mtrr.fixed[6]), MTRR_FIXED },
	{ 0x0000026c, AT(mtrr.fixed[7]), MTRR_FIXED },
	{ 0x0000026d, AT(mtrr.fixed[8]), MTRR_FIXED },
	{ 0x0000026e, AT(mtrr.fixed[9]), MTRR_FIXED },
	{ 0x0000026f, AT(mtrr.fixed[10]), MTRR_FIXED },
	{ 0x000002ff, AT(mtrr.deftype), MTRR_DEFTYPE },
	{ 0xc0000081, AT(star), ANY },
	{ 0xc0000082, AT(lstar), CANONICAL },
	{ 0xc0000083, AT(cstar), CANONICAL },
	{ 0xc0000084, AT(sfmask), U32 },
	{ 0xc0000103, AT(tsc_aux), U32, 0, MSR_HAS_TSC_AUX },
	{ 0xc0010015, AT(hwcr), HWCR },
};
#undef AT

enum {
	WRITABLE	= BIT(0),	/* bits of .dropped are taken and dropped */
	WRITE_ONLY	= BIT(1),
	HOST_ONLY	= BIT(2),	/* the guest has no such MSR */
};

/* MSRs with one answer, by index. */
struct answer {
	u32 index;
	u8 flags;
	u64 value;
	u64 dropped;
	u32 needs;	/* MSR_HAS_*: HOST_ONLY without it */
};

static const struct answer answers[] = {
	{ 0x00000000, 0, 0 },			/* P5_MC_ADDR */
	{ 0x00000001, 0, 0 },			/* P5_MC_TYPE */
	{ 0x00000017, 0, 0 },			/* PLATFORM_ID */
	{ 0x0000002a, 0, 0 },			/* EBL_CR_POWERON */
	{ 0x0000002c, 0, 1 << 24 },		/* EBC_FREQUENCY_ID: a ratio of 1 */
	{ 0x00000079, WRITABLE | WRITE_ONLY, 0, ~0ull },	/* UCODE_WRITE */
	{ 0x000000c1, WRITABLE, 0, ~0ull },	/* P6_PERFCTR0, 1 */
	{ 0x000000c2, WRITABLE, 0, ~0ull },
	{ 0x000000cd, 0, 3 },			/* FSB_FREQ */
	{ 0x000000fe, 0, 0x508 },		/* MTRRcap: 8 variable ranges, fixed ones, WC */
	{ 0x0000011e, WRITABLE, 0xbe702111, ~0ull },	/* BBL_CR_CTL3: an L2 that works */
	{ 0x00000186, WRITABLE, 0, ~0ull },	/* P6_EVNTSEL0, 1 */
	{ 0x00000187, WRITABLE, 0, ~0ull },
	{ 0x00000198, 0, 1000 | 4ull << 40 },	/* PERF_STATUS: nobody divides by 0 */
	{ 0x00000199, 0, 0 },			/* PERF_CTL */
	{ 0x000001d9, WRITABLE, 0, BIT(0) | BIT(1) },	/* DEBUGCTL: LBR, BTF */
	{ 0x000001db, 0, 0 },			/* last branch, last interrupt */
	{ 0x000001dc, 0, 0 },
	{ 0x000001dd, 0, 0 },
	{ 0x000001de, 0, 0 },
	{ 0x00000345, WRITABLE | HOST_ONLY, 0, 0, MSR_HAS_PDCM },	/* PERF_CAPABILITIES */
	{ 0x00000606, 0, 0 },			/* RAPL: power unit, package, DRAM, planes */
	{ 0x00000611, 0, 0 },
	{ 0x00000619, 0, 0 },
	{ 0x00000639, 0, 0 },
	{ 0x00000641, 0, 0 },
	{ 0x00000da0, WRITABLE | HOST_ONLY },	/* XSS: no supervisor state, no XSAVES */
	/* AMD's */
	{ 0xc0010000, WRITABLE, 0, ~0ull },	/* EVNTSEL0 to 3, PERFCTR0 to 3 */
	{ 0xc0010001, WRITABLE, 0, ~0ull },
	{ 0xc0010002, WRITABLE, 0, ~0ull },
	{ 0xc0010003, WRITABLE, 0, ~0ull },
	{ 0xc0010004, WRITABLE, 0, ~0ull },
	{ 0xc0010005, WRITABLE, 0, ~0ull },
	{ 0xc0010006, WRITABLE, 0, ~0ull },
	{ 0xc0010007, WRITABLE, 0, ~0ull },
	{ 0xc0010010, 0, 0 },			/* SYSCFG */
	{ 0xc001001b, WRITABLE, 0x20000000, ~0ull },	/* CLK_CTL */
	{ 0xc001001f, WRITABLE, 0, ~0ull },	/* NB_CFG */
	{ 0xc0010020, WRITABLE | WRITE_ONLY, 0, ~0ull },	/* PATCH_LOADER */
	{ 0xc0010055, 0, 0 },			/* INT_PENDING_MSG */
	{ 0xc0010058, WRITABLE, 0, 0 },		/* MMIO_CONF_BASE */
	{ 0xc0010112, 0, 0 },			/* TSEG_ADDR, MASK */
	{ 0xc0010113, 0, 0 },
	{ 0xc0010117, WRITABLE, 0, ~0ull },	/* VM_HSAVE_PA */
	{ 0xc0011022, WRITABLE, 0, ~0ull },	/* DC_CFG */
	{ 0xc0011023, WRITABLE, 0, ~0ull },	/* TW_CFG */
	{ 0xc001102a, WRITABLE, 0, ~0ull },	/* BU_CFG2 */
	{ 0xc001102c, WRITABLE, 0, ~0ull },	/* EX_CFG */
};

const u32 msr_index_list[] = {
	0x174, 0x175, 0x176,			/* SYSENTER_CS, ESP, EIP */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,	/* STAR, LSTAR, CSTAR, FMASK */
	0xc0000100, 0xc0000101, 0xc0000102,	/* FS, GS, KERNEL_GS base */
	0xc0000103,				/* TSC_AUX */
	0x10, 0x3b, 0x6e0,			/* TSC, TSC_ADJUST, TSC_DEADLINE */
	0x277,					/* PAT */
	0x48,					/* SPEC_CTRL */
	0x3a,					/* FEATURE_CONTROL */
	0x8b, 0x10a, 0xce, 0x140,		/* UCODE_REV, ARCH_CAPABILITIES, PLATFORM_INFO, */
	0x1a0, 0x1fc,				/* MISC_FEATURES, MISC_ENABLE, POWER_CTL */
	0x17a, 0x17b,				/* MCG_STATUS, MCG_CTL */
	0x11, 0x12, 0x4b564d00, 0x4b564d01,	/* KVM's wall clock and system time, twice */
	0x4b564d03, 0x4b564d04,			/* KVM's steal time, PV EOI */
};
const u32 msr_index_count = ARRAY_SIZE(msr_index_list);

/* UCODE_REV, ARCH_CAPABILITIES, PERF_CAPABILITIES */
const u32 msr_feature_list[] = { 0x8b, 0x10a, 0x345 };
const u32 msr_feature_count = ARRAY_SIZE(msr_feature_list);

/* Both tables are in order of index, the first member of each row. */
static const void *msr_rule_find(const void *table, size_t n, size_t size, u32 index)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const u32 *row = table + mid * size;

		if (*row == index)
			return row;
		if (*row < index)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static const struct stored *find_stored(u32 index)
{
	return msr_rule_find(stored, ARRAY_SIZE(stored), sizeof(stored[0]), index);
}

static const struct answer *find_answer(u32 index)
{
	return msr_rule_find(answers, ARRAY_SIZE(answers), sizeof(answers[0]), index);
}

/**
 * msr_canonicalize - the address that the low @va_bits bits of @value mean
 * @value: any
 * @va_bits: width of a linear address
 */
u64 msr_canonicalize(u64 value, int va_bits)
{
	return (u64)((s64)(value << (64 - va_bits)) >> (64 - va_bits));
}

/** msr_canonical - is @value a linear address of @va_bits bits? SDM "Canonical Addressing" */
bool msr_canonical(u64 value, int va_bits)
{
	return msr_canonicalize(value, va_bits) == value;
}

/* SDM "Memory Types and Their Properties": UC, WC, WT, WP, WB. */
static bool memory_type_valid(u8 type)
{
	return type < 8 && (BIT(type) & 0x73);
}

static bool all_types_valid(u64 value, bool uc_minus)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if (!memory_type_valid(value) && !(uc_minus && (u8)value == 7))
			return false;
	return true;
}

/** msr_pat_valid - eight memory types, of which PAT has one more. SDM "IA32_PAT MSR". */
bool msr_pat_valid(u64 value)
{
	return all_types_valid(value, true);
}

#define MISC_ENABLE_EMON	BIT_ULL(7)
#define MISC_ENABLE_NO_PMU	(BIT_ULL(11) | BIT_ULL(12))	/* BTS, PEBS unavailable */
#define FEAT_CTL_LOCK		BIT_ULL(0)
#define PLATFORM_CPUID_FAULT	BIT_ULL(31)

static bool misc_enable_accept(u64 old, u64 *data, bool host)
{
	if (host)
		return true;
	if ((old ^ *data) & MISC_ENABLE_NO_PMU)
		return false;
	*data = (*data & ~MISC_ENABLE_EMON) | (old & MISC_ENABLE_EMON);
	return true;
}

/* AMD's HWCR: some bits mean nothing here, two are kept, the others are refused. */
static bool hwcr_accept(u64 *data)
{
	*data &= ~(BIT_ULL(3) | BIT_ULL(6) | BIT_ULL(8));
	return !(*data & ~(BIT_ULL(18) | BIT_ULL(24)));
}

/* May *data replace @old? It may be changed on the way. */
static bool msr_accept(const struct msr_state *s, enum check check, u64 old, u64 *data, bool host)
{
	switch (check) {
	case ANY:
		return true;
	case ZERO:
		return !*data;
	case U32:
		return !(*data >> 32);
	case CANONICAL:
		return msr_canonical(*data, s->rules.va_bits);
	case MTRR_DEFTYPE:
		return !(*data & ~0xcffull) && memory_type_valid(*data);
	case MTRR_FIXED:
		return all_types_valid(*data, false);
	case MISC_ENABLE:
		return misc_enable_accept(old, data, host);
	case FEAT_CTL:	/* there is nothing to enable, only the lock */
		return !(*data & ~FEAT_CTL_LOCK) && (host || !(old & FEAT_CTL_LOCK));
	case PLATFORM_INFO:	/* CPUID does not fault in user mode */
		return !(*data & PLATFORM_CPUID_FAULT);
	case HWCR:
		return hwcr_accept(data);
	case MCG_CTL:
		if (!(s->mcg_cap & MCG_CTL_P))
			return host && !*data;
		return !*data || *data == ~0ull;
	}
	return false;
}

static bool stored_readable(const struct msr_state *s, const struct stored *m, bool host)
{
	if (host)
		return true;
	if (m->check == MCG_CTL && !(s->mcg_cap & MCG_CTL_P))
		return false;
	return !m->needs || (s->rules.has & m->needs);
}

static int stored_write(struct msr_state *s, const struct stored *m, u64 data, bool host)
{
	u64 *word = (void *)s + m->offset;

	if (m->flags & READ_ONLY)
		return 1;
	if (!host) {
		if (m->flags & HOST_ONLY_SETS)
			return 0;
		if ((m->flags & HOST_WRITE) || (m->needs && !(s->rules.has & m->needs)))
			return 1;
	}
	if (!msr_accept(s, m->check, *word, &data, host))
		return 1;
	*word = data;
	return 0;
}

static bool answer_there(const struct msr_state *s, const struct answer *a, bool host)
{
	return host || !(a->flags & HOST_ONLY) || (s->rules.has & a->needs);
}

#define MTRR_VAR	0x200
#define MC0_CTL		0x400
#define MC0_CTL2	0x280

/* Variable-range MTRRs: pairs of base and mask from 0x200 on. */
static u64 *mtrr_var(const struct msr_state *s, u32 index)
{
	u32 i = index - MTRR_VAR;

	if (i >= 2 * ARRAY_SIZE(s->mtrr.var))
		return NULL;
	i = array_index_nospec(i, 2 * ARRAY_SIZE(s->mtrr.var));
	return (u64 *)&s->mtrr.var[i / 2][i % 2];
}

static bool mtrr_var_valid(const struct msr_state *s, u32 index, u64 data)
{
	u64 reserved = s->rules.maxphyaddr < 64 ? ~0ull << s->rules.maxphyaddr : 0;

	if (index & 1)
		return !(data & (reserved | 0x7ff));
	return !(data & (reserved | 0xf00)) && memory_type_valid(data);
}

static u32 mce_count(const struct msr_state *s)
{
	return min_t(u32, s->mcg_cap & 0xff, MSR_MCE_BANKS);
}

/* Machine-check banks: CTL, STATUS, ADDR and MISC of each, from 0x400 on. */
static u64 *mce_bank(const struct msr_state *s, u32 index)
{
	u32 i = index - MC0_CTL;

	if (i >= 4 * mce_count(s))
		return NULL;
	i = array_index_nospec(i, 4 * MSR_MCE_BANKS);
	return (u64 *)&s->mce_banks[i / 4][i % 4];
}

static bool mce_valid(u32 index, u64 data, bool host)
{
	switch (index % 4) {
	case 0:	/* all or nothing; some guests clear one bit of a bank */
		return !data || (data | BIT_ULL(10) | 1) == ~0ull;
	case 1:	/* STATUS is cleared by software, set by errors */
		return host || !data;
	default:
		return true;
	}
}

/* CTL2 of the banks is for corrected errors' interrupts, which mcg_cap does not give. */
static bool is_mce_ctl2(const struct msr_state *s, u32 index)
{
	return index - MC0_CTL2 < mce_count(s);
}

/**
 * msr_state_read - RDMSR or GET_MSRS of an MSR that is a word, or has one answer
 * @s: the vCPU's
 * @index: which
 * @data: result
 * @host: asked by an ioctl
 *
 * Return: 0; 1: there is none for the asker; MSR_UNKNOWN: for nobody, or only to be written.
 */
int msr_state_read(const struct msr_state *s, u32 index, u64 *data, bool host)
{
	const struct stored *m = find_stored(index);
	const struct answer *a;
	const u64 *word;

	if (m) {
		*data = *(u64 *)((void *)s + m->offset);
		return !stored_readable(s, m, host);
	}
	word = mtrr_var(s, index) ?: mce_bank(s, index);
	if (word) {
		*data = *word;
		return 0;
	}
	*data = 0;
	if (is_mce_ctl2(s, index))
		return !host;
	a = find_answer(index);
	if (!a || (a->flags & WRITE_ONLY))
		return MSR_UNKNOWN;
	if (!answer_there(s, a, host))
		return 1;
	*data = a->value;
	return 0;
}

static int answer_write(const struct msr_state *s, u32 index, u64 data, bool host)
{
	const struct answer *a = find_answer(index);

	if (!a || !(a->flags & WRITABLE))
		return MSR_UNKNOWN;
	if (!answer_there(s, a, host))
		return 1;
	return (data & ~a->dropped) != 0;
}

/**
 * msr_state_write - WRMSR or SET_MSRS of such an MSR
 * @s: the vCPU's
 * @index: which
 * @data: value
 * @host: asked by an ioctl, which may write what the guest only reads
 *
 * Return: 0; else refused, and nothing changed: 1, or MSR_UNKNOWN: there is none, or only to
 * be read.
 */
int msr_state_write(struct msr_state *s, u32 index, u64 data, bool host)
{
	const struct stored *m = find_stored(index);
	u64 *word;

	if (m)
		return stored_write(s, m, data, host);
	word = mtrr_var(s, index);
	if (word) {
		if (!mtrr_var_valid(s, index, data))
			return 1;
		*word = data;
		return 0;
	}
	word = mce_bank(s, index);
	if (word) {
		if (!mce_valid(index, data, host))
			return 1;
		*word = data;
		return 0;
	}
	if (is_mce_ctl2(s, index))
		return !host || data;
	return answer_write(s, index, data, host);
}

/**
 * msr_state_reset - values after power-up, where they are not 0
 * @s: zeroed, but for .rules
 *
 * SDM "Processor State After Reset". IA32_MISC_ENABLE is as KVM has it: fast strings
 * are for the VMM to switch on.
 */
void msr_state_reset(struct msr_state *s)
{
	s->misc_enable = MISC_ENABLE_NO_PMU;
	s->ucode_rev = 1ull << 32;
	s->mcg_cap = MSR_MCE_BANKS;
}
