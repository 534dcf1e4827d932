/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KERNEL_H
#define SHIM_LINUX_KERNEL_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#ifndef min
#define min(a, b)	((a) < (b) ? (a) : (b))
#define max(a, b)	((a) > (b) ? (a) : (b))
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define swap(a, b)	do { typeof(a) was_ = (a); (a) = (b); (b) = was_; } while (0)
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define IS_ALIGNED(x, a) (!((x) & ((typeof(x))(a) - 1)))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#endif

#endif
