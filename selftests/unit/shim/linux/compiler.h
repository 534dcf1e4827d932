/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_COMPILER_H
#define SHIM_LINUX_COMPILER_H

#ifndef READ_ONCE
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))
#endif

#ifndef __init
#define __init
#define __ro_after_init
#define __aligned(n)		__attribute__((aligned(n)))
#define __cold
#define noinline
#define noinline_for_stack
#define __rcu
#define likely(x)		(x)
#define unlikely(x)		(x)
#endif

#endif
