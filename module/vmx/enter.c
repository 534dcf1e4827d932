// SPDX-License-Identifier: GPL-2.0
/*
 * One entry and one exit, and the host state that surrounds many of them.
 *
 * run/run.c calls vmx_host_save() when the thread came to this CPU; then, with
 * interrupts off, vmx_row_begin(), vmx_enter() for each entry of a row,
 * perf_end() and vmx_row_end(); and vmx_host_restore() when the thread leaves the CPU or
 * the kernel. Nothing here decides anything about the guest.
 */
#include <linux/kvm_types.h>
#include <linux/percpu.h>
#include <linux/sched.h>
/*
 * Only for guest_timing_enter_irqoff() and guest_timing_exit_irqoff(). Its names for KVM's own
 * objects are not ours, so this file must not include more of it than that.
 */
#include <linux/kvm_host.h>
#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/mce.h>
#include <asm/mmu_context.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "../compat.h"
#include "internal.h"
#include "offsets.h"
#include "vmx.h"

static_assert(offsetof(struct vcpu, regs) == VCPU_REG(0));
static_assert(offsetof(struct vcpu, host_rsp) == VCPU_HOST_RSP);
static_assert(offsetof(struct vcpu, spec_ctrl) == VCPU_SPEC_CTRL);
static_assert(offsetof(struct vcpu, spec_ctrl_direct) == VCPU_SPEC_CTRL_DIRECT);

/*
 * Translations through EPT entries that lost rights since this CPU last flushed
 * for this VM. The generation is read after guest_cpu was published: who bumps
 * it later sees us, and waits for an IPI that this CPU takes after the row.
 * SDM "Invalidating Cached Translation Information".
 */
static noinline_for_stack void flush_now(struct vcpu *vcpu, u64 gen)
{
	vmx_invept(INVEPT_SINGLE, vcpu->vm->eptp);
	vcpu->vm->cpu_ept_gen[vcpu->cpu] = gen;
	vcpu->stats.tlb_flush++;
}

static __always_inline void flush_stale(struct vcpu *vcpu)
{
	u64 gen = atomic64_read(&vcpu->vm->ept_gen);

	if (unlikely(vcpu->vm->cpu_ept_gen[vcpu->cpu] != gen))
		flush_now(vcpu, gen);
}

/* CR3 changes with the mm's PCID, CR4 with perf and others: compare, rarely write. */
static __always_inline void host_cr_update(struct vcpu *vcpu)
{
	unsigned long cr3 = __native_read_cr3();
	unsigned long cr4 = native_read_cr4();

	if (unlikely(cr3 != vcpu->host_cr3)) {
		vmcs_write_host_cr3(cr3);
		vcpu->host_cr3 = cr3;
	}
	if (unlikely(cr4 != vcpu->host_cr4)) {
		vmcs_write_host_cr4(cr4);
		vcpu->host_cr4 = cr4;
	}
}

/*
 * guest_state_enter_irqoff() and guest_state_exit_irqoff(), without the quiescent
 * states that they note for RCU where context is not tracked: one for each timer
 * tick is enough, see host_interrupts() in run/run.c.
 */
static __always_inline void guest_state_enter(void)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();
	context_tracking_guest_enter();
	lockdep_hardirqs_on(CALLER_ADDR0);
}

static __always_inline void guest_state_exit(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();
	instrumentation_begin();
	trace_hardirqs_off_finish();
	instrumentation_end();
}

/* Once per row: what the host's performance counters need. Rarely anything, see perf.c. */
static noinline_for_stack void host_perf_update(struct vcpu *vcpu)
{
	u8 entries = vcpu->perf.entries, exits = vcpu->perf.exits;

	perf_begin(&vcpu->perf);
	if (vcpu->perf.entries != entries)
		vmcs_write_entry_msr_load_count(vcpu->perf.entries);
	if (vcpu->perf.exits != exits)
		vmcs_write_exit_msr_load_count(vcpu->perf.exits);
}

/* A build for the bench counts what the guest itself takes: called before and after. */
static __always_inline void count_ticks(struct vcpu *vcpu, int sign)
{
#ifdef MINIKVM_GUEST_TICKS
	vcpu->stats.guest_ticks += sign * rdtsc();
#endif
}

