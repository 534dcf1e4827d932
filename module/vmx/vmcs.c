// SPDX-License-Identifier: GPL-2.0
/*
 * The VMCS of a vCPU: allocated, loaded on the CPU where its thread runs, cleared when it
 * goes elsewhere. What it says at first is vmcs_setup.c's.
 */
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/cpu_entry_area.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "../compat.h"
#include "internal.h"
#include "vmx.h"

DEFINE_PER_CPU(struct vcpu *, vmcs_current);	/* whose VMCS is current, or was among ours */
static DEFINE_PER_CPU(struct list_head, vmcs_loaded);	/* whose VMCSs are active */
static DEFINE_IDA(vpids);

/**
 * vmcs_create - allocate a VMCS and a VPID; nothing is loaded yet
 * @vcpu: new
 *
 * Return: 0 or -ENOMEM. A VPID is optional: without a free one the guest's
 * translations are flushed at each entry, as VPID 0 means.
 */
int vmcs_create(struct vcpu *vcpu)
{
	int vpid;

	vcpu->vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->vmcs)
		return -ENOMEM;
	if (vmx_caps.pml) {
		vcpu->pml = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!vcpu->pml) {
			free_page((unsigned long)vcpu->vmcs);
			return -ENOMEM;
		}
	}
	*(u32 *)vcpu->vmcs = vmx_caps.revision;
	vcpu->vmcs_pa = __pa(vcpu->vmcs);
	check_vmcs_create(vcpu);
	vcpu->cpu = vcpu->last_cpu = -1;
	INIT_LIST_HEAD(&vcpu->loaded_link);
	if (vmx_caps.vpid) {
		vpid = ida_alloc_range(&vpids, 1, 0xffff, GFP_KERNEL_ACCOUNT);
		vcpu->vpid = vpid > 0 ? vpid : 0;
	}
	return 0;
}

/** vmcs_destroy - clear the VMCS wherever it is active, and free it. May sleep. */
void vmcs_destroy(struct vcpu *vcpu)
{
	vmcs_clear(vcpu);
	check_vmcs_destroy(vcpu);
	if (vcpu->vpid)
		ida_free(&vpids, vcpu->vpid);
	free_page((unsigned long)vcpu->msr_bitmap);
	free_page((unsigned long)vcpu->pml);
	free_page((unsigned long)vcpu->vmcs);
}

/** vmcs_clear_local - VMCLEAR: no longer active on this CPU; interrupts off. SDM "VMCLEAR" */
void vmcs_clear_local(struct vcpu *vcpu)
{
	vmx_vmclear(&vcpu->vmcs_pa);
	if (__this_cpu_read(vmcs_current) == vcpu)
		__this_cpu_write(vmcs_current, NULL);
	list_del_init(&vcpu->loaded_link);
	vcpu->launched = false;
	/* Last: another CPU that sees -1 may load the VMCS. */
	smp_store_release(&vcpu->cpu, -1);
}

/** vmcs_clear_all_local - no VMCS is active on this CPU any more; interrupts off */
void vmcs_clear_all_local(void)
{
	struct vcpu *vcpu, *next;

	list_for_each_entry_safe(vcpu, next, this_cpu_ptr(&vmcs_loaded), loaded_link)
		vmcs_clear_local(vcpu);
}

/**
 * vmcs_clear_all_emergency - the same, while a crash has interrupted who knows what
 *
 * Nothing of ours runs on this CPU afterwards, so that nobody looks at what is left.
 *
 * Context: any, NMI included.
 */
void vmcs_clear_all_emergency(void)
{
	struct vcpu *vcpu;

	list_for_each_entry(vcpu, this_cpu_ptr(&vmcs_loaded), loaded_link)
		vmx_vmclear(&vcpu->vmcs_pa);
}

static void vmcs_clear_remote(void *arg)
{
	struct vcpu *vcpu = arg;

	/* Hotplug may have been faster. */
	if (vcpu->cpu == smp_processor_id())
		vmcs_clear_local(vcpu);
}

/**
 * vmcs_clear - make the VMCS inactive, on whichever CPU it is active
 * @vcpu: not running
 *
 * Context: interrupts on.
 */
void vmcs_clear(struct vcpu *vcpu)
{
	int cpu = smp_load_acquire(&vcpu->cpu);	/* pairs with vmcs_clear_local() */

	if (cpu >= 0)
		smp_call_function_single(cpu, vmcs_clear_remote, vcpu, 1);
}

