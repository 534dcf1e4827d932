// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as a VMM has it: what minikvm can offer on this host, what the VMM chose, and what
 * follows from that. The tables and their rules are in cpuid_table.c; here they meet the
 * host's processor. What the guest is told is cpuid.c's.
 */
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "../compat.h"
#include "../pv/pv.h"
#include "../vmx/vmx.h"
#include "cpu.h"
#include "cpuid_table.h"

static void host_cpuid(u32 function, u32 index, u32 r[4])
{
	cpuid_count(function, index, &r[0], &r[1], &r[2], &r[3]);
}

/* Where Linux keeps the bits that it uses itself: errata and boot parameters included. */
static const struct { u8 word, linux_word; } kept[] = {
	{ WORD_1_ECX, CPUID_1_ECX },
	{ WORD_1_EDX, CPUID_1_EDX },
	{ WORD_7_EBX, CPUID_7_0_EBX },
	{ WORD_7_ECX, CPUID_7_ECX },
	{ WORD_7_EDX, CPUID_7_EDX },
	{ WORD_7_1_EAX, CPUID_7_1_EAX },
	{ WORD_D_1_EAX, CPUID_D_1_EAX },
	{ WORD_80000001_ECX, CPUID_8000_0001_ECX },
	{ WORD_80000001_EDX, CPUID_8000_0001_EDX },
};

/* What of the processor a guest cannot have: Linux hides it, or VMX lacks the control. */
static void host_off(struct cpuid_host *host)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kept); i++)
		host->off[kept[i].word] = ~boot_cpu_data.x86_capability[kept[i].linux_word];
	host->off[WORD_80000007_EDX] = ~boot_cpu_data.x86_power;
	if (!vmx_caps.invpcid)
		host->off[WORD_7_EBX] |= F7B_INVPCID;
	if (!vmx_caps.rdtscp) {
		host->off[WORD_7_ECX] |= F7C_RDPID;
		host->off[WORD_80000001_EDX] |= FX1D_RDTSCP;
	}
	if (!boot_cpu_has(X86_FEATURE_OSPKE))
		host->off[WORD_7_ECX] |= F7C_PKU;
	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		host->off[WORD_7_EDX] |= F7D_FLUSH_L1D;
	/* Linux hides five levels if it does not use them itself; a guest may. */
	host->off[WORD_7_ECX] &= ~F7C_LA57;
	/* A processor that does not let CR4 have a bit in VMX operation has no use for it. */
	if (!(vmx_caps.cr4_fixed0 & X86_CR4_LA57))
		host->off[WORD_7_ECX] |= F7C_LA57;
}

/**
 * cpuid_supported - GET_SUPPORTED_CPUID
 * @cpuid: nent is the room; becomes the number of entries
 * @entries: filled
 *
 * Return: 0, or -E2BIG if there is not enough room.
 */
int cpuid_supported(struct minikvm_cpuid2 *cpuid, struct minikvm_cpuid_entry2 *entries)
{
	struct cpuid_host host = {
		.read = host_cpuid,
		.on = {
			/* The x2APIC and TSC_ADJUST are ours, whatever the host has. */
			[WORD_1_ECX] = F1C_X2APIC | F1C_HYPERVISOR,
			[WORD_7_EBX] = F7B_TSC_ADJUST,
			[WORD_7_EDX] = F7D_ARCH_CAPABILITIES,
		},
		.xcr0 = fpu_supported_xcr0(),
		.gpa_bits = 48,
		.steal_time = pv_steal_there(),
	};
	u32 n;

	host_off(&host);
	get_cpu();	/* all answers from one processor */
	n = cpuid_offer(&host, entries, cpuid->nent);
	put_cpu();
	if (n > cpuid->nent)
		return -E2BIG;
	cpuid->nent = n;
	return 0;
}

/* ---- what follows from the VMM's choice */

/* CR4 bits that a CPUID bit stands for. */
static const struct { unsigned long cr4; u32 bit; u8 word; } cr4_features[] = {
	{ X86_CR4_OSXSAVE, F1C_XSAVE, WORD_1_ECX },
	{ X86_CR4_PCIDE, F1C_PCID, WORD_1_ECX },
	{ X86_CR4_FSGSBASE, F7B_FSGSBASE, WORD_7_EBX },
	{ X86_CR4_SMEP, F7B_SMEP, WORD_7_EBX },
	{ X86_CR4_SMAP, F7B_SMAP, WORD_7_EBX },
	{ X86_CR4_UMIP, F7C_UMIP, WORD_7_ECX },
	{ X86_CR4_PKE, F7C_PKU, WORD_7_ECX },
	{ X86_CR4_LA57, F7C_LA57, WORD_7_ECX },
};

