/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PREEMPT_H
#define SHIM_LINUX_PREEMPT_H

#define preempt_disable()	((void)0)
#define preempt_enable()	((void)0)

struct preempt_notifier { const void *ops; };

#endif