/* Host state that belongs to a CPU: looked up when the vCPU came to another one. */
static void host_cpu_state(struct vcpu *vcpu, int cpu)
{
	vmcs_write_host_tr_base((unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	vcpu->host_gdt.size = GDT_SIZE - 1;
	vcpu->host_gdt.address = (unsigned long)get_cpu_gdt_ro(cpu);
	vmcs_write_host_gdtr_base(vcpu->host_gdt.address);
	vmcs_write_host_gs_base(cpu_kernelmode_gs_base(cpu));
	vmcs_write_host_sysenter_esp((unsigned long)(cpu_entry_stack(cpu) + 1));
	if (vmx_caps.rdtscp)
		rdmsrl(MSR_TSC_AUX, vcpu->host_tsc_aux);
}

/**
 * vmx_load_tsc - tsc_ratio, tsc_offset, and what the counter has lost, go into the VMCS
 * @vcpu: loaded
 *
 * Suspend takes a VMCS from its CPU, so that nobody enters with what was right before.
 *
 * Context: does not migrate.
 */
void vmx_load_tsc(struct vcpu *vcpu)
{
	vmcs_write_tsc_offset(vcpu->tsc_offset + tsc_scaled(vcpu->tsc_ratio, tsc_lost));
	if (vmx_caps.tsc_scaling)
		vmcs_write_tsc_multiplier(vcpu->tsc_ratio ?: TSC_RATIO_ONE);
}

/*
 * A VMCS comes to this CPU: from memory, or from another one. SDM "Software Use of the VMCS and
 * Related Structures", "Initializing a VMCS".
 */
static noinline void activate(struct vcpu *vcpu, int cpu)
{
	unsigned long flags;

	vmcs_clear(vcpu);
	local_irq_save(flags);
	/* Before its first use the processor initialises the region: SDM "VMCLEAR". */
	if (vcpu->last_cpu < 0)
		vmx_vmclear(&vcpu->vmcs_pa);
	list_add(&vcpu->loaded_link, this_cpu_ptr(&vmcs_loaded));
	vcpu->cpu = cpu;
	local_irq_restore(flags);
}

/* It is current, and was on another CPU before. */
static noinline void arrive(struct vcpu *vcpu, int cpu)
{
	host_cpu_state(vcpu, cpu);
	/* Elsewhere the counter may be another one: what the guest counts from is of this CPU. */
	if (!READ_ONCE(vcpu->vm->clock.by_tsc))
		vcpu->tsc_epoch = READ_ONCE(tsc_epoch) - 1;
	/* Whoever had this VPID, or this vCPU when it was last here, left nothing. */
	if (vcpu->vpid)
		vmx_invvpid(INVVPID_SINGLE, vcpu->vpid);
	vcpu->last_cpu = cpu;
}

/* Not active here; it may have been here last, and was cleared since. */
static noinline void load_inactive(struct vcpu *vcpu, int cpu)
{
	activate(vcpu, cpu);
	vmcs_make_current(vcpu);
	if (vcpu->last_cpu != cpu)
		arrive(vcpu, cpu);
}

/* A VMCS that is not current becomes so. What is active here stays so while we are here. */
static noinline void load_now(struct vcpu *vcpu, int cpu)
{
	if (unlikely(vcpu->cpu != cpu))
		load_inactive(vcpu, cpu);
	else
		vmcs_make_current(vcpu);
}

/* Beside KVM the current VMCS may be one of its own. */
static noinline void load_beside(struct vcpu *vcpu, int cpu)
{
	if (unlikely(READ_ONCE(vmx_going_down))) {
		WRITE_ONCE(vcpu->vm->dead, 1);
		vcpu_make_request(vcpu, REQ_KILL);
	}
	if (vcpu->cpu != cpu)
		activate(vcpu, cpu);
	beside_attach(vcpu);
	if (vcpu->last_cpu != cpu)
		arrive(vcpu, cpu);
}

/* The host's TSC has lost something, or its time does not come from it, or does again. */
static noinline void follow_tsc(struct vcpu *vcpu)
{
	vcpu->tsc_epoch = READ_ONCE(tsc_epoch);
	vmx_load_tsc(vcpu);
	/* One that waits to be started has no clock, and would wake. */
	if (vcpu->pv.system_time)
		vcpu_make_request(vcpu, REQ_CLOCK);
}

/**
 * vmcs_load - make the VMCS current on this CPU
 * @vcpu: whose
 * @cpu: this one
 *
 * Context: preemption off, interrupts on, the host's own MSRs in place. SDM "VMPTRLD".
 */
void vmcs_load(struct vcpu *vcpu, int cpu)
{
	if (vmx_is_beside())
		load_beside(vcpu, cpu);
	else if (__this_cpu_read(vmcs_current) != vcpu)
		load_now(vcpu, cpu);
	if (unlikely(vcpu->tsc_epoch != READ_ONCE(tsc_epoch)))
		follow_tsc(vcpu);
}

/**
 * vmx_flush_vpid - forget the guest's linear translations on this CPU
 * @vcpu: loaded; on another CPU vmcs_load() does the same
 *
 * For what the guest expects of a move to CR0, CR3 or CR4. SDM "Operations That
 * Invalidate TLBs and Paging-Structure Caches".
 */
void vmx_flush_vpid(struct vcpu *vcpu)
{
	if (vcpu->vpid)
		vmx_invvpid(INVVPID_SINGLE, vcpu->vpid);
}

/*
 * No guest stays longer than this, doubled @stay times: a kick can get lost only in a defective
 * processor, and some emulated ones hold interrupts back while the guest's IF is 0.
 * Longer than any host's tick, which ends a stay, too.
 */
#define HV_TIMER_MAX_MS	20

static u32 hv_timer_max __ro_after_init;	/* in counts of the preemption timer */

/**
 * vmx_set_hv_timer - how long the guest may stay at most, from its next entry on
 * @vcpu: loaded; there is a preemption timer
 * @ticks: of the TSC; it leaves up to one count of the timer earlier or later
 *
 * Every entry starts anew with it. Stays that nobody has cut short get longer, up to 32 times
 * (exit_timer()). Who wants the vCPU, or its CPU, waits for the present one at most; those after
 * it begin short again.
 * SDM "VMX-Preemption Timer".
 */
void vmx_set_hv_timer(struct vcpu *vcpu, u64 ticks)
{
	u64 most = min_t(u64, (u64)hv_timer_max << READ_ONCE(vcpu->stay), U32_MAX);
	u32 count = min(ticks >> vmx_caps.timer_shift, most - 1) + 1;

	if (count == vcpu->hv_timer)
		return;
	vcpu->hv_timer = count;
	vmcs_write_preemption_timer(count);
}

/**
 * vmx_pml_take - the pages that the processor has logged since the last call
 * @vcpu: loaded, with a log
 * @n: how many
 *
 * Return: their guest physical addresses, which stay until the next entry. SDM
 * "Page-Modification Logging".
 */
const u64 *vmx_pml_take(struct vcpu *vcpu, unsigned int *n)
{
	u16 first = vmcs_read_pml_index() + 1;	/* it counts down, and wraps when it is full */

	*n = VMX_PML_ENTRIES - first;
	if (*n)
		vmcs_write_pml_index(VMX_PML_ENTRIES - 1);
	return vcpu->pml + first;
}

/**
 * vmcs_set_proc_controls - what the guest may do without an exit, from the next entry on
 * @vcpu: loaded
 * @proc: PROC_*
 */
void vmcs_set_proc_controls(struct vcpu *vcpu, u32 proc)
{
	if (proc == vcpu->proc_controls)
		return;
	vcpu->proc_controls = proc;
	vmcs_write_proc_controls(proc);
}

static void set_control(struct vcpu *vcpu, u32 control, bool on)
{
	u32 proc = vcpu->proc_controls;

	vmcs_set_proc_controls(vcpu, on ? proc | control : proc & ~control);
}

/** vmcs_set_interrupt_window - exit as soon as the guest can take an interrupt */
void vmcs_set_interrupt_window(struct vcpu *vcpu, bool on)
{
	set_control(vcpu, PROC_INTERRUPT_WINDOW, on);
}

/** vmcs_set_nmi_window - exit as soon as the guest can take an NMI */
void vmcs_set_nmi_window(struct vcpu *vcpu, bool on)
{
	set_control(vcpu, PROC_NMI_WINDOW, on);
}

/** vmcs_set_mov_dr_exits - exit at each access to a debug register, as it is set up */
void vmcs_set_mov_dr_exits(struct vcpu *vcpu, bool on)
{
	set_control(vcpu, PROC_MOV_DR, on);
}

/** vmcs_init - what all VMCSs share; at module load. Return: 0 or -ENOMEM. */
int __init vmcs_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(&per_cpu(vmcs_loaded, cpu));
	hv_timer_max = min_t(u64, (u64)tsc_khz * HV_TIMER_MAX_MS >> vmx_caps.timer_shift, U32_MAX) ?: U32_MAX;
	return msr_bitmap_init();
}

/** vmcs_exit - undo vmcs_init() */
void vmcs_exit(void)
{
	msr_bitmap_exit();
}
