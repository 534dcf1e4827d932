/* SPDX-License-Identifier: GPL-2.0 */
#ifndef cond_resched
#define cond_resched()		((void)0)
#define need_resched()		0
#endif
