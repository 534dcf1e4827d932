// SPDX-License-Identifier: GPL-2.0
/*
 * Debug registers. The guest's DR0-3, or those that the VMM wants instead, are in the
 * processor only while it runs with a breakpoint enabled; DR7 is in the VMCS. MOV DR exits, and
 * every #DB does, so that the processor never reads or writes the guest's DR6: it stays in
 * memory. But who uses one debug register uses more of them: the first MOV DR lends all of them
 * to the guest until its next exit, of whatever kind (debug_lend()). SDM "Debug Registers".
 *
 * An exit leaves the host's DR7 and IA32_DEBUGCTL cleared; the run loop has
 * debug_after_exit() give them back before interrupts go on.
 */
#include <linux/hw_breakpoint.h>
#include <linux/nospec.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>

#include "../vmx/vmx.h"
#include "cpu.h"

/* Without RTM and bus-lock detection: B0-3, BD, BS, BT can change. */
#define DR6_WRITABLE	0x0000e00full
#define DR7_WRITABLE	0xffff2bffull
#define DR7_ONES	0x00000400ull
#define DR7_ENABLES	0x000000ffull

/* The host's DR0-3 while a row runs on this CPU, if it has breakpoints itself. */
static DEFINE_PER_CPU(unsigned long [4], host_dr);

static noinline void save_host(unsigned long dr[4])
{
	get_debugreg(dr[0], 0);
	get_debugreg(dr[1], 1);
	get_debugreg(dr[2], 2);
	get_debugreg(dr[3], 3);
}

static noinline void restore_host(const unsigned long dr[4])
{
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
	set_debugreg(DR6_RESERVED, 6);
	set_debugreg(__this_cpu_read(cpu_dr7), 7);
}

static noinline void load_breakpoints(struct vcpu *vcpu)
{
	/* No host breakpoint may see half of the guest's addresses. */
	set_debugreg(0, 7);
	set_debugreg(vcpu->debug.dr[0], 0);
	set_debugreg(vcpu->debug.dr[1], 1);
	set_debugreg(vcpu->debug.dr[2], 2);
	set_debugreg(vcpu->debug.dr[3], 3);
}

/**
 * debug_before_entry - load the guest's breakpoints if it has any
 * @vcpu: loaded
 *
 * Context: interrupts off, before the first of a row of entries.
 */
void debug_before_entry(struct vcpu *vcpu)
{
	vcpu->host_debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (unlikely(hw_breakpoint_active()))
		save_host(*this_cpu_ptr(&host_dr));
	if (unlikely(vcpu->debug.dr7 & DR7_ENABLES))
		load_breakpoints(vcpu);
}

/**
 * debug_after_exit - the host's breakpoints and DEBUGCTL
 * @vcpu: after debug_before_entry()
 *
 * Context: interrupts off, same CPU, after the last of a row of exits.
 */
void debug_after_exit(struct vcpu *vcpu)
{
	if (unlikely(vcpu->host_debugctl))
		update_debugctlmsr(vcpu->host_debugctl);
	if (unlikely(hw_breakpoint_active()))
		restore_host(*this_cpu_ptr(&host_dr));
}

static u64 dr6_of(u64 value)
{
	return (value & DR6_WRITABLE) | DR6_ONES;
}

/**
 * debug_use_drs - the breakpoints that the processor gets: the guest's, unless the VMM has its own
 * @vcpu: loaded; its own, or debug.control and what goes with it, may have changed
 *
 * An entry leaves the fixed bits of DR7 alone. Context: interrupts off or on.
 */
void debug_use_drs(struct vcpu *vcpu)
{
	struct guest_debug *d = &vcpu->debug;

	if (!(d->control & MINIKVM_GUESTDBG_USE_HW_BP)) {
		memcpy(d->dr, vcpu->dr, sizeof(d->dr));
		d->dr7 = vcpu->dr7;
	}
	vmcs_write_guest_dr7(d->dr7);
}

static void set_dr7(struct vcpu *vcpu, u64 value)
{
	vcpu->dr7 = (value & DR7_WRITABLE) | DR7_ONES;
	debug_use_drs(vcpu);
}

