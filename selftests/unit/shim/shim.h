/* SPDX-License-Identifier: GPL-2.0 */
/* What the headers of the pure files need where there is no kernel. */
#ifndef SHIM_H
#define SHIM_H

#include <errno.h>
#include <limits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#ifndef xchg
#define xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define try_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#endif

#endif