/* The part in which the kernel must not be traced: RCU may not watch. */
static noinstr void enter_and_exit(struct vcpu *vcpu)
{
	guest_state_enter();
	if (vmx_l1d_flush_needed)
		vmx_l1d_flush(vcpu);
	/* Between two entries a probe may have faulted. */
	if (vcpu->cr2 != native_read_cr2())
		native_write_cr2(vcpu->cr2);

	count_ticks(vcpu, -1);
	vcpu->entry_failed = vmx_enter_guest(vcpu, vcpu->launched);
	count_ticks(vcpu, 1);
	vcpu->cr2 = native_read_cr2();

	if (unlikely(vcpu->entry_failed)) {
		vcpu->exit.reason = ~0u;
	} else {
		vcpu->exit.reason = vmcs_read_exit_reason();
		/* A refused guest state leaves the VMCS as it was: clear, or launched. */
		if (unlikely(!vcpu->launched))
			vcpu->launched = !(vcpu->exit.reason & REASON_FAILED_ENTRY);
		if (vcpu->exit.reason == REASON_EXCEPTION_NMI) {
			vcpu->exit.intr_info = vmcs_read_exit_intr_info();
			if ((vcpu->exit.intr_info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
				vmx_host_nmi();
		}
	}
	guest_state_exit();
}

/*
 * Did a machine check end the guest, or the way into it (then the entry failed,
 * with bit 31)? SDM "Machine-Check Events During VM Entry".
 */
static bool is_machine_check(const struct vcpu *vcpu)
{
	const u32 mask = INTR_INFO_VALID | INTR_INFO_TYPE | INTR_INFO_VECTOR;

	if (vcpu->exit.reason == REASON_EXCEPTION_NMI)
		return (vcpu->exit.intr_info & mask) ==
		       (INTR_INFO_VALID | INTR_TYPE_HARD_EXCEPTION | X86_TRAP_MC);
	return (u16)vcpu->exit.reason == REASON_MACHINE_CHECK;
}

/* The host's handler, as if user mode had been interrupted: on this CPU, before interrupts go on. */
static noinline void host_machine_check(void)
{
#ifdef CONFIG_X86_MCE	/* without it the kernel has no handler */
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
#endif
}

/**
 * vmx_row_begin - what one or many entries in a row need, as long as interrupts are off
 * @vcpu: loaded, host state saved, guest_cpu published
 *
 * From here to vmx_row_end() the time is the guest's; from here to perf_end(),
 * before host interrupts may come, the performance counters are.
 *
 * Context: interrupts off.
 */
void vmx_row_begin(struct vcpu *vcpu)
{
	flush_stale(vcpu);
	host_cr_update(vcpu);
	if (perf_there)
		host_perf_update(vcpu);
	guest_timing_enter_irqoff();
}

/**
 * vmx_row_end - the time is the host's again
 *
 * Later than the last exit, so that a tick that ended the guest counts as the guest's.
 *
 * Context: interrupts off.
 */
void vmx_row_end(void)
{
	guest_timing_exit_irqoff();
}

/**
 * vmx_enter - run the guest until its next exit
 * @vcpu: after vmx_row_begin()
 *
 * On return vcpu->exit.reason is the exit's, and a host NMI or machine check that
 * caused it has been handled; vcpu->entry_failed says that the processor refused to enter.
 *
 * Context: interrupts off. SDM "VM Entries", "VM Exits".
 */
void vmx_enter(struct vcpu *vcpu)
{
	check_before_entry(vcpu);
	enter_and_exit(vcpu);
	check_after_entry(vcpu);
	if (unlikely(is_machine_check(vcpu)))
		host_machine_check();
	vcpu->stats.entries++;
}

/*
 * Every exit loads null selectors, the VMCS takes none with TI or RPL anyway: what
 * the thread has comes back in vmx_host_restore(). GS base is the kernel's.
 */
static void segments_save(struct vcpu *vcpu)
{
	unsigned long fs_base = x86_fsbase_read_cpu();
	u16 fs, gs, ds, es, ldt = host_sldt();

	savesegment(fs, fs);
	savesegment(gs, gs);
	savesegment(ds, ds);
	savesegment(es, es);
	vcpu->host_selectors = fs | gs | ds | es | ldt;
	if (vcpu->host_selectors) {
		vcpu->host_fs_sel = fs;
		vcpu->host_gs_sel = gs;
		vcpu->host_ds_sel = ds;
		vcpu->host_es_sel = es;
		vcpu->host_ldt_sel = ldt;
	}
	if (fs_base != vcpu->host_fs_base) {
		vmcs_write_host_fs_base(fs_base);
		vcpu->host_fs_base = fs_base;
	}
}

static noinline void segments_restore(struct vcpu *vcpu)
{
	host_lldt(vcpu->host_ldt_sel);
	load_gs_index(vcpu->host_gs_sel);
	loadsegment(ds, vcpu->host_ds_sel);
	loadsegment(es, vcpu->host_es_sel);
	if (!vcpu->host_fs_sel)
		return;		/* loading a null selector clears the base, which is there */
	loadsegment(fs, vcpu->host_fs_sel);
	/* A selector brings its own base; with FSGSBASE the thread may have had another. */
	if (boot_cpu_has(X86_FEATURE_FSGSBASE))
		wrfsbase(vcpu->host_fs_base);
}

/**
 * vmx_host_save - put what belongs to this thread into the VMCS's host state
 * @vcpu: loaded; its VMCS is current
 *
 * Context: interrupts off.
 */
void vmx_host_save(struct vcpu *vcpu)
{
	segments_save(vcpu);
	vcpu->l1d_flush = true;
	vcpu->host_loaded = true;
}

/**
 * vmx_host_restore - give back what an exit does not restore by itself
 * @vcpu: after vmx_host_save()
 *
 * An exit leaves the limits of GDTR and IDTR at 0xffff and that of TR at 0x67,
 * and LDTR null; see SDM "Loading Host Segment and Descriptor-Table Registers".
 * That of IDTR may stay: no vector is beyond the 256 that Linux has there.
 * Context: interrupts or preemption off, same CPU as the last entry.
 */
void vmx_host_restore(struct vcpu *vcpu)
{
	if (unlikely(vcpu->host_selectors))
		segments_restore(vcpu);
	/* A thread that may use ports has it looked at on its way to user mode. */
	this_cpu_write(__tss_limit_invalid, true);
	native_load_gdt(&vcpu->host_gdt);
	vcpu->host_loaded = false;
}
