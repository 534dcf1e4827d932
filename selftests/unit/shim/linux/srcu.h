/* SPDX-License-Identifier: GPL-2.0 */
/* One thread: nobody reads while somebody writes. */
#ifndef SHIM_LINUX_SRCU_H
#define SHIM_LINUX_SRCU_H

#include <linux/compiler.h>

struct srcu_struct { int readers; };

#define DEFINE_SRCU(name)		struct srcu_struct name
#define srcu_read_lock(s)		((s)->readers++)
#define srcu_read_unlock(s, idx)	((void)(idx), (s)->readers--)
#define srcu_dereference(p, s)		(p)
#define rcu_dereference_protected(p, c)	(p)
#define RCU_INIT_POINTER(p, v)		((p) = (v))
#define rcu_replace_pointer(p, v, c)	({ typeof(p) old_ = (p); (p) = (v); old_; })
#define synchronize_srcu_expedited(s)	((void)(s))

#endif
