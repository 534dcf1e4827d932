/* SPDX-License-Identifier: GPL-2.0 */
/* The device node: whose it is, before it is opened. */
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>

#include "config.h"

/* Sets the default, and does not return if there is no such device, or not such a one. */
void node_check(struct config *c);
/* Whether it is kvm.ko's. */
bool node_is_kvm(const char *path);

#endif
