/* SPDX-License-Identifier: GPL-2.0 */
/* What a virtual CPU is: its registers, its events, and the memory that it names. */
#ifndef MINIKVM_CPU_H
#define MINIKVM_CPU_H

#include <asm/trapnr.h>

#include "../access.h"
#include "../minikvm.h"
#include "../vmx/vmx.h"
#include "msr_table.h"

/*
 * logical.c, gva.c: from a logical address to a linear one, and on to memory. The
 * fault that the guest would get is in *fault; return 0, or 1 with *fault filled
 * (inject it), or -errno.
 */
struct guest_fault {
	u8 vector;		/* 14 #PF, 13 #GP, 12 #SS; 0: none, execute it again */
	u32 error;
	gva_t addr;		/* CR2, for #PF */
};

struct logical {
	u8 seg;			/* SEG_* */
	u8 bits;		/* of the code segment: 16, 32, 64 */
	u64 offset;		/* cut to the address size */
};

/* Linear addresses have 32 bits, but in 64-bit code. */
static __always_inline gva_t linear_wrap(int bits, u64 addr)
{
	return bits == 64 ? addr : (u32)addr;
}

/* Without any check. In 64-bit code only FS and GS have a base. */
static __always_inline gva_t logical_linear(const struct logical *l)
{
	if (l->bits == 64 && l->seg != SEG_FS && l->seg != SEG_GS)
		return l->offset;
	return linear_wrap(l->bits, l->offset + vmx_segment_base(l->seg));
}

int logical_to_linear(struct vcpu *vcpu, const struct logical *l, u32 size, unsigned int access,
		      gva_t *gva, u64 *room, struct guest_fault *fault);
int gva_to_gpa(struct vcpu *vcpu, gva_t gva, unsigned int access, gpa_t *gpa,
	       struct guest_fault *fault);
int gva_read(struct vcpu *vcpu, gva_t gva, void *data, size_t len, unsigned int access,
	     struct guest_fault *fault);
bool gva_fetch_again(struct vcpu *vcpu, gva_t gva, int cpl, u64 bytes[2]); /* Clever: walk-cache */
void gva_inject(struct vcpu *vcpu, const struct guest_fault *fault);
void vcpu_translate(struct vcpu *vcpu, struct minikvm_translation *tr);

/* load.c: a thread takes a vCPU; KVM has functions of these names, and they do the same */
void vcpu_load(struct vcpu *vcpu);
void vcpu_put(struct vcpu *vcpu);

/* regs.c: general registers, RIP, RFLAGS; REGS ioctls */
unsigned long vcpu_reg(struct vcpu *vcpu, int reg);
gva_t vcpu_linear_rip(struct vcpu *vcpu);
void vcpu_set_reg(struct vcpu *vcpu, int reg, unsigned long val);
void vcpu_get_regs(struct vcpu *vcpu, struct minikvm_regs *regs);
int vcpu_set_regs(struct vcpu *vcpu, const struct minikvm_regs *regs);

/* cr.c: control registers and EFER */
unsigned long vcpu_cr0(struct vcpu *vcpu);
unsigned long vcpu_cr3(struct vcpu *vcpu);
unsigned long vcpu_cr4(struct vcpu *vcpu);
u64 vcpu_cr8(struct vcpu *vcpu);
/* 0, or 1: the value is not allowed, inject #GP */
int vcpu_set_cr0(struct vcpu *vcpu, unsigned long cr0);
int vcpu_set_cr4(struct vcpu *vcpu, unsigned long cr4);
int vcpu_set_cr8(struct vcpu *vcpu, u64 cr8);
int vcpu_set_efer(struct vcpu *vcpu, u64 efer);
int vcpu_load_efer(struct vcpu *vcpu, u64 efer);
bool vcpu_in_long_mode(struct vcpu *vcpu);	/* EFER.LMA */
int vcpu_code_bits(struct vcpu *vcpu);		/* 16, 32 or 64: default operand/address size */
struct code_mode { int bits, cpl; };
struct code_mode vcpu_code_mode(struct vcpu *vcpu);
struct control_regs { unsigned long cr0, cr3, cr4; u64 efer; };
bool cr_valid(const struct vcpu *vcpu, const struct control_regs *c);
void cr_load(struct vcpu *vcpu, const struct control_regs *c);

/* sync_regs.c: registers in the run page */
int sync_regs_in(struct vcpu *vcpu, u64 valid, u64 dirty);
void sync_regs_out(struct vcpu *vcpu);

