// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers and segments: what a value means, and what it changes in the
 * VMCS. With unrestricted guest and EPT the processor does all paging modes; we
 * hide the bits that VMX itself needs, and keep EFER.LMA, the entry control and
 * the PDPTEs in step.
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>

#include "../vmx/vmx.h"
#include "../minikvm.h"

/* Bits that the guest writes without an exit: their value is in the VMCS field. */
#define CR0_OWNED	(X86_CR0_TS | X86_CR0_WP)
#define CR4_OWNED	(X86_CR4_PVI | X86_CR4_DE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | \
			 X86_CR4_TSD | X86_CR4_PGE)

#define CR0_DEFINED	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)
/* Bits whose change makes translations of the old kind invalid. */
#define CR0_PAGING	(X86_CR0_PG | X86_CR0_WP)
#define CR4_PAGING	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | \
			 X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_LA57 | X86_CR4_PKE)

#define EFER_KNOWN	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)

/** vcpu_cr0 - CR0 as the guest sees it */
unsigned long vcpu_cr0(struct vcpu *vcpu)
{
	return (vcpu->cr0 & ~CR0_OWNED) | (vmcs_read_guest_cr0() & CR0_OWNED);
}

/** vcpu_cr3 - CR3; the guest writes it without an exit */
unsigned long vcpu_cr3(struct vcpu *vcpu)
{
	return vmcs_read_guest_cr3();
}

/** vcpu_cr4 - CR4 as the guest sees it */
unsigned long vcpu_cr4(struct vcpu *vcpu)
{
	return (vcpu->cr4 & ~CR4_OWNED) | (vmcs_read_guest_cr4() & CR4_OWNED);
}

/** vcpu_cr8 - the task priority, from whoever has the APIC */
u64 vcpu_cr8(struct vcpu *vcpu)
{
	return vcpu->lapic ? lapic_get_tpr(vcpu) : vcpu->cr8;
}

/** vcpu_in_long_mode - EFER.LMA */
bool vcpu_in_long_mode(struct vcpu *vcpu)
{
	return vcpu->efer & EFER_LMA;
}

/** vcpu_code_bits - default operand and address size: 16, 32 or 64 */
int vcpu_code_bits(struct vcpu *vcpu)
{
	u32 ar = vmx_cs_access();

	if (vcpu_in_long_mode(vcpu) && (ar & BIT(13)))
		return 64;
	if (vmcs_read_guest_rflags() & X86_EFLAGS_VM)
		return 16;
	return ar & BIT(14) ? 32 : 16;
}

static void put_cr0(struct vcpu *vcpu, unsigned long cr0)
{
	vcpu->cr0 = cr0;
	vmcs_write_cr0_read_shadow(cr0);
	/* Caching is the host's business; NE and what else VMX demands stay on. */
	vmcs_write_guest_cr0((cr0 & ~(X86_CR0_CD | X86_CR0_NW)) | vmx_caps.cr0_fixed1);
}

static void put_cr4(struct vcpu *vcpu, unsigned long cr4)
{
	vcpu->cr4 = cr4;
	vmcs_write_cr4_read_shadow(cr4);
	vmcs_write_guest_cr4(cr4 | vmx_caps.cr4_fixed1);
}

/* Entry in IA-32e mode wants a busy 64-bit TSS; a VMM may not have thought of it. */
static void busy_64bit_tss(void)
{
	struct minikvm_segment tr;

	vmx_get_segment(SEG_TR, &tr);
	if (tr.type == 11 && !tr.unusable)
		return;
	tr.type = 11;
	tr.present = 1;
	tr.unusable = 0;
	vmx_set_segment(SEG_TR, &tr);
}

static void put_efer(struct vcpu *vcpu, u64 efer)
{
	u32 controls = vmcs_read_entry_controls();
	u32 want = efer & EFER_LMA ? controls | ENTRY_IA32E : controls & ~ENTRY_IA32E;

	vcpu->efer = efer;
	vmcs_write_guest_efer(efer);
	if (want != controls)
		vmcs_write_entry_controls(want);
	if (efer & EFER_LMA)
		busy_64bit_tss();
}

