/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The MSRs that are storage with a rule, or have one answer. msr_table.c holds
 * the rules; msr.c adds those that live in the VMCS, in the processor or in the
 * chips. Nothing here knows a vCPU or the kernel; it compiles in userspace, too.
 */
#ifndef CPU_MSR_TABLE_H
#define CPU_MSR_TABLE_H

#include <linux/bits.h>
#include <linux/types.h>

#include "../parts.h"

#define X2APIC_FIRST	0x800
#define X2APIC_COUNT	0x100

/* Instead of 1, which is a refusal: there is no such MSR. As KVM tells them apart. */
#define MSR_UNKNOWN	2

/* What the guest's CPUID gives it, as far as MSRs go: bits of msr_rules.has. */
enum {
	MSR_HAS_TSC_AUX		= BIT(0),	/* RDTSCP or RDPID */
	MSR_HAS_TSC_ADJUST	= BIT(1),
	MSR_HAS_SPEC_CTRL	= BIT(2),
	MSR_HAS_PRED_CMD	= BIT(3),
	MSR_HAS_FLUSH_CMD	= BIT(4),
	MSR_HAS_ARCH_CAPS	= BIT(5),
	MSR_HAS_PDCM		= BIT(6),
};

/* What a VMM saves and restores: GET_MSR_INDEX_LIST, less what the host lacks. */
extern const u32 msr_index_list[];
extern const u32 msr_index_count;
extern const u32 msr_feature_list[];
extern const u32 msr_feature_count;

void msr_state_reset(struct msr_state *s);
int msr_state_read(const struct msr_state *s, u32 index, u64 *data, bool host);
int msr_state_write(struct msr_state *s, u32 index, u64 data, bool host);
bool msr_pat_valid(u64 value);
bool msr_canonical(u64 value, int va_bits);
u64 msr_canonicalize(u64 value, int va_bits);

#endif
