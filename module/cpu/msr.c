// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers: a table of those that are plain storage, and the few
 * that are more. Everything not here is #GP for the guest.
 *
 * Nothing in this file sleeps: the exits run it with interrupts off. Values are
 * checked before they are stored; none reaches a host MSR unchecked.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <asm/mtrr.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "../vmx/vmx.h"
#include "../minikvm.h"

#define MSR_KVM_WALL_CLOCK_OLD	0x11
#define MSR_KVM_SYSTEM_TIME_OLD	0x12
#define MSR_BBL_CR_CTL3		0x11e
#define MSR_UCODE_REV		0x8b
#define MCE_BANKS		32

static bool canonical(u64 value)
{
	int shift = boot_cpu_has(X86_FEATURE_LA57) ? 7 : 16;

	return ((s64)value << shift >> shift) == (s64)value;
}

static bool any(u64 value)
{
	return true;
}

static bool zero(u64 value)
{
	return !value;
}

static bool is_u32(u64 value)
{
	return !(value >> 32);
}

/* SDM "IA32_PAT MSR": eight types, 2 and 3 reserved. */
static bool pat_valid(u64 value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3)
			return false;
	return true;
}

static bool mtrr_type_valid(u8 type)
{
	return type < 7 && type != 2 && type != 3;
}

static bool mtrr_fixed_valid(u64 value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if (!mtrr_type_valid(value & 0xff))
			return false;
	return true;
}

static bool mtrr_deftype_valid(u64 value)
{
	return !(value & ~0xcffull) && mtrr_type_valid(value & 0xff);
}

static bool spec_ctrl_valid(u64 value)
{
	return !(value & ~(u64)(SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD));
}

enum { HOST_WRITE = BIT(0), UNLISTED = BIT(1) };	/* only ioctls write; not in the index list */

