/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an exit is, where that can be said of a few values alone. Pure: these are
 * the cases that no emulator shows, and a unit test has their truth tables.
 */
#ifndef MINIKVM_RUN_EXIT_RULES_H
#define MINIKVM_RUN_EXIT_RULES_H

#include <linux/bits.h>
#include <linux/types.h>

#include "../parts.h"

enum exit_kind {
	EXIT_OF_TABLE,		/* exit_table[] knows what to do, or that it is not expected */
	EXIT_OF_ENTRY,		/* the entry failed: there was no guest, and no exit */
	EXIT_UNHEARD_OF,	/* later processors', or flags that no control of ours asks for */
};

/*
 * exit_kind - by the field "exit reason", or ~0: VMLAUNCH or VMRESUME itself failed
 *
 * Bit 31 says that the entry failed; bits 30:16 are flags. SDM "Basic VM-Exit Information".
 */
static inline enum exit_kind exit_kind(u32 reason)
{
	if (reason < EXIT_REASONS)
		return EXIT_OF_TABLE;
	return reason >> 31 ? EXIT_OF_ENTRY : EXIT_UNHEARD_OF;
}

/*
 * exit_ac_is_guests - did the guest itself ask for this #AC?
 * @detect: the host has split locks detected, which raises #AC as well
 *
 * If it did not, the host's detection found a locked access that crosses cache lines:
 * a guest that knows nothing of it must not see the exception. If it did, one cannot
 * tell, and a guest that takes #AC lives with both. SDM "Alignment Check Exception".
 */
static inline bool exit_ac_is_guests(bool detect, int cpl, u64 cr0, u64 rflags)
{
	const u64 am = BIT_ULL(18), ac = BIT_ULL(18);

	return !detect || (cpl == 3 && (cr0 & am) && (rflags & ac));
}

#endif
