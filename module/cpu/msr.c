// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers: RDMSR, WRMSR and their ioctls. Here are those that
 * live in the VMCS, in the processor or in the chips; words in memory and
 * constants are in msr_table.c.
 *
 * Nothing in this file sleeps: the exits run it with interrupts off. Values are
 * checked before they are stored; none reaches a host MSR unchecked.
 */
#include <linux/kernel.h>
#include <asm/kvm_para.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include "../compat.h"
#include "../irqchip/irqchip.h"
#include "../pv/pv.h"
#include "../vmx/guest_tsc.h"
#include "../vmx/vmx.h"
#include "cpu.h"

static u64 spec_ctrl_bits __ro_after_init;	/* that this host takes */

/* SDM "CPUID leaf 7": which bits of SPEC_CTRL there are. */
static u64 __init host_spec_ctrl_bits(void)
{
	static const struct { u8 cpuid; u64 bits; } sub2[] __initconst = {
		{ 0, BIT(7) },			/* PSFD */
		{ 1, BIT(3) | BIT(4) },		/* IPRED_DIS_U, S */
		{ 2, BIT(5) | BIT(6) },		/* RRSBA_DIS_U, S */
		{ 3, BIT(8) },			/* DDPD_U */
		{ 4, BIT(10) },			/* BHI_DIS_S */
	};
	u64 bits = SPEC_CTRL_IBRS | SPEC_CTRL_STIBP;
	int i;

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		return 0;
	if (boot_cpu_has(X86_FEATURE_SPEC_CTRL_SSBD))
		bits |= SPEC_CTRL_SSBD;
	if (boot_cpu_data.cpuid_level < 7 || cpuid_eax(7) < 2)
		return bits;
	for (i = 0; i < ARRAY_SIZE(sub2); i++) {
		u32 eax, ebx, ecx, edx;

		cpuid_count(7, 2, &eax, &ebx, &ecx, &edx);
		if (edx & BIT(sub2[i].cpuid))
			bits |= sub2[i].bits;
	}
	return bits;
}

/** msr_init - what the host has; at module load */
void __init msr_init(void)
{
	spec_ctrl_bits = host_spec_ctrl_bits();
}

/** msr_listed - is an MSR of msr_index_list there on this host? */
bool msr_listed(u32 index)
{
	switch (index) {
	case MSR_TSC_AUX:
		return vmx_caps.rdtscp;
	case MSR_IA32_SPEC_CTRL:
		return spec_ctrl_bits;
	case MSR_KVM_STEAL_TIME:
		return pv_steal_there();
	default:
		return true;
	}
}

/* What the host's ARCH_CAPABILITIES promises, and a guest may rely on as well. */
static u64 arch_capabilities(void)
{
	const u64 known = ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_RSBA |
			  ARCH_CAP_SKIP_VMENTRY_L1DFLUSH | ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO |
			  ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO |
			  ARCH_CAP_FB_CLEAR | ARCH_CAP_RRSBA | ARCH_CAP_PBRSB_NO |
			  ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO | ARCH_CAP_RFDS_CLEAR |
			  ARCH_CAP_BHI_NO | ARCH_CAP_ITS_NO;
	u64 caps = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl_safe(MSR_IA32_ARCH_CAPABILITIES, &caps);
	caps &= known;
	/* A guest has no guests: what hypervisors must do about iTLB and L1D is ours. */
	caps |= ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_SKIP_VMENTRY_L1DFLUSH;
	if (!boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN))
		caps |= ARCH_CAP_RDCL_NO;
	if (!boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		caps |= ARCH_CAP_SSB_NO;
	if (!boot_cpu_has_bug(X86_BUG_MDS))
		caps |= ARCH_CAP_MDS_NO;
	if (!boot_cpu_has_bug(X86_BUG_GDS))
		caps |= ARCH_CAP_GDS_NO;
	if (!boot_cpu_has_bug(X86_BUG_RFDS))
		caps |= ARCH_CAP_RFDS_NO;
	if (!boot_cpu_has_bug(X86_BUG_ITS))
		caps |= ARCH_CAP_ITS_NO;
	return caps;
}

