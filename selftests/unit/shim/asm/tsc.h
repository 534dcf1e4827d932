/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_TSC_H
#define SHIM_ASM_TSC_H

static const unsigned int tsc_khz = 2000000;

#endif
