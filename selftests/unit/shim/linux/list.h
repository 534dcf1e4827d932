/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_LIST_H
#define SHIM_LINUX_LIST_H

#include <linux/types.h>

#define INIT_LIST_HEAD(l)	((l)->next = (l)->prev = (l))

#endif
