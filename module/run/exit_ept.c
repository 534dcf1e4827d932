// SPDX-License-Identifier: GPL-2.0
/* EPT violations: memory that is not mapped yet, or a device. And a full log of dirty pages. */
#include <linux/sched/signal.h>

#include "../io/io.h"
#include "../io/step.h"
#include "../mm/memslot.h"
#include "../trace.h"
#include "exit.h"

static unsigned int access_of(u64 qualification)
{
	return (qualification & EPT_QUAL_WRITE ? ACCESS_WRITE : 0) |
	       (qualification & EPT_QUAL_FETCH ? ACCESS_FETCH : 0) |
	       (qualification & EPT_QUAL_READ ? ACCESS_READ : 0);
}

/* An instruction fetch or a page walk in device memory: nobody can serve it. */
static bool is_device_access(const struct vmexit *exit)
{
	const u64 data = EPT_QUAL_GVA_VALID | EPT_QUAL_FINAL;

	return !(exit->qualification & EPT_QUAL_FETCH) &&
	       (exit->qualification & data) == data;
}

/* The event waits in vcpu->events; the device has no part in it. */
static noinline_for_stack int delivery_to_device(struct vcpu *vcpu, const struct vmexit *exit)
{
	const u64 data[] = { exit->idt_info, exit->reason, exit->qualification, exit->gpa,
			     vcpu->entry_cpu };

	return report_internal_error(vcpu, MINIKVM_INTERNAL_ERROR_DELIVERY_EV, ARRAY_SIZE(data),
				   data);
}

/* A page walk that wants to write, in a read-only slot; with accessed and dirty flags all do. */
static bool is_walk_in_rom(const struct vcpu *vcpu, const struct vmexit *exit)
{
	const u64 walk = EPT_QUAL_GVA_VALID | EPT_QUAL_WRITE;

	return (exit->qualification & (walk | EPT_QUAL_FINAL)) == walk &&
	       memslot_find(READ_ONCE(vcpu->vm->slots), exit->gpa >> PAGE_SHIFT);
}

static noinline_for_stack int no_operand(struct vcpu *vcpu, const struct vmexit *exit, bool step)
{
	if (is_walk_in_rom(vcpu, exit))
		return step_walk(vcpu, step);
	if (exit->idt_info & INTR_INFO_VALID)
		return delivery_to_device(vcpu, exit);
	return report_insn(vcpu, NULL, 0);
}

/*
 * Memory that is to be mapped, or a device. @step: in an entry for one instruction.
 * Verdict; -EAGAIN: the slots are changing.
 */
static __always_inline int ept_violation_serve(struct vcpu *vcpu, const struct vmexit *exit, bool step)
{
	unsigned int access = access_of(exit->qualification);
	int ret = ept_fault(vcpu, exit->gpa, access);

	trace_minikvm_ept_fault(exit->gpa, access, ret);
	if (!ret)
		return step ? EXIT_STEP : EXIT_RESUME;
	if (ret != EPT_FAULT_MMIO)
		return ret == -EHWPOISON ? -EINTR : ret; /* SIGBUS is on its way to the thread */
	if (unlikely((exit->idt_info & INTR_INFO_VALID) || !is_device_access(exit)))
		return no_operand(vcpu, exit, step);
	return step && vcpu->step->device ? step_more(vcpu) : emulate_exit(vcpu);
}

/* As ept_violation_serve(). */
static __always_inline int ept_violation(struct vcpu *vcpu, const struct vmexit *exit, bool step)
{
	int verdict;

	if (unlikely(exit->qualification & EPT_QUAL_NMI_UNBLOCKING))
		exit_iret_unblocked_nmis(exit, true);
	vcpu->stats.ept_faults++;
	slots_read_lock(vcpu);
	verdict = ept_violation_serve(vcpu, exit, step);
	slots_read_unlock(vcpu);
	return verdict;
}

/*
 * exit_ept_violation - map the page, or hand the access to a device
 *
 * While the slots or the page change, the guest tries again: RUN looks at signals
 * in between. SDM "EPT Violations".
 */
int exit_ept_violation(struct vcpu *vcpu, const struct vmexit *exit)
{
	int verdict = ept_violation(vcpu, exit, false);

	if (likely(verdict != -EAGAIN))
		return verdict;
	cond_resched();
	return EXIT_RESUME;
}

/* exit_ept_step - exit_ept_violation() of an entry for one instruction: EXIT_STEP, try again */
int exit_ept_step(struct vcpu *vcpu, const struct vmexit *exit)
{
	int verdict = ept_violation(vcpu, exit, true);

	return verdict == -EAGAIN ? EXIT_STEP : verdict;
}

/* exit_ept_misconfig - an entry that the processor cannot use: our mistake */
int exit_ept_misconfig(struct vcpu *vcpu, const struct vmexit *exit)
{
	WARN_ONCE(1, "EPT misconfiguration at gpa 0x%llx\n", exit->gpa);
	vm_kill(vcpu->vm, "EPT misconfiguration");
	return -EIO;
}

/* exit_pml_full - the processor has no room to log the next page that is written */
int exit_pml_full(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (unlikely(exit->qualification & EPT_QUAL_NMI_UNBLOCKING))
		exit_iret_unblocked_nmis(exit, true);
	dirty_log_flush(vcpu);
	return EXIT_RESUME;
}
