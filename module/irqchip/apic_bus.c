// SPDX-License-Identifier: GPL-2.0
/*
 * How an interrupt message finds its local APICs. Senders are other local
 * APICs (ICR), the IOAPIC and MSIs. Messages are delivered one by one to each
 * APIC that matches. One for a single ID is for the vCPU with that ID, as long as no
 * APIC has taken another; one for a cluster of x2APIC mode is for vCPUs whose IDs it names, as
 * long as all are in that mode. For all else every APIC is asked, which costs some 50
 * instructions each: no map is kept that would have to follow every ID and mode change.
 */
#include <linux/nospec.h>

#include "../vmx/kick.h"
#include "lapic.h"

/**
 * apic_next - walk over the local APICs of a VM
 * @vm: the VM
 * @slot: where the walk is; 0 to begin with
 *
 * Context: any. vCPUs that are created meanwhile may be missed. Return: NULL at
 * the end.
 */
struct lapic *apic_next(struct vm *vm, u32 *slot)
{
	u32 nr = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */

	while (*slot < nr) {
		struct vcpu *vcpu = READ_ONCE(vm->vcpus[(*slot)++]);

		if (vcpu && vcpu->lapic)
			return vcpu->lapic;
	}
	return NULL;
}

static void apic_notify(struct lapic *lapic, bool self)
{
	vcpu_make_request(lapic->vcpu, REQ_EVENT);
	if (!self)
		vcpu_kick(lapic->vcpu);
}

/* A fixed message; ones that de-assert a level say nothing to a CPU. */
static int accept_fixed(struct lapic *lapic, const struct apic_msg *msg, bool self)
{
	if ((msg->level && !msg->assert) || !lapic_regs_enabled(&lapic->regs))
		return 0;
	lapic_regs_request(&lapic->regs, msg->vector, msg->level);
	apic_notify(lapic, self);
	return 1;
}

/* An INIT takes back a SIPI that was not seen yet. */
static int accept_init(struct lapic *lapic, const struct apic_msg *msg, bool self)
{
	if (msg->level && !msg->assert)
		return 0;
	WRITE_ONCE(lapic->vcpu->starts, BIT(START_INIT));
	apic_notify(lapic, self);
	return 1;
}

static int accept_sipi(struct lapic *lapic, const struct apic_msg *msg, bool self)
{
	WRITE_ONCE(lapic->vcpu->sipi_vector, msg->vector);
	smp_wmb();	/* who sees the bit sees the vector */
	set_bit(START_SIPI, &lapic->vcpu->starts);
	apic_notify(lapic, self);
	return 1;
}

/**
 * lapic_accept - a message arrived
 * @lapic: the destination
 * @msg: the message; destination and shorthand are not looked at any more
 * @self: called by the destination's own vCPU thread
 *
 * Context: any but NMI. Return: 1 if it was taken, 0 if it was dropped: the APIC
 * is off, a de-assert, SMI, or ExtINT (which only LINT0 can bring).
 */
int lapic_accept(struct lapic *lapic, const struct apic_msg *msg, bool self)
{
	switch (msg->delivery) {
	case APIC_FIXED:
	case APIC_LOWEST:
		return accept_fixed(lapic, msg, self);
	case APIC_NMI:
		vcpu_queue_nmi(lapic->vcpu);
		apic_notify(lapic, self);
		return 1;
	case APIC_INIT:
		return accept_init(lapic, msg, self);
	case APIC_STARTUP:
		return accept_sipi(lapic, msg, self);
	default:
		return 0;
	}
}

static bool apic_is_addressed(const struct lapic *lapic, const struct lapic *src,
		      const struct apic_msg *msg)
{
	switch (msg->shorthand) {
	case APIC_TO_DEST:
		return lapic_regs_match(&lapic->regs, msg);
	case APIC_TO_ALL:
		return lapic_regs_present(&lapic->regs);
	default:
		return lapic_regs_present(&lapic->regs) && lapic != src;
	}
}

/* Destination number @n among those that are enabled, or NULL; @n becomes how many are missing. */
static struct lapic *apic_nth(struct vm *vm, struct lapic *src, const struct apic_msg *msg, u32 *n)
{
	struct lapic *lapic;
	u32 slot = 0;

	while ((lapic = apic_next(vm, &slot)))
		if (apic_is_addressed(lapic, src, msg) && lapic_regs_enabled(&lapic->regs) &&
		    !(*n)--)
			return lapic;
	return NULL;
}

/*
 * Lowest priority goes to one of the destinations that are enabled, chosen by
 * the vector: a choice that spreads vectors and is stable (KVM's, too). One that is
 * switched off at this moment leaves it to the next.
 */
static int deliver_lowest(struct vm *vm, struct lapic *src, const struct apic_msg *msg)
{
	u32 missing = ~0U, nr, i, n;
	struct lapic *lapic;

	apic_nth(vm, src, msg, &missing);
	nr = ~0U - missing;
	for (i = 0; i < nr; i++) {
		n = (msg->vector + i) % nr;
		lapic = apic_nth(vm, src, msg, &n);
		if (!lapic)
			continue;
		if (lapic_accept(lapic, msg, lapic == src))
			return 1;
		/* It is the message that nobody takes: with many vCPUs, not to be asked of each. */
		if (lapic_regs_enabled(&lapic->regs))
			break;
	}
	return 0;
}

static struct lapic *apic_of_id(struct vm *vm, u32 id)
{
	u32 nr = smp_load_acquire(&vm->nr_vcpus), slot = 0;	/* before the slots are read */
	struct lapic *lapic;

