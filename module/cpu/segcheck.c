// SPDX-License-Identifier: GPL-2.0
/*
 * May an access be made through a segment, and how far from its offset? Called by
 * logical.c outside 64-bit mode, where segments have types and limits. Left out:
 * privilege levels, which were checked when the segment register was loaded.
 * SDM "Limit Checking", "Type Checking".
 */
#include "segcheck.h"

/* Access rights as the VMCS has them: SDM "Guest Register State". */
#define AR_RW		(1u << 1)	/* data: writable; code: readable */
#define AR_DOWN		(1u << 2)	/* data: expand-down */
#define AR_CODE		(1u << 3)
#define AR_BIG		(1u << 14)	/* expand-down: the upper end is 4 GiB, not 64 KiB */
#define AR_UNUSABLE	(1u << 16)	/* a null selector was loaded */

/* In real-address mode code is as writable as data. */
static bool type_allows(u32 ar, bool protected, unsigned int access)
{
	if (ar & AR_UNUSABLE)
		return false;
	if (ar & AR_RW)
		return !(access & ACCESS_WRITE) || !(ar & AR_CODE) || !protected;
	return !(access & ACCESS_WRITE) && !(ar & AR_CODE);
}

/**
 * segcheck_room - how many bytes an access at an offset may have
 * @ar: access rights
 * @limit: in bytes, granularity applied
 * @protected: CR0.PE
 * @offset: of the first byte
 * @access: ACCESS_*
 *
 * An expand-up segment of 4 GiB has no end: what an access does that wraps is the
 * implementation's choice there, and ours is to let it.
 *
 * Return: bytes; 0: none; at most SEG_ROOM_ALL.
 */
u64 segcheck_room(u32 ar, u32 limit, bool protected, u32 offset, unsigned int access)
{
	u64 end = (u64)limit + 1;

	if (!type_allows(ar, protected, access))
		return 0;
	if (!(ar & AR_CODE) && (ar & AR_DOWN)) {
		if (offset <= limit)
			return 0;
		end = ar & AR_BIG ? 1ull << 32 : 1ull << 16;
	} else if (end == SEG_ROOM_ALL) {
		return SEG_ROOM_ALL;
	}
	return offset < end ? end - offset : 0;
}