/** msr_feature_read - GET_MSRS on the device. 0, or 1: no such feature MSR. */
int msr_feature_read(u32 index, u64 *data)
{
	*data = 0;
	switch (index) {
	case MSR_IA32_ARCH_CAPABILITIES:
		*data = arch_capabilities();
		return 0;
	case MSR_IA32_UCODE_REV:
		rdmsrl_safe(MSR_IA32_UCODE_REV, data);
		return 0;
	case MSR_IA32_PERF_CAPABILITIES:	/* none */
		return 0;
	default:
		return 1;
	}
}

/* Without a LAPIC here there is no timer: as KVM, what is written is dropped. */
static int write_tsc_deadline(struct vcpu *vcpu, u64 data)
{
	if (vcpu->lapic)
		lapic_set_tscdeadline(vcpu, data);
	return 0;
}

/* ---- reads */

static int read_spec_ctrl(struct vcpu *vcpu, u64 *data, bool host)
{
	*data = vcpu->spec_ctrl;
	return !host && !(vcpu->msr.rules.has & MSR_HAS_SPEC_CTRL);
}

static u64 read_kernel_gs_base(struct vcpu *vcpu)
{
	u64 value = vcpu->msr.kernel_gs_base;

	if (vcpu->host_loaded)
		rdmsrl(MSR_KERNEL_GS_BASE, value);
	return value;
}

/**
 * msr_read - RDMSR, GET_MSRS
 * @vcpu: loaded
 * @index: which
 * @data: result; 0 on failure
 * @host: asked by an ioctl
 *
 * Context: any that does not migrate. Return: 0; 1: it is refused; MSR_UNKNOWN.
 */
int msr_read(struct vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = 0;
	if (index - X2APIC_FIRST < X2APIC_COUNT)
		return vcpu->lapic ? lapic_msr_read(vcpu, index, data) : 1;
	switch (index) {
	case MSR_IA32_TSC:
		*data = vcpu_tsc(vcpu);
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		*data = vcpu->lapic ? lapic_get_tscdeadline(vcpu) : 0;
		return 0;
	case MSR_IA32_APICBASE:
		*data = vcpu->apic_base;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		return read_spec_ctrl(vcpu, data, host);
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
		*data = read_kernel_gs_base(vcpu);
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
	case MSR_KVM_WALL_CLOCK ... MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_WALL_CLOCK_NEW ... MSR_KVM_SYSTEM_TIME_NEW:
	case MSR_KVM_STEAL_TIME ... MSR_KVM_PV_EOI_EN:
		return pv_msr_read(vcpu, index, data, host);
	case MSR_PLATFORM_INFO:
		if (!host && !READ_ONCE(vcpu->vm->platform_info))
			return 1;
		fallthrough;
	default:
		return msr_state_read(&vcpu->msr, index, data, host);
	}
}

/* ---- writes */

static int msr_write_efer(struct vcpu *vcpu, u64 data, bool host)
{
	if (!host)
		return vcpu_set_efer(vcpu, data);
	return vcpu_load_efer(vcpu, data);
}

static int write_kernel_gs_base(struct vcpu *vcpu, u64 data)
{
	vcpu->msr.kernel_gs_base = data;
	if (vcpu->host_loaded)
		wrmsrl(MSR_KERNEL_GS_BASE, data);
	return 0;
}

static int write_base(struct vcpu *vcpu, u32 index, u64 data)
{
	if (!msr_canonical(data, vcpu->msr.rules.va_bits))
		return 1;
	if (index == MSR_FS_BASE)
		vmcs_write_guest_fs_base(data);
	else if (index == MSR_GS_BASE)
		vmcs_write_guest_gs_base(data);
	else
		write_kernel_gs_base(vcpu, data);
	return 0;
}

/* The guest writes these itself: this is an ioctl. As KVM, an address is made canonical. */
static int write_sysenter(struct vcpu *vcpu, u32 index, u64 data)
{
	u64 address = msr_canonicalize(data, vcpu->msr.rules.va_bits);

	if (index == MSR_IA32_SYSENTER_CS)
		vmcs_write_guest_sysenter_cs(data);
	else if (index == MSR_IA32_SYSENTER_ESP)
		vmcs_write_guest_sysenter_esp(address);
	else
		vmcs_write_guest_sysenter_eip(address);
	return 0;
}

static int write_pat(u64 data)
{
	if (!msr_pat_valid(data))
		return 1;
	vmcs_write_guest_pat(data);
	return 0;
}

