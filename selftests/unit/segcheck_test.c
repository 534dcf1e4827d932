// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/cpu/segcheck.c lets through what the SDM's "Limit Checking" and "Type
 * Checking" let through, byte for byte: the rows of a table, and for random segments what
 * a model says that looks at each byte by itself.
 */
#include <linux/types.h>

#include "unit.h"
#include "random.h"
#include "../../module/cpu/segcheck.c"

enum { READ = ACCESS_READ, WRITE = ACCESS_WRITE, NONE = AR_UNUSABLE };
/* Types: SDM "Code- and Data-Segment Types". All are present, not system segments. */
enum { RO = 0x91, RW = 0x93, RO_DOWN = 0x95, RW_DOWN = 0x97, XO = 0x99, XR = 0x9b, XR_CONF = 0x9f };
#define BIG	AR_BIG

static void rows_of_the_tables(void)
{
	static const struct {
		u32 ar, limit, offset;
		unsigned int access;
		bool protected;
		u64 room;
	} rows[] = {
		{ RW, 0xfff, 0, READ, true, 0x1000 },
		{ RW, 0xfff, 0xfff, WRITE, true, 1 },
		{ RW, 0xfff, 0x1000, READ, true, 0 },
		{ RW, 0, 0, READ, true, 1 },
		{ RW | BIG, 0xffffffff, 0xffffffff, WRITE, true, SEG_ROOM_ALL },
		{ RW | BIG, 0xfffffffe, 0xffffffff, WRITE, true, 0 },
		{ RW, 0xffff, 0xffff, READ, false, 1 },
		{ RO, 0xfff, 0, READ, true, 0x1000 },
		{ RO, 0xfff, 0, WRITE, true, 0 },
		{ RO, 0xfff, 0, WRITE, false, 0 },
		{ RW | NONE, 0xffffffff, 0, READ, true, 0 },
		{ RW | NONE, 0xffffffff, 0, WRITE, false, 0 },
		/* expand-down: above the limit, up to 64 KiB or 4 GiB */
		{ RW_DOWN, 0xfff, 0xfff, READ, true, 0 },
		{ RW_DOWN, 0xfff, 0x1000, WRITE, true, 0xf000 },
		{ RW_DOWN, 0xfff, 0xffff, READ, true, 1 },
		{ RW_DOWN, 0xfff, 0x10000, READ, true, 0 },
		{ RW_DOWN, 0xffff, 0xffff, READ, true, 0 },
		{ RW_DOWN | BIG, 0xfff, 0x10000, READ, true, 0xffff0000 },
		{ RW_DOWN | BIG, 0xfff, 0xffffffff, READ, true, 1 },
		{ RW_DOWN | BIG, 0xffffffff, 0xffffffff, READ, true, 0 },
		{ RO_DOWN, 0xfff, 0x1000, READ, true, 0xf000 },
		{ RO_DOWN, 0xfff, 0x1000, WRITE, true, 0 },
		/* code: never written in protected mode, read only if it is readable */
		{ XR, 0xfff, 0, READ, true, 0x1000 },
		{ XR, 0xfff, 0, WRITE, true, 0 },
		{ XR, 0xfff, 0, WRITE, false, 0x1000 },
		{ XO, 0xfff, 0, READ, true, 0 },
		{ XR_CONF, 0xfff, 0x800, READ, true, 0x800 },	/* conforming is no direction */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(segcheck_room(rows[i].ar, rows[i].limit, rows[i].protected,
				       rows[i].offset, rows[i].access), rows[i].room);
}

/* Is this one byte of the segment, for this access? */
static bool byte_allowed(u32 ar, u32 limit, bool protected, u64 at, unsigned int access)
{
	int type = ar & 15;
	bool code = type >= 8, down = !code && type & 4;
	u64 top = down && !(ar & BIG) ? 0xffff : 0xffffffff;
	bool inside = down ? at > limit : at <= limit;

	if (ar & NONE || at > top || !inside)
		return false;
	if (access == WRITE)
		return code ? !protected && type & 2 : type & 2;
	return !code || type & 2;
}

static void random_segments_are_those_of_the_model(void)
{
	int i, allowed = 0, forbidden = 0;

	for (i = 0; i < 300000 && !unit_bad; i++) {
		u32 ar = 0x90 | (any() & 15) | (one_in(2) ? BIG : 0) | (one_in(10) ? NONE : 0);
		u32 limit = one_in(2) ? any() & 0x1ffff : one_in(8) ? 0xffffffff : any();
		u32 offset = limit - 8 + below(16);
		unsigned int access = one_in(2) ? READ : WRITE;
		bool protected = !one_in(4), all = true;
		u64 size = 1ull << below(4), k, room;

		if (one_in(3))
			offset = (ar & BIG ? 0 : 0x10000) - 8 + below(16);
		room = segcheck_room(ar, limit, protected, offset, access);
		/* An expand-up segment of 4 GiB may wrap. */
		for (k = 0; k < size; k++)
			all &= byte_allowed(ar, limit, protected,
					    room == SEG_ROOM_ALL ? (u32)(offset + k) : (u64)offset + k,
					    access);
		CHECK_EQ(size <= room, all);
		CHECK(room != SEG_ROOM_ALL || limit == 0xffffffff);
		/* The room is exact: the byte behind it is not allowed. */
		if (room && room < SEG_ROOM_ALL)
			CHECK(!byte_allowed(ar, limit, protected, offset + room, access) &&
			      byte_allowed(ar, limit, protected, offset + room - 1, access));
		if (unit_bad)
			printf("# ar %x limit %x offset %x access %x protected %d\n", ar, limit,
			       offset, access, protected);
		allowed += all;
		forbidden += !all;
	}
	CHECK(allowed > 50000 && forbidden > 50000);
}

static void canonical_addresses(void)
{
	static const struct { u64 addr; bool in48, in57; } rows[] = {
		{ 0, true, true }, { ~0ull, true, true },
		{ 0x00007fffffffffff, true, true }, { 0x0000800000000000, false, true },
		{ 0xffff7fffffffffff, false, true }, { 0xffff800000000000, true, true },
		{ 0x00ffffffffffffff, false, true }, { 0x0100000000000000, false, false },
		{ 0xfeffffffffffffff, false, false }, { 0xff00000000000000, false, true },
		{ 0x8000000000000000, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(is_canonical(rows[i].addr, false), rows[i].in48);
		CHECK_EQ(is_canonical(rows[i].addr, true), rows[i].in57);
	}
}

int main(void)
{
	RUN(rows_of_the_tables);
	RUN(random_segments_are_those_of_the_model);
	RUN(canonical_addresses);
	return unit_end();
}