static bool is_pae_paging(unsigned long cr0, unsigned long cr4, u64 efer)
{
	return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & EFER_LMA);
}

/*
 * PAE paging keeps four entries in registers, loaded when CR3 or the mode is
 * written. MOV CR3 itself does not exit: the processor loads them then.
 * SDM "PDPTE Registers". 0, or 1: #GP.
 */
static int load_pdptes(struct vcpu *vcpu, unsigned long cr3)
{
	u64 pdpte[4];
	int i;

	if (guest_read(vcpu->vm, cr3 & 0xffffffe0, pdpte, sizeof(pdpte)))
		return 1;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) &&
		    (pdpte[i] & (0x1e6 | (~0ull << vcpu->maxphyaddr))))
			return 1;
	vmcs_write_guest_pdpte0(pdpte[0]);
	vmcs_write_guest_pdpte1(pdpte[1]);
	vmcs_write_guest_pdpte2(pdpte[2]);
	vmcs_write_guest_pdpte3(pdpte[3]);
	return 0;
}

static bool cr0_valid(unsigned long cr0)
{
	if (cr0 >> 32)
		return false;
	if ((cr0 & X86_CR0_NW) && !(cr0 & X86_CR0_CD))
		return false;
	return !(cr0 & X86_CR0_PG) || (cr0 & X86_CR0_PE);
}

/* Paging goes on or off: may it, and what becomes of LMA? */
static int paging_switch(struct vcpu *vcpu, unsigned long cr0, u64 *efer)
{
	unsigned long cr4 = vcpu_cr4(vcpu);

	if (!(cr0 & X86_CR0_PG)) {
		if ((cr4 & X86_CR4_PCIDE) || vcpu_code_bits(vcpu) == 64)
			return 1;
		*efer &= ~EFER_LMA;
	} else if (*efer & EFER_LME) {
		if (!(cr4 & X86_CR4_PAE) || (vmx_cs_access() & BIT(13)))
			return 1;
		*efer |= EFER_LMA;
	}
	return 0;
}

/**
 * vcpu_set_cr0 - a move to CR0
 * @vcpu: attached
 * @cr0: new value
 *
 * Context: sleeps. Return: 0, or 1: #GP. SDM "Control Registers".
 */
int vcpu_set_cr0(struct vcpu *vcpu, unsigned long cr0)
{
	unsigned long old = vcpu_cr0(vcpu);
	u64 efer = vcpu->efer;

	if (!cr0_valid(cr0))
		return 1;
	cr0 = (cr0 & CR0_DEFINED) | X86_CR0_ET;
	if (((cr0 ^ old) & X86_CR0_PG) && paging_switch(vcpu, cr0, &efer))
		return 1;
	if (((cr0 ^ old) & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW)) &&
	    is_pae_paging(cr0, vcpu_cr4(vcpu), efer) && load_pdptes(vcpu, vcpu_cr3(vcpu)))
		return 1;
	put_cr0(vcpu, cr0);
	if (efer != vcpu->efer)
		put_efer(vcpu, efer);
	if ((cr0 ^ old) & CR0_PAGING)
		vmx_flush_vpid(vcpu);
	return 0;
}

static bool cr3_valid(struct vcpu *vcpu, unsigned long cr3, u64 efer)
{
	return !(efer & EFER_LMA) || !(cr3 & (~0ull << vcpu->maxphyaddr));
}

/** vcpu_set_cr3 - a move to CR3 that the processor did not do itself. 0, or 1: #GP. */
int vcpu_set_cr3(struct vcpu *vcpu, unsigned long cr3)
{
	unsigned long cr4 = vcpu_cr4(vcpu);
	bool keep = false;

	if (cr4 & X86_CR4_PCIDE) {
		keep = cr3 & BIT_ULL(63);
		cr3 &= ~BIT_ULL(63);
	}
	if (!cr3_valid(vcpu, cr3, vcpu->efer))
		return 1;
	if (is_pae_paging(vcpu_cr0(vcpu), cr4, vcpu->efer) && load_pdptes(vcpu, cr3))
		return 1;
	vmcs_write_guest_cr3(cr3);
	if (!keep)
		vmx_flush_vpid(vcpu);
	return 0;
}

