/* SPDX-License-Identifier: GPL-2.0 */
/* RUN. */
#ifndef MINIKVM_RUN_H
#define MINIKVM_RUN_H

struct vcpu;

/* run.c */
int vcpu_run(struct vcpu *vcpu);

#endif
