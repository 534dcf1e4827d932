// SPDX-License-Identifier: GPL-2.0
/*
 * Logical addresses: from a segment and an offset to a linear address, with the
 * checks that the processor makes on this way, and the fault that the guest gets.
 * The first half of every access that an instruction's operand asks for and that
 * minikvm carries out; gva.c is the second. SDM "Logical Address and Linear Address".
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "../vmx/vmx.h"
#include "cpu.h"
#include "segcheck.h"

/* 64-bit code: segments have no limits. */
static u64 room64(const struct vcpu *vcpu, gva_t gva, u32 size)
{
	bool la57 = vcpu->cr4 & X86_CR4_LA57;

	return is_canonical(gva, la57) && is_canonical(gva + size - 1, la57) ? SEG_ROOM_ALL : 0;
}

static u64 room32(const struct vcpu *vcpu, const struct logical *l, unsigned int access)
{
	u32 ar = vmx_segment_access(l->seg), limit = vmx_segment_limit(l->seg);

	return segcheck_room(ar, limit, vcpu->cr0 & X86_CR0_PE, l->offset, access);
}

/**
 * logical_to_linear - check an operand against its segment, and find its linear address
 * @vcpu: loaded
 * @l: where; the offset has been cut to the address size
 * @size: of the operand
 * @access: ACCESS_READ or ACCESS_WRITE
 * @gva: result
 * @room: bytes from there on that the segment allows, at least @size; or NULL
 * @fault: #SS(0) or #GP(0) that the guest would get
 *
 * Context: does not sleep. Return: 0, or 1: *fault. SDM "Limit Checking",
 * "Type Checking", "Canonical Addressing".
 */
int logical_to_linear(struct vcpu *vcpu, const struct logical *l, u32 size, unsigned int access,
		      gva_t *gva, u64 *room, struct guest_fault *fault)
{
	u64 allowed;

	*gva = logical_linear(l);
	allowed = l->bits == 64 ? room64(vcpu, *gva, size) : room32(vcpu, l, access);
	if (room)
		*room = allowed;
	if (size <= allowed)
		return 0;
	*fault = (struct guest_fault) {
		.vector = l->seg == SEG_SS ? X86_TRAP_SS : X86_TRAP_GP,
	};
	return 1;
}
