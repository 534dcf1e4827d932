/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_H
#define SHIM_LINUX_SCHED_H

#include <signal.h>		/* sigset_t, pid_t */

struct task_struct;

#endif
