// SPDX-License-Identifier: GPL-2.0
/*
 * A DEBUG build's own book of what the processor keeps to itself: the state of each VMCS,
 * and which translations a CPU may still hold. Every VMX instruction of insn.h asks here
 * first, every entry and exit of enter.c, too. Only the processor's state is mirrored,
 * never the module's own idea of it: that is what is being checked.
 *
 * Left out: the VMWRITE of entry.S.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>

#include "vmx.h"

/* Entries with an event, of one RUN, that all rules are asked about: a fast timer must get on. */
#define CHECK_EVENTS	256

/* Whose VMCS is current on this CPU; how many are active. */
static DEFINE_PER_CPU(struct vcpu *, current_vcpu);
static DEFINE_PER_CPU(int, active_vmcss);
/* KVM's VMCS, active here, in the place of which is one of ours; 0: none. */
static DEFINE_PER_CPU(u64, displaced);

/**
 * check_failed - a rule was broken: say which
 * @vm: of the offender, or NULL
 * @vcpu: the offender, or NULL
 * @fmt: one sentence
 *
 * Context: any.
 */
void check_failed(const struct vm *vm, const struct vcpu *vcpu, const char *fmt, ...)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	struct va_format vaf;
	va_list args;

	if (!__ratelimit(&limit))
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	WARN(1, "minikvm: process %d, vCPU %d: %pV\n", vm ? vm->pid : -1,
	     vcpu ? (int)vcpu->id : -1, &vaf);
	va_end(args);
}

/* A reboot that takes VMX away under everybody's feet leaves no order behind. */
static bool going_down(void)
{
	return READ_ONCE(vmx_going_down);
}

/* ---- the state of each VMCS */

/* Whose VMCS is at this address? Its page remembers. */
static struct vcpu *vcpu_of(u64 pa, const char *insn)
{
	struct vcpu *vcpu = (void *)page_private(pfn_to_page(pa >> PAGE_SHIFT));

	if (!vcpu)
		check_failed(NULL, NULL, "%s of 0x%llx, which is no VMCS", insn, pa);
	return vcpu;
}

static bool is_active(const struct vcpu *vcpu)
{
	return vcpu->check.state >= VMCS_ACTIVE;
}

static bool active_elsewhere(const struct vcpu *vcpu, const char *insn)
{
	if (!is_active(vcpu) || vcpu->check.active_cpu == smp_processor_id())
		return false;
	check_failed(vcpu->vm, vcpu, "%s of a VMCS that is active on CPU %d", insn,
		     vcpu->check.active_cpu);
	return true;
}

/** check_vmcs_create - a new VMCS: nobody has initialised it */
void check_vmcs_create(struct vcpu *vcpu)
{
	vcpu->check.state = VMCS_FRESH;
	vcpu->check.active_cpu = -1;
	vcpu->check.vpid_cpu = -1;
	set_page_private(virt_to_page(vcpu->vmcs), (unsigned long)vcpu);
}

/** check_vmcs_destroy - its page is about to be freed */
void check_vmcs_destroy(struct vcpu *vcpu)
{
	if (is_active(vcpu) && !going_down())
		check_failed(vcpu->vm, vcpu, "its VMCS is freed while it is active on CPU %d",
			     vcpu->check.active_cpu);
	set_page_private(virt_to_page(vcpu->vmcs), 0);
}

/** check_vmclear - VMCLEAR makes a VMCS inactive and not launched; preemption off */
void check_vmclear(u64 pa)
{
	struct vcpu *vcpu = vcpu_of(pa, "VMCLEAR");

	if (!vcpu || active_elsewhere(vcpu, "VMCLEAR"))
		return;
	if (is_active(vcpu))
		this_cpu_dec(active_vmcss);
	if (this_cpu_read(current_vcpu) == vcpu)
		this_cpu_write(current_vcpu, NULL);
	vcpu->check.active_cpu = -1;
	vcpu->check.state = VMCS_CLEAR;
}

/*
 * KVM's may be active on one CPU only, too. Where it was cleared a moment ago, the handler of
 * the interrupt has yet to look.
 */
static void check_foreign(u64 pa)
{
	int cpu;

	if (pa == ~0ull || page_private(pfn_to_page(pa >> PAGE_SHIFT)))
		check_failed(NULL, NULL, "VMPTRLD of 0x%llx as KVM's", pa);
	for_each_online_cpu(cpu) {
		if (cpu == smp_processor_id() || READ_ONCE(per_cpu(displaced, cpu)) != pa)
			continue;
		udelay(50);
		if (READ_ONCE(per_cpu(displaced, cpu)) == pa && !going_down())
			check_failed(NULL, NULL, "KVM's VMCS 0x%llx is on CPU %d, and on CPU %d", pa,
				     smp_processor_id(), cpu);
	}
}

