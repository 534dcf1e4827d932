/* SPDX-License-Identifier: GPL-2.0 */
/* Nothing: the time is that of <linux/hrtimer.h>. */
