// SPDX-License-Identifier: GPL-2.0
/*
 * kvmclock: each vCPU has a place in guest memory where it finds what the VM's clock showed at
 * some TSC, and how many nanoseconds a tick takes. Reading the clock then takes no exit. The
 * layout is KVM's: struct pvclock_vcpu_time_info of Linux.
 *
 * The place is written before an entry, by the vCPU's own thread (REQ_CLOCK): when the guest has
 * named it, when the VMM sets the clock, when a TSC of the VM is moved, and when the host keeps
 * its time by another counter or its TSC has lost something (vmx/tsc.c). While the host's time
 * comes from the TSC, all vCPUs count from the same moment for as long as nothing of this
 * happens, and no move from processor to processor matters. Elsewhere a place is written anew
 * whenever the vCPU comes to a processor, and the guest is told that it cannot compare what two
 * vCPUs read.
 *
 * Other vCPUs may read at any moment: the version is odd meanwhile, as in a seqcount.
 */
#include <linux/mm.h>
#include <asm/kvm_para.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "../mm/mm.h"
#include "../vmx/guest_tsc.h"
#include "../vmx/kick.h"
#include "clock.h"
#include "pv.h"

/* Where the vCPU has its clock. It must not cross a page: as KVM, there is none then. */
static bool guest_clock_at(const struct vcpu *vcpu, gpa_t *gpa)
{
	u64 msr = READ_ONCE(vcpu->pv.system_time);

	*gpa = msr & ~KVM_MSR_ENABLED;
	return (msr & KVM_MSR_ENABLED) &&
	       offset_in_page(*gpa) <= PAGE_SIZE - sizeof(struct pvclock_vcpu_time_info);
}

/**
 * pv_clock_changed - what guests count from is no longer right
 * @vm: whose clock or TSCs have changed before
 *
 * Context: any but NMI. Before its next entry each vCPU writes its clock anew.
 */
void pv_clock_changed(struct vm *vm)
{
	u32 i, n = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */

	for (i = 0; i < n; i++)
		if (READ_ONCE(vm->vcpus[i]->pv.system_time) & KVM_MSR_ENABLED)
			vcpu_request(vm->vcpus[i], REQ_CLOCK);
}

/* Do all vCPUs read the same TSC? Who moves one has all look again: a stale answer is short-lived. */
static bool tscs_match(const struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	u32 i, n = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */

	for (i = 0; i < n; i++)
		if (READ_ONCE(vm->vcpus[i]->tsc_offset) != vcpu->tsc_offset ||
		    READ_ONCE(vm->vcpus[i]->tsc_ratio) != vcpu->tsc_ratio)
			return false;
	return true;
}

/*
 * A structure whose first word is its version. What the guest has made of its own memory
 * meanwhile is its own matter: so are the errors.
 */
static void write_versioned(struct vcpu *vcpu, gpa_t gpa, u32 version, void *data, size_t len)
{
	u32 odd = (version + 1) | 1, even = odd + 1;

	if (guest_write(vcpu, gpa, &odd, sizeof(odd)))
		return;
	smp_wmb();	/* odd, before anything of the rest; the guest reads the other way round */
	guest_write(vcpu, gpa + sizeof(odd), data + sizeof(odd), len - sizeof(odd));
	smp_wmb();	/* all of it, before it is even */
	guest_write(vcpu, gpa, &even, sizeof(even));
}

static void write_system_time(struct vcpu *vcpu, const struct vm_clock *now)
{
	struct clock_scale scale = clock_scale_of(vcpu_tsc_rate(vcpu));
	struct pvclock_vcpu_time_info old, new = {
		.tsc_timestamp = vcpu_tsc_at(vcpu, now->tsc),
		.system_time = now->ns,
		.tsc_to_system_mul = scale.mul,
		.tsc_shift = scale.shift,
	};
	gpa_t gpa;

	if (!guest_clock_at(vcpu, &gpa) || guest_read(vcpu, gpa, &old, sizeof(old)))
		return;
	/* The guest takes this one back itself. */
	new.flags = old.flags & PVCLOCK_GUEST_STOPPED;
	if (vcpu->pv.stopped)
		new.flags |= PVCLOCK_GUEST_STOPPED;
	vcpu->pv.stopped = false;
	if (now->by_tsc && tscs_match(vcpu))
		new.flags |= PVCLOCK_TSC_STABLE_BIT;
	write_versioned(vcpu, gpa, old.version, &new, sizeof(new));
}

/* The time of day at which the clock was 0: as KVM, when a guest asks, and never again. */
static void write_wall_clock(struct vcpu *vcpu, u64 epoch)
{
	struct pvclock_wall_clock wall = {
		.sec = epoch / NSEC_PER_SEC,
		.nsec = epoch % NSEC_PER_SEC,
	};
	gpa_t gpa = READ_ONCE(vcpu->vm->wall_clock);
	u32 version;

	vcpu->pv.wall_due = false;
	if (gpa && !guest_read(vcpu, gpa, &version, sizeof(version)))
		write_versioned(vcpu, gpa, version, &wall, sizeof(wall));
}

/**
 * pv_clock_update - REQ_CLOCK: write the guest's clock, and its wall clock if it has asked
 * @vcpu: loaded
 *
 * Context: the vCPU thread, sleeps.
 */
void pv_clock_update(struct vcpu *vcpu)
{
	struct vm_clock now;
	u64 epoch = vm_clock_now(vcpu->vm, &now);

	if (!tsc_khz)
		return;		/* the host does not know what a tick is */
	write_system_time(vcpu, &now);
	if (vcpu->pv.wall_due)
		write_wall_clock(vcpu, epoch);
}

/**
 * pv_clock_stopped - KVMCLOCK_CTRL: tell the guest that the VMM has stopped it for a while
 * @vcpu: loaded
 *
 * Its watchdogs then do not take the pause for a hang. Return: 0; -EINVAL: it has no clock.
 */
int pv_clock_stopped(struct vcpu *vcpu)
{
	gpa_t gpa;

	if (!guest_clock_at(vcpu, &gpa))
		return -EINVAL;
	vcpu->pv.stopped = true;
	vcpu_make_request(vcpu, REQ_CLOCK);
	return 0;
}
