/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMX instructions, one inline function each. Only vmx/ includes this.
 *
 * None of them can fail at the call site: an instruction that fails (VMfail, or
 * a fault because VMX went off in an emergency reboot) counts in this CPU's
 * vmx_insn_failures, which the run loop looks at, and reads as 0.
 * SDM "VMX Instruction Reference".
 */
#ifndef MINIKVM_VMX_INSN_H
#define MINIKVM_VMX_INSN_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/asm.h>

#include "check.h"

DECLARE_PER_CPU(unsigned int, vmx_insn_failures);
#define PER_CPU_FAILURES "%%gs:vmx_insn_failures(%%rip)"

static __always_inline unsigned long vmx_vmread_unchecked(unsigned long field)
{
	unsigned long value;

	asm volatile("1:	vmread %[field], %[value]\n"
		     "	ja 3f\n"
		     "2:	xorl %k[value], %k[value]\n"
		     "	incl " PER_CPU_FAILURES "\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [value] "=&r" (value) : [field] "r" (field) : "cc");
	return value;
}

static __always_inline unsigned long vmx_vmread(unsigned long field)
{
	check_vmcs_access(field);
	return vmx_vmread_unchecked(field);
}

static __always_inline void vmx_vmwrite(unsigned long field, unsigned long value)
{
	check_vmcs_access(field);
	asm volatile("1:	vmwrite %[value], %[field]\n"
		     "	ja 3f\n"
		     "2:	incl " PER_CPU_FAILURES "\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : [value] "rm" (value), [field] "r" (field) : "cc", "memory");
}

/* VMPTRST: which VMCS is current? SDM: all ones if none is. */
static __always_inline u64 vmx_vmptrst(void)
{
	u64 pa = ~0ull;

	asm volatile("1:	vmptrst %[pa]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [pa] "+m" (pa));
	return pa;
}

/* The instructions that take an address in memory, and no result but failure. */
#define VMX_INSN_MEM(name, insn, check)					\
static __always_inline void name(const u64 *pa)				\
{									\
	check(*pa);							\
	asm volatile("1:	" insn " %[pa]\n"			\
		     "	ja 3f\n"					\
		     "2:	incl " PER_CPU_FAILURES "\n"	\
		     "3:\n"						\
		     _ASM_EXTABLE(1b, 2b)				\
		     : : [pa] "m" (*pa) : "cc", "memory");		\
}

VMX_INSN_MEM(vmx_vmclear, "vmclear", check_vmclear)
VMX_INSN_MEM(vmx_vmptrld, "vmptrld", check_vmptrld)
VMX_INSN_MEM(vmx_vmptrld_foreign, "vmptrld", check_vmptrld_foreign)

/* VMXON; true if it took. SDM "VMXON - Enter VMX Operation" */
static __always_inline bool vmx_vmxon(u64 pa)
{
	bool failed = true;

	asm volatile("1:	vmxon %[pa]\n"
		     "	setna %[failed]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [failed] "+q" (failed) : [pa] "m" (pa) : "cc", "memory");
	return !failed;
}

static __always_inline void vmx_vmxoff(void)
{
	check_vmxoff();
	asm volatile("1:	vmxoff\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : : "cc", "memory");
}

enum { INVEPT_SINGLE = 1, INVEPT_GLOBAL = 2 };
enum { INVVPID_SINGLE = 1 };

static __always_inline void vmx_invept(unsigned long type, u64 eptp)
{
	struct { u64 eptp, zero; } desc = { eptp, 0 };

	check_invept(type, eptp);
	asm volatile("1:	invept %[desc], %[type]\n"
		     "	ja 3f\n"
		     "2:	incl " PER_CPU_FAILURES "\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : [desc] "m" (desc), [type] "r" (type) : "cc", "memory");
}

static __always_inline void vmx_invvpid(unsigned long type, u16 vpid)
{
	struct { u64 vpid, gva; } desc = { vpid, 0 };

	check_invvpid(type, vpid);
	asm volatile("1:	invvpid %[desc], %[type]\n"
		     "	ja 3f\n"
		     "2:	incl " PER_CPU_FAILURES "\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : [desc] "m" (desc), [type] "r" (type) : "cc", "memory");
}

/* The host's LDTR: the kernel has helpers for these in some configurations only. */
static __always_inline u16 host_sldt(void)
{
	u16 selector;

	asm volatile("sldt %0" : "=rm" (selector));
	return selector;
}

static __always_inline void host_lldt(u16 selector)
{
	asm volatile("lldt %0" : : "rm" (selector));
}

#endif
