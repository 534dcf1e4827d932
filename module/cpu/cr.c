// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers and EFER: what a value means, and what it changes in the
 * VMCS. With unrestricted guest and EPT the processor does all paging modes; we
 * hide the bits that VMX itself needs, and keep EFER.LMA, the entry control and
 * the PDPTEs in step. Called by the exits, and by sregs.c for ioctls and reset.
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../vmx/vmx.h"
#include "cpu.h"

/*
 * Bits that the guest writes without an exit: their value is in the VMCS field.
 * Every guest may have all of them; a change of one needs nothing from us.
 */
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
/* Bits whose change loads the PDPTEs: SDM "PDPTE Registers". */
#define CR0_PDPTE	(X86_CR0_PG | X86_CR0_CD | X86_CR0_NW)
#define CR4_PDPTE	(X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)

/* Access rights of a code segment, as the VMCS has them. */
#define CS_L		BIT(13)
#define CS_D		BIT(14)
#define CS_CONFORMING	BIT(2)
#define CS_DPL(ar)	((ar) >> 5 & 3)
#define TSS_BUSY	11	/* type of a TSS that LTR loaded */

#define PDPTE_PRESENT	BIT_ULL(0)
#define PDPTE_RESERVED	(GENMASK_ULL(2, 1) | GENMASK_ULL(8, 5))
#define CR3_PCID	GENMASK(11, 0)

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

static int bits_of(const struct vcpu *vcpu, u32 cs_access)
{
	if ((vcpu->efer & EFER_LMA) && (cs_access & CS_L))
		return 64;
	return cs_access & CS_D ? 32 : 16;	/* in virtual-8086 mode D is 0 */
}

/** vcpu_code_bits - default operand and address size: 16, 32 or 64 */
int vcpu_code_bits(struct vcpu *vcpu)
{
	return bits_of(vcpu, vmcs_read_guest_cs_access());
}

/**
 * vcpu_code_mode - vcpu_code_bits(), and the current privilege level
 * @vcpu: loaded
 *
 * In 64-bit code that is not conforming, CS says both.
 */
struct code_mode vcpu_code_mode(struct vcpu *vcpu)
{
	u32 ar = vmcs_read_guest_cs_access();

	if (likely((vcpu->efer & EFER_LMA) && (ar & (CS_L | CS_CONFORMING)) == CS_L))
		return (struct code_mode) { .bits = 64, .cpl = CS_DPL(ar) };
	return (struct code_mode) { .bits = bits_of(vcpu, ar), .cpl = vmx_cpl() };
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
	/* Without it a machine check during the guest would shut the host's processor down. */
	unsigned long mce = native_read_cr4() & X86_CR4_MCE;

	vcpu->cr4 = cr4;
	vmcs_write_cr4_read_shadow(cr4);
	vmcs_write_guest_cr4((cr4 & ~X86_CR4_MCE) | mce | vmx_caps.cr4_fixed1);
}

/* Entry in IA-32e mode wants a busy 64-bit TSS; a guest may not have loaded one yet. */
static void busy_64bit_tss(void)
{
	struct minikvm_segment tr;

	vmx_get_segment(SEG_TR, &tr);
	if (tr.type == TSS_BUSY && !tr.unusable)
		return;
	tr.type = TSS_BUSY;
	tr.present = 1;
	tr.unusable = 0;
	vmx_set_segment(SEG_TR, &tr);
}

/* With LMA off an entry wants LME off, too, once a VMM has set it with paging on. */
static void put_efer(struct vcpu *vcpu, u64 efer)
{
	u32 controls = vmcs_read_entry_controls();
	u32 want = efer & EFER_LMA ? controls | ENTRY_IA32E : controls & ~ENTRY_IA32E;

	vcpu->efer = efer;
	vmcs_write_guest_efer(efer & EFER_LMA ? efer : efer & ~(u64)EFER_LME);
	if (want != controls)
		vmcs_write_entry_controls(want);
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
	u64 reserved = PDPTE_RESERVED | ~0ull << vcpu->maxphyaddr;
	u64 pdpte[4];
	int i;

	if (guest_read(vcpu, cr3 & 0xffffffe0, pdpte, sizeof(pdpte)))
		return 1;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & PDPTE_PRESENT) && (pdpte[i] & reserved))
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
		if (!(cr4 & X86_CR4_PAE) || (vmcs_read_guest_cs_access() & CS_L))
			return 1;
		*efer |= EFER_LMA;
	}
	return 0;
}

