// SPDX-License-Identifier: GPL-2.0
/*
 * Debug registers. The guest's DR0-3 and DR6 are in the processor only while it
 * runs with a breakpoint enabled; DR7 is in the VMCS. Every MOV DR exits.
 * SDM "Debug Registers".
 */
#include <linux/hw_breakpoint.h>
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "../vmx/vmx.h"
#include "../minikvm.h"

#define DR6_FIXED	0xfffe0ff0u	/* always 1 */
#define DR7_FIXED	0x400u
#define DR7_GD		BIT(13)
#define DR7_ENABLES	0xffu

/** debug_before_entry - load the guest's breakpoints if it has any; interrupts off */
void debug_before_entry(struct vcpu *vcpu)
{
	if (likely(!(vcpu->dr7 & DR7_ENABLES)))
		return;
	set_debugreg(0, 7);
	set_debugreg(vcpu->dr[0], 0);
	set_debugreg(vcpu->dr[1], 1);
	set_debugreg(vcpu->dr[2], 2);
	set_debugreg(vcpu->dr[3], 3);
	set_debugreg(vcpu->dr6, 6);
	vcpu->dr_loaded = true;
}

/** debug_after_exit - the host's breakpoints back; interrupts off, same CPU */
void debug_after_exit(struct vcpu *vcpu)
{
	unsigned long dr6;

	if (unlikely(vcpu->dr_loaded)) {
		get_debugreg(dr6, 6);
		vcpu->dr6 = dr6;
		set_debugreg(DR6_RESERVED, 6);
		vcpu->dr_loaded = false;
	}
	/* An exit clears DR7: SDM "Loading Host Control Registers, Debug Registers". */
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
}

static void set_dr7(struct vcpu *vcpu, u64 value)
{
	vcpu->dr7 = (u32)value | DR7_FIXED;
	vcpu->dr7 &= ~(BIT_ULL(12) | BIT_ULL(14) | BIT_ULL(15));
	vmcs_write_guest_dr7(vcpu->dr7);
}

static u64 read_dr(struct vcpu *vcpu, int n)
{
	if (n < 4)
		return vcpu->dr[n];
	return n == 4 || n == 6 ? vcpu->dr6 : vcpu->dr7;
}

/* 1: #GP, the upper half of DR6 and DR7 must be 0. */
static int write_dr(struct vcpu *vcpu, int n, u64 value)
{
	if (n < 4) {
		vcpu->dr[n] = value;
		return 0;
	}
	if (value >> 32)
		return 1;
	if (n == 4 || n == 6)
		vcpu->dr6 = (value & 0x1e00f) | DR6_FIXED;
	else
		set_dr7(vcpu, value);
	return 0;
}

/* General detect: an access while DR7.GD is set is a #DB of its own. */
static int general_detect(struct vcpu *vcpu)
{
	vcpu->dr6 |= BIT(13);
	set_dr7(vcpu, vcpu->dr7 & ~(u64)DR7_GD);
	event_exception(vcpu, 1);
	return EXIT_RESUME;
}

/**
 * debug_mov_dr - an exit of MOV to or from a debug register
 * @vcpu: attached
 * @qualification: SDM "Exit Qualification for MOV DR"
 *
 * Return: verdict.
 */
int debug_mov_dr(struct vcpu *vcpu, u64 qualification)
{
	int n = qualification & 7, reg = qualification >> 8 & 15;
	bool from = qualification & BIT(4);
	u64 value;

	if ((n == 4 || n == 5) && (vcpu_cr4(vcpu) & X86_CR4_DE)) {
		event_exception(vcpu, 6);
		return EXIT_RESUME;
	}
	if (vmx_cpl()) {
		event_exception_error(vcpu, 13, 0);
		return EXIT_RESUME;
	}
	if (vcpu->dr7 & DR7_GD)
		return general_detect(vcpu);
	if (from) {
		vcpu_set_reg(vcpu, reg, read_dr(vcpu, n));
		return EXIT_SKIP;
	}
	value = vcpu_reg(vcpu, reg);
	if (vcpu_code_bits(vcpu) != 64)
		value = (u32)value;
	if (write_dr(vcpu, n, value)) {
		event_exception_error(vcpu, 13, 0);
		return EXIT_RESUME;
	}
	return EXIT_SKIP;
}

/** vcpu_get_debugregs - GET_DEBUGREGS. Return: 0. */
int vcpu_get_debugregs(struct vcpu *vcpu, struct minikvm_debugregs *dr)
{
	memset(dr, 0, sizeof(*dr));
	memcpy(dr->db, vcpu->dr, sizeof(dr->db));
	dr->dr6 = vcpu->dr6;
	dr->dr7 = vcpu->dr7;
	return 0;
}

/** vcpu_set_debugregs - SET_DEBUGREGS; @vcpu attached. Return: 0 or -EINVAL. */
int vcpu_set_debugregs(struct vcpu *vcpu, const struct minikvm_debugregs *dr)
{
	if (dr->flags || dr->dr6 >> 32 || dr->dr7 >> 32)
		return -EINVAL;
	memcpy(vcpu->dr, dr->db, sizeof(vcpu->dr));
	vcpu->dr6 = dr->dr6;
	set_dr7(vcpu, dr->dr7);
	return 0;
}
