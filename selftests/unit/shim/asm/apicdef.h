/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_APICDEF_H
#define SHIM_ASM_APICDEF_H

#define APIC_TASKPRI	0x80
#define APIC_ISR	0x100
#define APIC_IRR	0x200

#endif
