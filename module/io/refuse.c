// SPDX-License-Identifier: GPL-2.0
/*
 * What minikvm cannot do for the guest: the guest's instruction is undefined then, and a
 * VMM is told if the guest's kernel is to blame.
 */
#include <linux/string.h>
#include <asm/trapnr.h>

#include "../vmx/vmx.h"
#include "../minikvm.h"

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
 * refuse_report - the exit that says what minikvm cannot do
 * @vcpu: loaded, after the exit
 * @bytes: of the instruction, or NULL
 * @n: how many, 0 to INSN_MAX
 *
 * Words as KVM has them: flags; if there are bytes, their number and they themselves, in
 * two words; five of the exit. Return: EXIT_USER.
 */
int refuse_report(struct vcpu *vcpu, const void *bytes, int n)
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
 * refuse_insn - the guest wants of a device what minikvm cannot do
 * @vcpu: loaded, after the exit
 * @bytes: of the instruction at RIP, or NULL if it cannot be had
 * @n: how many, 0 to INSN_MAX
 *
 * A process in the guest must not be able to end it, and a kernel that runs again must get
 * somewhere: both get #UD, as with KVM. Return: verdict.
 */
int refuse_insn(struct vcpu *vcpu, const void *bytes, int n)
{
	event_exception(vcpu, X86_TRAP_UD);
	return vmx_cpl() ? EXIT_RESUME : refuse_report(vcpu, bytes, n);
}
