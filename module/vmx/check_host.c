// SPDX-License-Identifier: GPL-2.0
/*
 * Host state before and after the guest, in a DEBUG build: what an exit loads, or what the
 * way out of the guest loop puts back before interrupts go on.
 *
 * Left out: what stays the guest's until the thread leaves the CPU (SYSCALL MSRs, null
 * selectors, the limits of GDTR and TR), and the FPU.
 * SDM "Loading Host State".
 */
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/special_insns.h>
#include <asm/fpu/xcr.h>

#include "vmx.h"

/* With no breakpoint enabled the rest of DR7 means nothing, and Linux leaves some behind. */
#define DR7_ENABLES	0xff

static const struct {
	const char *name;
	size_t offset;
} parts[] = {
#define PART(name, field)	{ name, offsetof(struct host_print, field) }
	PART("CR0", cr0), PART("CR4", cr4), PART("DR7", dr7), PART("DEBUGCTL", debugctl),
	PART("EFER", efer), PART("FS base", fs_base), PART("GS base", gs_base),
	PART("GDTR base", gdtr_base), PART("TR", tr), PART("XCR0", xcr0),
	PART("SYSENTER_CS", sysenter_cs), PART("SYSENTER_ESP", sysenter_esp),
	PART("SYSENTER_EIP", sysenter_eip),
	PART("S_CET", s_cet), PART("U_CET", u_cet),	/* no exit loads them: no guest has them */
};

static u64 msr_of(u32 msr)
{
	return __rdmsr(msr);
}

/* The host's shadow stacks and indirect branch tracking, if it has them. */
static u64 cet_of(u32 msr)
{
	return native_read_cr4() & X86_CR4_CET ? __rdmsr(msr) : 0;
}

static void take_print(struct host_print *p)
{
	struct desc_ptr gdt;
	unsigned long dr7;
	u16 tr;

	native_store_gdt(&gdt);
	get_debugreg(dr7, 7);
	asm volatile("str %0" : "=rm" (tr));
	*p = (struct host_print) {
		.cr0 = read_cr0(), .cr4 = native_read_cr4(),
		.dr7 = dr7 & DR7_ENABLES ? dr7 : 0,
		.debugctl = msr_of(MSR_IA32_DEBUGCTLMSR), .efer = msr_of(MSR_EFER),
		.fs_base = msr_of(MSR_FS_BASE), .gs_base = msr_of(MSR_GS_BASE),
		.gdtr_base = gdt.address, .tr = tr,
		.xcr0 = boot_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(XCR_XFEATURE_ENABLED_MASK) : 0,
		.sysenter_cs = msr_of(MSR_IA32_SYSENTER_CS),
		.sysenter_esp = msr_of(MSR_IA32_SYSENTER_ESP),
		.sysenter_eip = msr_of(MSR_IA32_SYSENTER_EIP),
		.s_cet = cet_of(MSR_IA32_S_CET), .u_cet = cet_of(MSR_IA32_U_CET),
	};
}

/** check_host_begin - remember the host's state; before anything of the guest's is loaded */
void check_host_begin(struct vcpu *vcpu)
{
	take_print(&vcpu->check.host);
}

/** check_host_end - the host's state is what it was at check_host_begin() */
void check_host_end(struct vcpu *vcpu)
{
	struct host_print now;
	int i;

	take_print(&now);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		u64 before = *(u64 *)((void *)&vcpu->check.host + parts[i].offset);
		u64 after = *(u64 *)((void *)&now + parts[i].offset);

		if (before != after)
			check_failed(vcpu->vm, vcpu, "the host's %s was 0x%llx and is 0x%llx after the guest",
				     parts[i].name, before, after);
	}
}