/**
 * vcpu_set_cr4 - a move to CR4
 * @vcpu: attached
 * @cr4: new value
 *
 * Context: sleeps. Return: 0, or 1: #GP.
 */
int vcpu_set_cr4(struct vcpu *vcpu, unsigned long cr4)
{
	unsigned long old = vcpu_cr4(vcpu);

	if (cr4 & vcpu->cr4_reserved)
		return 1;
	if (vcpu_in_long_mode(vcpu)) {
		if (!(cr4 & X86_CR4_PAE) || ((cr4 ^ old) & X86_CR4_LA57))
			return 1;
	}
	if ((cr4 & ~old & X86_CR4_PCIDE) &&
	    (!vcpu_in_long_mode(vcpu) || (vcpu_cr3(vcpu) & 0xfff)))
		return 1;
	if (((cr4 ^ old) & CR4_PAGING) && is_pae_paging(vcpu_cr0(vcpu), cr4, vcpu->efer) &&
	    load_pdptes(vcpu, vcpu_cr3(vcpu)))
		return 1;
	put_cr4(vcpu, cr4);
	if ((cr4 ^ old) & CR4_PAGING)
		vmx_flush_vpid(vcpu);
	return 0;
}

/** vcpu_set_cr8 - the task priority. 0, or 1: #GP. */
int vcpu_set_cr8(struct vcpu *vcpu, u64 cr8)
{
	if (cr8 & ~0xfull)
		return 1;
	if (vcpu->lapic)
		lapic_set_tpr(vcpu, cr8);
	else
		vcpu->cr8 = cr8;
	set_bit(REQ_EVENT, &vcpu->requests);
	return 0;
}

/** vcpu_set_efer - WRMSR of EFER by the guest. 0, or 1: #GP. May run with interrupts off. */
int vcpu_set_efer(struct vcpu *vcpu, u64 efer)
{
	if (efer & vcpu->efer_reserved)
		return 1;
	if (((efer ^ vcpu->efer) & EFER_LME) && (vcpu_cr0(vcpu) & X86_CR0_PG))
		return 1;
	efer = (efer & ~EFER_LMA) | (vcpu->efer & EFER_LMA);
	if ((efer ^ vcpu->efer) & EFER_NX)
		vmx_flush_vpid(vcpu);
	put_efer(vcpu, efer);
	return 0;
}

/** vcpu_load_efer - SET_MSRS of EFER: LMA follows LME and CR0.PG, whatever the VMM says */
void vcpu_load_efer(struct vcpu *vcpu, u64 efer)
{
	bool lma = (efer & EFER_LME) && (vcpu_cr0(vcpu) & X86_CR0_PG);

	put_efer(vcpu, (efer & ~(u64)EFER_LMA) | (lma ? EFER_LMA : 0));
}

/** vcpu_set_xcr0 - XSETBV, SET_XCRS. 0, or 1: #GP. SDM "XSETBV". */
int vcpu_set_xcr0(struct vcpu *vcpu, u64 xcr0)
{
	const u64 avx512 = 0xe0;

	if (!(xcr0 & 1) || (xcr0 & ~(vcpu->xcr0_allowed | 1)))
		return 1;
	if ((xcr0 & 4) && !(xcr0 & 2))
		return 1;
	if ((xcr0 & avx512) && ((xcr0 & avx512) != avx512 || !(xcr0 & 4)))
		return 1;
	vcpu->xcr0 = xcr0;
	return 0;
}

