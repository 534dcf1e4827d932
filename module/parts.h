/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of struct vm and struct vcpu that are structs of their own, by the folder that owns
 * them. They lie on the ground, so that the two objects can be laid out without a look at
 * the floors above. Pure: pure files and unit tests take them from here, too.
 */
#ifndef MINIKVM_PARTS_H
#define MINIKVM_PARTS_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/kvm_types.h>	/* gva_t gpa_t gfn_t hva_t */
#include <linux/types.h>

struct task_struct;

/* ---- vmx/ */

/**
 * struct vmexit - one exit, as the processor reported it
 *
 * Taken once with interrupts off; only the fields that the exit table names
 * for the reason are read, the others hold stale values. See SDM "VM-Exit
 * Information Fields".
 */
struct vmexit {
	u32 reason;		/* basic reason in bits 15:0, bit 31: failed entry */
	u32 intr_info;		/* exception or NMI that exited */
	u32 intr_error;		/* its error code */
	u32 idt_info;		/* event whose delivery was under way */
	u32 idt_error;		/* its error code */
	u64 qualification;
	u64 gpa;		/* EPT violations */
};

/* What an entry for one instruction changes, to be put back: vmx/step.c. */
struct step_state {
	u64 eptp;		/* of that entry; 0: there is none */
	bool quiet;		/* every exception exits */
	u16 held;		/* then: vmx_apicv_hold() */
	u32 windows;		/* of proc_controls */
	bool trap;		/* by the guest's TF; then: */
	u32 shadow;		/* of STI or MOV SS */
	unsigned long rflags, pending_dbg;
	u64 debugctl;
};

#define PERF_MSRS	8	/* as many as perf names on any processor with EPT */

/* SDM "VM-Entry Controls for MSRs", "VM-Exit Controls for MSRs" */
struct msr_load {
	u32 index;
	u32 reserved;
	u64 value;
} __aligned(16);
static_assert(sizeof(struct msr_load) == 16);

/**
 * struct perf_switch - what an entry and an exit load, and what the end of the row gives back
 */
struct perf_switch {
	struct msr_load entry[PERF_MSRS];
	struct msr_load exit[PERF_MSRS];
	u8 entries, exits;	/* rows in use */
	bool pebs;		/* PEBS_ENABLE is 0 until perf_end() */
};

/* Whose fault: only we write controls and host state, a VMM can write most of the guest's. */
enum entry_part { RULES_FINE, RULES_CONTROLS, RULES_HOST, RULES_GUEST };

/**
 * struct entry_verdict - the first rule that is broken
 * @part: of the VMCS; RULES_FINE: none is
 * @what: the field, "guest TR"
 * @rule: what it must be, "type must be 11 (busy 64-bit TSS) in IA-32e mode"
 */
struct entry_verdict {
	enum entry_part part;
	const char *what, *rule;
};

#ifdef MINIKVM_DEBUG

/* What SDM "Software Use of the VMCS and Related Structures" knows of a VMCS. */
enum vmcs_state { VMCS_FRESH, VMCS_CLEAR, VMCS_ACTIVE, VMCS_LAUNCHED };

/* Host state that an exit, or the way out of the guest loop, must bring back. */
struct host_print {
	u64 cr0, cr4, dr7, debugctl, efer, fs_base, gs_base, gdtr_base, tr, xcr0;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 s_cet, u_cet;
	u64 cr3, idtr_base, pat, xss, spec_ctrl, pkru;
};

struct lent_print {
	u64 star, lstar, sfmask, tsc_aux, kernel_gs_base;
	u64 gdtr_limit, ldtr, ds, es, fs, gs, fs_base;
};

