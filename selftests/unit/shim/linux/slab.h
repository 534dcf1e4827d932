/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <stdlib.h>
#include <string.h>

/* A test may define it first, to make an allocation fail. */
#ifndef shim_may_alloc
#define shim_may_alloc()	1
#endif

#define kzalloc(size, flags)	(shim_may_alloc() ? calloc(1, size) : NULL)
#define kcalloc(n, size, flags)	(shim_may_alloc() ? calloc(n, size) : NULL)
#define kvmalloc(size, flags)	(shim_may_alloc() ? malloc(size) : NULL)
#define kvzalloc(size, flags)	(shim_may_alloc() ? calloc(1, size) : NULL)
#define kvcalloc(n, size, flags) (shim_may_alloc() ? calloc(n, size) : NULL)
#define kmemdup(p, size, flags)	(shim_may_alloc() ? memcpy(malloc(size), p, size) : NULL)
#define kfree(p)		free(p)
#define kvfree(p)		free(p)
#define struct_size(p, member, n) (sizeof(*(p)) + (n) * sizeof((p)->member[0]))

#endif
