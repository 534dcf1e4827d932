/* SPDX-License-Identifier: GPL-2.0 */
/* An instruction that the processor carries out on pages that stand in for devices. */
#ifndef MINIKVM_STEP_H
#define MINIKVM_STEP_H

#include "../mm/ept_private.h"
#include "step_table.h"

#define STEP_PIECES	(2 * STEP_OPERANDS)	/* each operand may cross a page */

/* The part of an operand that is in one page. */
struct step_piece {
	gva_t gva;
	gva_t other;		/* of the operand's other part, or as @gva */
	gpa_t gpa;		/* once @data is known */
	u8 *data;		/* in the page that stands in; NULL: memory, or not met yet */
	u8 len;
	u8 access;		/* STEP_READS, STEP_WRITES */
	u8 done;		/* bytes that were read, or later: written */
};

/**
 * struct step - the instruction that is on its way, all [m]
 */
struct step {
	struct ept_private ept;
	struct step_piece piece[STEP_PIECES];
	int n;			/* pieces */
	bool device;		/* an operand is a device; else only page walks needed a page */
};

#endif
