/* SPDX-License-Identifier: GPL-2.0 */
/* The names of exits. */
#ifndef EXITS_H
#define EXITS_H

#include <stdint.h>

/* NULL for a number that has none. Of run->exit_reason: */
const char *exit_name(uint32_t reason);
/* Of the processor's own reasons: */
const char *hardware_exit_name(uint32_t reason);

#endif
