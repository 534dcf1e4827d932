// SPDX-License-Identifier: GPL-2.0
/* A build with DEBUG=1 says when an emulator delivered half an exception: see the header. */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/printk.h>

#include "exit.h"
#include "half_delivery.h"

static bool half_delivered(struct vcpu *vcpu)
{
	u64 stack[HALF_DELIVERY_WORDS];
	struct guest_fault fault;

	if (vcpu_code_bits(vcpu) != 64)
		return false;
	if (gva_read(vcpu, vmcs_read_guest_rsp(), stack, sizeof(stack), ACCESS_READ, &fault))
		return false;
	return half_delivery_seen(stack, vmcs_read_guest_rip());
}

/* exit_interrupt - as exit_resume(); a run in which this says something proves nothing */
int exit_interrupt(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (!(exit->idt_info & INTR_INFO_VALID) && half_delivered(vcpu))
		pr_warn_ratelimited("vCPU %u: the emulator delivered half an exception: run again\n",
				    vcpu->id);
	return EXIT_RESUME;
}
