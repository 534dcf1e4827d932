/* SPDX-License-Identifier: GPL-2.0 */
/* The board: the devices of this machine. */
#ifndef BOARD_H
#define BOARD_H

#include "ports.h"
#include "serial.h"
#include "vm.h"

struct board {
	struct serial serial;
	struct pm pm;
	struct reset_port reset, keyboard;
	struct quiet_port clock;
};

/* Puts them on the VM's buses. The serial port's output goes to @put. */
void board_create(struct board *b, struct vm *vm, void (*put)(uint8_t byte));

#endif
