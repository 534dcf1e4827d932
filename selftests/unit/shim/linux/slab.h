/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <stdlib.h>

#define kzalloc(size, flags)	calloc(1, size)
#define kfree(p)		free(p)

#endif