	/* Most VMMs number vCPUs in the order in which they create them. */
	if (!READ_ONCE(vm->sparse_ids))
		return id < nr ? READ_ONCE(vm->vcpus[array_index_nospec(id, nr)])->lapic : NULL;
	while ((lapic = apic_next(vm, &slot)))
		if (lapic->regs.id == id)
			return lapic;
	return NULL;
}

/*
 * The only destination of a message, or NULL: ask every APIC. As in KVM, with 32-bit IDs the
 * APIC whose own ID it is comes before those that answer to it in 8 bits.
 */
static struct lapic *apic_only_dest(struct vm *vm, const struct apic_msg *msg)
{
	bool wide = READ_ONCE(vm->x2apic_api) & MINIKVM_X2APIC_API_USE_32BIT_IDS;
	struct lapic *lapic;

	if (msg->logical || msg->shorthand || msg->dest == LAPIC_BROADCAST ||
	    msg->dest == X2APIC_BROADCAST || (atomic_read(&vm->apic_aliases) && !wide))
		return NULL;
	lapic = apic_of_id(vm, msg->dest);
	return lapic && lapic_regs_match(&lapic->regs, msg) ? lapic : NULL;
}

/* Up to 16 vCPUs by their IDs: a logical destination where every APIC is in x2APIC mode. */
static bool msg_to_cluster(struct vm *vm, const struct apic_msg *msg)
{
	if (!msg->logical || msg->shorthand || msg->redirect || msg->delivery == APIC_LOWEST)
		return false;
	if (msg->dest == X2APIC_BROADCAST || (msg->dest == LAPIC_BROADCAST && !msg->exact))
		return false;
	return !atomic_read(&vm->apic_narrow) && !READ_ONCE(vm->sparse_ids);
}

static int deliver_cluster(struct vm *vm, struct lapic *src, const struct apic_msg *msg)
{
	u32 id = msg->dest >> 16 << 4, members = msg->dest & 0xffff;
	struct lapic *lapic;
	int taken = 0;

	for (; members; members >>= 1, id++) {
		if (!(members & 1))
			continue;
		lapic = apic_of_id(vm, id);
		if (lapic && lapic_regs_match(&lapic->regs, msg))
			taken += lapic_accept(lapic, msg, lapic == src);
	}
	return taken;
}

/* Has the VMM asked that 0xff of others than local APICs be nothing special in x2APIC mode? */
static bool vm_wants_exact_ids(const struct vm *vm)
{
	return READ_ONCE(vm->x2apic_api) & MINIKVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
}

/**
 * apic_deliver - send a message
 * @vm: the VM
 * @src: the APIC that sends an IPI, or NULL
 * @msg: the message
 *
 * Context: any but NMI; wakes the destinations. Return: how many APICs took it.
 */
int apic_deliver(struct vm *vm, struct lapic *src, const struct apic_msg *msg)
{
	bool everyone = !msg->logical && msg->dest == LAPIC_BROADCAST;
	struct apic_msg exact;
	struct lapic *lapic;
	u32 slot = 0;
	int taken = 0;

	if (unlikely(!src && vm_wants_exact_ids(vm))) {
		exact = *msg;
		exact.exact = true;
		msg = &exact;
	}
	if (msg->shorthand == APIC_TO_SELF)
		return src ? lapic_accept(src, msg, true) : 0;
	lapic = apic_only_dest(vm, msg);
	if (lapic)
		return lapic_accept(lapic, msg, lapic == src);
	if (msg_to_cluster(vm, msg))
		return deliver_cluster(vm, src, msg);
	/* Lowest priority among all, physically addressed, is not a thing: all get it. */
	if ((msg->delivery == APIC_LOWEST || msg->redirect) && !everyone)
		return deliver_lowest(vm, src, msg);
	while ((lapic = apic_next(vm, &slot)))
		if (apic_is_addressed(lapic, src, msg))
			taken += lapic_accept(lapic, msg, lapic == src);
	return taken;
}

/**
 * lapic_send_many - one message to local APICs that a guest names by their IDs
 * @vcpu: sends it
 * @set: bit n of the first word stands for ID @first + n; the second word goes on from there
 * @bits: of a word
 * @first: any number
 * @icr: what is sent, as in ICR
 *
 * Context: the vCPU thread; wakes the destinations. Return: how many took it; -EINVAL: @icr has a
 * destination, too.
 */
long __cold lapic_send_many(struct vcpu *vcpu, const u64 set[2], u32 bits, u32 first, u32 icr)
{
	struct apic_msg msg;
	struct lapic *lapic;
	long taken = 0;
	u32 slot = 0;

	if (icr & (LAPIC_ICR_LOGICAL | LAPIC_ICR_SHORTHAND))
		return -EINVAL;
	lapic_regs_icr(&vcpu->lapic->regs, icr, 0, &msg);
	while ((lapic = apic_next(vcpu->vm, &slot))) {
		u32 id = lapic->regs.id, n = id - first;

		if (id >= first && n < 2 * bits && ((n < bits ? set[0] : set[1]) >> n % bits & 1) &&
		    lapic_regs_present(&lapic->regs))
			taken += lapic_accept(lapic, &msg, lapic->vcpu == vcpu);
	}
	return taken;
}

/**
 * apic_busy - has a destination not finished this vector?
 * @vm: the VM
 * @msg: message from the IOAPIC
 *
 * Any context; a snapshot.
 */
bool apic_busy(struct vm *vm, const struct apic_msg *msg)
{
	struct lapic *lapic;
	u32 slot = 0;

	while ((lapic = apic_next(vm, &slot)))
		if (lapic_regs_match(&lapic->regs, msg) &&
		    lapic_regs_busy(&lapic->regs, msg->vector))
			return true;
	return false;
}
