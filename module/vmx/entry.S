/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into the guest and out again: the only assembly of the module.
 *
 * The order of the mitigations is that of the kernel's own documentation
 * (Documentation/admin-guide/hw-vuln): SPEC_CTRL, then VERW last before the
 * guest; RSB fill, SPEC_CTRL, branch history first after it, before any RET.
 */
#include <linux/linkage.h>
#include <linux/version.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>
#include "offsets.h"

#define VMCS_HOST_RSP	0x6c14

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
/* The kernel has its own of these two for KVM only. */
#define CLEAR_BRANCH_HISTORY	\
	ALTERNATIVE "", "call vmx_clear_branch_history", X86_FEATURE_CLEAR_BHB_VMEXIT
#else
#define CLEAR_BRANCH_HISTORY	CLEAR_BRANCH_HISTORY_VMEXIT
#endif

/* VERW clears the buffers if its operand is in memory: of a segment that can be written. */
.section .rodata
.Lverw_selector:
	.word __KERNEL_DS

.section .noinstr.text, "ax"


/*
 * int vmx_enter_guest(struct vcpu *vcpu, bool launched)
 *
 * VMLAUNCH or VMRESUME the current VMCS with the guest's registers. Returns 0
 * after an exit, 1 if the instruction failed. Interrupts off.
 */
SYM_FUNC_START(vmx_enter_guest)
	push %rbp
	mov  %rsp, %rbp
	push %r15
	push %r14
	push %r13
	push %r12
	push %rbx
	push %rdi			/* vcpu: HOST_RSP points here */

	/* The stack is the thread's: it rarely differs from last time. */
	cmp  %rsp, VCPU_HOST_RSP(%rdi)
	je   .Lrsp_done
	mov  %rsp, VCPU_HOST_RSP(%rdi)
	mov  $VMCS_HOST_RSP, %eax
.Lwrite_rsp:
	vmwrite %rsp, %rax
.Lrsp_done:

	/* No RET and no indirect branch from here to the guest. */
	ALTERNATIVE "jmp .Lentry_spec_done", "", X86_FEATURE_MSR_SPEC_CTRL
	mov  VCPU_SPEC_CTRL(%rdi), %eax
	cmp  PER_CPU_VAR(x86_spec_ctrl_current), %eax
	je   .Lentry_spec_done
	mov  $MSR_IA32_SPEC_CTRL, %ecx
	xor  %edx, %edx
	wrmsr
.Lentry_spec_done:

	bt   $0, %esi			/* launched: CF lives until the branch below */
	mov  VCPU_REG(1)(%rdi), %rcx
	mov  VCPU_REG(2)(%rdi), %rdx
	mov  VCPU_REG(3)(%rdi), %rbx
	mov  VCPU_REG(5)(%rdi), %rbp
	mov  VCPU_REG(6)(%rdi), %rsi
	mov  VCPU_REG(8)(%rdi), %r8
	mov  VCPU_REG(9)(%rdi), %r9
	mov  VCPU_REG(10)(%rdi), %r10
	mov  VCPU_REG(11)(%rdi), %r11
	mov  VCPU_REG(12)(%rdi), %r12
	mov  VCPU_REG(13)(%rdi), %r13
	mov  VCPU_REG(14)(%rdi), %r14
	mov  VCPU_REG(15)(%rdi), %r15
	mov  VCPU_REG(0)(%rdi), %rax
	mov  VCPU_REG(7)(%rdi), %rdi

	ALTERNATIVE "jmp .Lverw_done", "", X86_FEATURE_CLEAR_CPU_BUF
	verw .Lverw_selector(%rip)	/* changes ZF, not CF */
.Lverw_done:
	jnc  .Llaunch

	/* After the guest the processor comes back at vmx_exit_point. */
	UNWIND_HINT_SAVE
.Lresume:
	vmresume
	jmp  .Lfailed
.Llaunch:
	vmlaunch
	jmp  .Lfailed

	/* A reboot may have switched VMX off under us. */
	_ASM_EXTABLE(.Lwrite_rsp, .Lfailed)
	_ASM_EXTABLE(.Lresume, .Lfailed)
	_ASM_EXTABLE(.Llaunch, .Lfailed)

