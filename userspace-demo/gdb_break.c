// SPDX-License-Identifier: GPL-2.0
/*
 * Breakpoints. A software breakpoint is the byte of an INT3 in guest memory; as many as one
 * likes, but only where there is memory. So one at an address that the guest has not mapped
 * yet (a kernel's, while it is still compressed) gets a debug register instead, if one is free.
 * SDM "Debug Registers".
 */
#include <string.h>

#include "gdb_break.h"

#define INT3	0xcc
#define DR7_FIXED	0x400ull
#define DR7_ON(i)	(2ull << 2 * (i))		/* G0 to G3 */
#define DR7_WHEN(i, rw, len)	((uint64_t)((rw) | (len) << 2) << (16 + 4 * (i)))

static struct gdb_break *break_find(struct gdb_breaks *b, enum gdb_break_type type,
				    uint64_t address, uint64_t length)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		struct gdb_break *at = &b->all[i];

		if (at->type == type && at->address == address &&
		    (type <= BREAK_HARDWARE || at->length == length))
			return at;
	}
	return NULL;
}

/* The breakpoint whose INT3 is this byte; or NULL. Two addresses may lead to one. */
static struct gdb_break *break_where(struct gdb_breaks *b, const uint8_t *where)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++)
		if (b->all[i].where == where)
			return &b->all[i];
	return NULL;
}

/* A debug register that nobody uses, or -1. */
static int break_free_register(const struct gdb_breaks *b)
{
	unsigned int used = 0, i;

	for (i = 0; i < b->nr; i++)
		if (!b->all[i].where)
			used |= 1u << b->all[i].dr;
	for (i = 0; i < DEBUG_REGISTERS; i++)
		if (!(used & 1u << i))
			return i;
	return -1;
}

static bool watch_fits(uint64_t address, uint64_t length)
{
	return (length == 1 || length == 2 || length == 4 || length == 8) &&
	       !(address & (length - 1));
}

bool gdb_break_set(struct gdb_breaks *b, enum gdb_break_type type, uint64_t address,
		   uint64_t length, uint8_t *where)
{
	struct gdb_break new = { .type = type, .address = address, .length = 1 };
	const struct gdb_break *other;

	if (break_find(b, type, address, length))
		return true;
	if (b->nr == GDB_BREAKS || type == WATCH_READ || type > WATCH_ACCESS)
		return false;
	if (type >= WATCH_WRITE) {
		if (!watch_fits(address, length))
			return false;
		new.length = length;
	}
	if (type == BREAK_SOFTWARE && where) {
		other = break_where(b, where);
		new.where = where;
		/* The guest may have written there since the other one was set. */
		new.was = other && *where == INT3 ? other->was : *where;
		*where = INT3;
	} else {
		new.dr = break_free_register(b);
		if (new.dr < 0)
			return false;
	}
	b->all[b->nr++] = new;
	return true;
}

/* The guest may have written something else there, which is to stay. */
static void break_unplant(struct gdb_breaks *b, const struct gdb_break *gone)
{
	if (gone->where && !break_where(b, gone->where) && *gone->where == INT3)
		*gone->where = gone->was;
}

bool gdb_break_clear(struct gdb_breaks *b, enum gdb_break_type type, uint64_t address,
		     uint64_t length)
{
	struct gdb_break *at = break_find(b, type, address, length), gone;

	if (!at)
		return false;
	gone = *at;
	*at = b->all[--b->nr];
	break_unplant(b, &gone);
	return true;
}

void gdb_breaks_clear_all(struct gdb_breaks *b)
{
	while (b->nr) {
		const struct gdb_break gone = b->all[--b->nr];

		break_unplant(b, &gone);
	}
}

const struct gdb_break *gdb_break_of_int3(const struct gdb_breaks *b, uint64_t address)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++)
		if (b->all[i].where && b->all[i].address == address)
			return &b->all[i];
	return NULL;
}

const struct gdb_break *gdb_break_of_dr6(const struct gdb_breaks *b, uint64_t dr6)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++)
		if (!b->all[i].where && (dr6 & 1u << b->all[i].dr))
			return &b->all[i];
	return NULL;
}

bool gdb_breaks_planted(const struct gdb_breaks *b)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++)
		if (b->all[i].where)
			return true;
	return false;
}

uint64_t gdb_breaks_registers(const struct gdb_breaks *b, unsigned long long dr[DEBUG_REGISTERS])
{
	static const uint8_t when[] = { [WATCH_WRITE] = 1, [WATCH_ACCESS] = 3 };
	static const uint8_t size[] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
	uint64_t dr7 = 0;
	unsigned int i;

	memset(dr, 0, DEBUG_REGISTERS * sizeof(*dr));
	for (i = 0; i < b->nr; i++) {
		const struct gdb_break *at = &b->all[i];

		if (at->where)
			continue;
		dr[at->dr] = at->address;
		dr7 |= DR7_FIXED | DR7_ON(at->dr) |
		       DR7_WHEN(at->dr, when[at->type], size[at->length]);
	}
	return dr7;
}

/* ---- memory without them */

void gdb_breaks_read(const struct gdb_breaks *b, const uint8_t *where, uint8_t *data, size_t n)
{
	unsigned int i;

	memcpy(data, where, n);
	for (i = 0; i < b->nr; i++) {
		const struct gdb_break *at = &b->all[i];

		if (at->where >= where && at->where < where + n && *at->where == INT3)
			data[at->where - where] = at->was;
	}
}

void gdb_breaks_write(struct gdb_breaks *b, uint8_t *where, const uint8_t *data, size_t n)
{
	unsigned int i;

	memcpy(where, data, n);
	for (i = 0; i < b->nr; i++) {
		struct gdb_break *at = &b->all[i];

		if (at->where >= where && at->where < where + n) {
			at->was = data[at->where - where];
			*at->where = INT3;
		}
	}
}
