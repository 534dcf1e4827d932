// SPDX-License-Identifier: GPL-2.0
/*
 * What minikvm cannot do for the guest, and how a VMM is told: MINIKVM_EXIT_INTERNAL_ERROR.
 */
#include <linux/string.h>
#include <asm/trapnr.h>

#include "../cpu/cpu.h"
#include "../vmx/vmx.h"
#include "decode.h"
#include "io.h"

/**
 * report_internal_error - tell the VMM that the guest did what minikvm cannot do
 * @vcpu: whose run page to fill
 * @suberror: MINIKVM_INTERNAL_ERROR_*
 * @ndata: words in @data
 * @data: what helps to find out, documented per suberror
 *
 * Return: EXIT_USER.
 */
int report_internal_error(struct vcpu *vcpu, u32 suberror, u32 ndata, const u64 *data)
{
	struct minikvm_run *run = vcpu->run;
	u32 i;

	run->exit_reason = MINIKVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = ndata;
	for (i = 0; i < ndata; i++)
		run->internal.data[i] = data[i];
	return EXIT_USER;
}

/* How the last exit came about: reason, qualification, event under delivery, event, error. */
static void put_exit(struct vcpu *vcpu, __u64 *data)
{
	u32 info = vmcs_read_exit_intr_info();
	const u32 has_error = INTR_INFO_VALID | INTR_INFO_ERROR_CODE;

	data[0] = vcpu->exit.reason;
	data[1] = vcpu->exit.qualification;
	data[2] = vcpu->exit.idt_info;
	data[3] = info;
	data[4] = (info & has_error) == has_error ? vmcs_read_exit_intr_error() : 0;
}

/**
 * report_emulation - the exit that says what minikvm cannot do
 * @vcpu: loaded, after the exit
 * @bytes: of the instruction, or NULL
 * @n: how many, 0 to INSN_MAX
 *
 * Words as KVM has them: flags; if there are bytes, their number and they themselves, in
 * two words; five of the exit. Return: EXIT_USER.
 */
int report_emulation(struct vcpu *vcpu, const void *bytes, int n)
{
	struct minikvm_run *run = vcpu->run;
	int at = 1, i;
	u64 data[5];

	run->exit_reason = MINIKVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = MINIKVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.flags = 0;
	if (n) {
		run->emulation_failure.flags =
			MINIKVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size = n;
		memset(run->emulation_failure.insn_bytes, 0x90, INSN_MAX);
		memcpy(run->emulation_failure.insn_bytes, bytes, n);
		at += 2;
	}
	put_exit(vcpu, data);
	for (i = 0; i < ARRAY_SIZE(data); i++)
		run->internal.data[at + i] = data[i];
	run->emulation_failure.ndata = at + ARRAY_SIZE(data);
	return EXIT_USER;
}

/**
 * report_insn - the guest wants of a device what minikvm cannot do
 * @vcpu: loaded, after the exit
 * @bytes: of the instruction at RIP, or NULL if it cannot be had
 * @n: how many, 0 to INSN_MAX
 *
 * A process in the guest must not be able to end it, and a kernel that runs again must get
 * somewhere: both get #UD, as with KVM; unless the VMM has asked for the exit, to do the rest
 * itself. Return: verdict.
 */
int report_insn(struct vcpu *vcpu, const void *bytes, int n)
{
	if (READ_ONCE(vcpu->vm->emulation_exits))
		return report_emulation(vcpu, bytes, n);
	event_exception(vcpu, X86_TRAP_UD);
	return vmx_cpl() ? EXIT_RESUME : report_emulation(vcpu, bytes, n);
}
