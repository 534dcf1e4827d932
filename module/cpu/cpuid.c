// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID: what the guest is told. The VMM's table (cpuid_set.c), by the rules of
 * cpuid_table.c, meets the state of the vCPU.
 */
#include <linux/nospec.h>

#include "cpu.h"
#include "cpuid_table.h"

static struct cpuid_answers table_of(const struct vcpu *vcpu)
{
	return (struct cpuid_answers) { vcpu->cpuid_sorted, vcpu->cpuid_nent };
}

/**
 * cpuid_find - the VMM's entry for a query
 * @vcpu: whose
 * @function: EAX
 * @index: ECX
 *
 * Return: the entry, or NULL.
 */
const struct minikvm_cpuid_entry2 *cpuid_find(struct vcpu *vcpu, u32 function, u32 index)
{
	struct cpuid_answers t = table_of(vcpu);

	return cpuid_table_find(&t, function, index);
}

#define PV_UNHALT	BIT(7)	/* of KVM's features: a hypercall wakes a vCPU that has exited with HLT */

static u32 with_bits(u32 reg, u32 bits, bool on)
{
	return on ? reg | bits : reg & ~bits;
}

/* Bits that follow the guest's own state. CR4.OSXSAVE and PKE are never the guest's to write. */
static __always_inline void adjust_leaf_1(const struct vcpu *vcpu, u32 *ecx, u32 *edx)
{
	*ecx = with_bits(*ecx, F1C_OSXSAVE, vcpu->cr4 & X86_CR4_OSXSAVE);
	if (unlikely(!vm_has_quirk(vcpu->vm, MINIKVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT)))
		*ecx = with_bits(*ecx, F1C_MONITOR,
				 vcpu->msr.misc_enable & MSR_IA32_MISC_ENABLE_MWAIT);
	*edx = with_bits(*edx, F1D_APIC, vcpu->apic_base & MSR_IA32_APICBASE_ENABLE);
}

/**
 * cpuid_adjust - bring what follows the vCPU's state in an entry up to date
 * @vcpu: whose
 * @function: EAX
 * @index: ECX
 * @e: its answer as the VMM has it
 */
void cpuid_adjust(struct vcpu *vcpu, u32 function, u32 index, struct minikvm_cpuid_entry2 *e)
{
	struct cpuid_answers t = table_of(vcpu);

	if (function == 1)
		adjust_leaf_1(vcpu, &e->ecx, &e->edx);
	else if (function == 7 && !index)
		e->ecx = with_bits(e->ecx, F7C_OSPKE, vcpu->cr4 & X86_CR4_PKE);
	else if (function == 0xd && !index)
		e->ebx = cpuid_xstate_size(&t, vcpu->xcr0, false);
	else if (function == 0xd && index == 1 && (e->eax & FD1A_XSAVEC))
		e->ebx = cpuid_xstate_size(&t, vcpu->xcr0, true);
	else if (function && function == vcpu->pv.leaf &&
		 (READ_ONCE(vcpu->vm->exits_off) & MINIKVM_X86_DISABLE_EXITS_HLT))
		e->eax &= ~PV_UNHALT;
}

/* The levels of a topology leaf that are not there: the level's number, and the APIC ID. */
static void no_such_level(struct vcpu *vcpu, u32 function, u32 index,
			  struct minikvm_cpuid_entry2 *e)
{
	const struct minikvm_cpuid_entry2 *first;

	if (function != 0xb && function != 0x1f)
		return;
	first = cpuid_find(vcpu, function, 1);
	if (!first)
		return;
	e->ecx = index & 0xff;
	e->edx = first->edx;
}

static void cpuid_answer(struct vcpu *vcpu, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	vcpu->regs[RAX] = eax;
	vcpu->regs[RBX] = ebx;
	vcpu->regs[RCX] = ecx;
	vcpu->regs[RDX] = edx;
}

/* Any function and index. */
static noinline void cpuid_search(struct vcpu *vcpu, u32 function, u32 index)
{
	struct cpuid_answers t = table_of(vcpu);
	const struct minikvm_cpuid_entry2 *found = cpuid_table_find(&t, function, index);
	struct minikvm_cpuid_entry2 e = { };

	if (!found)
		found = cpuid_table_beyond(&t, &function, index);
	if (found) {
		e = *found;
		cpuid_adjust(vcpu, function, index, &e);
	} else {
		no_such_level(vcpu, function, index, &e);
	}
	cpuid_answer(vcpu, e.eax, e.ebx, e.ecx, e.edx);
}

/*
 * Clever: cpuid-index: delete this and all still works, 111 instructions slower (row T1a).
 * Functions that have one entry, whatever the index, are found by their number.
 */
static const struct minikvm_cpuid_entry2 *cpuid_indexed(const struct vcpu *vcpu, u32 function)
{
	u32 low = function & ~0x80000000, place;

	if (low >= CPUID_INDEXED)
		return NULL;
	place = vcpu->cpuid_index[function >> 31][array_index_nospec(low, CPUID_INDEXED)];
	return place ? &vcpu->cpuid_sorted[place - 1] : NULL;
}

/* Is it one of those? Then it is answered. */
static bool cpuid_query_indexed(struct vcpu *vcpu, u32 function)
{
	const struct minikvm_cpuid_entry2 *found = cpuid_indexed(vcpu, function);
	u32 ecx, edx;

	if (unlikely(!found))
		return false;
	ecx = found->ecx;
	edx = found->edx;
	if (function == 1)
		adjust_leaf_1(vcpu, &ecx, &edx);
	cpuid_answer(vcpu, found->eax, found->ebx, ecx, edx);
	return true;
}
/* Clever ends: cpuid-index */

/**
 * cpuid_query - the CPUID instruction
 * @vcpu: EAX and ECX have the question; all four get the answer
 *
 * Context: interrupts off or on.
 */
void cpuid_query(struct vcpu *vcpu)
{
	u32 function = vcpu->regs[RAX];

	/* Clever: cpuid-index */
	if (cpuid_query_indexed(vcpu, function))
		return;
	/* Clever ends: cpuid-index */
	cpuid_search(vcpu, function, vcpu->regs[RCX]);
}

/** cpuid_has_mwait - MONITOR and MWAIT, as CPUID says now; @vcpu loaded */
bool cpuid_has_mwait(struct vcpu *vcpu)
{
	const struct minikvm_cpuid_entry2 *leaf = cpuid_find(vcpu, 1, 0);
	u32 ecx = leaf ? leaf->ecx : 0, edx = 0;

	adjust_leaf_1(vcpu, &ecx, &edx);
	return ecx & F1C_MONITOR;
}

/**
 * cpuid_now - an entry as the guest sees it at this moment
 * @vcpu: whose
 * @i: its place in the VMM's order
 *
 * As KVM's GET_CPUID2: the bits and sizes that follow CR4 and XCR0 are up to date.
 */
struct minikvm_cpuid_entry2 cpuid_now(struct vcpu *vcpu, u32 i)
{
	struct minikvm_cpuid_entry2 e = vcpu->cpuid[i];

	cpuid_adjust(vcpu, e.function, e.index, &e);
	return e;
}
