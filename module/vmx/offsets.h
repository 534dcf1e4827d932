/* SPDX-License-Identifier: GPL-2.0 */
/* Where entry.S finds what it needs in struct vcpu; enter.c asserts it. */
#define VCPU_REG(n)	((n) * 8)
#define VCPU_HOST_RSP	128
#define VCPU_SPEC_CTRL	136
#define VCPU_SPEC_CTRL_DIRECT 144
