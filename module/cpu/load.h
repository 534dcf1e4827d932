/* SPDX-License-Identifier: GPL-2.0 */
/* load.c: a thread takes a vCPU. KVM has functions of these names, and they do the same. */
#ifndef MINIKVM_CPU_LOAD_H
#define MINIKVM_CPU_LOAD_H

struct vcpu;

void vcpu_load(struct vcpu *vcpu);
void vcpu_put(struct vcpu *vcpu);

#endif
