// SPDX-License-Identifier: GPL-2.0
/*
 * module/cpu/segcheck.c: what it lets through is what a model lets through that looks at each
 * byte by itself, for segments of every kind; no byte behind the room is.
 */
#include "fuzz.h"
#define main unit_main
#include "../unit/segcheck_test.c"
#undef main

static u32 near_an_edge(u32 limit)
{
	static const u32 edges[] = { 0, 0x10000, 0xffff0000 };
	u32 at = below(4);

	return (at < 3 ? edges[at] : limit) - 8 + below(16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 ar, limit, offset, k;
	unsigned int access;
	bool protected;
	u64 room;

	fuzz_begin(data, size);
	ar = 0x90 | below(16) | (one_in(2) ? BIG : 0) | (one_in(16) ? NONE : 0);
	limit = one_in(2) ? below(1 << 17) : any();
	offset = one_in(4) ? any() : near_an_edge(limit);
	access = one_in(2) ? READ : WRITE;
	protected = one_in(2);
	room = segcheck_room(ar, limit, protected, offset, access);
	CHECK(room != SEG_ROOM_ALL || limit == 0xffffffff);
	for (k = 0; k < 16; k++) {
		u64 at = room == SEG_ROOM_ALL ? (u32)(offset + k) : (u64)offset + k;

		/* Beyond 4 GiB nothing is allowed; the byte behind the room is not. */
		if (k <= room)
			CHECK_EQ(byte_allowed(ar, limit, protected, at, access), k < room);
	}
	if (room && room < SEG_ROOM_ALL) {
		CHECK(byte_allowed(ar, limit, protected, offset + room - 1, access));
		CHECK(!byte_allowed(ar, limit, protected, offset + room, access));
	}
	return 0;
}