/* In struct vcpu. */
struct vcpu_check {
	enum vmcs_state state;		/* of its VMCS; changes where that is active */
	int active_cpu;			/* of its VMCS, or -1 */
	struct task_struct *owner;	/* the thread that works on it, or NULL */
	int vpid_cpu;			/* no translation of its VPID from elsewhere is here; or -1 */
	bool rules_due;			/* its state may have become one that cannot be entered */
	unsigned int events_left;	/* to check in this RUN */
	struct entry_verdict verdict;	/* of check_entry_rules() */
	struct host_print host;		/* before a row of entries */
	struct lent_print lent;		/* before the thread's first row on this CPU */
};

#define CHECK_CPUS	64		/* those beyond are not looked at */

/* In struct vm. */
struct vm_check {
	atomic64_t synced_gen;		/* ept_gen of the last flush that is over */
	u64 flushed_gen[CHECK_CPUS];	/* ept_gen as of this CPU's last INVEPT of the VM; 0: none */
};

#endif

/* ---- pv/ */

/**
 * struct vm_clock - the VM's clock, by a moment at which it is known
 * @ns: what it showed then
 * @tsc: host_tsc() then
 * @boot: CLOCK_BOOTTIME then, in ns
 * @lost: what of @tsc is tsc_lost
 * @by_tsc: it goes on with the TSC, not with CLOCK_BOOTTIME
 */
struct vm_clock {
	u64 ns, tsc, boot;
	u64 lost;
	bool by_tsc;
};

/**
 * struct pv_state - what a guest that knows that it is one has asked for
 * @system_time: MSR_KVM_SYSTEM_TIME: where it has its clock [m to write, others look]
 * @stopped: the clock is to say that the VMM has stopped the guest [m]
 * @wall_due: the wall clock is to be written [m]
 * @steal_time: MSR_KVM_STEAL_TIME [m]
 * @steal_seen: what the thread had waited when the guest was told last [m]
 * @steal_thread: which thread [m]; only ever compared
 * @eoi: MSR_KVM_PV_EOI_EN [m]
 * @eoi_place: where the last offer was made [m]
 * @eoi_offered: by the entry, and no exit has seen what became of it [m]
 * @features: what CPUID shows of KVM's [m]
 * @leaf: in which function; 0: in none [m]
 * @enforced: what it does not show is not there [m]
 */
struct pv_state {
	u64 system_time;
	bool stopped;
	bool wall_due;
	bool eoi_offered;
	bool enforced;
	u32 features, leaf;
	u64 steal_time, steal_seen;
	const void *steal_thread;
	u64 eoi, eoi_place;
};

/* ---- mm/ */

#define EPT_AROUND_MAX	32	/* pages that one fault maps in a row of faults */
#define EPT_CACHE_MAX	4	/* tables that one mapping can need: 5 levels less the root */

/**
 * struct ept - the tables of one VM
 */
struct ept {
	u64 *root;
	int levels;		/* 4 or 5 */
	unsigned long tables;	/* tables below the root, the retired ones not */
	u64 *retired;		/* unlinked; the processor may still walk them until a flush */
	bool stale;		/* rights were taken that the processor may still have cached */
#ifdef MINIKVM_DEBUG
	bool lost;		/* the same, seen from the entries: ept_note_loss() */
#endif
};

/* Tables allocated before the lock was taken. */
struct ept_cache {
	u64 *table[EPT_CACHE_MAX];
	int n;
};

struct minikvm_dirty_gfn;

/**
 * struct dirty_ring - pages that were written, for the VMM to take
 * @entry: shared with the VMM
 * @size: entries, a power of two; 0: there is no ring
 * @soft: entries in use with which the VMM is told
 * @pushed: entries that there ever were; the vCPU's thread counts
 * @reset: entries that the VMM has given back; vm->slots_lock
 */
struct dirty_ring {
	struct minikvm_dirty_gfn *entry;
	u32 size, soft;
	u32 pushed, reset;
};

/* ---- cpu/ */

/* An event on its way into the guest (exception, NMI or interrupt). */
struct queued_exception {
	bool pending;		/* not delivered; may be replaced by a #DF merge */
	bool injected;		/* delivery began and was interrupted: deliver again */
	bool has_error;
	u8 vector;
	u32 error;
};

