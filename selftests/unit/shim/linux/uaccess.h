/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_UACCESS_H
#define SHIM_LINUX_UACCESS_H

#include <linux/types.h>

#define __user

/* Between the two no page is waited for. */
static int shim_no_faults __attribute__((unused));
#define pagefault_disable()	((void)shim_no_faults++)
#define pagefault_enable()	((void)shim_no_faults--)

/* The lower half of the addresses is the user's. */
static inline bool access_ok(const void *addr, unsigned long size)
{
	unsigned long end;

	return !__builtin_add_overflow((unsigned long)addr, size, &end) && (long)end >= 0;
}

/* LAM57, switched on. */
#define untagged_addr(addr)	((addr) & ~(0x3full << 57))

#endif
