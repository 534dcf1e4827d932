/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <asm/barrier.h>
#include "../shim.h"

typedef struct { int n; } atomic_t;
typedef struct { long long n; } atomic64_t;
#define atomic_read(a)		((a)->n)
#define atomic_inc(a)		((a)->n++)
#define atomic_dec(a)		((a)->n--)
#define atomic_fetch_add_unless(a, v, u) ({					\
	int shim_n = (a)->n;						\
	(a)->n += shim_n == (u) ? 0 : (v);				\
	shim_n;								\
})
#define atomic64_set(a, v)	((a)->n = (v))
#define atomic64_inc(a)		((a)->n++)

#endif