/* Reserved is what the host cannot do, and what this CPUID does not give. */
static unsigned long cr4_reserved(const struct cpuid_answers *t)
{
	unsigned long ok = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |
			   X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE |
			   X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	int i;

	/* Before the VMM has chosen, all that the host has: small VMMs never choose. */
	for (i = 0; i < ARRAY_SIZE(cr4_features); i++)
		if (!t->n || (cpuid_table_word(t, cr4_features[i].word) & cr4_features[i].bit))
			ok |= cr4_features[i].cr4;
	if (!fpu_supported_xcr0())
		ok &= ~X86_CR4_OSXSAVE;
	if (!boot_cpu_has(X86_FEATURE_OSPKE))
		ok &= ~X86_CR4_PKE;
	return ~(ok & vmx_caps.cr4_fixed0);
}

/* As KVM: without CPUID there is no long mode. */
static u64 efer_reserved(const struct cpuid_answers *t)
{
	u32 edx = cpuid_table_word(t, WORD_80000001_EDX);
	u64 ok = EFER_SCE;

	if (edx & FX1D_LM)
		ok |= EFER_LME | EFER_LMA;
	if ((edx & FX1D_NX) && boot_cpu_has(X86_FEATURE_NX))
		ok |= EFER_NX;
	return ~ok;
}

/* As KVM: 36 bits if the table does not say. */
static u8 cpuid_maxphyaddr(const struct cpuid_answers *t)
{
	const struct minikvm_cpuid_entry2 *top = cpuid_table_find(t, 0x80000000, 0);
	const struct minikvm_cpuid_entry2 *e = cpuid_table_find(t, 0x80000008, 0);

	if (!top || top->eax < 0x80000008 || !e)
		return 36;
	return clamp_t(u32, e->eax & 0xff, 32, 52);
}

/* MSRs that a CPUID bit stands for. */
static const struct { u32 has; u32 bits; u8 word; } msr_features[] = {
	{ MSR_HAS_TSC_AUX, F7C_RDPID, WORD_7_ECX },
	{ MSR_HAS_TSC_AUX, FX1D_RDTSCP, WORD_80000001_EDX },
	{ MSR_HAS_TSC_ADJUST, F7B_TSC_ADJUST, WORD_7_EBX },
	{ MSR_HAS_SPEC_CTRL, F7D_SPEC_CTRL | F7D_STIBP | F7D_SSBD, WORD_7_EDX },
	{ MSR_HAS_PRED_CMD, F7D_SPEC_CTRL, WORD_7_EDX },
	{ MSR_HAS_FLUSH_CMD, F7D_FLUSH_L1D, WORD_7_EDX },
	{ MSR_HAS_ARCH_CAPS, F7D_ARCH_CAPABILITIES, WORD_7_EDX },
	{ MSR_HAS_PDCM, F1C_PDCM, WORD_1_ECX },
};

static struct msr_rules msr_rules(const struct cpuid_answers *t)
{
	struct msr_rules rules = {
		.maxphyaddr = cpuid_maxphyaddr(t),
		/* What the processor takes, not what Linux uses. */
		.va_bits = vmx_caps.cr4_fixed0 & X86_CR4_LA57 ? 57 : 48,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(msr_features); i++)
		if (cpuid_table_word(t, msr_features[i].word) & msr_features[i].bits)
			rules.has |= msr_features[i].has;
	return rules;
}

/* Instructions that VMX can keep from a guest whose CPUID does not show them. */
static const struct { u32 has; u32 bits; u8 word; } vmx_features[] = {
	{ VMX_HAS_RDTSCP, FX1D_RDTSCP, WORD_80000001_EDX },
	{ VMX_HAS_RDTSCP, F7C_RDPID, WORD_7_ECX },	/* one control for both */
	{ VMX_HAS_INVPCID, F7B_INVPCID, WORD_7_EBX },
	{ VMX_HAS_RDRAND, F1C_RDRAND, WORD_1_ECX },
	{ VMX_HAS_RDSEED, F7B_RDSEED, WORD_7_EBX },
};

static u32 cpuid_instructions(const struct cpuid_answers *t)
{
	u32 has = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(vmx_features); i++)
		if (cpuid_table_word(t, vmx_features[i].word) & vmx_features[i].bits)
			has |= vmx_features[i].has;
	return has;
}

