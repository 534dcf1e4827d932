// SPDX-License-Identifier: GPL-2.0
/*
 * All system registers at once: the SREGS ioctls, and the state after power-up
 * and INIT. What a control register means is in cr.c.
 *
 * Left out: what an entry checks anyway. A VMM that sets a state which the
 * processor refuses gets MINIKVM_EXIT_FAIL_ENTRY from the next RUN.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "../irqchip/irqchip.h"
#include "../pv/pv.h"
#include "../vmx/vmx.h"
#include "cpu.h"

/* Where each segment is in struct minikvm_sregs. */
static const u16 segment_offset[NR_SEGS] = {
#define AT(s) offsetof(struct minikvm_sregs, s)
	[SEG_ES] = AT(es), [SEG_CS] = AT(cs), [SEG_SS] = AT(ss), [SEG_DS] = AT(ds),
	[SEG_FS] = AT(fs), [SEG_GS] = AT(gs), [SEG_LDTR] = AT(ldt), [SEG_TR] = AT(tr),
};

/** vcpu_get_sregs - GET_SREGS; @vcpu loaded */
void vcpu_get_sregs(struct vcpu *vcpu, struct minikvm_sregs *sregs)
{
	int i, vector;

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
	vector = event_interrupt_in_flight(vcpu);
	if (vector >= 0)
		sregs->interrupt_bitmap[vector / 64] |= BIT_ULL(vector % 64);
}

static void queue_interrupt_of(struct vcpu *vcpu, const struct minikvm_sregs *sregs)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sregs->interrupt_bitmap); i++) {
		if (!sregs->interrupt_bitmap[i])
			continue;
		event_interrupt_again(vcpu, i * 64 + __ffs64(sregs->interrupt_bitmap[i]));
		return;
	}
}

/* A VMM that resets the CPU by hand wants it to run again. */
static void unhalt_after_reset(struct vcpu *vcpu, const struct minikvm_sregs *s)
{
	if ((s->apic_base & MSR_IA32_APICBASE_BSP) && vmcs_read_guest_rip() == 0xfff0 &&
	    s->cs.selector == 0xf000 && s->cs.base == 0xffff0000 && !(s->cr0 & X86_CR0_PE))
		vcpu->mp_state = MINIKVM_MP_STATE_RUNNABLE;
}

/**
 * vcpu_set_sregs - SET_SREGS
 * @vcpu: loaded
 * @sregs: all of it is set, or nothing
 *
 * Context: sleeps. Return: 0 or -EINVAL.
 */
int vcpu_set_sregs(struct vcpu *vcpu, const struct minikvm_sregs *sregs)
{
	const struct control_regs c = {
		.cr0 = sregs->cr0, .cr3 = sregs->cr3, .cr4 = sregs->cr4, .efer = sregs->efer,
	};
	int i;

	if (!cr_valid(vcpu, &c) || (sregs->cs.l && !(c.efer & EFER_LMA)))
		return -EINVAL;
	if (lapic_set_base(vcpu, sregs->apic_base, true))
		return -EINVAL;
	/* The instruction that waited for the VMM is elsewhere now. */
	if (sregs->cs.base != vmx_segment_base(SEG_CS))
		vcpu->complete = NULL;
	for (i = 0; i < NR_SEGS; i++)
		vmx_set_segment(i, (void *)sregs + segment_offset[i]);
	vmcs_write_guest_gdtr_base(sregs->gdt.base);
	vmcs_write_guest_gdtr_limit(sregs->gdt.limit);
	vmcs_write_guest_idtr_base(sregs->idt.base);
	vmcs_write_guest_idtr_limit(sregs->idt.limit);
	vcpu->cr2 = sregs->cr2;
	vcpu_set_cr8(vcpu, sregs->cr8);	/* as KVM: a value that is none changes nothing */
	cr_load(vcpu, &c);
	queue_interrupt_of(vcpu, sregs);
	vmcs_end_halt(vcpu);
	unhalt_after_reset(vcpu, sregs);
	return 0;
}

static void reset_segments(void)
{
	struct minikvm_segment s = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };
	int i;

	for (i = SEG_ES; i <= SEG_GS; i++)
		if (i != SEG_CS)
			vmx_set_segment(i, &s);
	s.type = 11;	/* code, readable, accessed */
	s.selector = 0xf000;
	s.base = 0xffff0000;
	vmx_set_segment(SEG_CS, &s);
	s = (struct minikvm_segment) { .limit = 0xffff, .type = 2, .present = 1 };
	vmx_set_segment(SEG_LDTR, &s);
	s.type = 11;	/* a busy TSS, as LTR leaves it */
	vmx_set_segment(SEG_TR, &s);
}

/* RDX tells what processor it is; the first stack and the flags are empty. */
static void reset_registers(struct vcpu *vcpu)
{
	const struct minikvm_cpuid_entry2 *version = cpuid_find(vcpu, 1, 0);

	memset(vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs[RDX] = version ? version->eax : 0x600;
	vmcs_write_guest_rip(0xfff0);
	vmcs_write_guest_rsp(0);
	vmcs_write_guest_rflags(X86_EFLAGS_FIXED);
	vmcs_write_guest_gdtr_base(0);
	vmcs_write_guest_gdtr_limit(0xffff);
	vmcs_write_guest_idtr_base(0);
	vmcs_write_guest_idtr_limit(0xffff);
}

/**
 * vcpu_reset - registers after power-up or INIT
 * @vcpu: loaded
 * @init: INIT keeps MSRs, the FPU and the caching bits of CR0
 *
 * SDM "Processor State After Reset".
 */
void vcpu_reset(struct vcpu *vcpu, bool init)
{
	struct control_regs c = { .cr0 = X86_CR0_ET | X86_CR0_CD | X86_CR0_NW };

	if (init)
		c.cr0 &= vcpu->cr0;
	else
		vcpu->xcr0 = XFEATURE_MASK_FP;
	reset_registers(vcpu);
	reset_segments();
	vcpu->complete = NULL;	/* what an exit left open was of the time before */
	vcpu->cr2 = 0;
	vcpu->cr8 = 0;
	cr_load(vcpu, &c);
	vcpu->spec_ctrl = 0;
	debug_reset(vcpu);
	event_reset(vcpu);
	pv_reset(vcpu);
}
