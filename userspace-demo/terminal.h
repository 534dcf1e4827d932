/* SPDX-License-Identifier: GPL-2.0 */
/* Standard input and output, as the terminal of a serial port. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "loop.h"
#include "serial.h"
#include "stop.h"

/* What is typed goes to @serial from now on; at the end of the process all is as it was. */
void terminal_start(struct loop *loop, struct serial *serial, struct stop *stop);
/* A byte of the guest's output. */
void terminal_put(uint8_t byte);
/* What is still to be shown is shown, and the terminal is the caller's again. */
void terminal_end(void);

#endif
