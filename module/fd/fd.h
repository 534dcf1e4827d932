/* SPDX-License-Identifier: GPL-2.0 */
/* The three kinds of file descriptor. */
#ifndef MINIKVM_FD_H
#define MINIKVM_FD_H

#include "../minikvm.h"

/* dev.c: /dev/minikvm */
int dev_init(void);
void dev_exit(void);
long msrs_do(struct minikvm_msrs __user *user,
	     int (*one)(struct vcpu *vcpu, struct minikvm_msr_entry *e), struct vcpu *vcpu, bool get);

/* extensions.c */
long check_extension(long cap);

/* vm.c */
int vm_create_fd(unsigned long type);

/* stats_fd.c */
int vm_stats_fd(struct vm *vm);
int vcpu_stats_fd(struct vcpu *vcpu);
/* vm_events.c */
long vm_set_gsi_routing(struct vm *vm, struct minikvm_irq_routing __user *user);
long vm_signal_msi(struct vm *vm, void __user *argp);
long vm_irqfd(struct vm *vm, void __user *argp);
long vm_ioeventfd(struct vm *vm, void __user *argp);
long vm_coalesced_mmio(struct vm *vm, void __user *argp, bool add);

/* vm_caps.c */
long vm_enable_cap(struct vm *vm, void __user *argp);
long vm_set_msr_filter(struct vm *vm, void __user *argp, bool narrow);

/* X86_SET_MSR_FILTER as a 32-bit caller has it. */
struct msr_filter_32 {
	u32 flags;
	struct { u32 flags, nmsrs, base, bitmap; } ranges[MINIKVM_MSR_FILTER_MAX_RANGES];
};
#define SET_MSR_FILTER_32	_IOW(MINIKVMIO, 0xc6, struct msr_filter_32)

/* vcpu.c */
int vcpu_create_fd(struct vm *vm, unsigned long id);

/* vcpu_state.c */
long vcpu_state_ioctl(struct vcpu *vcpu, unsigned int ioctl, void __user *argp);

#endif
