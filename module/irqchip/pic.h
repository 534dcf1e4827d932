/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 8259 pair as a state machine: pic.c. irqchip.c owns it, locks it and acts
 * on the fields that say what happened. Compiles in userspace, too.
 */
#ifndef IRQCHIP_PIC_H
#define IRQCHIP_PIC_H

#include <linux/types.h>

#include "../../uapi/linux/minikvm.h"
#include "lines.h"

#define PIC_LINES	16

/**
 * struct pic - two 8259s, the second on line 2 of the first
 * @chip: master, slave, in the layout of GET_IRQCHIP
 * @holders: of each line, as line_drive() has them
 * @output: the master's INT pin; may be read without the lock
 * @raised: INT went up; the owner clears it and wakes a CPU
 * @acked: lines whose interrupt ended; the owner clears them
 * @unmasked: lines whose mask was lifted; the owner clears them
 */
struct pic {
	struct minikvm_pic_state chip[2];
	u8 holders[PIC_LINES];
	bool output;
	bool raised;
	u16 acked;
	u16 unmasked;
};

void pic_init(struct pic *pic);
int pic_set_line(struct pic *pic, unsigned int line, bool level);
int pic_drive_line(struct pic *pic, unsigned int line, enum irq_source source, bool level);
u8 pic_take(struct pic *pic);
void pic_write(struct pic *pic, u16 port, u8 val);
u8 pic_read(struct pic *pic, u16 port);
void pic_set_chip(struct pic *pic, unsigned int index, const struct minikvm_pic_state *state);

#endif