SYM_INNER_LABEL_ALIGN(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push %rax
	mov  8(%rsp), %rax		/* vcpu */
	pop  VCPU_REG(0)(%rax)
	mov  %rcx, VCPU_REG(1)(%rax)
	mov  %rdx, VCPU_REG(2)(%rax)
	mov  %rbx, VCPU_REG(3)(%rax)
	mov  %rbp, VCPU_REG(5)(%rax)
	mov  %rsi, VCPU_REG(6)(%rax)
	mov  %rdi, VCPU_REG(7)(%rax)
	mov  %r8,  VCPU_REG(8)(%rax)
	mov  %r9,  VCPU_REG(9)(%rax)
	mov  %r10, VCPU_REG(10)(%rax)
	mov  %r11, VCPU_REG(11)(%rax)
	mov  %r12, VCPU_REG(12)(%rax)
	mov  %r13, VCPU_REG(13)(%rax)
	mov  %r14, VCPU_REG(14)(%rax)
	mov  %r15, VCPU_REG(15)(%rax)
	xor  %ebx, %ebx			/* the result */

.Lclear:
	/* Nothing the guest chose stays in a register to speculate with. */
	xor  %eax, %eax
	xor  %ecx, %ecx
	xor  %edx, %edx
	xor  %esi, %esi
	xor  %edi, %edi
	xor  %ebp, %ebp
	xor  %r8d, %r8d
	xor  %r9d, %r9d
	xor  %r10d, %r10d
	xor  %r11d, %r11d
	xor  %r12d, %r12d
	xor  %r13d, %r13d
	xor  %r14d, %r14d
	xor  %r15d, %r15d

	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	pop  %rdi			/* vcpu */

	/* The host's SPEC_CTRL; with the kernel's own IBRS the write is the barrier. */
	ALTERNATIVE "jmp .Lexit_spec_done", "", X86_FEATURE_MSR_SPEC_CTRL
	cmpb $0, VCPU_SPEC_CTRL_DIRECT(%rdi)
	je   .Lexit_spec_known
	mov  $MSR_IA32_SPEC_CTRL, %ecx
	rdmsr				/* the guest may have written it */
	mov  %eax, VCPU_SPEC_CTRL(%rdi)
.Lexit_spec_known:
	mov  PER_CPU_VAR(x86_spec_ctrl_current), %eax
	ALTERNATIVE "", "jmp .Lexit_spec_write", X86_FEATURE_KERNEL_IBRS
	cmp  VCPU_SPEC_CTRL(%rdi), %eax
	je   .Lexit_spec_fence
.Lexit_spec_write:
	mov  $MSR_IA32_SPEC_CTRL, %ecx
	xor  %edx, %edx
	wrmsr
.Lexit_spec_fence:
	lfence
.Lexit_spec_done:

	CLEAR_BRANCH_HISTORY

	mov  %ebx, %eax
	pop  %rbx
	pop  %r12
	pop  %r13
	pop  %r14
	pop  %r15
	pop  %rbp
	RET

.Lfailed:
	mov  $1, %ebx
	jmp  .Lclear
SYM_FUNC_END(vmx_enter_guest)

/*
 * void vmx_host_nmi(void)
 *
 * An NMI ended the guest: run the host's handler as if it had come now. Its IRET
 * unblocks NMIs, which the exit left blocked.
 */
SYM_FUNC_START(vmx_host_nmi)
	int  $2
	RET
SYM_FUNC_END(vmx_host_nmi)

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
/*
 * Fills the processor's history of branches with branches of ours: more taken ones than the
 * longest history has (194). Uses RCX. Intel, "Branch History Injection and Intra-mode Branch
 * Target Injection", "Software BHB-clearing sequence".
 */
SYM_FUNC_START_LOCAL(vmx_clear_branch_history)
	mov  $100, %ecx
1:	jmp  2f
	int3
2:	sub  $1, %ecx
	jnz  1b
	lfence			/* no further before the last of them is decided */
	RET
SYM_FUNC_END(vmx_clear_branch_history)
#endif