static int write_spec_ctrl(struct vcpu *vcpu, u64 data, bool host)
{
	if (!host && !(vcpu->msr.rules.has & MSR_HAS_SPEC_CTRL))
		return 1;
	if (data & ~spec_ctrl_bits)
		return 1;
	vcpu->spec_ctrl = data;
	/* Many a guest writes 0 once and never again. */
	if (data && !host)
		vmx_spec_ctrl_direct(vcpu);
	return 0;
}

/* PRED_CMD and FLUSH_CMD have one bit, which does something now. */
static int write_command(struct vcpu *vcpu, u32 index, u64 data, bool host)
{
	bool ibpb = index == MSR_IA32_PRED_CMD;
	u32 needs = ibpb ? MSR_HAS_PRED_CMD : MSR_HAS_FLUSH_CMD;
	bool there = boot_cpu_has(X86_FEATURE_IBPB);

	if (!ibpb)
		there = boot_cpu_has(X86_FEATURE_FLUSH_L1D);
	if (!host && !(vcpu->msr.rules.has & needs))
		return 1;
	if (data & ~1ull || (data && !there))
		return 1;
	if (data)
		wrmsrl(index, data);
	return 0;
}

/* Feature MSRs are final once the vCPU ran, as CPUID is. */
static bool is_final(const struct vcpu *vcpu, u32 index, u64 data, bool host)
{
	return host && index == MSR_IA32_ARCH_CAPABILITIES && vcpu->cpuid_locked &&
	       data != vcpu->msr.arch_capabilities;
}

static int write_state(struct vcpu *vcpu, u32 index, u64 data, bool host)
{
	int ret;

	if (is_final(vcpu, index, data, host))
		return 1;
	ret = msr_state_write(&vcpu->msr, index, data, host);
	if (ret)
		return ret;
	/* STAR and its kin are in the processor while the thread is. */
	if (index >= MSR_EFER && vcpu->host_loaded)
		msr_reload(vcpu, index);
	return 0;
}

/**
 * msr_write - WRMSR, SET_MSRS
 * @vcpu: loaded
 * @index: which
 * @data: value
 * @host: asked by an ioctl, which may write what the guest only reads
 *
 * Context: any that does not migrate. Return: 0; 1, MSR_UNKNOWN: #GP, nothing changed.
 */
int msr_write(struct vcpu *vcpu, u32 index, u64 data, bool host)
{
	if (index - X2APIC_FIRST < X2APIC_COUNT)
		return vcpu->lapic ? lapic_msr_write(vcpu, index, data) : 1;
	switch (index) {
	case MSR_IA32_TSC_DEADLINE:
		return write_tsc_deadline(vcpu, data);
	case MSR_IA32_SPEC_CTRL:
		return write_spec_ctrl(vcpu, data, host);
	case MSR_IA32_PRED_CMD:
	case MSR_IA32_FLUSH_CMD:
		return write_command(vcpu, index, data, host);
	case MSR_IA32_TSC:
		vcpu_write_tsc(vcpu, data, host);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		vcpu_write_tsc_adjust(vcpu, data, host);
		return 0;
	case MSR_IA32_APICBASE:
		return lapic_set_base(vcpu, data, host);
	case MSR_EFER:
		return msr_write_efer(vcpu, data, host);
	case MSR_IA32_CR_PAT:
		return write_pat(data);
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		return write_base(vcpu, index, data);
	case MSR_IA32_SYSENTER_CS:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		return write_sysenter(vcpu, index, data);
	case MSR_KVM_WALL_CLOCK ... MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_WALL_CLOCK_NEW ... MSR_KVM_SYSTEM_TIME_NEW:
	case MSR_KVM_STEAL_TIME ... MSR_KVM_PV_EOI_EN:
		return pv_msr_write(vcpu, index, data, host);
	default:
		return write_state(vcpu, index, data, host);
	}
}

/** msr_reset - values after power-up; @vcpu loaded. SDM "Processor State After Reset". */
void msr_reset(struct vcpu *vcpu)
{
	msr_state_reset(&vcpu->msr);
	if (vm_has_quirk(vcpu->vm, MINIKVM_X86_QUIRK_STUFF_FEATURE_MSRS))
		vcpu->msr.arch_capabilities = arch_capabilities();
	vmcs_write_guest_pat(0x0007040600070406ull);
	vcpu_reset_tsc(vcpu);
}
