/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PRINTK_H
#define SHIM_LINUX_PRINTK_H

#include <stdio.h>

#define __printf(a, b)			__attribute__((format(printf, a, b)))
#define pr_err_ratelimited(...)		printf("# " __VA_ARGS__)
#define pr_info_ratelimited(...)	printf("# " __VA_ARGS__)

#endif