/* MSRs that are a word in struct vcpu. */
static const struct stored_msr {
	u32 index;
	u16 offset;
	u16 flags;
	bool (*valid)(u64 value);
} stored[] = {
#define AT(field) offsetof(struct vcpu, field)
	{ MSR_STAR, AT(star), 0, any },
	{ MSR_LSTAR, AT(lstar), 0, canonical },
	{ MSR_CSTAR, AT(cstar), 0, canonical },
	{ MSR_SYSCALL_MASK, AT(sfmask), 0, is_u32 },
	{ MSR_TSC_AUX, AT(tsc_aux), 0, is_u32 },
	{ MSR_IA32_MISC_ENABLE, AT(misc_enable), 0, is_u32 },
	{ MSR_IA32_ARCH_CAPABILITIES, AT(arch_capabilities), HOST_WRITE, any },
	{ MSR_PLATFORM_INFO, AT(platform_info), HOST_WRITE, any },
	{ MSR_MISC_FEATURES_ENABLES, AT(misc_features), 0, zero },
	{ MSR_UCODE_REV, AT(ucode_rev), HOST_WRITE, any },
	{ MSR_IA32_MCG_STATUS, AT(mcg_status), 0, any },
	{ MSR_MTRRdefType, AT(mtrr.deftype), UNLISTED, mtrr_deftype_valid },
	{ MSR_MTRRfix64K_00000, AT(mtrr.fixed[0]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix16K_80000, AT(mtrr.fixed[1]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix16K_A0000, AT(mtrr.fixed[2]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_C0000, AT(mtrr.fixed[3]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_C8000, AT(mtrr.fixed[4]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_D0000, AT(mtrr.fixed[5]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_D8000, AT(mtrr.fixed[6]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_E0000, AT(mtrr.fixed[7]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_E8000, AT(mtrr.fixed[8]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_F0000, AT(mtrr.fixed[9]), UNLISTED, mtrr_fixed_valid },
	{ MSR_MTRRfix4K_F8000, AT(mtrr.fixed[10]), UNLISTED, mtrr_fixed_valid },
#undef AT
};

/* MSRs with one answer, that guests look at; writes of that answer are taken. */
static const struct { u32 index; u64 value; bool guest_write; } constant[] = {
	{ MSR_MTRRcap, 0x508, false },		/* 8 variable ranges, fixed ones, WC */
	{ MSR_IA32_UCODE_WRITE, 0, true },
	{ MSR_BBL_CR_CTL3, 0xbe702111, false },
	{ MSR_IA32_FEAT_CTL, FEAT_CTL_LOCKED, false },
	{ MSR_SMI_COUNT, 0, false },
	{ MSR_IA32_BBL_CR_CTL, 0, true },
	{ MSR_IA32_PERF_CTL, 0, true },
	{ MSR_IA32_PERF_STATUS, 1000, false },
	{ MSR_IA32_THERM_STATUS, 0, false },
	{ MSR_IA32_PLATFORM_ID, 0, false },
	{ MSR_IA32_EBL_CR_POWERON, 0, true },
	{ MSR_EBC_FREQUENCY_ID, 1 << 24, false },
	{ MSR_IA32_DEBUGCTLMSR, 0, true },
	{ MSR_IA32_LASTBRANCHFROMIP, 0, false },
	{ MSR_IA32_LASTBRANCHTOIP, 0, false },
	{ MSR_IA32_LASTINTFROMIP, 0, false },
	{ MSR_IA32_LASTINTTOIP, 0, false },
	{ MSR_P6_PERFCTR0, 0, true },
	{ MSR_P6_PERFCTR1, 0, true },
	{ MSR_P6_EVNTSEL0, 0, true },
	{ MSR_P6_EVNTSEL1, 0, true },
	{ MSR_DRAM_ENERGY_STATUS, 0, false },
	{ MSR_PKG_ENERGY_STATUS, 0, false },
	{ MSR_PP0_ENERGY_STATUS, 0, false },
	{ MSR_PP1_ENERGY_STATUS, 0, false },
	{ MSR_RAPL_POWER_UNIT, 0, false },
	{ MSR_PPERF, 0, false },
	{ MSR_K7_HWCR, 0, true },
	{ MSR_IA32_SMBASE, 0x30000, false },
};

const u32 msr_index_list[] = {
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE,
	MSR_FS_BASE, MSR_GS_BASE, MSR_EFER, MSR_IA32_CR_PAT, MSR_IA32_TSC, MSR_IA32_TSC_ADJUST,
	MSR_TSC_AUX, MSR_IA32_TSC_DEADLINE, MSR_IA32_APICBASE, MSR_IA32_MISC_ENABLE,
	MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL, MSR_IA32_SPEC_CTRL, MSR_IA32_ARCH_CAPABILITIES,
	MSR_PLATFORM_INFO, MSR_MISC_FEATURES_ENABLES, MSR_UCODE_REV,
};
const u32 msr_index_count = ARRAY_SIZE(msr_index_list);

const u32 msr_feature_list[] = {
	MSR_IA32_ARCH_CAPABILITIES, MSR_UCODE_REV, MSR_PLATFORM_INFO,
};
const u32 msr_feature_count = ARRAY_SIZE(msr_feature_list);

/** msr_listed - is an MSR of msr_index_list there on this host? */
bool msr_listed(u32 index)
{
	switch (index) {
	case MSR_TSC_AUX:
		return vmx_caps.rdtscp;
	case MSR_IA32_SPEC_CTRL:
		return boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
	default:
		return true;
	}
}

/* What the host's ARCH_CAPABILITIES promises, and a guest may rely on as well. */
static u64 arch_capabilities(void)
{
	const u64 known = ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_RSBA |
			  ARCH_CAP_SKIP_VMENTRY_L1DFLUSH | ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO |
			  ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO | ARCH_CAP_SBDR_SSDP_NO |
			  ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO | ARCH_CAP_RRSBA |
			  ARCH_CAP_PBRSB_NO | ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO | ARCH_CAP_BHI_NO;
	u64 caps = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl_safe(MSR_IA32_ARCH_CAPABILITIES, &caps);
	caps &= known;
	/* Huge pages that cannot be executed make multihit a host matter, as the flush is. */
	caps |= ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_SKIP_VMENTRY_L1DFLUSH;
	if (!boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN))
		caps |= ARCH_CAP_RDCL_NO;
	if (!boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		caps |= ARCH_CAP_SSB_NO;
	if (!boot_cpu_has_bug(X86_BUG_MDS))
		caps |= ARCH_CAP_MDS_NO;
	return caps;
}

/** msr_feature_read - GET_MSRS on the device. 0, or 1: no such feature MSR. */
int msr_feature_read(u32 index, u64 *data)
{
	switch (index) {
	case MSR_IA32_ARCH_CAPABILITIES:
		*data = arch_capabilities();
		return 0;
	case MSR_UCODE_REV:
		*data = 0x100000000ull;
		return 0;
	case MSR_PLATFORM_INFO:
		*data = 0;
		return 0;
	default:
		return 1;
	}
}

static u64 *stored_word(struct vcpu *vcpu, const struct stored_msr *m)
{
	return (void *)vcpu + m->offset;
}

static const struct stored_msr *find_stored(u32 index)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(stored); i++)
		if (stored[i].index == index)
			return &stored[i];
	return NULL;
}

/* Variable-range MTRRs, pairs of base and mask. */
static u64 *mtrr_var(struct vcpu *vcpu, u32 index)
{
	u32 i = index - MTRRphysBase_MSR(0);

	return index >= MTRRphysBase_MSR(0) && i < 16 ? &vcpu->mtrr.var[i / 2][i % 2] : NULL;
}

static bool mtrr_var_valid(struct vcpu *vcpu, u32 index, u64 data)
{
	u64 reserved = ~0ull << vcpu->maxphyaddr;

	if (index & 1)
		return !(data & (reserved | 0x7ff));
	return !(data & (reserved | 0xf00)) && mtrr_type_valid(data & 0xff);
}

/* Machine-check banks: CTL, STATUS, ADDR, MISC of each. */
static u64 *mce_bank(struct vcpu *vcpu, u32 index)
{
	u32 i = index - MSR_IA32_MC0_CTL;

	return index >= MSR_IA32_MC0_CTL && i / 4 < (vcpu->mcg_cap & 0xff) && i / 4 < MCE_BANKS ?
	       &vcpu->mce_banks[i / 4][i % 4] : NULL;
}

static bool mce_valid(u32 index, u64 data, bool host)
{
	u32 which = (index - MSR_IA32_MC0_CTL) % 4;

	if (which == 0)	/* all or nothing; some guests clear one bit of a bank */
		return !data || (data | BIT_ULL(10) | 1) == ~0ull;
	return which != 1 || host || !data;
}

static u64 guest_tsc(struct vcpu *vcpu)
{
	return rdtsc() + vcpu->tsc_offset;
}

static void set_tsc_offset(struct vcpu *vcpu, u64 offset)
{
	vcpu->tsc_offset = offset;
	vmcs_write_tsc_offset(offset);
}

static int read_constant(u32 index, u64 *data)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(constant); i++)
		if (constant[i].index == index) {
			*data = constant[i].value;
			return 0;
		}
	return 1;
}

/* What is neither a word of ours nor in the VMCS. */
static int read_other(struct vcpu *vcpu, u32 index, u64 *data, bool host)
{
	u64 *word;

	if (index >= 0x800 && index <= 0x8ff)
		return vcpu->lapic && !host ? lapic_msr_read(vcpu, index, data) : 1;
	word = mtrr_var(vcpu, index) ?: mce_bank(vcpu, index);
	if (word) {
		*data = *word;
		return 0;
	}
	if (host && (index == MSR_KVM_WALL_CLOCK_OLD || index == MSR_KVM_SYSTEM_TIME_OLD)) {
		*data = 0;
		return 0;
	}
	return read_constant(index, data);
}

/* Those whose value is made on the spot. 0: done; 1: not here. */
static int read_special(struct vcpu *vcpu, u32 index, u64 *data)
{
	switch (index) {
	case MSR_IA32_TSC:
		*data = guest_tsc(vcpu);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		*data = vcpu->tsc_adjust;
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		*data = vcpu->lapic ? lapic_get_tscdeadline(vcpu) : vcpu->tsc_deadline;
		return 0;
	case MSR_IA32_APICBASE:
		*data = vcpu->apic_base;
		return 0;
	case MSR_EFER:
		*data = vcpu->efer;
		return 0;
	case MSR_IA32_CR_PAT:
		*data = vmcs_read_guest_pat();
		return 0;
	case MSR_FS_BASE:
		*data = vmcs_read_guest_fs_base();
		return 0;
	case MSR_GS_BASE:
		*data = vmcs_read_guest_gs_base();
		return 0;
	case MSR_KERNEL_GS_BASE:
		*data = vcpu->host_loaded ? native_read_msr(MSR_KERNEL_GS_BASE)
					  : vcpu->kernel_gs_base;
		return 0;
	case MSR_IA32_SYSENTER_CS:
		*data = vmcs_read_guest_sysenter_cs();
		return 0;
	case MSR_IA32_SYSENTER_ESP:
		*data = vmcs_read_guest_sysenter_esp();
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		*data = vmcs_read_guest_sysenter_eip();
		return 0;
	case MSR_IA32_MCG_CAP:
		*data = vcpu->mcg_cap;
		return 0;
	case MSR_IA32_MCG_CTL:
		*data = vcpu->mcg_ctl;
		return !(vcpu->mcg_cap & BIT(8));
	default:
		return 1;
	}
}

/**
 * msr_read - RDMSR, GET_MSRS
 * @vcpu: attached
 * @index: which
 * @data: result
 * @host: asked by an ioctl
 *
 * Context: any that does not migrate. Return: 0, or 1: there is none.
 */
int msr_read(struct vcpu *vcpu, u32 index, u64 *data, bool host)
{
	const struct stored_msr *m;

	if (!read_special(vcpu, index, data))
		return 0;
	if (index == MSR_IA32_SPEC_CTRL) {
		*data = vcpu->spec_ctrl;
		return !host && !vcpu->has_spec_ctrl;
	}
	if (index == MSR_IA32_MCG_CTL && host) {
		*data = vcpu->mcg_ctl;
		return 0;
	}
	m = find_stored(index);
	if (m) {
		*data = *stored_word(vcpu, m);
		return 0;
	}
	return read_other(vcpu, index, data, host);
}

static int write_tsc(struct vcpu *vcpu, u64 data, bool host)
{
	u64 delta = data - guest_tsc(vcpu);

	/* SDM "IA32_TSC_ADJUST": a write to the TSC moves it by as much. */
	if (!host)
		vcpu->tsc_adjust += delta;
	set_tsc_offset(vcpu, vcpu->tsc_offset + delta);
	return 0;
}

static int write_tsc_adjust(struct vcpu *vcpu, u64 data, bool host)
{
	if (!host)
		set_tsc_offset(vcpu, vcpu->tsc_offset + data - vcpu->tsc_adjust);
	vcpu->tsc_adjust = data;
	return 0;
}

static int write_efer(struct vcpu *vcpu, u64 data, bool host)
{
	if (!host)
		return vcpu_set_efer(vcpu, data);
	/* An ioctl may set what the VMM read, LMA included, if it fits CR0. */
	if (data & ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX))
		return 1;
	vcpu_load_efer(vcpu, data);
	return 0;
}

static int write_apic_base(struct vcpu *vcpu, u64 data, bool host)
{
	if (vcpu->lapic)
		return lapic_set_base(vcpu, data, host);
	if (data & ((~0ull << vcpu->maxphyaddr) | 0x2ff))
		return 1;
	vcpu->apic_base = data;
	return 0;
}

static void write_kernel_gs_base(struct vcpu *vcpu, u64 data)
{
	vcpu->kernel_gs_base = data;
	if (vcpu->host_loaded)
		wrmsrl(MSR_KERNEL_GS_BASE, data);
}

/* Addresses in the VMCS: the processor refuses an entry if they are not canonical. */
static int write_address(struct vcpu *vcpu, u32 index, u64 data)
{
	if (!canonical(data))
		return 1;
	switch (index) {
	case MSR_FS_BASE:
		vmcs_write_guest_fs_base(data);
		break;
	case MSR_GS_BASE:
		vmcs_write_guest_gs_base(data);
		break;
	case MSR_KERNEL_GS_BASE:
		write_kernel_gs_base(vcpu, data);
		break;
	case MSR_IA32_SYSENTER_ESP:
		vmcs_write_guest_sysenter_esp(data);
		break;
	case MSR_IA32_SYSENTER_EIP:
		vmcs_write_guest_sysenter_eip(data);
		break;
	}
	return 0;
}

static int write_pred_cmd(struct vcpu *vcpu, u64 data, bool host)
{
	if ((!host && !vcpu->has_spec_ctrl) || (data & ~PRED_CMD_IBPB))
		return 1;
	if (data && boot_cpu_has(X86_FEATURE_IBPB))
		wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	return 0;
}

static int write_spec_ctrl(struct vcpu *vcpu, u64 data, bool host)
{
	if ((!host && !vcpu->has_spec_ctrl) || !spec_ctrl_valid(data))
		return 1;
	if (data && !boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		return 1;
	vcpu->spec_ctrl = data;
	return 0;
}

static int write_tsc_deadline(struct vcpu *vcpu, u64 data)
{
	if (vcpu->lapic)
		lapic_set_tscdeadline(vcpu, data);
	else
		vcpu->tsc_deadline = data;
	return 0;
}

static int write_constant(u32 index, u64 data, bool host)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(constant); i++)
		if (constant[i].index == index)
			return !(host || constant[i].guest_write);
	return 1;
}

static int write_other(struct vcpu *vcpu, u32 index, u64 data, bool host)
{
	u64 *word;

	if (index >= 0x800 && index <= 0x8ff)
		return vcpu->lapic && !host ? lapic_msr_write(vcpu, index, data) : 1;
	word = mtrr_var(vcpu, index);
	if (word) {
		if (!mtrr_var_valid(vcpu, index, data))
			return 1;
		*word = data;
		return 0;
	}
	word = mce_bank(vcpu, index);
	if (word) {
		if (!mce_valid(index, data, host))
			return 1;
		*word = data;
		return 0;
	}
	/* Some VMMs reset these unasked; there is no such clock, so only "off" is taken. */
	if (host && (index == MSR_KVM_WALL_CLOCK_OLD || index == MSR_KVM_SYSTEM_TIME_OLD))
		return data != 0;
	return write_constant(index, data, host);
}

static int write_stored(struct vcpu *vcpu, const struct stored_msr *m, u64 data, bool host)
{
	if (!host && (m->flags & HOST_WRITE))
		return m->index != MSR_UCODE_REV;	/* Linux writes 0 before it reads */
	if (!m->valid(data))
		return 1;
	*stored_word(vcpu, m) = data;
	/* STAR and its kin are in the processor while the thread is. */
	if (vcpu->host_loaded)
		msr_reload(vcpu, m->index);
	return 0;
}

/**
 * msr_write - WRMSR, SET_MSRS
 * @vcpu: attached
 * @index: which
 * @data: value
 * @host: asked by an ioctl, which may write what the guest only reads
 *
 * Context: any that does not migrate. Return: 0, or 1: #GP, nothing changed.
 */
int msr_write(struct vcpu *vcpu, u32 index, u64 data, bool host)
{
	const struct stored_msr *m;

	switch (index) {
	case MSR_IA32_TSC:
		return write_tsc(vcpu, data, host);
	case MSR_IA32_TSC_ADJUST:
		return write_tsc_adjust(vcpu, data, host);
	case MSR_IA32_TSC_DEADLINE:
		return write_tsc_deadline(vcpu, data);
	case MSR_IA32_APICBASE:
		return write_apic_base(vcpu, data, host);
	case MSR_EFER:
		return write_efer(vcpu, data, host);
	case MSR_IA32_CR_PAT:
		if (!pat_valid(data))
			return 1;
		vmcs_write_guest_pat(data);
		return 0;
	case MSR_IA32_SYSENTER_CS:
		vmcs_write_guest_sysenter_cs(data);
		return 0;
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		return write_address(vcpu, index, data);
	case MSR_IA32_SPEC_CTRL:
		return write_spec_ctrl(vcpu, data, host);
	case MSR_IA32_PRED_CMD:
		return write_pred_cmd(vcpu, data, host);
	case MSR_IA32_MCG_CTL:
		if (!host && !(vcpu->mcg_cap & BIT(8)))
			return 1;
		if (data && data != ~0ull)
			return 1;
		vcpu->mcg_ctl = data;
		return 0;
	}
	m = find_stored(index);
	return m ? write_stored(vcpu, m, data, host) : write_other(vcpu, index, data, host);
}

/** msr_reset - values after power-up; @vcpu attached. SDM "Processor State After Reset". */
void msr_reset(struct vcpu *vcpu)
{
	msr_feature_read(MSR_IA32_ARCH_CAPABILITIES, &vcpu->arch_capabilities);
	msr_feature_read(MSR_UCODE_REV, &vcpu->ucode_rev);
	vcpu->misc_enable = MSR_IA32_MISC_ENABLE_FAST_STRING |
			    MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
	vcpu->mcg_cap = 0;
	vmcs_write_guest_pat(0x0007040600070406ull);
	set_tsc_offset(vcpu, -vcpu->vm->tsc_base);
}

/* ---- MSRs that the processor does not switch at entry and exit */

/* Written by the guest's value when the thread comes, by the host's when it goes. */
static u64 host_star, host_lstar, host_cstar, host_sfmask;

/** msr_init - remember the host's; at module load */
void msr_init(void)
{
	rdmsrl(MSR_STAR, host_star);
	rdmsrl(MSR_LSTAR, host_lstar);
	rdmsrl_safe(MSR_CSTAR, &host_cstar);
	rdmsrl(MSR_SYSCALL_MASK, host_sfmask);
}

/** msr_reload - a switched MSR got a new value while it is in the processor */
void msr_reload(struct vcpu *vcpu, u32 index)
{
	switch (index) {
	case MSR_STAR:
		wrmsrl(MSR_STAR, vcpu->star);
		break;
	case MSR_LSTAR:
		wrmsrl(MSR_LSTAR, vcpu->lstar);
		break;
	case MSR_CSTAR:
		wrmsrl(MSR_CSTAR, vcpu->cstar);
		break;
	case MSR_SYSCALL_MASK:
		wrmsrl(MSR_SYSCALL_MASK, vcpu->sfmask);
		break;
	case MSR_TSC_AUX:
		if (vmx_caps.rdtscp)
			wrmsrl(MSR_TSC_AUX, vcpu->tsc_aux);
		break;
	}
}

static void write_if(u32 msr, u64 value, u64 other)
{
	if (value != other)
		wrmsrl(msr, value);
}

/** msr_switch_to_guest - after vmx_host_save(); interrupts off */
void msr_switch_to_guest(struct vcpu *vcpu)
{
	write_if(MSR_STAR, vcpu->star, host_star);
	write_if(MSR_LSTAR, vcpu->lstar, host_lstar);
	write_if(MSR_CSTAR, vcpu->cstar, host_cstar);
	write_if(MSR_SYSCALL_MASK, vcpu->sfmask, host_sfmask);
	if (vmx_caps.rdtscp) {
		rdmsrl(MSR_TSC_AUX, vcpu->host_tsc_aux);
		write_if(MSR_TSC_AUX, vcpu->tsc_aux, vcpu->host_tsc_aux);
	}
	rdmsrl(MSR_KERNEL_GS_BASE, vcpu->host_kernel_gs_base);
	wrmsrl(MSR_KERNEL_GS_BASE, vcpu->kernel_gs_base);
}

/** msr_switch_to_host - after vmx_host_restore(); interrupts or preemption off, same CPU */
void msr_switch_to_host(struct vcpu *vcpu)
{
	write_if(MSR_STAR, host_star, vcpu->star);
	write_if(MSR_LSTAR, host_lstar, vcpu->lstar);
	write_if(MSR_CSTAR, host_cstar, vcpu->cstar);
	write_if(MSR_SYSCALL_MASK, host_sfmask, vcpu->sfmask);
	if (vmx_caps.rdtscp)
		write_if(MSR_TSC_AUX, vcpu->host_tsc_aux, vcpu->tsc_aux);
	rdmsrl(MSR_KERNEL_GS_BASE, vcpu->kernel_gs_base);
	wrmsrl(MSR_KERNEL_GS_BASE, vcpu->host_kernel_gs_base);
}
