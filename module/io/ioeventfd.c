// SPDX-License-Identifier: GPL-2.0
/*
 * ioeventfds: a guest's write to a port or a device's memory signals an eventfd instead of
 * making an exit to the VMM. The value goes nowhere. Reads are the VMM's, as they are without.
 *
 * A VM has one table, which is replaced as a whole; without any it has none, and an access
 * costs one look at a pointer. Called by fd/vm_events.c, bus.c and vm/vm.c.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include "../compat.h"
#include "io.h"
#include "ioeventfd_table.h"

#define MAX_IOEVENTFDS	1000	/* of a VM */

/* One for all VMs: a reader is short, and a VM costs nothing. */
DEFINE_STATIC_SRCU(ioeventfd_srcu);

static const struct ioeventfd_table no_ioeventfds;

/* Of a few bytes that lie anywhere. */
static __always_inline u64 value_of(const void *data, int len)
{
	u64 value = 0;

	/* A constant size is a move. */
	if (len == 4)
		memcpy(&value, data, 4);
	else if (len == 2)
		memcpy(&value, data, 2);
	else
		memcpy(&value, data, len);
	return value;
}

/**
 * ioeventfd_write - offer a write to the ioeventfds
 * @vm: whose guest
 * @pio: it is to a port
 * @addr: port, or guest physical address
 * @data: the value
 * @len: bytes, at most 8
 *
 * Context: the vCPU thread, interrupts on. Return: 0: one was signalled; -EOPNOTSUPP: none.
 */
int ioeventfd_write(struct vm *vm, bool pio, u64 addr, const void *data, int len)
{
	const struct ioeventfd_table *t;
	const struct ioeventfd *e = NULL;
	u64 value = value_of(data, len);
	int idx;

	idx = srcu_read_lock(&ioeventfd_srcu);
	t = srcu_dereference(vm->ioeventfds, &ioeventfd_srcu);
	if (t)
		e = ioeventfd_find(t, pio, addr, len, value);
	if (e)
		compat_eventfd_signal(e->eventfd);
	srcu_read_unlock(&ioeventfd_srcu, idx);
	return e ? 0 : -EOPNOTSUPP;
}

static struct ioeventfd_table *ioeventfds_alloc(u32 nr)
{
	struct ioeventfd_table *t;

	return kvzalloc(struct_size(t, entry, nr), GFP_KERNEL_ACCOUNT);
}

static const struct ioeventfd_table *ioeventfds_of(struct vm *vm)
{
	const struct ioeventfd_table *t;

	t = rcu_dereference_protected(vm->ioeventfds, lockdep_is_held(&vm->ioeventfd_lock));
	return t ?: &no_ioeventfds;
}

/* @new: NULL: there are none. When this returns no vCPU uses the old table any more. */
static void ioeventfds_replace(struct vm *vm, struct ioeventfd_table *new)
{
	struct ioeventfd_table *old;

	old = rcu_replace_pointer(vm->ioeventfds, new, lockdep_is_held(&vm->ioeventfd_lock));
	synchronize_srcu_expedited(&ioeventfd_srcu);
	kvfree(old);
}

static int ioeventfd_add(struct vm *vm, const struct ioeventfd *e)
{
	const struct ioeventfd_table *old = ioeventfds_of(vm);
	struct ioeventfd_table *new;

	if (ioeventfd_conflicts(old, e))
		return -EEXIST;
	if (old->nr == MAX_IOEVENTFDS)
		return -ENOSPC;
	new = ioeventfds_alloc(old->nr + 1);
	if (!new)
		return -ENOMEM;
	ioeventfd_copy_with(new, old, e);
	ioeventfds_replace(vm, new);
	return 0;
}

static int ioeventfd_remove(struct vm *vm, const struct ioeventfd *e)
{
	const struct ioeventfd_table *old = ioeventfds_of(vm);
	const struct ioeventfd *same = ioeventfd_same(old, e);
	struct ioeventfd_table *new = NULL;

	if (!same)
		return -ENOENT;
	if (old->nr > 1) {
		new = ioeventfds_alloc(old->nr - 1);
		if (!new)
			return -ENOMEM;
		ioeventfd_copy_without(new, old, same);
	}
	ioeventfds_replace(vm, new);
	eventfd_ctx_put(e->eventfd);	/* the table's reference */
	return 0;
}

/* What can be refused by looks. DEASSIGN is not looked at: what was not assigned is not found. */
static int ioeventfd_check(const struct minikvm_ioeventfd *args)
{
	if (args->flags & ~(MINIKVM_IOEVENTFD_FLAG_DATAMATCH | MINIKVM_IOEVENTFD_FLAG_PIO))
		return -EINVAL;
	if (args->len > 8 || (args->len & (args->len - 1)))
		return -EINVAL;
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	if (!args->len && (args->flags & MINIKVM_IOEVENTFD_FLAG_DATAMATCH))
		return -EINVAL;
	return 0;
}

/**
 * ioeventfd_set - IOEVENTFD
 * @vm: the machine
 * @args: of the caller
 *
 * A port above 65535 can be had, and is never written to. Once DEASSIGN returns, no write
 * signals the eventfd any more. Closing the eventfd changes nothing here, as with KVM.
 *
 * Context: sleeps. Return: 0; -EINVAL (flags, length, address, not an eventfd), -EBADF,
 * -EEXIST (a write would mean two), -ENOENT (nothing to deassign), -ENOSPC, -ENOMEM, -EINTR.
 */
int ioeventfd_set(struct vm *vm, const struct minikvm_ioeventfd *args)
{
	bool deassign = args->flags & MINIKVM_IOEVENTFD_FLAG_DEASSIGN;
	struct ioeventfd e = {
		.addr = args->addr,
		.data = args->datamatch,
		.len = args->len,
		.pio = args->flags & MINIKVM_IOEVENTFD_FLAG_PIO,
		.match = args->flags & MINIKVM_IOEVENTFD_FLAG_DATAMATCH,
	};
	int err = deassign ? 0 : ioeventfd_check(args);

	if (err)
		return err;
	if (args->len > 8)
		return -ENOENT;
	e.eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(e.eventfd))
		return PTR_ERR(e.eventfd);
	err = -EINTR;
	if (!mutex_lock_killable(&vm->ioeventfd_lock)) {
		err = deassign ? ioeventfd_remove(vm, &e) : ioeventfd_add(vm, &e);
		mutex_unlock(&vm->ioeventfd_lock);
	}
	if (deassign || err)
		eventfd_ctx_put(e.eventfd);
	return err;
}

/** ioeventfd_destroy - the machine goes; its vCPUs do not run any more */
void ioeventfd_destroy(struct vm *vm)
{
	struct ioeventfd_table *t = rcu_dereference_protected(vm->ioeventfds, true);
	u32 i;

	for (i = 0; t && i < t->nr; i++)
		eventfd_ctx_put(t->entry[i].eventfd);
	kvfree(t);
}
