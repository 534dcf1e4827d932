/* SPDX-License-Identifier: GPL-2.0 */
/* A kernel that counts what threads wait. */
#define sched_info_on()		1