struct vcpu_events {
	struct queued_exception exception;
	struct {
		bool injected;	/* vector is to be delivered at the next entry */
		bool soft;	/* INT n: RIP moves past it */
		u8 vector;
	} interrupt;
	bool nmi_injected;
	u8 soft_insn_len;	/* length of the INT n / INT3 / INTO being delivered again */
	bool sent;		/* the last entry carried an event */
	int extint;		/* vector of the INTERRUPT ioctl that waits, or -1 */
};

/* Where the trap flag is that steps for the VMM. */
enum debug_step {
	STEP_OFF,		/* there is none */
	STEP_DUE,		/* RFLAGS is the guest's: the next RUN sets the flag */
	STEP_OUT,		/* in RFLAGS, or in the frame of an event whose handler runs */
	STEP_DONE,		/* the instruction is over; the next RUN says so */
};

/* Instructions that save or load the trap flag: cpu/debug_insn.h. */
enum debug_insn_kind {
	DEBUG_PLAIN, DEBUG_PUSHF, DEBUG_POPF, DEBUG_IRET, DEBUG_SYSCALL, DEBUG_SYSRET,
};

struct debug_insn {
	u8 kind;	/* enum debug_insn_kind */
	u8 len;		/* bytes, but of the last two kinds */
	u8 size;	/* of FLAGS on the stack */
};

/**
 * struct guest_debug - how the VMM debugs the guest
 * @control: MINIKVM_GUESTDBG_*, or 0
 * @step: where our trap flag is
 * @tf: the guest's own one, while ours is out
 * @insn: the one that is to be stepped
 * @rip: its linear address
 * @loads_tf: of one that loads the trap flag: what it loads
 * @dr: DR0 to DR3 that the processor gets: the VMM's, or the guest's
 * @dr7: likewise; as in the VMCS
 */
struct guest_debug {
	u32 control;
	enum debug_step step;
	bool tf;
	struct debug_insn insn;
	u64 rip;
	bool loads_tf;
	u64 dr[4], dr7;
};

#define MSR_MCE_BANKS	32	/* that a guest may have */

/**
 * struct msr_rules - what a valid value is for this guest, on this host
 * @has: MSR_HAS_*
 * @maxphyaddr: width of a guest physical address
 * @va_bits: width of a linear address that the processor takes, 48 or 57
 */
struct msr_rules {
	u32 has;
	u8 maxphyaddr;
	u8 va_bits;
};

/* What SYSCALL uses, as the processor has it: cpu/msr_switch.c */
struct syscall_msrs {
	u64 star, lstar, sfmask;
};

/**
 * struct msr_state - the MSRs of one vCPU that are words in memory
 *
 * The first group is also in the processor while the vCPU's thread is.
 */
struct msr_state {
	u64 star, lstar, cstar, sfmask, tsc_aux, kernel_gs_base;

	u64 tsc_adjust;
	u64 misc_enable;
	u64 feat_ctl;
	u64 arch_capabilities;
	u64 platform_info;
	u64 misc_features;
	u64 ucode_rev;
	u64 power_ctl;
	u64 smi_count;
	u64 hwcr;
	u64 mcg_cap, mcg_status, mcg_ctl;
	u64 mce_banks[MSR_MCE_BANKS][4];	/* CTL STATUS ADDR MISC */
	struct {
		u64 deftype;
		u64 fixed[11];
		u64 var[8][2];		/* base, mask */
	} mtrr;				/* stored, not interpreted: memory is WB under EPT */
	struct msr_rules rules;		/* derived from CPUID */
};

#define WALK_READS	5	/* entries that a walk reads at most */

/* Clever: walk-cache */
#define WALK_CACHE_SIZE	4

