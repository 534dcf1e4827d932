/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The names of exits, for all who show them: the module's tracepoints and counters, VMMs,
 * bench/. Each table is a macro that calls its argument for every row.
 */
#ifndef _UAPI_LINUX_MINIKVM_EXITS_H
#define _UAPI_LINUX_MINIKVM_EXITS_H

/*
 * Why the guest exited to the module: SDM "VMX Basic Exit Reasons". The module makes its
 * constants REASON_CPUID and so on of this table (module/vmx/vmx.h). A VMM meets the numbers
 * in fail_entry.hardware_entry_failure_reason and in the data of some internal errors.
 */
#define MINIKVM_HARDWARE_EXITS(X)	\
	X(0, EXCEPTION_NMI)		\
	X(1, EXTERNAL_INTR)		\
	X(2, TRIPLE_FAULT)		\
	X(3, INIT)			\
	X(4, SIPI)			\
	X(5, IO_SMI)			\
	X(6, OTHER_SMI)			\
	X(7, INTR_WINDOW)		\
	X(8, NMI_WINDOW)		\
	X(9, TASK_SWITCH)		\
	X(10, CPUID)			\
	X(11, GETSEC)			\
	X(12, HLT)			\
	X(13, INVD)			\
	X(14, INVLPG)			\
	X(15, RDPMC)			\
	X(16, RDTSC)			\
	X(17, RSM)			\
	X(18, VMCALL)			\
	X(19, VMCLEAR)			\
	X(20, VMLAUNCH)			\
	X(21, VMPTRLD)			\
	X(22, VMPTRST)			\
	X(23, VMREAD)			\
	X(24, VMRESUME)			\
	X(25, VMWRITE)			\
	X(26, VMXOFF)			\
	X(27, VMXON)			\
	X(28, CR_ACCESS)		\
	X(29, DR_ACCESS)		\
	X(30, IO)			\
	X(31, RDMSR)			\
	X(32, WRMSR)			\
	X(33, BAD_GUEST_STATE)		\
	X(34, BAD_MSR_LOAD)		\
	X(36, MWAIT)			\
	X(37, MTF)			\
	X(39, MONITOR)			\
	X(40, PAUSE)			\
	X(41, MACHINE_CHECK)		\
	X(43, TPR_BELOW)		\
	X(44, APIC_ACCESS)		\
	X(45, VIRTUAL_EOI)		\
	X(46, GDTR_IDTR)		\
	X(47, LDTR_TR)			\
	X(48, EPT_VIOLATION)		\
	X(49, EPT_MISCONFIG)		\
	X(50, INVEPT)			\
	X(51, RDTSCP)			\
	X(52, PREEMPTION_TIMER)		\
	X(53, INVVPID)			\
	X(54, WBINVD)			\
	X(55, XSETBV)			\
	X(56, APIC_WRITE)		\
	X(57, RDRAND)			\
	X(58, INVPCID)			\
	X(59, VMFUNC)			\
	X(60, ENCLS)			\
	X(61, RDSEED)			\
	X(62, PML_FULL)			\
	X(63, XSAVES)			\
	X(64, XRSTORS)			\
	X(66, SPP)			\
	X(67, UMWAIT)			\
	X(68, TPAUSE)			\
	X(69, LOADIWKEY)		\
	X(74, BUS_LOCK)			\
	X(75, NOTIFY)			\
	X(76, SEAMCALL)			\
	X(77, TDCALL)

/* Why RUN returned to the VMM: run->exit_reason is MINIKVM_EXIT_ and one of these. */
#define MINIKVM_USER_EXITS(X)		\
	X(UNKNOWN)			\
	X(EXCEPTION)			\
	X(IO)				\
	X(HYPERCALL)			\
	X(DEBUG)			\
	X(HLT)				\
	X(MMIO)				\
	X(IRQ_WINDOW_OPEN)		\
	X(SHUTDOWN)			\
	X(FAIL_ENTRY)			\
	X(INTR)				\
	X(SET_TPR)			\
	X(TPR_ACCESS)			\
	X(NMI)				\
	X(INTERNAL_ERROR)		\
	X(SYSTEM_EVENT)			\
	X(IOAPIC_EOI)			\
	X(X86_RDMSR)			\
	X(X86_WRMSR)			\
	X(DIRTY_RING_FULL)

#endif
