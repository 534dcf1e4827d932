/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUID as tables: what a host can offer its guests, and what a guest's own
 * table answers. Pure: cpuid.c hands in the host and the guest's registers.
 */
#ifndef CPU_CPUID_TABLE_H
#define CPU_CPUID_TABLE_H

#include <linux/bits.h>
#include <linux/types.h>

#include "../../uapi/linux/minikvm.h"

/* Registers of feature bits, each with its own list of those that a guest may have. */
enum cpuid_word {
	WORD_1_ECX,
	WORD_1_EDX,
	WORD_7_EBX,
	WORD_7_ECX,
	WORD_7_EDX,
	WORD_7_1_EAX,
	WORD_7_1_EDX,
	WORD_7_2_EDX,
	WORD_D_1_EAX,
	WORD_80000001_ECX,
	WORD_80000001_EDX,
	WORD_80000007_EDX,
	NR_WORDS
};

/* The bits that somebody asks for by name. */
#define F1C_MONITOR		BIT(3)
#define F1C_PDCM		BIT(15)
#define F1C_PCID		BIT(17)
#define F1C_X2APIC		BIT(21)
#define F1C_TSC_DEADLINE	BIT(24)
#define F1C_XSAVE		BIT(26)
#define F1C_OSXSAVE		BIT(27)
#define F1C_RDRAND		BIT(30)
#define F1C_HYPERVISOR		BIT(31)
#define F1D_APIC		BIT(9)
#define F7B_FSGSBASE		BIT(0)
#define F7B_TSC_ADJUST		BIT(1)
#define F7B_SMEP		BIT(7)
#define F7B_INVPCID		BIT(10)
#define F7B_RDSEED		BIT(18)
#define F7B_SMAP		BIT(20)
#define F7C_UMIP		BIT(2)
#define F7C_PKU			BIT(3)
#define F7C_OSPKE		BIT(4)
#define F7C_LA57		BIT(16)
#define F7C_RDPID		BIT(22)
#define F7D_SPEC_CTRL		BIT(26)
#define F7D_STIBP		BIT(27)
#define F7D_FLUSH_L1D		BIT(28)
#define F7D_ARCH_CAPABILITIES	BIT(29)
#define F7D_SSBD		BIT(31)
#define FD1A_XSAVEC		BIT(1)
#define FX1D_NX			BIT(20)
#define FX1D_RDTSCP		BIT(27)
#define FX1D_LM			BIT(29)

/**
 * struct cpuid_host - what this host's processor and kernel have
 * @read: the CPUID instruction: function, index, then EAX to EDX
 * @off: bits that the kernel or the VMX controls do not have
 * @on: bits that minikvm itself provides
 * @xcr0: state components that a guest may enable; 0: no XSAVE
 * @gpa_bits: width of the guest physical addresses that EPT can map
 * @steal_time: the kernel counts what a thread waits
 */
struct cpuid_host {
	void (*read)(u32 function, u32 index, u32 r[4]);
	u32 off[NR_WORDS];
	u32 on[NR_WORDS];
	u64 xcr0;
	u8 gpa_bits;
	bool steal_time;
};

/**
 * struct cpuid_answers - the answers that a VMM chose
 * @entries: in order of function; those of one function in the VMM's order
 * @n: how many
 */
struct cpuid_answers {
	struct minikvm_cpuid_entry2 *entries;
	u32 n;
};

u32 cpuid_offer(const struct cpuid_host *host, struct minikvm_cpuid_entry2 *entries, u32 room);
void cpuid_table_sort(struct cpuid_answers *t);
const struct minikvm_cpuid_entry2 *cpuid_table_find(const struct cpuid_answers *t, u32 function,
						    u32 index);
const struct minikvm_cpuid_entry2 *cpuid_table_beyond(const struct cpuid_answers *t,
						      u32 *function, u32 index);
u32 cpuid_table_word(const struct cpuid_answers *t, enum cpuid_word word);
const struct minikvm_cpuid_entry2 *cpuid_table_pv(const struct cpuid_answers *t);
u64 cpuid_table_xcr0(const struct cpuid_answers *t);
u32 cpuid_xstate_size(const struct cpuid_answers *t, u64 xcr0, bool compact);
bool cpuid_table_valid(const struct cpuid_answers *t);

#endif