/* What other files ask often, and what the processor is to know. @vcpu loaded. */
static void cpuid_derive(struct vcpu *vcpu)
{
	struct cpuid_answers t = { vcpu->cpuid_sorted, vcpu->cpuid_nent };
	const struct minikvm_cpuid_entry2 *pv = cpuid_table_pv(&t);

	vcpu->cr4_reserved = cr4_reserved(&t);
	vcpu->efer_reserved = efer_reserved(&t);
	vcpu->xcr0_allowed = cpuid_table_xcr0(&t) & fpu_supported_xcr0();
	vcpu->msr.rules = msr_rules(&t);
	vcpu->maxphyaddr = vcpu->msr.rules.maxphyaddr;
	vcpu->has_x2apic = cpuid_table_word(&t, WORD_1_ECX) & F1C_X2APIC;
	vcpu->has_tsc_deadline = cpuid_table_word(&t, WORD_1_ECX) & F1C_TSC_DEADLINE;
	vcpu->pv.leaf = pv ? pv->function : 0;
	vcpu->pv.features = pv ? pv->eax : 0;
	vmcs_set_features(vcpu, cpuid_instructions(&t));
}

/*
 * Clever: cpuid-index
 * For cpuid_query(). Not functions of which cpuid_adjust() has more to say than of leaf 1.
 */
static void index_functions(struct vcpu *vcpu)
{
	const struct minikvm_cpuid_entry2 *e = vcpu->cpuid_sorted;
	u32 i, n = vcpu->cpuid_nent;

	memset(vcpu->cpuid_index, 0, sizeof(vcpu->cpuid_index));
	for (i = 0; i < n; i++) {
		bool alone = (!i || e[i - 1].function != e[i].function) &&
			     (i + 1 == n || e[i + 1].function != e[i].function);

		if (!alone || (e[i].flags & MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
		    e[i].function == 7 || e[i].function == 0xd)
			continue;
		if ((e[i].function & ~0x80000000) < CPUID_INDEXED)
			vcpu->cpuid_index[e[i].function >> 31][e[i].function & ~0x80000000] = i + 1;
	}
}
/* Clever ends: cpuid-index */

/*
 * Once the vCPU ran, a VMM may only say the same again, or what GET_CPUID2 gives;
 * what is in the padding is its own.
 */
static bool cpuid_same(struct vcpu *vcpu, const struct minikvm_cpuid_entry2 *entries, u32 nent)
{
	struct minikvm_cpuid_entry2 old, new;
	u32 i;

	if (nent != vcpu->cpuid_nent)
		return false;
	for (i = 0; i < nent; i++) {
		old = cpuid_now(vcpu, i);
		new = entries[i];
		cpuid_adjust(vcpu, new.function, new.index, &new);
		if (memcmp(&old, &new, offsetof(typeof(new), padding)))
			return false;
	}
	return true;
}

/**
 * cpuid_set - SET_CPUID2
 * @vcpu: loaded
 * @entries: kvmalloc'd; taken over on success
 * @nent: how many
 *
 * Return: 0; -EINVAL: the vCPU has run and these differ, or linear addresses
 * have a width that is none; -ENOMEM.
 */
int cpuid_set(struct vcpu *vcpu, struct minikvm_cpuid_entry2 *entries, u32 nent)
{
	struct cpuid_answers t = { .n = nent };

	if (vcpu->cpuid_locked) {
		if (!cpuid_same(vcpu, entries, nent))
			return -EINVAL;
		kvfree(entries);
		return 0;
	}
	t.entries = kvmalloc_array(nent + 1, sizeof(*t.entries), GFP_KERNEL_ACCOUNT);
	if (!t.entries)
		return -ENOMEM;
	memcpy(t.entries, entries, nent * sizeof(*t.entries));
	cpuid_table_sort(&t);
	if (!cpuid_table_valid(&t)) {
		kvfree(t.entries);
		return -EINVAL;
	}
	cpuid_free(vcpu);
	vcpu->cpuid = entries;
	vcpu->cpuid_sorted = t.entries;
	vcpu->cpuid_nent = nent;
	index_functions(vcpu);	/* Clever: cpuid-index */
	cpuid_derive(vcpu);
	return 0;
}

/** cpuid_create - a vCPU starts without CPUID; @vcpu loaded */
void cpuid_create(struct vcpu *vcpu)
{
	cpuid_derive(vcpu);
}

/** cpuid_free - forget the entries */
void cpuid_free(struct vcpu *vcpu)
{
	kvfree(vcpu->cpuid);
	kvfree(vcpu->cpuid_sorted);
	vcpu->cpuid = NULL;
	vcpu->cpuid_sorted = NULL;
	vcpu->cpuid_nent = 0;
}
