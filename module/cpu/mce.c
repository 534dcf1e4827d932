// SPDX-License-Identifier: GPL-2.0
/*
 * Machine checks for the guest: what the VMM gives it of the architecture, and which errors it
 * reports, a page of its memory that went bad, say. Called by the MCE ioctls; the MSRs of the
 * banks are in msr_table.c. Pure. SDM "Machine-Check Architecture".
 *
 * Left out: the interrupt for corrected errors (CMCI), and machine checks for one processor
 * only (LMCE).
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "../../uapi/linux/minikvm.h"
#include "mce.h"

/* IA32_MCG_CAP */
#define CAP_BANKS	0xffull
#define CAP_EXT_COUNT	0xff0000ull	/* as KVM: taken, and nothing comes of it */

/* IA32_MCi_STATUS */
#define STATUS_VAL	BIT_ULL(63)
#define STATUS_OVER	BIT_ULL(62)
#define STATUS_UC	BIT_ULL(61)
#define STATUS_PCC	BIT_ULL(57)
#define STATUS_S	BIT_ULL(56)
#define STATUS_AR	BIT_ULL(55)

#define MCG_STATUS_MCIP	BIT_ULL(2)

enum { BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC };

/**
 * mce_setup - X86_SETUP_MCE
 * @s: the vCPU's MSRs
 * @mcg_cap: for IA32_MCG_CAP; every kind of error is enabled then
 *
 * Return: 0; -EINVAL: no bank, too many, or what there is not.
 */
int mce_setup(struct msr_state *s, u64 mcg_cap)
{
	u32 n = mcg_cap & CAP_BANKS, i;

	if (!n || n > MSR_MCE_BANKS || (mcg_cap & ~(MCE_SUPPORTED | CAP_BANKS | CAP_EXT_COUNT)))
		return -EINVAL;
	s->mcg_cap = mcg_cap;
	if (mcg_cap & MCG_CTL_P)
		s->mcg_ctl = ~0ull;
	for (i = 0; i < n; i++)
		s->mce_banks[i][BANK_CTL] = ~0ull;
	return 0;
}

static void bank_fill(u64 *bank, const struct minikvm_x86_mce *mce, u64 over)
{
	bank[BANK_STATUS] = mce->status | over;
	bank[BANK_ADDR] = mce->addr;
	bank[BANK_MISC] = mce->misc;
}

/* Uncorrected, but nothing has used what is bad: for the log, whatever is enabled. */
static bool needs_no_action(const struct minikvm_x86_mce *mce)
{
	return !mce->mcg_status && !(mce->status & (STATUS_PCC | STATUS_S | STATUS_AR)) &&
	       (mce->status & STATUS_UC);
}

/* SDM "IA32_MCi_STATUS MSRs", its table of overwrite rules: an uncorrected one stays. */
static void log_corrected(u64 *bank, const struct minikvm_x86_mce *mce)
{
	u64 old = bank[BANK_STATUS];

	if ((old & STATUS_VAL) && (old & STATUS_UC))
		bank[BANK_STATUS] |= STATUS_OVER;
	else
		bank_fill(bank, mce, old & STATUS_VAL ? STATUS_OVER : 0);
}

static int raise_uncorrected(struct msr_state *s, u64 *bank, const struct minikvm_x86_mce *mce,
			     bool cr4_mce)
{
	if (((s->mcg_cap & MCG_CTL_P) && s->mcg_ctl != ~0ull) || bank[BANK_CTL] != ~0ull)
		return MCE_LOGGED;	/* not enabled: not even that, as KVM */
	if ((s->mcg_status & MCG_STATUS_MCIP) || !cr4_mce)
		return MCE_SHUTDOWN;
	bank_fill(bank, mce, bank[BANK_STATUS] & STATUS_VAL ? STATUS_OVER : 0);
	s->mcg_status = mce->mcg_status;
	return MCE_RAISED;
}

/**
 * mce_report - X86_SET_MCE
 * @s: the vCPU's MSRs
 * @mce: what happened
 * @cr4_mce: does the guest take machine checks?
 *
 * Return: MCE_LOGGED; MCE_RAISED: #MC is to follow; MCE_SHUTDOWN: the processor would shut down;
 * -EINVAL: no such bank, or no error.
 */
int mce_report(struct msr_state *s, const struct minikvm_x86_mce *mce, bool cr4_mce)
{
	u32 n = s->mcg_cap & CAP_BANKS;
	u64 *bank;

	if (mce->bank >= min_t(u32, n, MSR_MCE_BANKS) || !(mce->status & STATUS_VAL))
		return -EINVAL;
	bank = s->mce_banks[array_index_nospec(mce->bank, MSR_MCE_BANKS)];
	if (needs_no_action(mce)) {
		bank_fill(bank, mce, 0);
		s->mcg_status = 0;
		return MCE_LOGGED;
	}
	if (mce->status & STATUS_UC)
		return raise_uncorrected(s, bank, mce, cr4_mce);
	log_corrected(bank, mce);
	return MCE_LOGGED;
}