/* sregs.c: SREGS ioctls, state after power-up and INIT */
void vcpu_get_sregs(struct vcpu *vcpu, struct minikvm_sregs *sregs);
int vcpu_set_sregs(struct vcpu *vcpu, const struct minikvm_sregs *sregs);
void vcpu_reset(struct vcpu *vcpu, bool init);	/* power-up, or INIT */

/* mp_state.c */
void mp_power_up(struct vcpu *vcpu);
void mp_take_starts(struct vcpu *vcpu);
bool mp_may_run(struct vcpu *vcpu);
u32 vcpu_get_mp_state(struct vcpu *vcpu);
int vcpu_set_mp_state(struct vcpu *vcpu, u32 state);

/* cpuid_set.c */
int cpuid_supported(struct minikvm_cpuid2 *cpuid, struct minikvm_cpuid_entry2 *entries);
int cpuid_set(struct vcpu *vcpu, struct minikvm_cpuid_entry2 *entries, u32 nent);
void cpuid_create(struct vcpu *vcpu);
void cpuid_free(struct vcpu *vcpu);

/* cpuid.c */
struct minikvm_cpuid_entry2 cpuid_now(struct vcpu *vcpu, u32 i);
const struct minikvm_cpuid_entry2 *cpuid_find(struct vcpu *vcpu, u32 function, u32 index);
void cpuid_adjust(struct vcpu *vcpu, u32 function, u32 index, struct minikvm_cpuid_entry2 *e);
void cpuid_query(struct vcpu *vcpu);
bool cpuid_has_mwait(struct vcpu *vcpu);

/*
 * msr.c: may run with interrupts off, never sleeps.
 * 0; 1, MSR_UNKNOWN: the guest gets #GP, an ioctl stops counting.
 * @host: asked by an ioctl (may set read-only ones), not by the guest.
 */
int msr_read(struct vcpu *vcpu, u32 index, u64 *data, bool host);
int msr_write(struct vcpu *vcpu, u32 index, u64 data, bool host);
void msr_init(void);
void msr_reset(struct vcpu *vcpu);
bool msr_listed(u32 index);	/* in GET_MSR_INDEX_LIST on this host */
int msr_feature_read(u32 index, u64 *data);

/* tsc.c: the guest's time stamp counter */
void vcpu_write_tsc(struct vcpu *vcpu, u64 data, bool host);
void vcpu_write_tsc_adjust(struct vcpu *vcpu, u64 data, bool host);
void vcpu_reset_tsc(struct vcpu *vcpu);
int vcpu_set_tsc_khz(struct vcpu *vcpu, u32 khz);
int vm_set_tsc_khz(struct vm *vm, u32 khz);
u64 vcpu_get_tsc_offset(const struct vcpu *vcpu);
void vcpu_set_tsc_offset(struct vcpu *vcpu, u64 offset);

/* msr_filter.c: what the VMM keeps from the guest */
bool msr_allowed(struct vcpu *vcpu, u32 index, bool write);
int msr_filter_take(struct vcpu *vcpu);

/* msr_switch.c */
void msr_switch_create(struct vcpu *vcpu);
void msr_reload(struct vcpu *vcpu, u32 index);
void msr_load_syscall(struct vcpu *vcpu);
void msr_switch_to_guest(struct vcpu *vcpu);	/* IRQs off: SYSCALL MSRs etc. of the guest */
void msr_save_guest(struct vcpu *vcpu);		/* before vmx_host_restore() */
void msr_switch_to_host(struct vcpu *vcpu);	/* after it */

/* fpu.c */
int fpu_init(void);
void fpu_exit(void);
int fpu_create(struct vcpu *vcpu);
void fpu_destroy(struct vcpu *vcpu);
void fpu_enter(struct vcpu *vcpu);	/* start of RUN: the thread takes the guest's FPU state */
void fpu_leave(struct vcpu *vcpu);	/* end of RUN */
void fpu_before_entry(struct vcpu *vcpu); /* IRQs off: registers are loaded; XCR0, PKRU */
void fpu_after_exit(struct vcpu *vcpu);	/* IRQs off: the host's XCR0, PKRU */
u64 fpu_supported_xcr0(void);
int fpu_get(struct vcpu *vcpu, struct minikvm_fpu *fpu);
int fpu_set(struct vcpu *vcpu, const struct minikvm_fpu *fpu);
void fpu_get_xsave(struct vcpu *vcpu, struct minikvm_xsave *xsave);
int fpu_set_xsave(struct vcpu *vcpu, const struct minikvm_xsave *xsave);
int fpu_set_xcr0(struct vcpu *vcpu, u64 xcr0);
void fpu_get_xcrs(struct vcpu *vcpu, struct minikvm_xcrs *xcrs);
int fpu_set_xcrs(struct vcpu *vcpu, const struct minikvm_xcrs *xcrs);