/* An entry of the walk cache: a page walk and what it has read, cpu/gva.c. */
struct cached_walk {
	u64 page;		/* linear address / PAGE_SIZE + 1; 0: none */
	gpa_t gpa;		/* of that page */
	hva_t hva;		/* likewise; 0: no memory there */
	unsigned long cr0, cr3, cr4;
	u64 efer;
	u64 slots_gen;
	u8 access;
	u32 pkru;
	bool ac;
	u8 maxphyaddr;
	u8 size;		/* of an entry */
	u8 n;			/* entries */
	struct walk_entry { hva_t hva; u64 value; } entry[WALK_READS];
};
/* Clever ends: walk-cache */

/* ---- io/ */

/* What an iteration of a string instruction does: io/string.c */
struct string_form {
	u8 size;		/* bytes of an element */
	u8 addr_size;		/* 2, 4 or 8: so many bytes of RSI, RDI and RCX count */
	u8 seg;			/* SEG_*, for RSI */
	bool rep;
	bool reads, writes;	/* memory: at RSI, at ES:RDI */
};

/* An I/O access that waits for the VMM's answer. */
struct pio_state {
	u16 port;
	u8 size;
	bool in;
	struct string_form string;	/* of INS and OUTS; stale for the others */
	u32 count;		/* values that the VMM is asked for */
	u32 done;		/* of these, how many are in memory */
};

#define INSN_ROOM	16	/* for the bytes of one, in two words */

struct insn {
	u8 op;			/* enum insn_op */
	u8 len;			/* bytes */
	u8 size;		/* of the memory operand: 1, 2, 4, 8 */
	u8 reg_size;		/* of the register operand; differs for MOVZX, MOVSX */
	u8 other;		/* enum insn_other */
	u8 reg;			/* register operand */
	bool reg_high;		/* it is AH, CH, DH or BH: bits 15:8 of reg */
	bool to_mem;		/* memory is the destination */
	bool reads, writes;	/* memory */
	bool string;		/* MOVS, STOS, LODS: addressed by RSI, RDI */
	bool rep;		/* REP or REPNE */
	bool rip_relative;
	bool has_rex;
	u8 addr_size;		/* 2, 4, 8 */
	u8 seg;			/* segment register, SEG_* order */
	u8 base, index;		/* registers of the address, or INSN_NO_REG */
	u8 scale;		/* shift count */
	s64 disp;
	u64 imm;		/* sign-extended to the operand size */
};

/* A memory operand on its way, see io/side.c: part of struct vcpu. */
struct side_piece {
	u64 gpa;
	u8 len;
	u8 at;				/* where in the value it begins: byte */
	bool device;			/* EPT has just said that there is no memory */
	bool written;			/* to memory, or to a chip */
};

struct side {
	struct side_piece piece[2];	/* two if it crosses a page */
	u8 n, done;
	u64 value;
};

/* What some bytes were decoded to; no bytes, no instruction: len is 0. */
struct insn_decoded {
	u64 bytes[2];
	int bits;
	struct insn insn;
};

#define INSN_DECODED	4

struct emulate_state {
	u64 gva;			/* of the access that exited */
	const struct insn *insn;	/* one of @decoded */
	struct insn_decoded decoded[INSN_DECODED]; /* of the drivers' few loops */
	int bits;			/* of the code segment: 16, 32, 64 */
	u64 bytes[INSN_ROOM / sizeof(u64)]; /* at RIP */
	int n;				/* so many of them are known */
	struct side read, write;
};

/* ---- run/ */

#define EXIT_REASONS	78	/* basic exit reasons that have a row in the table and a counter */

struct vcpu_stats {
	u64 exits[EXIT_REASONS];	/* by basic exit reason */
	u64 unknown_exits;
	u64 entries;
	u64 user_exits;
	u64 irq_injected;
	u64 nmi_injected;
	u64 exception_injected;
	u64 halt_wait;
	u64 ept_faults;
	u64 mmio;
	u64 pio;
	u64 tlb_flush;
	u64 guest_ticks;		/* counted only if built with MINIKVM_GUEST_TICKS */
};

#endif
