/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_STRING_H
#define SHIM_LINUX_STRING_H

#include <string.h>

static inline const void *memchr_inv(const void *start, int c, size_t n)
{
	const unsigned char *p = start;

	for (; n; n--, p++) {
		if (*p != (unsigned char)c)
			return p;
	}
	return NULL;
}

#endif
