// SPDX-License-Identifier: GPL-2.0
/* The table of ioeventfds: searching, what contradicts, copies. Pure; called by ioeventfd.c. */
#include <linux/kernel.h>
#include <linux/string.h>

#include "ioeventfd_table.h"

static bool is_at(const struct ioeventfd *e, bool pio, u64 addr)
{
	return e->pio == pio && e->addr == addr;
}

static bool is_before(const struct ioeventfd *e, bool pio, u64 addr)
{
	return e->pio != pio ? pio : e->addr < addr;
}

/**
 * ioeventfd_first - the first that is not before an address
 * @t: the table
 * @pio: the address is a port
 * @addr: the address
 *
 * Return: its place; t->nr: all are before.
 */
u32 ioeventfd_first(const struct ioeventfd_table *t, bool pio, u64 addr)
{
	u32 low = 0, high = t->nr;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (is_before(&t->entry[middle], pio, addr))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/**
 * ioeventfd_find - which one does a write mean?
 * @t: the table
 * @pio: it is to a port
 * @addr: where it begins
 * @len: its bytes, 1 to 8
 * @data: its value; bytes beyond @len are not looked at
 *
 * Return: it, or NULL. As none contradict, there is at most one.
 */
const struct ioeventfd *ioeventfd_find(const struct ioeventfd_table *t, bool pio, u64 addr,
				       int len, u64 data)
{
	u32 i = ioeventfd_first(t, pio, addr);

	data &= ~0ull >> (64 - 8 * len);
	for (; i < t->nr && is_at(&t->entry[i], pio, addr); i++) {
		const struct ioeventfd *e = &t->entry[i];

		if (!e->len || (e->len == len && (!e->match || e->data == data)))
			return e;
	}
	return NULL;
}

/**
 * ioeventfd_conflicts - is there a write that both one of a table and another would mean?
 * @t: the table
 * @e: the other
 */
bool ioeventfd_conflicts(const struct ioeventfd_table *t, const struct ioeventfd *e)
{
	u32 i = ioeventfd_first(t, e->pio, e->addr);

	for (; i < t->nr && is_at(&t->entry[i], e->pio, e->addr); i++) {
		const struct ioeventfd *other = &t->entry[i];

		if (!e->len || !other->len)
			return true;
		if (e->len == other->len &&
		    (!e->match || !other->match || e->data == other->data))
			return true;
	}
	return false;
}

/** ioeventfd_same - the one of a table that is @e in every respect, or NULL */
const struct ioeventfd *ioeventfd_same(const struct ioeventfd_table *t,
				       const struct ioeventfd *e)
{
	u32 i = ioeventfd_first(t, e->pio, e->addr);

	for (; i < t->nr && is_at(&t->entry[i], e->pio, e->addr); i++) {
		const struct ioeventfd *other = &t->entry[i];

		if (other->eventfd == e->eventfd && other->len == e->len &&
		    other->match == e->match && (!e->match || other->data == e->data))
			return other;
	}
	return NULL;
}

/**
 * ioeventfd_copy_with - a table with one more
 * @new: room for one more than in @old
 * @old: the table
 * @e: what is added; it does not conflict
 */
void ioeventfd_copy_with(struct ioeventfd_table *new, const struct ioeventfd_table *old,
			 const struct ioeventfd *e)
{
	u32 at = ioeventfd_first(old, e->pio, e->addr);

	memcpy(new->entry, old->entry, at * sizeof(*e));
	new->entry[at] = *e;
	memcpy(new->entry + at + 1, old->entry + at, (old->nr - at) * sizeof(*e));
	new->nr = old->nr + 1;
}

/**
 * ioeventfd_copy_without - a table with one less
 * @new: room for one less than in @old
 * @old: the table
 * @e: what is left out: one of @old's
 */
void ioeventfd_copy_without(struct ioeventfd_table *new, const struct ioeventfd_table *old,
			    const struct ioeventfd *e)
{
	u32 at = e - old->entry;

	memcpy(new->entry, old->entry, at * sizeof(*e));
	memcpy(new->entry + at, e + 1, (old->nr - at - 1) * sizeof(*e));
	new->nr = old->nr - 1;
}
