// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of instructions without operands to decode: CPUID, VMCALL, HLT, cache
 * control, XSETBV, and the ones that a guest without them finds undefined.
 */
#include "../irqchip/irqchip.h"
#include "../pv/pv.h"
#include "../vmx/guest_tsc.h"
#include "exit.h"

#define VMCALL_ENOSYS	1000	/* "no such hypercall", as Linux guests know it */
#define VMCALL_EPERM	1
#define VMCALL_VAPIC_POLL_IRQ	1	/* numbers, as in RAX */
#define VMCALL_SEND_IPI		10
#define VMCALL_SCHED_YIELD	11
#define FEATURE_SEND_IPI	BIT(11)	/* of CPUID 0x40000001 EAX */
#define FEATURE_SCHED_YIELD	BIT(13)

/* exit_cpuid - SDM "CPUID - CPU Identification" */
int exit_cpuid(struct vcpu *vcpu, const struct vmexit *exit)
{
	cpuid_query(vcpu);
	return EXIT_SKIP;
}

/* Those that do something, or may be kept from the guest. */
static noinline_for_stack long __cold vmcall_rest(struct vcpu *vcpu, unsigned long nr, u64 mask)
{
	u64 set[2] = { vcpu->regs[RBX] & mask, vcpu->regs[RCX] & mask };

	if (nr == VMCALL_SCHED_YIELD)	/* it came here, and the host may look around: that is all */
		return pv_hides(vcpu, FEATURE_SCHED_YIELD) ? -VMCALL_ENOSYS : 0;
	if (pv_hides(vcpu, FEATURE_SEND_IPI))
		return -VMCALL_ENOSYS;
	if (!vcpu->lapic)
		return -EOPNOTSUPP;
	return lapic_send_many(vcpu, set, hweight64(mask), vcpu->regs[RDX], vcpu->regs[RSI]);
}

/* exit_vmcall - a hypercall: there are three, and user mode may not ask */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct code_mode mode = vcpu_code_mode(vcpu);
	u64 mask = mode.bits == 64 ? ~0ull : U32_MAX;
	unsigned long nr = vcpu->regs[RAX] & mask;
	long error = -VMCALL_ENOSYS;

	if (mode.cpl)
		error = -VMCALL_EPERM;
	else if (nr == VMCALL_VAPIC_POLL_IRQ)
		error = 0;
	else if (unlikely(nr - VMCALL_SEND_IPI <= VMCALL_SCHED_YIELD - VMCALL_SEND_IPI))
		error = vmcall_rest(vcpu, nr, mask);
	vcpu->regs[RAX] = error & mask;
	return EXIT_SKIP;
}

/*
 * exit_hlt - wait for an event, in the kernel if the chips are here
 *
 * RIP moves, too: the event is delivered after the HLT.
 */
int exit_hlt(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (!vcpu->lapic) {
		vcpu->run->exit_reason = MINIKVM_EXIT_HLT;
		return EXIT_USER_SKIP;
	}
	vcpu->mp_state = MINIKVM_MP_STATE_HALTED;
	return EXIT_SKIP;
}

/* exit_resume - the exit itself was all: host interrupts come now */
int exit_resume(struct vcpu *vcpu, const struct vmexit *exit)
{
	return EXIT_RESUME;
}

/* exit_timer - the guest's timer, which the next entry looks at, or the longest stay is over */
int exit_timer(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (vcpu->timer_deadline && vcpu_tsc(vcpu) >= vcpu->timer_deadline)
		return EXIT_RESUME;
	vmx_set_hv_timer(vcpu, U64_MAX);	/* a timer that was stopped may have left less */
	WRITE_ONCE(vcpu->stay, min(READ_ONCE(vcpu->stay) + 1, 5));
	return EXIT_WINDOW;
}

/* exit_skip - nothing to do: INVD (the cache is the host's) */
int exit_skip(struct vcpu *vcpu, const struct vmexit *exit)
{
	return EXIT_SKIP;
}

/* exit_undefined - instructions that this virtual CPU does not have */
int exit_undefined(struct vcpu *vcpu, const struct vmexit *exit)
{
	event_exception(vcpu, X86_TRAP_UD);
	return EXIT_RESUME;
}

/* exit_mwait - MONITOR, MWAIT: they do nothing; as with KVM, also without CPUID, if the VMM likes */
int exit_mwait(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (vm_has_quirk(vcpu->vm, MINIKVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS) || cpuid_has_mwait(vcpu))
		return EXIT_SKIP;
	return exit_undefined(vcpu, exit);
}

/* exit_rdpmc - no performance counters: every index is invalid */
int exit_rdpmc(struct vcpu *vcpu, const struct vmexit *exit)
{
	return exit_gp(vcpu);
}

/* exit_wbinvd - guest memory is write-back and coherent: nothing to write back */
int exit_wbinvd(struct vcpu *vcpu, const struct vmexit *exit)
{
	return EXIT_SKIP;
}

/* exit_xsetbv - SDM "XSETBV - Set Extended Control Register" */
int exit_xsetbv(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (vmx_cpl() || (u32)vcpu->regs[RCX] || fpu_set_xcr0(vcpu, exit_edx_eax(vcpu)))
		return exit_gp(vcpu);
	return EXIT_SKIP;
}
