/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trap flag of a VMM that steps its guest: whose is the one in RFLAGS? Pure.
 *
 * Ours is in RFLAGS only within RUN, so that nobody else has to look through it. While an
 * event is being handled it is in the frame on the guest's stack, as it would be with the
 * guest's own: the step ends after the handler's return.
 */
#ifndef MINIKVM_CPU_DEBUG_STEP_H
#define MINIKVM_CPU_DEBUG_STEP_H

#include <linux/types.h>
#include <asm/processor-flags.h>

#include "../parts.h"

/* RUN begins. Return: RFLAGS. */
static inline u64 debug_step_put(struct guest_debug *d, u64 rflags)
{
	if (d->step != STEP_DUE)
		return rflags;
	d->step = STEP_OUT;
	d->tf = rflags & X86_EFLAGS_TF;
	return rflags | X86_EFLAGS_TF;
}

/* An instruction that clears the flag clears the guest's; any other leaves that as it was. */
static inline u64 debug_step_hide(const struct guest_debug *d, u64 rflags)
{
	return d->tf ? rflags : rflags & ~(u64)X86_EFLAGS_TF;
}

/* RUN ends before the instruction does. Not to be seen in RFLAGS: in a frame, and stays there. */
static inline u64 debug_step_take(struct guest_debug *d, u64 rflags)
{
	if (d->step != STEP_OUT || !(rflags & X86_EFLAGS_TF))
		return rflags;
	d->step = STEP_DUE;
	return debug_step_hide(d, rflags);
}

/* The instruction is over: the next RUN is the next step, or, if @told is false, says so. */
static inline u64 debug_step_over(struct guest_debug *d, u64 rflags, bool told)
{
	if (d->step == STEP_OUT)
		rflags = debug_step_hide(d, rflags);
	if (d->step != STEP_OFF)
		d->step = told ? STEP_DUE : STEP_DONE;
	return rflags;
}

/* The VMM sets the registers: what it says of the flag, and where RIP goes, is the guest's. */
static inline void debug_step_set_regs(struct guest_debug *d, bool moved, u64 rflags)
{
	if (moved && d->step == STEP_DONE)
		d->step = STEP_DUE;
	if (d->step == STEP_OUT && (moved || (rflags & X86_EFLAGS_TF)))
		d->step = STEP_DUE;
}

#endif
