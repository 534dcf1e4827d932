/* SPDX-License-Identifier: GPL-2.0 */
/* A vCPU. */
#ifndef VCPU_H
#define VCPU_H

#include <pthread.h>

#include <linux/minikvm.h>

#include "stats.h"
#include "vm.h"

struct vcpu {
	struct vm *vm;
	uint32_t id;		/* and its APIC's */
	int fd;
	struct minikvm_run *run;	/* shared with the kernel */
	pthread_t thread;	/* the one that runs it */
	int failed;		/* RUN's errno, if it did */
	const char *crash;	/* what the guest did last, if it was that */
	/* With vm->hold_lock: */
	bool held, at_rest;	/* it is to rest; it does */
	bool tells;		/* this, to who debugs: */
	struct minikvm_debug_exit_arch told;	/* exception 0: it has crashed */
	struct run_stats stats;
};

void vcpu_create(struct vcpu *vcpu, struct vm *vm, uint32_t id);
/* At the end, on stderr: how it crashed, if it did. */
void vcpu_report(const struct vcpu *vcpu);

#endif