/* Where each segment is in struct minikvm_sregs. */
static const u16 segment_offset[NR_SEGS] = {
#define AT(s) offsetof(struct minikvm_sregs, s)
	[SEG_ES] = AT(es), [SEG_CS] = AT(cs), [SEG_SS] = AT(ss), [SEG_DS] = AT(ds),
	[SEG_FS] = AT(fs), [SEG_GS] = AT(gs), [SEG_LDTR] = AT(ldt), [SEG_TR] = AT(tr),
};

/** vcpu_get_sregs - GET_SREGS; @vcpu attached */
void vcpu_get_sregs(struct vcpu *vcpu, struct minikvm_sregs *sregs)
{
	int i;

	memset(sregs, 0, sizeof(*sregs));
	for (i = 0; i < NR_SEGS; i++)
		vmx_get_segment(i, (void *)sregs + segment_offset[i]);
	sregs->gdt.base = vmcs_read_guest_gdtr_base();
	sregs->gdt.limit = vmcs_read_guest_gdtr_limit();
	sregs->idt.base = vmcs_read_guest_idtr_base();
	sregs->idt.limit = vmcs_read_guest_idtr_limit();
	sregs->cr0 = vcpu_cr0(vcpu);
	sregs->cr2 = vcpu->cr2;
	sregs->cr3 = vcpu_cr3(vcpu);
	sregs->cr4 = vcpu_cr4(vcpu);
	sregs->cr8 = vcpu_cr8(vcpu);
	sregs->efer = vcpu->efer;
	sregs->apic_base = vcpu->apic_base;
	if (vcpu->events.interrupt.injected && !vcpu->events.interrupt.soft)
		__set_bit(vcpu->events.interrupt.vector, (unsigned long *)sregs->interrupt_bitmap);
}

/* Refused here: what the processor would refuse at each entry, or could not leave again. */
static bool sregs_valid(struct vcpu *vcpu, const struct minikvm_sregs *s)
{
	if (!cr0_valid(s->cr0) || (s->cr4 & vcpu->cr4_reserved))
		return false;
	if ((s->efer & ~(u64)EFER_KNOWN) || ((s->efer & EFER_NX) && !boot_cpu_has(X86_FEATURE_NX)))
		return false;
	if ((s->efer & EFER_LME) && (s->cr0 & X86_CR0_PG)) {
		if (!(s->cr4 & X86_CR4_PAE) || !(s->efer & EFER_LMA))
			return false;
		return cr3_valid(vcpu, s->cr3, s->efer);
	}
	return !(s->efer & EFER_LMA) && !s->cs.l;
}

static void queue_interrupt_of(struct vcpu *vcpu, const struct minikvm_sregs *sregs)
{
	unsigned long vector = find_first_bit((unsigned long *)sregs->interrupt_bitmap,
					      MINIKVM_NR_INTERRUPTS);

	if (vector >= MINIKVM_NR_INTERRUPTS)
		return;
	vcpu->events.interrupt.injected = true;
	vcpu->events.interrupt.soft = false;
	vcpu->events.interrupt.vector = vector;
	set_bit(REQ_EVENT, &vcpu->requests);
}

static int set_apic_base(struct vcpu *vcpu, u64 base)
{
	if (vcpu->lapic)
		return lapic_set_base(vcpu, base, true);
	if (base & ((~0ull << vcpu->maxphyaddr) | 0x2ff))
		return 1;
	vcpu->apic_base = base;
	return 0;
}

/* A VMM that resets the CPU by hand wants it to run again. */
static void unhalt_after_reset(struct vcpu *vcpu, const struct minikvm_sregs *s)
{
	if (vcpu->id == 0 && vmcs_read_guest_rip() == 0xfff0 && s->cs.selector == 0xf000 &&
	    !(s->cr0 & X86_CR0_PE))
		WRITE_ONCE(vcpu->mp_state, MINIKVM_MP_STATE_RUNNABLE);
}

/**
 * vcpu_set_sregs - SET_SREGS
 * @vcpu: attached
 * @sregs: all of it is set, or nothing
 *
 * Context: sleeps. Return: 0 or -EINVAL.
 */
