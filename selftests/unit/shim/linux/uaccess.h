/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_UACCESS_H
#define SHIM_LINUX_UACCESS_H

#include <linux/types.h>

#define __user

/* The lower half of the addresses is the user's. */
static inline bool access_ok(const void *addr, unsigned long size)
{
	unsigned long end;

	return !__builtin_add_overflow((unsigned long)addr, size, &end) && (long)end >= 0;
}

#endif
