/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MUTEX_H
#define SHIM_LINUX_MUTEX_H

#include <linux/spinlock.h>

struct mutex { bool held; };

#define mutex_init(l)		((l)->held = false)
#define mutex_lock(l)		shim_lock(l)
#define mutex_lock_killable(l)	({ shim_lock(l); 0; })
#define mutex_unlock(l)		shim_unlock(l)

#endif