/**
 * vcpu_set_cr0 - a move to CR0
 * @vcpu: loaded
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
	if (((cr0 ^ old) & CR0_PDPTE) && is_pae_paging(cr0, vcpu_cr4(vcpu), efer) &&
	    load_pdptes(vcpu, vcpu_cr3(vcpu)))
		return 1;
	put_cr0(vcpu, cr0);
	if (efer != vcpu->efer) {
		put_efer(vcpu, efer);
		if (efer & EFER_LMA)
			busy_64bit_tss();
	}
	if ((cr0 ^ old) & CR0_PAGING)
		vmx_flush_vpid(vcpu);
	return 0;
}

static bool cr3_valid(const struct vcpu *vcpu, unsigned long cr3)
{
	return !(cr3 & (~0ull << vcpu->maxphyaddr));
}

/**
 * vcpu_set_cr4 - a move to CR4
 * @vcpu: loaded
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
	    (!vcpu_in_long_mode(vcpu) || (vcpu_cr3(vcpu) & CR3_PCID)))
		return 1;
	if (((cr4 ^ old) & CR4_PDPTE) && is_pae_paging(vcpu_cr0(vcpu), cr4, vcpu->efer) &&
	    load_pdptes(vcpu, vcpu_cr3(vcpu)))
		return 1;
	put_cr4(vcpu, cr4);
	if ((cr4 ^ old) & CR4_PAGING)
		vmx_flush_vpid(vcpu);
	return 0;
}

/**
 * vcpu_set_cr8 - the task priority
 * @vcpu: loaded
 * @cr8: bits 3:0
 *
 * Context: does not sleep. Return: 0, or 1: #GP. SDM "Task Priority in IA-32e Mode".
 */
int vcpu_set_cr8(struct vcpu *vcpu, u64 cr8)
{
	if (cr8 & ~0xfull)
		return 1;
	if (vcpu->lapic)
		lapic_set_tpr(vcpu, cr8);
	else
		vcpu->cr8 = cr8;
	return 0;
}

/* LMA is nobody's to write: it follows LME and CR0.PG in vcpu_set_cr0(). */
static void cr_write_efer(struct vcpu *vcpu, u64 efer)
{
	efer = (efer & ~(u64)EFER_LMA) | (vcpu->efer & EFER_LMA);
	if ((efer ^ vcpu->efer) & EFER_NX)
		vmx_flush_vpid(vcpu);
	put_efer(vcpu, efer);
	if (vcpu->host_loaded)
		msr_load_syscall(vcpu);
}

/**
 * vcpu_set_efer - WRMSR of EFER by the guest
 * @vcpu: loaded
 * @efer: new value
 *
 * Context: interrupts off or on, does not sleep. Return: 0, or 1: #GP.
 */
int vcpu_set_efer(struct vcpu *vcpu, u64 efer)
{
	if (efer & vcpu->efer_reserved)
		return 1;
	if (((efer ^ vcpu->efer) & EFER_LME) && (vcpu_cr0(vcpu) & X86_CR0_PG))
		return 1;
	cr_write_efer(vcpu, efer);
	return 0;
}

/**
 * vcpu_load_efer - SET_MSRS of EFER
 * @vcpu: loaded
 * @efer: bits that the host has; CPUID and CR0 may follow later
 *
 * Context: does not sleep. Return: 0, or 1: the host lacks a bit.
 */
int vcpu_load_efer(struct vcpu *vcpu, u64 efer)
{
	u64 ok = EFER_SCE | EFER_LME | EFER_LMA;

	if (boot_cpu_has(X86_FEATURE_NX))
		ok |= EFER_NX;
	if (efer & ~ok)
		return 1;
	cr_write_efer(vcpu, efer);
	return 0;
}

/**
 * cr_valid - may a VMM set these together?
 * @vcpu: whose
 * @c: all of them
 *
 * Refused: reserved bits, and modes that there are not. The rest is the entry's
 * to check. Context: any.
 */
bool cr_valid(const struct vcpu *vcpu, const struct control_regs *c)
{
	if (!cr0_valid(c->cr0) || (c->cr4 & vcpu->cr4_reserved) ||
	    (c->efer & vcpu->efer_reserved))
		return false;
	if ((c->efer & EFER_LME) && (c->cr0 & X86_CR0_PG))
		return (c->cr4 & X86_CR4_PAE) && (c->efer & EFER_LMA) && cr3_valid(vcpu, c->cr3);
	return !(c->efer & EFER_LMA);
}

/**
 * cr_load - set these together: SET_SREGS, power-up, INIT
 * @vcpu: loaded
 * @c: valid
 *
 * Context: sleeps.
 */
void cr_load(struct vcpu *vcpu, const struct control_regs *c)
{
	vmcs_write_cr0_guest_host_mask(~CR0_OWNED);
	vmcs_write_cr4_guest_host_mask(~CR4_OWNED);
	vmcs_write_guest_cr3(c->cr3);
	put_cr0(vcpu, c->cr0);	/* as KVM: with bits that a guest could not set */
	put_cr4(vcpu, c->cr4);
	put_efer(vcpu, c->efer);
	/* Bad PDPTEs: the entry fails, and the VMM hears of it then. */
	if (is_pae_paging(c->cr0, c->cr4, c->efer))
		load_pdptes(vcpu, c->cr3);
	vmx_flush_vpid(vcpu);
}
