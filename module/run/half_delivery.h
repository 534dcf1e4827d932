/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An emulated processor's fault, told from one of ours. Bochs, with more than one processor,
 * commits RIP only after it has looked for host interrupts. One that comes right after the
 * guest took an exception ends the guest with the handler's RSP and the old RIP, and with no
 * IDT-vectoring information: half a delivery. The guest does the instruction again, with a
 * wrong stack, and dies early. Only a build with DEBUG=1 looks for it. testbed/bochs mends the one
 * that it builds.
 */
#ifndef MINIKVM_RUN_HALF_DELIVERY_H
#define MINIKVM_RUN_HALF_DELIVERY_H

#include <linux/types.h>

#define HALF_DELIVERY_WORDS	6	/* an error code, RIP, CS, RFLAGS, RSP, SS */

/* RIP is the one to look for; what follows it can be a CS, flags (bit 1 is one), an SS. */
static inline bool half_delivery_frame(const u64 *frame, u64 rip)
{
	return frame[0] == rip && frame[1] && frame[1] <= 0xffff &&
	       (frame[2] & 2) && !(frame[2] >> 22) && frame[4] <= 0xffff;
}

/**
 * half_delivery_seen - does the stack hold the frame of an exception that has not begun?
 * @stack: the words at RSP of a guest in 64-bit mode
 * @rip: where it is
 *
 * A handler that runs is not where its frame says that it came from.
 */
static inline bool half_delivery_seen(const u64 stack[HALF_DELIVERY_WORDS], u64 rip)
{
	return half_delivery_frame(stack, rip) || half_delivery_frame(stack + 1, rip);
}

#endif
