/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_IRQ_WORK_H
#define SHIM_LINUX_IRQ_WORK_H

struct irq_work { void (*func)(struct irq_work *work); };

#define init_irq_work(w, f)	((w)->func = (f))
#define irq_work_queue(w)	((w)->func(w))
#define irq_work_sync(w)	((void)(w))

#endif
