// SPDX-License-Identifier: GPL-2.0
/* What a VMM chooses of a VM's behaviour: ENABLE_CAP, and the filter of MSRs. */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../cpu/msr_filter.h"
#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../vmx/kick.h"
#include "fd.h"

/* Capabilities that are a word of struct vm, which is read where it matters. */
static const struct { u16 cap, at; u32 valid; } words[] = {
#define AT(field) offsetof(struct vm, field)
	{ MINIKVM_CAP_MSR_PLATFORM_INFO, AT(platform_info), 0 },	/* 0: true or false */
	{ MINIKVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, AT(manual_log), MINIKVM_DIRTY_LOG_MANUAL_CAPS },
	{ MINIKVM_CAP_EXIT_ON_EMULATION_FAILURE, AT(emulation_exits), 1 },
	{ MINIKVM_CAP_X86_TRIPLE_FAULT_EVENT, AT(triple_fault_event), 0 },
	{ MINIKVM_CAP_X86_USER_SPACE_MSR, AT(msr_exits), MINIKVM_MSR_EXIT_REASON_VALID_MASK },
#undef AT
};

static long set_word(struct vm *vm, u32 cap, u64 value)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		u32 *word = (void *)vm + words[i].at;

		if (words[i].cap != cap)
			continue;
		if (words[i].valid && (value & ~(u64)words[i].valid))
			return -EINVAL;
		WRITE_ONCE(*word, words[i].valid ? value : !!value);
		return 0;
	}
	return -EINVAL;
}

/* What is set stays set. */
static long add_flags(struct vm *vm, u32 *word, u64 flags, u32 valid)
{
	if (flags & ~(u64)valid)
		return -EINVAL;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	WRITE_ONCE(*word, *word | flags);
	mutex_unlock(&vm->lock);
	return 0;
}

static long enable_split_irqchip(struct vm *vm, u64 pins)
{
	long err;

	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	err = irqchip_create_split(vm, pins);
	mutex_unlock(&vm->lock);
	return err;
}

static long enable_apic_bus_cycles(struct vm *vm, u64 ns)
{
	long err;

	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	err = lapic_set_bus_cycle(vm, ns);
	mutex_unlock(&vm->lock);
	return err;
}

/* Once, before the first vCPU, which makes it the most there can be. */
static long limit_vcpu_ids(struct vm *vm, u64 ids)
{
	long err = -EINVAL;

	if (ids > VM_VCPU_IDS)
		return -EINVAL;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (ids >= vm->boot_id && (!vm->vcpu_ids || vm->vcpu_ids == ids)) {
		vm->vcpu_ids = ids;
		err = 0;
	}
	mutex_unlock(&vm->lock);
	return err;
}

/** vm_enable_cap - ENABLE_CAP */
long vm_enable_cap(struct vm *vm, void __user *argp)
{
	struct minikvm_enable_cap cap;

	if (copy_from_user(&cap, argp, sizeof(cap)))
		return -EFAULT;
	if (cap.flags)
		return -EINVAL;
	switch (cap.cap) {
	case MINIKVM_CAP_X2APIC_API:
		return add_flags(vm, &vm->x2apic_api, cap.args[0], MINIKVM_X2APIC_API_VALID_FLAGS);
	case MINIKVM_CAP_DIRTY_LOG_RING:
	case MINIKVM_CAP_DIRTY_LOG_RING_ACQ_REL:
		return dirty_rings_enable(vm, cap.args[0]);
	case MINIKVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		if (cap.args[0] == MINIKVM_DIRTY_LOG_INITIALLY_SET)
			return -EINVAL;
		return set_word(vm, cap.cap, cap.args[0]);
	case MINIKVM_CAP_DISABLE_QUIRKS:	/* those that are not known are ignored */
		cap.args[0] &= MINIKVM_X86_QUIRKS_VALID_MASK;
		fallthrough;
	case MINIKVM_CAP_DISABLE_QUIRKS2:
		return add_flags(vm, &vm->quirks_off, cap.args[0], MINIKVM_X86_QUIRKS_VALID_MASK);
	case MINIKVM_CAP_X86_DISABLE_EXITS:	/* one that vmx_caps lacks is none */
		return add_flags(vm, &vm->exits_off, cap.args[0], MINIKVM_X86_DISABLE_VALID_EXITS);
	case MINIKVM_CAP_SPLIT_IRQCHIP:
		return enable_split_irqchip(vm, cap.args[0]);
	case MINIKVM_CAP_X86_APIC_BUS_CYCLES_NS:
		return enable_apic_bus_cycles(vm, cap.args[0]);
	case MINIKVM_CAP_MAX_VCPU_ID:
		return limit_vcpu_ids(vm, cap.args[0]);
	default:
		return set_word(vm, cap.cap, cap.args[0]);
	}
}

