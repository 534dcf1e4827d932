/* SPDX-License-Identifier: GPL-2.0 */
/* What CPUID says to the guest. */
#ifndef CPUID_H
#define CPUID_H

#include <stdint.h>

/* Descriptors of the device and of a vCPU, and the vCPU's number. */
void cpuid_set(int device, int vcpu, uint32_t id);

#endif
