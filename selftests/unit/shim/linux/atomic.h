/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ATOMIC_H
#define SHIM_ATOMIC_H

typedef struct { long long n; } atomic64_t;
#define atomic64_set(a, v)	((a)->n = (v))
#define atomic64_inc(a)		((a)->n++)

#endif