/* ---- the filter */

/* Words of a range's bits; 0: the range counts for nothing; or -EINVAL. */
static int range_words(const struct minikvm_msr_filter_range *r)
{
	if (!r->nmsrs)
		return 0;
	if (!r->flags || (r->flags & ~MINIKVM_MSR_FILTER_RANGE_VALID_MASK) ||
	    r->nmsrs > MINIKVM_MSR_FILTER_MAX_BITMAP_SIZE * BITS_PER_BYTE)
		return -EINVAL;
	return BITS_TO_LONGS(r->nmsrs);
}

static int filter_words(const struct minikvm_msr_filter *from)
{
	int sum = 0, i;

	for (i = 0; i < ARRAY_SIZE(from->ranges); i++) {
		int n = range_words(&from->ranges[i]);

		if (n < 0)
			return n;
		sum += n;
	}
	return sum;
}

static int filter_fill(struct msr_filter *to, const struct minikvm_msr_filter *from)
{
	u32 i, word = 0;

	to->deny = from->flags & MINIKVM_MSR_FILTER_DEFAULT_DENY;
	for (i = 0; i < ARRAY_SIZE(from->ranges); i++) {
		const struct minikvm_msr_filter_range *r = &from->ranges[i];
		u32 n = BITS_TO_LONGS(r->nmsrs);

		if (!n)
			continue;
		to->range[to->n++] = (struct msr_range) { r->base, r->nmsrs, r->flags, word };
		if (copy_from_user(to->bits + word, (void __user *)r->bitmap, n * sizeof(long)))
			return -EFAULT;
		word += n;
	}
	return 0;
}

/*
 * When this returns, no access begins by the old filter: each vCPU that was in the guest has left
 * it, and looks at its requests before it enters again. One that has exited already may end.
 */
static int filter_publish(struct vm *vm, struct msr_filter *new)
{
	struct msr_filter *old;
	u32 i;

	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	old = rcu_replace_pointer(vm->msr_filter, new, lockdep_is_held(&vm->lock));
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_make_request(vm->vcpus[i], REQ_MSR_FILTER);
	ept_lock(vm);
	vm_sync_guests(vm);
	ept_unlock(vm);
	mutex_unlock(&vm->lock);
	synchronize_rcu();
	kvfree(old);
	return 0;
}

static int filter_copy(struct minikvm_msr_filter *to, const void __user *from, bool narrow)
{
	struct msr_filter_32 f;
	int i;

	if (!narrow)
		return copy_from_user(to, from, sizeof(*to)) ? -EFAULT : 0;
	if (copy_from_user(&f, from, sizeof(f)))
		return -EFAULT;
	to->flags = f.flags;
	for (i = 0; i < ARRAY_SIZE(f.ranges); i++)
		to->ranges[i] = (struct minikvm_msr_filter_range) {
			.flags = f.ranges[i].flags,
			.nmsrs = f.ranges[i].nmsrs,
			.base = f.ranges[i].base,
			.bitmap = (void *)(unsigned long)f.ranges[i].bitmap,
		};
	return 0;
}

/** vm_set_msr_filter - X86_SET_MSR_FILTER; @narrow: a struct msr_filter_32 */
long vm_set_msr_filter(struct vm *vm, void __user *argp, bool narrow)
{
	struct minikvm_msr_filter from;
	struct msr_filter *to = NULL;
	int words, err = 0;

	if (filter_copy(&from, argp, narrow))
		return -EFAULT;
	words = filter_words(&from);
	if (words < 0 || (from.flags & ~MINIKVM_MSR_FILTER_VALID_MASK) || (!words && from.flags))
		return -EINVAL;
	if (words) {
		to = kvzalloc(struct_size(to, bits, words), GFP_KERNEL_ACCOUNT);
		if (!to)
			return -ENOMEM;
		err = filter_fill(to, &from);
	}
	err = err ?: filter_publish(vm, to);
	if (err)
		kvfree(to);
	return err;
}