/**
 * debug_lend - the next entry's guest reads and writes the processor's debug registers
 * @vcpu: loaded; the VMM does not debug it
 *
 * Context: interrupts off, after debug_before_entry(); undone by debug_take_back() after the exit.
 */
void debug_lend(struct vcpu *vcpu)
{
	load_breakpoints(vcpu);
	set_debugreg(vcpu->dr6, 6);
	vmcs_set_mov_dr_exits(vcpu, false);
}

/** debug_take_back - undo debug_lend(): what the guest left in them is its own; interrupts off */
void debug_take_back(struct vcpu *vcpu)
{
	unsigned long dr6;

	vmcs_set_mov_dr_exits(vcpu, true);
	get_debugreg(dr6, 6);
	set_debugreg(DR6_RESERVED, 6);	/* the host's: its handler leaves it so */
	vcpu->dr6 = dr6_of(dr6);
	get_debugreg(vcpu->dr[0], 0);
	get_debugreg(vcpu->dr[1], 1);
	get_debugreg(vcpu->dr[2], 2);
	get_debugreg(vcpu->dr[3], 3);
	set_dr7(vcpu, vmcs_read_guest_dr7());
}

/** debug_reset - no breakpoints: power-up, INIT; @vcpu loaded */
void debug_reset(struct vcpu *vcpu)
{
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->dr6 = dr6_of(0);
	set_dr7(vcpu, 0);
	vmcs_write_guest_debugctl(0);
}

/**
 * debug_exception_delivered - a #DB is on its way to the guest
 * @vcpu: loaded
 *
 * Clears GD, so that the handler can read the registers. SDM "Debug Control
 * Register (DR7)". Context: interrupts off or on.
 */
void debug_exception_delivered(struct vcpu *vcpu)
{
	if (vcpu->dr7 & DR7_DETECT)
		set_dr7(vcpu, vcpu->dr7 & ~DR7_DETECT);
}

/**
 * debug_get_dr - what a guest reads in a debug register
 * @vcpu: loaded
 * @n: 0..7; DR4 and DR5 are DR6 and DR7 where they are not undefined
 *
 * Context: interrupts off or on.
 */
u64 debug_get_dr(struct vcpu *vcpu, int n)
{
	if (n < 4)
		return vcpu->dr[array_index_nospec(n, 4)];
	return n == 4 || n == 6 ? vcpu->dr6 : vcpu->dr7;
}

/**
 * debug_set_dr - a guest writes a debug register
 * @vcpu: loaded
 * @n: as in debug_get_dr()
 * @value: for it
 *
 * Context: interrupts off or on. Return: 0, or 1 for #GP: the upper half of DR6 and DR7
 * must be 0.
 */
int debug_set_dr(struct vcpu *vcpu, int n, u64 value)
{
	if (n < 4) {
		vcpu->dr[array_index_nospec(n, 4)] = value;
		debug_use_drs(vcpu);
		return 0;
	}
	if (value >> 32)
		return 1;
	if (n == 4 || n == 6)
		vcpu->dr6 = dr6_of(value);
	else
		set_dr7(vcpu, value);
	return 0;
}

/**
 * vcpu_get_debugregs - GET_DEBUGREGS
 * @vcpu: whose
 * @dr: filled
 */
void vcpu_get_debugregs(struct vcpu *vcpu, struct minikvm_debugregs *dr)
{
	memset(dr, 0, sizeof(*dr));
	memcpy(dr->db, vcpu->dr, sizeof(dr->db));
	dr->dr6 = vcpu->dr6;
	dr->dr7 = vcpu->dr7;
}

/**
 * vcpu_set_debugregs - SET_DEBUGREGS
 * @vcpu: loaded
 * @dr: kept as it is, fixed bits of DR6 and DR7 included, until the guest writes them
 *
 * Return: 0; -EINVAL: a flag, or an upper half that is not 0.
 */
int vcpu_set_debugregs(struct vcpu *vcpu, const struct minikvm_debugregs *dr)
{
	if (dr->flags || dr->dr6 >> 32 || dr->dr7 >> 32)
		return -EINVAL;
	memcpy(vcpu->dr, dr->db, sizeof(vcpu->dr));
	vcpu->dr6 = dr->dr6;
	vcpu->dr7 = dr->dr7;
	debug_use_drs(vcpu);
	return 0;
}
