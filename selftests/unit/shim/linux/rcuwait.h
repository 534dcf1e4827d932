/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_RCUWAIT_H
#define SHIM_LINUX_RCUWAIT_H

struct rcuwait { void *task; };

int rcuwait_wake_up(struct rcuwait *wait);	/* the test's */

#endif
