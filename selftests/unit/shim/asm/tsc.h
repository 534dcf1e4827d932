/* SPDX-License-Identifier: GPL-2.0 */
#define tsc_khz 2000000U