/* events.c: what waits to be delivered */
void event_exception(struct vcpu *vcpu, u8 vector);
void event_exception_error(struct vcpu *vcpu, u8 vector, u32 error);
static inline void event_inject_gp(struct vcpu *vcpu)	/* #GP(0) */
{
	event_exception_error(vcpu, X86_TRAP_GP, 0);
}

void event_page_fault(struct vcpu *vcpu, gva_t addr, u32 error);
int event_interrupt(struct vcpu *vcpu, u32 vector);	/* INTERRUPT ioctl */
bool event_takes_interrupts(struct vcpu *vcpu);
bool event_can_take_interrupt(struct vcpu *vcpu);	/* IF, shadow, nothing in the way */
bool event_waiting(struct vcpu *vcpu);			/* a halted vCPU would wake */
void event_inject(struct vcpu *vcpu);			/* IRQs off, before each entry with something to do */
void event_after_exit(struct vcpu *vcpu, const struct vmexit *exit); /* IDT-vectoring info */
void event_limit_nmis(struct vcpu *vcpu);
void event_reset(struct vcpu *vcpu);

/* event_state.c: what a VMM saves and restores */
void event_interrupt_again(struct vcpu *vcpu, u8 vector); /* SET_SREGS, SET_VCPU_EVENTS */
int event_interrupt_in_flight(struct vcpu *vcpu);	/* GET_*: vector or -1 */
void vcpu_get_events(struct vcpu *vcpu, struct minikvm_vcpu_events *events);
int vcpu_set_events(struct vcpu *vcpu, const struct minikvm_vcpu_events *events);

/* debug.c */
#define DR6_ONES	0xffff0ff0ull	/* SDM "Debug Status Register (DR6)" */
#define DR6_DETECT	BIT_ULL(13)
#define DR7_DETECT	BIT_ULL(13)	/* SDM "Debug Control Register (DR7)" */
void debug_before_entry(struct vcpu *vcpu);	/* IRQs off */
void debug_after_exit(struct vcpu *vcpu);	/* IRQs off: host breakpoints back */
void debug_lend(struct vcpu *vcpu);		/* IRQs off */
void debug_take_back(struct vcpu *vcpu);	/* IRQs off */
void debug_reset(struct vcpu *vcpu);
void debug_use_drs(struct vcpu *vcpu);
void debug_exception_delivered(struct vcpu *vcpu);
u64 debug_get_dr(struct vcpu *vcpu, int n);
int debug_set_dr(struct vcpu *vcpu, int n, u64 value);
void vcpu_get_debugregs(struct vcpu *vcpu, struct minikvm_debugregs *dr);
int vcpu_set_debugregs(struct vcpu *vcpu, const struct minikvm_debugregs *dr);

/* guest_debug.c: the VMM debugs the guest */
int vcpu_set_guest_debug(struct vcpu *vcpu, const struct minikvm_guest_debug *debug);
void guest_debug_run_begin(struct vcpu *vcpu);
void guest_debug_run_end(struct vcpu *vcpu);
int guest_debug_report(struct vcpu *vcpu, u8 vector, u64 dr6);
int guest_debug_trapped(struct vcpu *vcpu, u64 dr6);
int guest_debug_stepped(struct vcpu *vcpu);
void guest_debug_step_done(struct vcpu *vcpu);
void guest_debug_set_regs(struct vcpu *vcpu, bool moved, u64 rflags);

static inline bool guest_debug_steps(const struct vcpu *vcpu)
{
	return vcpu->debug.control & MINIKVM_GUESTDBG_SINGLESTEP;
}

/* Is a #DB the VMM's business? Nobody can say whose it is, so then all are. */
static inline bool guest_debug_takes_db(const struct vcpu *vcpu)
{
	return vcpu->debug.control & (MINIKVM_GUESTDBG_SINGLESTEP | MINIKVM_GUESTDBG_USE_HW_BP);
}

#endif
