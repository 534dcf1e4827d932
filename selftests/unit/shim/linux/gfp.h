/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_GFP_H
#define SHIM_LINUX_GFP_H

#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE		4096UL
#define get_zeroed_page(flags)	((unsigned long)memset(aligned_alloc(4096, 4096), 0, 4096))
#ifndef free_page		/* a test may want to hear of it */
#define free_page(p)		free((void *)(p))
#endif

#endif
