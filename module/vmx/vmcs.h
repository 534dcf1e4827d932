/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fields of the current VMCS by name, and the bits in them.
 *
 * vmcs_read_NAME() and vmcs_write_NAME() access the VMCS that is loaded on this
 * CPU: between vcpu_load() and vcpu_put(). The type of each accessor has
 * the width of its field, checked when compiling.
 * SDM "Field Encoding in VMCS", "VM-Execution Control Fields".
 */
#ifndef MINIKVM_VMCS_H
#define MINIKVM_VMCS_H

#include <linux/build_bug.h>
#include <linux/types.h>
#include "../../uapi/linux/minikvm_exits.h"
#include "insn.h"

/* Encoding bits 14:13 give the width: 16 bits, 64, 32, natural. */
#define VMCS_FIELD_WIDTH(enc)						\
	(((enc) >> 13 & 3) == 0 ? 2 : ((enc) >> 13 & 3) == 2 ? 4 : 8)

#define VMCS_FIELD(type, name, enc)					\
enum { VMCS_ENC_##name = (enc) };					\
static_assert(sizeof(type) == VMCS_FIELD_WIDTH(enc));			\
static __always_inline type vmcs_read_##name(void)			\
{									\
	return vmx_vmread(VMCS_ENC_##name);				\
}									\
static __always_inline void vmcs_write_##name(type value)		\
{									\
	vmx_vmwrite(VMCS_ENC_##name, value);				\
}

#define VMCS_FIELD_RO(type, name, enc)					\
static_assert(sizeof(type) == VMCS_FIELD_WIDTH(enc));			\
static __always_inline type vmcs_read_##name(void)			\
{									\
	return vmx_vmread(enc);						\
}

/* controls */
VMCS_FIELD(u16, vpid,			0x0000)
VMCS_FIELD(u16, guest_intr_status,	0x0810)
VMCS_FIELD(u16, pml_index,		0x0812)
VMCS_FIELD(u64, msr_bitmap,		0x2004)
VMCS_FIELD(u64, exit_msr_load_address,	0x2008)
VMCS_FIELD(u64, entry_msr_load_address,	0x200a)
VMCS_FIELD(u64, pml_address,		0x200e)
VMCS_FIELD(u64, tsc_offset,		0x2010)
VMCS_FIELD(u64, virtual_apic_address,	0x2012)
VMCS_FIELD(u64, eptp,			0x201a)
VMCS_FIELD(u64, eoi_exits0,		0x201c)
VMCS_FIELD(u64, eoi_exits1,		0x201e)
VMCS_FIELD(u64, eoi_exits2,		0x2020)
VMCS_FIELD(u64, eoi_exits3,		0x2022)
VMCS_FIELD(u64, encls_bitmap,		0x202e)
VMCS_FIELD(u64, tsc_multiplier,		0x2032)
VMCS_FIELD(u64, vmcs_link,		0x2800)
VMCS_FIELD(u32, pin_controls,		0x4000)
VMCS_FIELD(u32, proc_controls,		0x4002)
VMCS_FIELD(u32, exception_bitmap,	0x4004)
VMCS_FIELD(u32, pf_error_mask,		0x4006)
VMCS_FIELD(u32, pf_error_match,		0x4008)
VMCS_FIELD(u32, cr3_target_count,	0x400a)
VMCS_FIELD(u32, exit_controls,		0x400c)
VMCS_FIELD(u32, exit_msr_store_count,	0x400e)
VMCS_FIELD(u32, exit_msr_load_count,	0x4010)
VMCS_FIELD(u32, entry_controls,		0x4012)
VMCS_FIELD(u32, entry_msr_load_count,	0x4014)
VMCS_FIELD(u32, entry_intr_info,	0x4016)
VMCS_FIELD(u32, entry_error_code,	0x4018)
VMCS_FIELD(u32, entry_insn_len,		0x401a)
VMCS_FIELD(u32, tpr_threshold,		0x401c)
VMCS_FIELD(u32, proc2_controls,		0x401e)
VMCS_FIELD(u32, ple_gap,		0x4020)
VMCS_FIELD(u32, ple_window,		0x4022)
VMCS_FIELD(unsigned long, cr0_guest_host_mask, 0x6000)
VMCS_FIELD(unsigned long, cr4_guest_host_mask, 0x6002)
VMCS_FIELD(unsigned long, cr0_read_shadow, 0x6004)
VMCS_FIELD(unsigned long, cr4_read_shadow, 0x6006)

/* what an exit tells */
VMCS_FIELD_RO(u64, exit_gpa,		0x2400)
VMCS_FIELD_RO(u32, insn_error,		0x4400)
VMCS_FIELD_RO(u32, exit_reason,		0x4402)
VMCS_FIELD_RO(u32, exit_intr_info,	0x4404)
VMCS_FIELD_RO(u32, exit_intr_error,	0x4406)
VMCS_FIELD_RO(u32, exit_idt_info,	0x4408)
VMCS_FIELD_RO(u32, exit_idt_error,	0x440a)
VMCS_FIELD_RO(u32, exit_insn_len,	0x440c)
VMCS_FIELD_RO(u32, exit_insn_info,	0x440e)
VMCS_FIELD_RO(unsigned long, exit_qualification, 0x6400)
VMCS_FIELD_RO(unsigned long, exit_gva,	0x640a)

/* guest state; segments are indexed, see segment.c */
VMCS_FIELD(u64, guest_debugctl,		0x2802)
VMCS_FIELD(u64, guest_pat,		0x2804)
VMCS_FIELD(u64, guest_efer,		0x2806)
VMCS_FIELD(u64, guest_pdpte0,		0x280a)
VMCS_FIELD(u64, guest_pdpte1,		0x280c)
VMCS_FIELD(u64, guest_pdpte2,		0x280e)
VMCS_FIELD(u64, guest_pdpte3,		0x2810)
VMCS_FIELD(u32, guest_gdtr_limit,	0x4810)
VMCS_FIELD(u32, guest_idtr_limit,	0x4812)
VMCS_FIELD(u32, guest_cs_access,	0x4816)
VMCS_FIELD(u32, guest_ss_access,	0x4818)
VMCS_FIELD(u32, guest_interruptibility,	0x4824)
VMCS_FIELD(u32, guest_activity,		0x4826)
VMCS_FIELD(u32, guest_sysenter_cs,	0x482a)
VMCS_FIELD(u32, preemption_timer,	0x482e)
VMCS_FIELD(unsigned long, guest_cr0,	0x6800)
VMCS_FIELD(unsigned long, guest_cr3,	0x6802)
VMCS_FIELD(unsigned long, guest_cr4,	0x6804)
VMCS_FIELD(unsigned long, guest_cs_base, 0x6808)
VMCS_FIELD(unsigned long, guest_fs_base, 0x680e)
VMCS_FIELD(unsigned long, guest_gs_base, 0x6810)
VMCS_FIELD(unsigned long, guest_gdtr_base, 0x6816)
VMCS_FIELD(unsigned long, guest_idtr_base, 0x6818)
VMCS_FIELD(unsigned long, guest_dr7,	0x681a)
VMCS_FIELD(unsigned long, guest_rsp,	0x681c)
VMCS_FIELD(unsigned long, guest_rip,	0x681e)
VMCS_FIELD(unsigned long, guest_rflags,	0x6820)
VMCS_FIELD(unsigned long, guest_pending_dbg, 0x6822)
VMCS_FIELD(unsigned long, guest_sysenter_esp, 0x6824)
VMCS_FIELD(unsigned long, guest_sysenter_eip, 0x6826)

/* host state */
VMCS_FIELD(u16, host_es,		0x0c00)
VMCS_FIELD(u16, host_cs,		0x0c02)
VMCS_FIELD(u16, host_ss,		0x0c04)
VMCS_FIELD(u16, host_ds,		0x0c06)
VMCS_FIELD(u16, host_fs,		0x0c08)
VMCS_FIELD(u16, host_gs,		0x0c0a)
VMCS_FIELD(u16, host_tr,		0x0c0c)
VMCS_FIELD(u64, host_pat,		0x2c00)
VMCS_FIELD(u64, host_efer,		0x2c02)
VMCS_FIELD(u32, host_sysenter_cs,	0x4c00)
VMCS_FIELD(unsigned long, host_cr0,	0x6c00)
VMCS_FIELD(unsigned long, host_cr3,	0x6c02)
VMCS_FIELD(unsigned long, host_cr4,	0x6c04)
VMCS_FIELD(unsigned long, host_fs_base,	0x6c06)
VMCS_FIELD(unsigned long, host_gs_base,	0x6c08)
VMCS_FIELD(unsigned long, host_tr_base,	0x6c0a)
VMCS_FIELD(unsigned long, host_gdtr_base, 0x6c0c)
VMCS_FIELD(unsigned long, host_idtr_base, 0x6c0e)
VMCS_FIELD(unsigned long, host_sysenter_esp, 0x6c10)
VMCS_FIELD(unsigned long, host_sysenter_eip, 0x6c12)
VMCS_FIELD(unsigned long, host_rsp,	0x6c14)
VMCS_FIELD(unsigned long, host_rip,	0x6c16)

/* SDM "Pin-Based VM-Execution Controls" */
#define PIN_EXTERNAL_INTERRUPT		BIT(0)
#define PIN_NMI				BIT(3)
#define PIN_VIRTUAL_NMI			BIT(5)
#define PIN_PREEMPTION_TIMER		BIT(6)
#define PIN_POSTED_INTR			BIT(7)

/* SDM "Processor-Based VM-Execution Controls" */
#define PROC_INTERRUPT_WINDOW		BIT(2)
#define PROC_TSC_OFFSET			BIT(3)
#define PROC_HLT			BIT(7)
#define PROC_INVLPG			BIT(9)
#define PROC_MWAIT			BIT(10)
#define PROC_RDPMC			BIT(11)
#define PROC_CR3_LOAD			BIT(15)
#define PROC_CR3_STORE			BIT(16)
#define PROC_CR8_LOAD			BIT(19)
#define PROC_CR8_STORE			BIT(20)
#define PROC_TPR_SHADOW			BIT(21)
#define PROC_NMI_WINDOW			BIT(22)
#define PROC_MOV_DR			BIT(23)
#define PROC_UNCONDITIONAL_IO		BIT(24)
#define PROC_MTF			BIT(27)
#define PROC_MSR_BITMAP			BIT(28)
#define PROC_MONITOR			BIT(29)
#define PROC_SECONDARY			BIT(31)

#define PROC2_EPT			BIT(1)
#define PROC2_RDTSCP			BIT(3)
#define PROC2_X2APIC			BIT(4)
#define PROC2_VPID			BIT(5)
#define PROC2_WBINVD			BIT(6)
#define PROC2_UNRESTRICTED		BIT(7)
#define PROC2_APIC_REGISTERS		BIT(8)
#define PROC2_INTR_DELIVERY		BIT(9)
#define PROC2_PAUSE_LOOP		BIT(10)
#define PROC2_RDRAND			BIT(11)	/* exiting */
#define PROC2_INVPCID			BIT(12)
#define PROC2_ENCLS			BIT(15)
#define PROC2_RDSEED			BIT(16)	/* exiting */
#define PROC2_PML			BIT(17)
#define PROC2_TSC_SCALING		BIT(25)
#define PROC2_APICV	(PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_INTR_DELIVERY)
#define PROC2_GUEST	(PROC2_RDTSCP | PROC2_RDRAND | PROC2_INVPCID | PROC2_RDSEED)

/* SDM "VM-Exit Controls", "VM-Entry Controls" */
#define VMEXIT_SAVE_DEBUG		BIT(2)
#define VMEXIT_HOST_64			BIT(9)
#define VMEXIT_SAVE_PAT			BIT(18)
#define VMEXIT_LOAD_PAT			BIT(19)
#define VMEXIT_LOAD_EFER		BIT(21)
#define VMENTRY_LOAD_DEBUG		BIT(2)
#define ENTRY_IA32E			BIT(9)
#define VMENTRY_LOAD_PAT		BIT(14)
#define VMENTRY_LOAD_EFER		BIT(15)

/* SDM "VM-Entry Controls for Event Injection"; the same layout at exits */
#define INTR_INFO_VECTOR		0xffu
#define INTR_INFO_TYPE			0x700u
#define INTR_INFO_ERROR_CODE		BIT(11)
#define INTR_INFO_NMI_UNBLOCKING	BIT(12)
#define INTR_INFO_VALID			BIT(31)
#define INTR_TYPE_EXT			(0u << 8)
#define INTR_TYPE_NMI			(2u << 8)
#define INTR_TYPE_HARD_EXCEPTION	(3u << 8)
#define INTR_TYPE_SOFT_INTR		(4u << 8)
#define INTR_TYPE_PRIV_SW		(5u << 8)	/* ICEBP */
#define INTR_TYPE_SOFT_EXCEPTION	(6u << 8)	/* INT3, INTO */

/* SDM "Guest Non-Register State" */
#define INTERRUPTIBILITY_STI		BIT(0)
#define INTERRUPTIBILITY_MOV_SS		BIT(1)
#define INTERRUPTIBILITY_NMI		BIT(3)
#define SEGMENT_AR_DB			BIT(14)	/* of an access-rights field */
#define ACTIVITY_ACTIVE			0
#define PENDING_DBG_ENABLED		BIT(12)
#define PENDING_DBG_BS			BIT(14)

/* REASON_CPUID and so on: SDM "VMX Basic Exit Reasons" */
#define REASON(number, name)	REASON_##name = number,
enum exit_reason {
	MINIKVM_HARDWARE_EXITS(REASON)
};
#undef REASON
#define REASON_FAILED_ENTRY		BIT(31)

/* SDM "Exit Qualification for EPT Violations" */
#define EPT_QUAL_READ			BIT(0)
#define EPT_QUAL_WRITE			BIT(1)
#define EPT_QUAL_FETCH			BIT(2)
#define EPT_QUAL_GVA_VALID		BIT(7)
#define EPT_QUAL_FINAL			BIT(8)	/* the access, not a page walk */
#define EPT_QUAL_NMI_UNBLOCKING		BIT(12)

#endif
