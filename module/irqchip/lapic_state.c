// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a local APIC all at once: a change of mode, power-up and INIT, and what a
 * VMM saves and restores. Pure, as lapic_regs.c. SDM "Local APIC State".
 */
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "lapic_regs.h"

/**
 * lapic_regs_init - a new local APIC; lapic_regs_reset() comes next
 * @regs: zeroed
 * @page: zeroed, on its own
 * @id: the x2APIC ID
 * @posts: the processor may own the page while the guest runs: senders stay out of it
 */
void lapic_regs_init(struct lapic_regs *regs, void *page, u32 id, bool posts)
{
	regs->page = page;
	regs->posts = posts;
	regs->id = id;
}

/* The ISR registers were written, not one by one. */
static void isr_recount(struct lapic_regs *regs)
{
	int i;

	regs->changed = true;
	regs->isr_words = 0;
	for (i = 0; i < LAPIC_VECTOR_WORDS; i++)
		if (regs->shared || lapic_reg(regs, LAPIC_ISR + i * 16))
			regs->isr_words |= BIT(i);
}

/**
 * lapic_regs_share - from now on the processor writes the page while the guest runs, or not
 * @regs: the APIC
 * @shared: which
 *
 * Context: the vCPU thread.
 */
void lapic_regs_share(struct lapic_regs *regs, bool shared)
{
	regs->shared = shared;
	isr_recount(regs);
}

/**
 * lapic_regs_set_mode - IA32_APIC_BASE was written
 * @regs: the APIC
 * @mode: the new mode; every transition is possible from an ioctl
 *
 * Context: the vCPU thread. Leaving the disabled or the x2APIC mode puts the
 * initial xAPIC ID back; entering x2APIC mode fixes ID and LDR.
 */
void lapic_regs_set_mode(struct lapic_regs *regs, enum lapic_mode mode)
{
	if (regs->mode == mode)
		return;
	if (mode == LAPIC_X2APIC) {
		lapic_reg_set(regs, LAPIC_ID, regs->id);
		lapic_reg_set(regs, LAPIC_LDR, lapic_x2apic_ldr(regs->id));
	} else if (mode == LAPIC_XAPIC) {
		lapic_reg_set(regs, LAPIC_ID, regs->id << 24);
	}
	regs->mode = mode;
	lapic_address_publish(regs);
}

/* What a register holds after power-up or INIT; ID and LDR are what they are in x2APIC mode. */
static u32 lapic_reset_value(const struct lapic_regs *regs, u32 reg, bool init, bool bsp)
{
	bool kept = regs->mode == LAPIC_X2APIC;

	switch (reg) {
	case LAPIC_ID:
		return kept || init ? lapic_reg(regs, reg) : regs->id << 24;
	case LAPIC_LDR:
		return kept ? lapic_reg(regs, reg) : 0;
	case LAPIC_VERSION:
		return LAPIC_VERSION_VALUE;
	case LAPIC_DFR:
		return LAPIC_DFR_FLAT;
	case LAPIC_SVR:
		return 0xff;
	case LAPIC_LINT0:
		return bsp ? LAPIC_LVT_EXTINT : LAPIC_LVT_MASKED;
	case LAPIC_LVTT ... LAPIC_LVT_PERF:
	case LAPIC_LINT1 ... LAPIC_LVT_ERROR:
		return LAPIC_LVT_MASKED;
	default:
		return 0;
	}
}

/**
 * lapic_regs_reset - the registers after power-up or INIT
 * @regs: the APIC; its mode is set already
 * @init: INIT: the ID stays, and LDR in x2APIC mode
 * @bsp: the boot processor: LINT0 starts as ExtINT, so that the PIC reaches it
 *	 with no firmware to set it up (KVM's default, too)
 *
 * Each register goes from its old value to its new one in one write: the guest's
 * other CPUs send messages meanwhile.
 *
 * Context: the vCPU thread. SDM "Local APIC State After Power-Up or Reset".
 */
void lapic_regs_reset(struct lapic_regs *regs, bool init, bool bsp)
{
	u32 reg;

	lapic_regs_merge(regs);	/* what was on its way is lost with the rest */
	for (reg = 0; reg <= LAPIC_SELF_IPI; reg += 16)
		lapic_reg_set(regs, reg, lapic_reset_value(regs, reg, init, bsp));
	isr_recount(regs);
	lapic_address_publish(regs);
}

/**
 * lapic_state_put - a register in the format of GET_LAPIC
 * @state: has no alignment of its own
 * @reg: LAPIC_*
 * @val: the bits
 */
void lapic_state_put(struct minikvm_lapic_state *state, u32 reg, u32 val)
{
	memcpy(state->regs + reg, &val, sizeof(val));
}

/**
 * lapic_regs_get - the register page in the format of GET_LAPIC
 * @regs: the APIC, after lapic_regs_merge()
 * @state: filled, except the timer's current count
 *
 * Context: the vCPU thread. The ID is in bits 31:24 in x2APIC mode, too.
 */
void lapic_regs_get(const struct lapic_regs *regs, struct minikvm_lapic_state *state)
{
	u32 ppr = 0;

	memcpy(state->regs, regs->page, sizeof(state->regs));
	lapic_regs_read(regs, LAPIC_PPR, &ppr);
	lapic_state_put(state, LAPIC_PPR, ppr);
	if (regs->mode == LAPIC_X2APIC)
		lapic_state_put(state, LAPIC_ID, regs->id << 24);
}

/**
 * lapic_regs_set - take over a page in the format of SET_LAPIC
 * @regs: the APIC
 * @state: whatever the VMM has there: no value of it can do harm here
 *
 * Context: the vCPU thread. In x2APIC mode ID and LDR follow from the vCPU and
 * are not taken; the version is ours. What lies between registers is not taken either:
 * a processor that reads an MSR from the page shows it in EDX.
 */
void lapic_regs_set(struct lapic_regs *regs, const struct minikvm_lapic_state *state)
{
	u32 reg, val;

	lapic_regs_merge(regs);	/* as KVM: what was on its way is lost */
	for (reg = 0; reg < sizeof(state->regs); reg += 16) {
		memcpy(&val, state->regs + reg, sizeof(val));
		lapic_reg_set(regs, reg, val);
	}
	isr_recount(regs);
	lapic_reg_set(regs, LAPIC_VERSION, LAPIC_VERSION_VALUE);
	if (regs->mode == LAPIC_X2APIC) {
		lapic_reg_set(regs, LAPIC_ID, regs->id);
		lapic_reg_set(regs, LAPIC_LDR, lapic_x2apic_ldr(regs->id));
	}
	lapic_address_publish(regs);
}
