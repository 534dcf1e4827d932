/* SPDX-License-Identifier: GPL-2.0 */
/* Running a vCPU: a thread that loops over RUN and its exits. */
#ifndef RUN_H
#define RUN_H

#include "vcpu.h"

void vcpu_start(struct vcpu *vcpu);
/* Out of the guest, and the thread's end. vm->stop is set already, so that it stays out. */
void vcpu_join(struct vcpu *vcpu);

#endif