/* What is current now, and goes: nothing, ours or KVM's. */
static void check_displaced(void)
{
	u64 pa = vmx_is_beside() ? vmx_vmptrst() : ~0ull;

	if (pa == ~0ull || page_private(pfn_to_page(pa >> PAGE_SHIFT))) {
		this_cpu_write(displaced, 0);
		return;
	}
	check_foreign(pa);
	this_cpu_write(displaced, pa);
}

/** check_vmptrld - VMPTRLD makes a VMCS active and current; preemption off */
void check_vmptrld(u64 pa)
{
	struct vcpu *vcpu = vcpu_of(pa, "VMPTRLD");

	check_displaced();

	if (!vcpu || active_elsewhere(vcpu, "VMPTRLD"))
		return;
	if (vcpu->check.state == VMCS_FRESH)
		check_failed(vcpu->vm, vcpu, "VMPTRLD of a VMCS that VMCLEAR has not initialised");
	if (!is_active(vcpu)) {
		vcpu->check.state = VMCS_ACTIVE;
		vcpu->check.active_cpu = smp_processor_id();
		this_cpu_inc(active_vmcss);
	}
	this_cpu_write(current_vcpu, vcpu);
}

/** check_vmptrld_foreign - another hypervisor's VMCS is current again: ours stays active */
void check_vmptrld_foreign(u64 pa)
{
	if (!going_down())
		check_foreign(pa);
	this_cpu_write(displaced, 0);
	this_cpu_write(current_vcpu, NULL);
}

/**
 * check_owner - who works on a vCPU from now on
 * @vcpu: loaded, or put: whose VMCS is read and written
 * @works: the calling thread, or nobody
 */
void check_owner(struct vcpu *vcpu, bool works)
{
	vcpu->check.owner = works ? current : NULL;
	vcpu->check.rules_due = true;
	vcpu->check.events_left = CHECK_EVENTS;
}

static noinline void access_failed(const struct vcpu *vcpu, unsigned long field)
{
	if (going_down())
		return;
	if (!vcpu)
		check_failed(NULL, NULL, "VMREAD or VMWRITE of field 0x%lx without a current VMCS",
			     field);
	else
		check_failed(vcpu->vm, vcpu, "VMREAD or VMWRITE of field 0x%lx by %s, which does not work on the vCPU whose VMCS is current",
			     field, in_task() ? current->comm : "an interrupt");
}

/**
 * check_vmcs_access - VMREAD and VMWRITE work on the vCPU that the thread has loaded
 * @field: encoding
 *
 * Context: any; also where the kernel must not be traced.
 */
noinstr void check_vmcs_access(unsigned long field)
{
	struct vcpu *vcpu;

	preempt_disable_notrace();
	vcpu = raw_cpu_read(current_vcpu);
	if (unlikely(!vcpu || vcpu->check.owner != current || !in_task())) {
		instrumentation_begin();
		access_failed(vcpu, field);
		instrumentation_end();
	}
	preempt_enable_notrace();
}

/** check_vmxoff - no VMCS may stay active on a CPU that leaves VMX operation */
void check_vmxoff(void)
{
	int n = this_cpu_read(active_vmcss);

	if (n && !going_down())
		check_failed(NULL, NULL, "VMXOFF on CPU %d, where %d VMCSs are active",
			     smp_processor_id(), n);
	this_cpu_write(current_vcpu, NULL);
}

static bool all_out;

/** check_all_out - the machine goes down beside KVM, and no guest's MSRs are in a processor */
void check_all_out(void)
{
	WRITE_ONCE(all_out, true);
}

/** check_host_msrs - MSRs of the host and of the guest are about to change hands; preemption off */
void check_host_msrs(struct vcpu *vcpu)
{
	if (READ_ONCE(all_out))
		check_failed(vcpu->vm, vcpu, "MSRs change hands after the last guest was to be out");
}

/* ---- translations */

/** check_invept - this CPU is about to forget a VM's; preemption off */
void check_invept(unsigned long type, u64 eptp)
{
	struct vcpu *vcpu = this_cpu_read(current_vcpu);
	int cpu = smp_processor_id();

	if (type == INVEPT_SINGLE && vcpu && vcpu->vm->eptp == eptp && cpu < CHECK_CPUS)
		vcpu->vm->check.flushed_gen[cpu] = atomic64_read(&vcpu->vm->ept_gen);
}

/**
 * check_invvpid - this CPU is about to forget a vCPU's
 * @type: any
 * @vpid: of the vCPU that the thread has loaded
 *
 * A thread that moves between here and the INVVPID flushes on its new CPU, too, as it is
 * loaded there: the book follows, if it is written in one go.
 *
 * Context: preemption may be on.
 */
