// SPDX-License-Identifier: GPL-2.0
/*
 * Host state before and after the guest, in a DEBUG build: what an exit loads, or what the
 * way out of the guest loop puts back before interrupts go on; and what is lent to the guest
 * until the thread leaves the CPU or the kernel.
 *
 * Left out: the limits of IDTR and TR, see vmx_host_restore(); and the FPU.
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

struct part {
	const char *name;
	size_t offset;
};

static const struct part parts[] = {
#define PART(name, field)	{ name, offsetof(struct host_print, field) }
	PART("CR0", cr0), PART("CR4", cr4), PART("DR7", dr7), PART("DEBUGCTL", debugctl),
	PART("EFER", efer), PART("FS base", fs_base), PART("GS base", gs_base),
	PART("GDTR base", gdtr_base), PART("TR", tr), PART("XCR0", xcr0),
	PART("SYSENTER_CS", sysenter_cs), PART("SYSENTER_ESP", sysenter_esp),
	PART("SYSENTER_EIP", sysenter_eip),
	PART("S_CET", s_cet), PART("U_CET", u_cet),	/* no exit loads them: no guest has them */
	PART("CR3", cr3), PART("IDTR base", idtr_base), PART("PAT", pat), PART("XSS", xss),
	PART("SPEC_CTRL", spec_ctrl), PART("PKRU", pkru),
#undef PART
};

static const struct part lent_parts[] = {
#define PART(name, field)	{ name, offsetof(struct lent_print, field) }
	PART("STAR", star), PART("LSTAR", lstar), PART("SFMASK", sfmask),
	PART("TSC_AUX", tsc_aux), PART("KERNEL_GS_BASE", kernel_gs_base),
	PART("GDTR limit", gdtr_limit), PART("LDTR", ldtr), PART("DS", ds), PART("ES", es),
	PART("FS", fs), PART("GS", gs), PART("FS base", fs_base),
#undef PART
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
	struct desc_ptr gdt, idt;
	unsigned long dr7;
	u16 tr;

	native_store_gdt(&gdt);
	store_idt(&idt);
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
		.cr3 = __read_cr3(), .idtr_base = idt.address, .pat = msr_of(MSR_IA32_CR_PAT),
		.xss = boot_cpu_has(X86_FEATURE_XSAVES) ? msr_of(MSR_IA32_XSS) : 0,
		.spec_ctrl = boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) ? msr_of(MSR_IA32_SPEC_CTRL) : 0,
		.pkru = boot_cpu_has(X86_FEATURE_OSPKE) ? rdpkru() : 0,
	};
}

/* Beside KVM some of it is KVM's, which may take it away at any time. */
static void take_lent(struct lent_print *p)
{
	struct desc_ptr gdt;
	u16 ds, es, fs, gs;

	native_store_gdt(&gdt);
	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	*p = (struct lent_print) {
		.kernel_gs_base = msr_of(MSR_KERNEL_GS_BASE), .gdtr_limit = gdt.size,
		.ldtr = host_sldt(), .ds = ds, .es = es, .fs = fs, .gs = gs,
		.fs_base = msr_of(MSR_FS_BASE),
	};
	if (vmx_is_beside())
		return;
	p->star = msr_of(MSR_STAR);
	p->lstar = msr_of(MSR_LSTAR);
	p->sfmask = msr_of(MSR_SYSCALL_MASK);
	p->tsc_aux = vmx_caps.rdtscp ? msr_of(MSR_TSC_AUX) : 0;
}

static void compare(struct vcpu *vcpu, const struct part *part, int n, const void *before,
		    const void *now)
{
	for (; n--; part++) {
		u64 old = *(u64 *)(before + part->offset), new = *(u64 *)(now + part->offset);

		if (old != new)
			check_failed(vcpu->vm, vcpu, "the host's %s was 0x%llx and is 0x%llx after the guest",
				     part->name, old, new);
	}
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

	take_print(&now);
	compare(vcpu, parts, ARRAY_SIZE(parts), &vcpu->check.host, &now);
}

/** check_lent_begin - remember what the guest is about to be lent; interrupts off */
void check_lent_begin(struct vcpu *vcpu)
{
	take_lent(&vcpu->check.lent);
}

/** check_lent_end - the host has it back; interrupts or preemption off, same CPU */
void check_lent_end(struct vcpu *vcpu)
{
	struct lent_print now;

	take_lent(&now);
	compare(vcpu, lent_parts, ARRAY_SIZE(lent_parts), &vcpu->check.lent, &now);
}