int vcpu_set_sregs(struct vcpu *vcpu, const struct minikvm_sregs *sregs)
{
	int i;

	if (!sregs_valid(vcpu, sregs) || set_apic_base(vcpu, sregs->apic_base))
		return -EINVAL;
	for (i = 0; i < NR_SEGS; i++)
		vmx_set_segment(i, (void *)sregs + segment_offset[i]);
	vmcs_write_guest_gdtr_base(sregs->gdt.base);
	vmcs_write_guest_gdtr_limit(sregs->gdt.limit);
	vmcs_write_guest_idtr_base(sregs->idt.base);
	vmcs_write_guest_idtr_limit(sregs->idt.limit);
	vcpu->cr2 = sregs->cr2;
	vmcs_write_guest_cr3(sregs->cr3);
	if (!(sregs->cr8 & ~0xfull))
		vcpu_set_cr8(vcpu, sregs->cr8);
	put_cr0(vcpu, (sregs->cr0 & CR0_DEFINED) | X86_CR0_ET);
	put_cr4(vcpu, sregs->cr4);
	put_efer(vcpu, sregs->efer);
	/* Bad PDPTEs: entry fails, and the VMM hears of it then. */
	if (is_pae_paging(sregs->cr0, sregs->cr4, sregs->efer))
		load_pdptes(vcpu, sregs->cr3);
	queue_interrupt_of(vcpu, sregs);
	unhalt_after_reset(vcpu, sregs);
	vmx_flush_vpid(vcpu);
	return 0;
}

static void reset_segments(void)
{
	struct minikvm_segment s = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };
	int i;

	for (i = SEG_ES; i <= SEG_GS; i++)
		if (i != SEG_CS)
			vmx_set_segment(i, &s);
	s.type = 11;
	s.selector = 0xf000;
	s.base = 0xffff0000;
	vmx_set_segment(SEG_CS, &s);
	s = (struct minikvm_segment) { .limit = 0xffff, .type = 2, .present = 1 };
	vmx_set_segment(SEG_LDTR, &s);
	s.type = 11;
	vmx_set_segment(SEG_TR, &s);
}

/**
 * vcpu_reset - registers after power-up or INIT
 * @vcpu: attached
 * @init: INIT keeps MSRs, the FPU and the caching bits of CR0
 *
 * SDM "Processor State After Reset".
 */
void vcpu_reset(struct vcpu *vcpu, bool init)
{
	unsigned long caching = init ? vcpu->cr0 & (X86_CR0_CD | X86_CR0_NW)
				     : X86_CR0_CD | X86_CR0_NW;

	memset(vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs[RDX] = 0x600;
	reset_segments();
	vmcs_write_guest_rip(0xfff0);
	vmcs_write_guest_rsp(0);
	vmcs_write_guest_rflags(X86_EFLAGS_FIXED);
	vmcs_write_guest_gdtr_base(0);
	vmcs_write_guest_gdtr_limit(0xffff);
	vmcs_write_guest_idtr_base(0);
	vmcs_write_guest_idtr_limit(0xffff);
	vmcs_write_guest_interruptibility(0);
	vmcs_write_guest_activity(ACTIVITY_ACTIVE);
	vmcs_write_guest_pending_dbg(0);
	vmcs_write_cr0_guest_host_mask(~CR0_OWNED);
	vmcs_write_cr4_guest_host_mask(~CR4_OWNED);
	vmcs_write_guest_cr3(0);
	vcpu->cr2 = 0;
	vcpu->cr8 = 0;
	put_cr0(vcpu, caching | X86_CR0_ET);
	put_cr4(vcpu, 0);
	put_efer(vcpu, 0);
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->dr6 = 0xffff0ff0;
	vcpu->dr7 = 0x400;
	vmcs_write_guest_dr7(vcpu->dr7);
	if (!init)
		vcpu->xcr0 = 1;
	memset(&vcpu->events, 0, sizeof(vcpu->events));
	vcpu->events.extint = -1;
	vmx_flush_vpid(vcpu);
}