void check_invvpid(unsigned long type, u16 vpid)
{
	struct vcpu *vcpu;

	preempt_disable();
	vcpu = this_cpu_read(current_vcpu);
	if (vcpu && vcpu->vpid == vpid)
		vcpu->check.vpid_cpu = smp_processor_id();
	preempt_enable();
}

/** check_flush_begin - before the generation goes up. Return: for check_flush_end() */
u64 check_flush_begin(struct vm *vm)
{
	return atomic64_read(&vm->ept_gen) + 1;
}

/**
 * check_flush_end - no CPU uses translations that are older than a generation
 * @vm: the machine
 * @gen: from check_flush_begin(), ept_lock held since: every CPU that was in the guest has left it since
 */
void check_flush_end(struct vm *vm, u64 gen)
{
	s64 old = atomic64_read(&vm->check.synced_gen);

	vm->ept.lost = false;
	while (old < (s64)gen && !atomic64_try_cmpxchg(&vm->check.synced_gen, &old, gen))
		;
}

/**
 * check_unflushed - nobody lets go of ept_lock without a flush after an entry lost rights
 * @vm: the machine; ept_lock held
 * @when: the lock is "taken", "released"
 *
 * So a notifier that finds an entry gone may return: no processor uses it any more.
 */
void check_unflushed(struct vm *vm, const char *when)
{
	if (vm->ept.lost)
		check_failed(vm, NULL, "an EPT entry lost rights and nobody has flushed when ept_lock is %s",
			     when);
}

/*
 * A flush that is still on its way may overtake a row of entries: it waits for the row's
 * end. One that is over may not.
 */
static void check_generation(const struct vcpu *vcpu, int cpu)
{
	const struct vm *vm = vcpu->vm;
	u64 synced = atomic64_read(&vm->check.synced_gen), flushed;

	if (cpu >= CHECK_CPUS)
		return;
	flushed = vm->check.flushed_gen[cpu];
	if (!flushed)
		check_failed(vm, vcpu, "entry on CPU %d, which never flushed for this EPT root page",
			     cpu);
	else if (flushed < synced)
		check_failed(vm, vcpu, "entry on CPU %d at EPT generation %llu; rights were taken away at %llu",
			     cpu, flushed, synced);
	else if (vm->cpu_ept_gen[cpu] > flushed)
		check_failed(vm, vcpu, "CPU %d counts as flushed at EPT generation %llu, its last INVEPT was at %llu",
			     cpu, vm->cpu_ept_gen[cpu], flushed);
}

static void check_translations(const struct vcpu *vcpu)
{
	int cpu = smp_processor_id();

	check_generation(vcpu, cpu);
	if (vcpu->vpid && vcpu->check.vpid_cpu != cpu)
		check_failed(vcpu->vm, vcpu, "entry with VPID %u on CPU %d without an INVVPID since it came here",
			     vcpu->vpid, cpu);
}

/* ---- one entry */

static void check_launch(const struct vcpu *vcpu)
{
	enum vmcs_state want = vcpu->launched ? VMCS_LAUNCHED : VMCS_ACTIVE;

	if (this_cpu_read(current_vcpu) != vcpu)
		check_failed(vcpu->vm, vcpu, "entry while the VMCS of another vCPU is current");
	if (vcpu->check.state != want)
		check_failed(vcpu->vm, vcpu, vcpu->launched ? "VMRESUME of a VMCS that is not launched" :
			     "VMLAUNCH of a VMCS that is launched");
}

/** check_before_entry - all that can be said before VMLAUNCH or VMRESUME; interrupts off */
void check_before_entry(struct vcpu *vcpu)
{
	if (going_down())
		return;
	check_launch(vcpu);
	check_translations(vcpu);
	if (vcpu->events.sent && vcpu->check.events_left) {
		vcpu->check.events_left--;
		vcpu->check.rules_due = true;
	}
	if (vcpu->check.rules_due)
		check_entry_rules(vcpu);
}

/**
 * check_after_entry - the processor's own verdict; interrupts off
 * @vcpu: exit.reason and entry_failed are the exit's
 *
 * SDM "VMLAUNCH/VMRESUME": only an entry that succeeds makes the VMCS launched.
 */
void check_after_entry(struct vcpu *vcpu)
{
	if (going_down())
		return;
	if (!vcpu->entry_failed && !(vcpu->exit.reason & REASON_FAILED_ENTRY))
		vcpu->check.state = VMCS_LAUNCHED;
	vcpu->check.rules_due = !check_entry_verdict(vcpu, vcpu->check.rules_due);
}
