// SPDX-License-Identifier: GPL-2.0
/*
 * Coalesced writes: a guest's write into a zone is noted in a ring instead of making an exit. The
 * VMM takes the notes when an exit of another kind comes, or when it likes; what is in the ring
 * happened before that exit.
 *
 * The ring is one page of the VM, and the VMM can write to it at any time: nothing in it is
 * believed. What does not fit becomes an exit, as without a zone. Called by fd/vm_events.c and by
 * those who are about to make the exit: side.c, pio.c, step.c.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "decode.h"
#include "io.h"

#define MAX_ZONES	1000	/* of a VM */
#define RING_ENTRIES	((PAGE_SIZE - sizeof(struct minikvm_coalesced_mmio_ring)) / \
			 sizeof(struct minikvm_coalesced_mmio))

struct coalesced_zone {
	struct list_head link;
	struct minikvm_coalesced_mmio_zone zone;
};

/* Without an overflow, whatever the zone is. */
static bool zone_contains(const struct minikvm_coalesced_mmio_zone *z, bool pio, u64 addr,
			  u64 len)
{
	return z->pio == pio && addr >= z->addr && addr - z->addr <= z->size &&
	       len <= z->size - (addr - z->addr);
}

static bool zones_contain(struct vm *vm, bool pio, u64 addr, int len)
{
	struct coalesced_zone *z;

	list_for_each_entry(z, &vm->zones, link)
		if (zone_contains(&z->zone, pio, addr, len))
			return true;
	return false;
}

/* False: there is no room. One entry stays free: a full ring is not an empty one. */
static bool ring_put(struct minikvm_coalesced_mmio_ring *ring,
		     const struct minikvm_coalesced_mmio *entry)
{
	u32 last = READ_ONCE(ring->last), next;

	if (last >= RING_ENTRIES)
		return false;
	last = array_index_nospec(last, RING_ENTRIES);
	next = (last + 1) % RING_ENTRIES;
	if (next == READ_ONCE(ring->first))
		return false;
	ring->coalesced_mmio[last] = *entry;
	smp_store_release(&ring->last, next);	/* after the entry */
	return true;
}

/**
 * coalesced_write - note a write that would be an exit to the VMM
 * @vm: whose guest
 * @pio: it is to a port
 * @addr: port, or guest physical address
 * @data: the value, in its low bytes
 * @len: how many, at most 8
 *
 * Context: the vCPU thread, may sleep. Return: true: noted; false: it must be an exit.
 */
bool coalesced_write(struct vm *vm, bool pio, u64 addr, u64 data, int len)
{
	struct minikvm_coalesced_mmio entry = { .phys_addr = addr, .len = len, .pio = pio };
	bool noted;

	data &= insn_mask(len);
	memcpy(entry.data, &data, sizeof(entry.data));
	spin_lock(&vm->ring_lock);
	noted = zones_contain(vm, pio, addr, len) && ring_put(vm->ring, &entry);
	spin_unlock(&vm->ring_lock);
	return noted;
}

static int zone_add(struct vm *vm, struct coalesced_zone *z)
{
	int err = -ENOSPC;

	spin_lock(&vm->ring_lock);
	if (vm->nr_zones < MAX_ZONES) {
		list_add_tail(&z->link, &vm->zones);
		WRITE_ONCE(vm->nr_zones, vm->nr_zones + 1);
		err = 0;
	}
	spin_unlock(&vm->ring_lock);
	return err;
}

/**
 * coalesced_register - REGISTER_COALESCED_MMIO
 * @vm: the VM
 * @zone: any bytes; zones may overlap
 *
 * Context: sleeps. Return: 0; -EINVAL: neither memory nor ports; -ENOSPC: too many; -ENOMEM.
 */
int coalesced_register(struct vm *vm, const struct minikvm_coalesced_mmio_zone *zone)
{
	struct coalesced_zone *z;
	int err;

	if (zone->pio > 1)
		return -EINVAL;
	z = kzalloc(sizeof(*z), GFP_KERNEL_ACCOUNT);
	if (!z)
		return -ENOMEM;
	z->zone = *zone;
	err = zone_add(vm, z);
	if (err)
		kfree(z);
	return err;
}

static void zones_free(struct list_head *zones)
{
	struct coalesced_zone *z, *next;

	list_for_each_entry_safe(z, next, zones, link)
		kfree(z);
}

/**
 * coalesced_unregister - UNREGISTER_COALESCED_MMIO
 * @vm: the VM
 * @zone: every zone that contains it goes; that there is none is no error, as with KVM
 *
 * When it returns, no write into these is noted any more; what the ring has stays there.
 *
 * Context: sleeps. Return: 0; -EINVAL: neither memory nor ports.
 */
int coalesced_unregister(struct vm *vm, const struct minikvm_coalesced_mmio_zone *zone)
{
	struct coalesced_zone *z, *next;
	LIST_HEAD(gone);

	if (zone->pio > 1)
		return -EINVAL;
	spin_lock(&vm->ring_lock);
	list_for_each_entry_safe(z, next, &vm->zones, link) {
		if (!zone_contains(&z->zone, zone->pio, zone->addr, zone->size))
			continue;
		list_move(&z->link, &gone);
		WRITE_ONCE(vm->nr_zones, vm->nr_zones - 1);
	}
	spin_unlock(&vm->ring_lock);
	zones_free(&gone);
	return 0;
}

/** coalesced_create - a new VM gets its ring. Return: 0 or -ENOMEM. */
int coalesced_create(struct vm *vm)
{
	static_assert(offsetof(struct minikvm_coalesced_mmio_ring, coalesced_mmio) == 8);

	spin_lock_init(&vm->ring_lock);
	INIT_LIST_HEAD(&vm->zones);
	vm->ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vm->ring ? 0 : -ENOMEM;
}

/** coalesced_destroy - undo coalesced_create(); the VM's vCPUs are gone */
void coalesced_destroy(struct vm *vm)
{
	zones_free(&vm->zones);
	/* Mappings of the ring hold a reference of their own to the page. */
	free_page((unsigned long)vm->ring);
}
