/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks of what an emulator, or a processor on a good day, forgives: make DEBUG=1. In any
 * other build the functions below are empty, and no structure has a field for them.
 *
 * A check that fails says in one sentence which rule was broken and by which vCPU, as a
 * warning. Only what a VMM may do by its ioctls is a mere line in the log.
 */
#ifndef MINIKVM_CHECK_H
#define MINIKVM_CHECK_H

#include <linux/types.h>

#include "../parts.h"

struct task_struct;
struct vm;
struct vcpu;

#ifdef MINIKVM_DEBUG

/* check.c: the warning itself; @vm and @vcpu may be NULL */
void check_failed(const struct vm *vm, const struct vcpu *vcpu, const char *fmt, ...) __printf(3, 4);

/* check.c: the state of each VMCS, at every VMX instruction: before it */
void check_vmclear(u64 pa);
void check_vmptrld(u64 pa);
void check_vmptrld_foreign(u64 pa);
void check_vmcs_access(unsigned long field);
void check_vmxoff(void);
void check_all_out(void);
void check_host_msrs(struct vcpu *vcpu);
void check_invept(unsigned long type, u64 eptp);
void check_invvpid(unsigned long type, u16 vpid);

/* check.c: who works on a vCPU, and its life */
void check_vmcs_create(struct vcpu *vcpu);
void check_vmcs_destroy(struct vcpu *vcpu);
void check_owner(struct vcpu *vcpu, bool works);

/* check.c: flushes of a VM's EPT: from the new generation until nobody uses an older one */
u64 check_flush_begin(struct vm *vm);
void check_flush_end(struct vm *vm, u64 gen);
void check_unflushed(struct vm *vm, const char *when);

/* check.c: one entry; interrupts off */
void check_before_entry(struct vcpu *vcpu);
void check_after_entry(struct vcpu *vcpu);

/* check_entry.c: the rules of entry_rules.c, on the current VMCS */
void check_entry_rules(struct vcpu *vcpu);
bool check_entry_verdict(struct vcpu *vcpu, bool checked);

/* check_host.c: interrupts off, as is what lies between the two */
void check_host_begin(struct vcpu *vcpu);
void check_host_end(struct vcpu *vcpu);
void check_lent_begin(struct vcpu *vcpu);
void check_lent_end(struct vcpu *vcpu);

#else

static inline void check_vmclear(u64 pa) { }
static inline void check_vmptrld(u64 pa) { }
static inline void check_vmptrld_foreign(u64 pa) { }
static inline void check_vmcs_access(unsigned long field) { }
static inline void check_vmxoff(void) { }
static inline void check_all_out(void) { }
static inline void check_host_msrs(struct vcpu *vcpu) { }
static inline void check_invept(unsigned long type, u64 eptp) { }
static inline void check_invvpid(unsigned long type, u16 vpid) { }
static inline void check_vmcs_create(struct vcpu *vcpu) { }
static inline void check_vmcs_destroy(struct vcpu *vcpu) { }
static inline void check_owner(struct vcpu *vcpu, bool works) { }
static inline u64 check_flush_begin(struct vm *vm) { return 0; }
static inline void check_flush_end(struct vm *vm, u64 gen) { }
static inline void check_unflushed(struct vm *vm, const char *when) { }
static inline void check_before_entry(struct vcpu *vcpu) { }
static inline void check_after_entry(struct vcpu *vcpu) { }
static inline void check_host_begin(struct vcpu *vcpu) { }
static inline void check_host_end(struct vcpu *vcpu) { }
static inline void check_lent_begin(struct vcpu *vcpu) { }
static inline void check_lent_end(struct vcpu *vcpu) { }

#endif
#endif
