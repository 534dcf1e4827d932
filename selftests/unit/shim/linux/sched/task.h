/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_TASK_H
#define SHIM_LINUX_SCHED_TASK_H

struct task_struct;

/* The test's threads. */
void get_task_struct(struct task_struct *thread);
void put_task_struct(struct task_struct *thread);
int yield_to(struct task_struct *thread, bool preempt);

#endif
