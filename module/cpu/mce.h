/* SPDX-License-Identifier: GPL-2.0 */
/* Machine checks that a VMM reports to its guest: mce.c. Pure. */
#ifndef MINIKVM_CPU_MCE_H
#define MINIKVM_CPU_MCE_H

#include <linux/bits.h>

#include "../parts.h"

#define MCG_CTL_P	BIT_ULL(8)	/* IA32_MCG_CAP: there is IA32_MCG_CTL */
#define MCG_SER_P	BIT_ULL(24)	/* software can recover from some */
#define MCE_SUPPORTED	(MCG_CTL_P | MCG_SER_P)

/* What becomes of one. */
enum mce_effect { MCE_LOGGED, MCE_RAISED, MCE_SHUTDOWN };

struct minikvm_x86_mce;
int mce_setup(struct msr_state *s, u64 mcg_cap);
int mce_report(struct msr_state *s, const struct minikvm_x86_mce *mce, bool cr4_mce);

#endif
