/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 8254 as a register file: pit_regs.c has the counting rules, pit.c the
 * clock, the timer and the lock. Compiles in userspace, too.
 */
#ifndef IRQCHIP_PIT_REGS_H
#define IRQCHIP_PIT_REGS_H

#include <linux/types.h>

#include "../../uapi/linux/minikvm.h"

#define PIT_HZ		1193182		/* 14.31818 MHz / 12 */
#define PIT_CHANNELS	3

/**
 * struct pit_regs - an 8254
 * @channel: in the layout of GET_PIT2; count is never 0
 * @flags: MINIKVM_PIT_FLAGS_*
 */
struct pit_regs {
	struct minikvm_pit_channel_state channel[PIT_CHANNELS];
	u32 flags;
};

/**
 * struct pit_now - the time, for those rules that need it
 * @ns: now
 * @elapsed0: ns since channel 0 began its current count: its phase is the timer's
 */
struct pit_now {
	s64 ns;
	s64 elapsed0;
};

void pit_regs_init(struct pit_regs *pit, s64 ns);
void pit_regs_load(struct pit_regs *pit, unsigned int index, u32 count, s64 ns);
bool pit_regs_write(struct pit_regs *pit, unsigned int port, u8 val, const struct pit_now *now);
u8 pit_regs_read(struct pit_regs *pit, unsigned int port, const struct pit_now *now);
void pit_regs_write_speaker(struct pit_regs *pit, u8 val, s64 ns);
u8 pit_regs_read_speaker(const struct pit_regs *pit, const struct pit_now *now);
bool pit_regs_periodic(const struct pit_regs *pit);
u64 pit_regs_interval(const struct pit_regs *pit);

#endif
