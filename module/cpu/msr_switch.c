// SPDX-License-Identifier: GPL-2.0
/*
 * The MSRs that neither an entry nor an exit switches, but that the host does
 * not need before it returns to user mode: they change hands when the thread
 * starts to run the vCPU on a CPU, and when it stops. run/run.c decides when.
 */
#include <linux/lockdep.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "../compat.h"
#include "../vmx/vmx.h"
#include "cpu.h"

static void read_syscall(struct syscall_msrs *m)
{
	m->star = __rdmsr(MSR_STAR);
	m->lstar = __rdmsr(MSR_LSTAR);
	m->sfmask = __rdmsr(MSR_SYSCALL_MASK);
}

/**
 * msr_switch_create - a new vCPU: what the host has
 * @vcpu: its VM has VMX on
 *
 * In VMX operation of our own it is the same at all times. At module load it need not be in the
 * processor: KVM leaves what its guests have here, until this CPU goes on in user mode or
 * KVM gives VMX up. Beside KVM it is looked up again whenever it is replaced.
 */
void msr_switch_create(struct vcpu *vcpu)
{
	read_syscall(&vcpu->host_syscall);
}

/**
 * msr_reload - a switched MSR got a new value while it is in the processor
 * @vcpu: loaded, vcpu->host_loaded
 * @index: any; nothing happens if it is none of them
 *
 * Context: does not migrate.
 */
void msr_reload(struct vcpu *vcpu, u32 index)
{
	const struct msr_state *s = &vcpu->msr;

	lockdep_assert_preemption_disabled();
	if (index != MSR_TSC_AUX && !vcpu->syscall_loaded)
		return;
	switch (index) {
	case MSR_STAR:
		wrmsrl(MSR_STAR, s->star);
		break;
	case MSR_LSTAR:
		wrmsrl(MSR_LSTAR, s->lstar);
		break;
	case MSR_SYSCALL_MASK:
		wrmsrl(MSR_SYSCALL_MASK, s->sfmask);
		break;
	case MSR_TSC_AUX:
		if (vmx_caps.rdtscp)
			wrmsrl(MSR_TSC_AUX, s->tsc_aux);
		break;
	}
}

/* Not for the kernel's MSR trace points, which would see two dozen in each RUN. */
static __always_inline void write_if(u32 msr, u64 value, u64 other)
{
	if (value != other)
		native_wrmsrl(msr, value);
}

/**
 * msr_load_syscall - the guest may use SYSCALL: its MSRs go into the processor
 * @vcpu: loaded, vcpu->host_loaded
 *
 * With EFER.SCE clear the instruction is undefined, and RDMSR and WRMSR exit. CSTAR
 * stays the host's: SYSCALL outside 64-bit mode is undefined on Intel's processors.
 *
 * Context: does not migrate.
 */
void msr_load_syscall(struct vcpu *vcpu)
{
	const struct msr_state *s = &vcpu->msr;
	const struct syscall_msrs *host = &vcpu->host_syscall;

	lockdep_assert_preemption_disabled();
	if (vcpu->syscall_loaded || !(vcpu->efer & EFER_SCE))
		return;
	vcpu->syscall_loaded = true;
	/* KVM leaves its guests' here until user mode needs the host's, and knows which. */
	if (vmx_is_beside())
		read_syscall(&vcpu->host_syscall);
	write_if(MSR_STAR, s->star, host->star);
	write_if(MSR_LSTAR, s->lstar, host->lstar);
	write_if(MSR_SYSCALL_MASK, s->sfmask, host->sfmask);
}

static void unload_syscall(struct vcpu *vcpu)
{
	const struct msr_state *s = &vcpu->msr;
	const struct syscall_msrs *host = &vcpu->host_syscall;

	if (!vcpu->syscall_loaded)
		return;
	vcpu->syscall_loaded = false;
	write_if(MSR_STAR, host->star, s->star);
	write_if(MSR_LSTAR, host->lstar, s->lstar);
	write_if(MSR_SYSCALL_MASK, host->sfmask, s->sfmask);
}

/**
 * msr_switch_to_guest - the guest's SYSCALL MSRs, TSC_AUX and KERNEL_GS_BASE
 * @vcpu: loaded, after vmx_host_save()
 *
 * Until msr_switch_to_host() the kernel runs with them: it uses none of them
 * before it returns to user mode, and that this thread does only afterwards.
 *
 * Context: interrupts off.
 */
void msr_switch_to_guest(struct vcpu *vcpu)
{
	const struct msr_state *s = &vcpu->msr;

	check_host_msrs(vcpu);
	msr_load_syscall(vcpu);
	if (vmx_caps.rdtscp) {
		if (vmx_is_beside())
			vcpu->host_tsc_aux = __rdmsr(MSR_TSC_AUX);	/* likewise */
		write_if(MSR_TSC_AUX, s->tsc_aux, vcpu->host_tsc_aux);
	}
	/* Not thread.gsbase: without FSGSBASE that is 0 if a selector gives the base. */
	vcpu->host_kernel_gs_base = __rdmsr(MSR_KERNEL_GS_BASE);
	write_if(MSR_KERNEL_GS_BASE, s->kernel_gs_base, vcpu->host_kernel_gs_base);
}

/**
 * msr_save_guest - keep what the guest wrote to a switched MSR without an exit
 * @vcpu: loaded, before vmx_host_restore()
 *
 * That is KERNEL_GS_BASE; vmx_host_restore() may load GS, which writes it.
 *
 * Context: interrupts or preemption off, same CPU as msr_switch_to_guest().
 */
void msr_save_guest(struct vcpu *vcpu)
{
	vcpu->msr.kernel_gs_base = __rdmsr(MSR_KERNEL_GS_BASE);
}

/**
 * msr_switch_to_host - undo msr_switch_to_guest()
 * @vcpu: after msr_save_guest() and vmx_host_restore()
 *
 * Context: as msr_save_guest().
 */
void msr_switch_to_host(struct vcpu *vcpu)
{
	check_host_msrs(vcpu);
	unload_syscall(vcpu);
	if (vmx_caps.rdtscp)
		write_if(MSR_TSC_AUX, vcpu->host_tsc_aux, vcpu->msr.tsc_aux);
	/* Loading GS writes it, too. */
	if (unlikely(vcpu->host_selectors))
		native_wrmsrl(MSR_KERNEL_GS_BASE, vcpu->host_kernel_gs_base);
	else
		write_if(MSR_KERNEL_GS_BASE, vcpu->host_kernel_gs_base, vcpu->msr.kernel_gs_base);
}
