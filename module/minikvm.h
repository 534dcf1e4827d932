/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index of the module: its two objects (struct vm, struct vcpu) and the
 * prototypes of every function that another file calls, floor by floor and in
 * the order in which data flows. A file calls its own floor or a lower one.
 *
 *	6 fd   5 run   4 io   3 cpu, irqchip   2 mm   1 vmx   ground (this, uapi)
 *
 * The letter in brackets on a field says who may touch it:
 *	[c] constant once the object is published
 *	[m] vcpu->mutex, that is: the thread inside a vCPU ioctl
 *	[l] vm->lock
 *	[s] vm->slots_lock for writing; slots_read_lock() or notifier_lock for reading
 *	[e] vm->ept_lock
 *	[a] atomic or READ_ONCE/WRITE_ONCE; no lock
 *	[r] the thread in RUN with interrupts off
 *	[p] the thread inside a vCPU ioctl with preemption off
 */
#ifndef MINIKVM_H
#define MINIKVM_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kvm_types.h>	/* gva_t gpa_t gfn_t hva_t */
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <asm/desc_defs.h>
#include <asm/fpu/types.h>

#include "../uapi/linux/minikvm.h"
#include "access.h"
#include "cpu/msr_table.h"
#include "mm/ept.h"
#include "cpu/walk.h"
#include "io/decode.h"
#include "run/exit_rules.h"
#include "vmx/check.h"
#include "vmx/perf.h"
#include "vmx/tsc.h"

#define VM_MAX_VCPUS	16	/* in one VM */
#define VM_MAX_SLOTS	512	/* in one VM */
#define CPUID_MAX	256	/* entries that SET_CPUID2 takes */
#define MAX_IO_MSRS	256	/* entries of GET_MSRS and SET_MSRS, plus 1 */
#define RUN_PAGES	3	/* run page, PIO data, ring of coalesced MMIO (empty) */

struct vm;
struct vcpu;
struct lapic;
struct ioapic;
struct pic;
struct pit;
struct memslots;
struct vmcs;
struct step;

/* Numbers of the general purpose registers, as instructions encode them. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NR_GPRS };

/* Numbers of the segment registers, as instructions and the VMCS order them. */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, NR_SEGS };

/**
 * enum verdict - what an exit handler wants done next
 * @EXIT_USER: the run page is filled: RUN returns 0 to the VMM
 * @EXIT_RESUME: enter the guest again at the same RIP
 * @EXIT_SKIP: the instruction is done: move RIP past it, then enter again
 * @EXIT_WINDOW: as EXIT_RESUME, but host interrupts come first (only of a fast handler)
 * @EXIT_USER_SKIP: as EXIT_USER, but the instruction is done: RIP moves past it first
 * @EXIT_STEP: have the processor carry out the instruction on vcpu->step's pages
 *
 * A negative errno instead of a verdict: RUN returns it to the caller.
 */
enum verdict {
	EXIT_USER = 0, EXIT_RESUME = 1, EXIT_SKIP = 2, EXIT_WINDOW = 3, EXIT_USER_SKIP = 4,
	EXIT_STEP = 5,
};

/**
 * struct vmexit - one exit, as the processor reported it
 *
 * Taken once with interrupts off; only the fields that the exit table names
 * for the reason are read, the others hold stale values. See SDM "VM-Exit
 * Information Fields".
 */
struct vmexit {
	u32 reason;		/* basic reason in bits 15:0, bit 31: failed entry */
	u32 insn_len;		/* bytes, of the instruction that exited */
	u32 intr_info;		/* exception or NMI that exited */
	u32 intr_error;		/* its error code */
	u32 idt_info;		/* event whose delivery was under way */
	u32 idt_error;		/* its error code */
	u64 qualification;
	u64 gpa;		/* EPT violations */
	u64 gva;		/* EPT violations of device accesses: mmio_exit() has read it */
};

/* Bits of vcpu->requests: work for the vCPU thread before its next entry. */
enum {
	REQ_EVENT,		/* look at the interrupt chips again */
	REQ_KILL,		/* vm_kill() was called */
	REQ_TIMER,		/* the LAPIC timer expired */
	REQ_TRIPLE_FAULT,	/* cpu/events.c: a fault while delivering #DF */
};

/* Bits of vcpu->starts. An INIT takes back a SIPI that waits. */
enum { START_INIT, START_SIPI };

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

/* An I/O access that waits for the VMM's answer. */
struct pio_state {
	u16 port;
	u8 size;
	bool in;
	bool rep;		/* of a string */
	u8 addr_size;		/* of a string: 2, 4 or 8 bytes */
	u32 count;		/* values that the VMM is asked for */
	u32 done;		/* of these, how many are in memory */
};

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

/* What an entry for one instruction changes, to be put back: vmx/step.c. */
struct step_state {
	u64 eptp;		/* of that entry; 0: there is none */
	u32 exception_bitmap;
	u32 windows;		/* of proc_controls */
	bool trap;		/* by the guest's TF; then: */
	u32 shadow;		/* of STI or MOV SS */
	unsigned long rflags, pending_dbg;
	u64 debugctl;
};

/* A page walk and what it has read: cpu/gva.c. */
struct known_walk {
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
	struct walk_entry { gpa_t gpa; hva_t hva; u64 value; } entry[WALK_READS];
};

#define KNOWN_WALKS	4

#define CPUID_INDEXED	32	/* functions from 0 and from 0x80000000 that are found at once */

/**
 * struct vcpu - a virtual CPU: one VMCS, one run page, one fd
 */
struct vcpu {
	/* What entry and exit touch first. */
	unsigned long regs[NR_GPRS];	/* [m] RSP is in the VMCS; slot 4 unused. entry.S: offset 0 */
	unsigned long host_rsp;		/* [r] as in VMCS HOST_RSP; entry.S knows the offset */
	u64 spec_ctrl;			/* [m] the guest's IA32_SPEC_CTRL; entry.S knows the offset */
	bool spec_ctrl_direct;		/* [m] the guest writes it itself: each exit reads it; likewise */
	struct vmcs *vmcs;		/* [c] */
	u64 vmcs_pa;			/* [c] physical address of @vmcs */
	u64 *pml;			/* [c] page-modification log, or NULL */
	struct vm *vm;			/* [c] reference held */
	struct minikvm_run *run;	/* [c] shared with the VMM: read once */
	unsigned long requests;		/* [a] REQ_* */
	int guest_cpu;			/* [a] CPU in the guest loop, or -1: who sends kicks looks here */
	int cpu;			/* [p] CPU where @vmcs is loaded, or -1 */
	int last_cpu;			/* [p] CPU where it was loaded last: VPID and host fields */
	int entry_cpu;			/* [r] CPU of the last entry, for the VMM */
	bool launched;			/* [r] VMCLEAR resets it */
	bool loaded;			/* [m] between vcpu_load() and vcpu_put() */
	u16 vpid;			/* [c] 0: none */
	u32 proc_controls;		/* [r] as in the VMCS */
	u32 stay;			/* [p] as in the VMCS: preemption timer */
	u32 id;				/* [c] as given to CREATE_VCPU, the initial APIC ID */
	struct list_head loaded_link;	/* [r] list of VMCSs active on @cpu */
	unsigned long host_cr3;		/* [r] as in VMCS HOST_CR3 */
	unsigned long host_cr4;		/* [r] as in VMCS HOST_CR4 */
	unsigned long host_fs_base;	/* [r] as in VMCS HOST_FS_BASE */
	struct desc_ptr host_gdt;	/* [p] GDTR of @last_cpu, to put back in vmx_host_restore() */
	u16 host_fs_sel, host_gs_sel, host_ldt_sel, host_ds_sel, host_es_sel; /* [r] likewise */
	bool host_selectors;		/* [r] one of them is not null */
	bool host_loaded;		/* [r] between vmx_host_save() and vmx_host_restore() */
	bool l1d_flush;			/* [r] host data may be in the L1D: flush before the next entry */
	bool entry_failed;		/* [r] VMLAUNCH or VMRESUME itself failed (VMfail) */
	struct vmexit exit;		/* [m] the last one */
	struct perf_switch perf;	/* [r] what each entry and exit of the row loads */

	/* Control registers: the guest's view. Bits that the guest owns are in the VMCS. */
	unsigned long cr0;		/* [m] read through vcpu_cr0() */
	unsigned long cr4;		/* [m] read through vcpu_cr4() */
	unsigned long cr2;		/* [m] loaded and saved around each entry */
	u64 cr8;			/* [m] TPR 7:4 when the VMM has the LAPIC */
	u64 efer;			/* [m] with LMA */
	u64 xcr0;			/* [m] */
	u64 apic_base;			/* [m] IA32_APIC_BASE */

	/* MSRs kept in memory or switched with the thread: cpu/msr.c */
	struct msr_state msr;		/* [m] */
	u64 host_tsc_aux;		/* [p] of @last_cpu, to put back in msr_switch_to_host() */
	u64 host_kernel_gs_base;	/* [r] likewise, of the thread */
	bool syscall_loaded;		/* [r] STAR and its kin are the guest's */
	u64 tsc_offset;			/* [m] guest TSC - host_tsc() */
	u64 tsc_lost;			/* [p] the tsc_lost that the VMCS has as well */
	u32 tsc_khz;			/* [m] as the VMM has it: the host's, give or take 250 ppm */

	/* Debug registers: cpu/debug.c */
	u64 dr[4], dr6, dr7;		/* [m] guest's; in the CPU only while it runs */
	u64 host_debugctl;		/* [r] to put back in debug_after_exit() */

	struct vcpu_events events;	/* [m] cpu/events.c */
	atomic_t nmi_queued;		/* [a] NMIs that wait: 0..2 */
	struct fpu_guest fpu;		/* [m] cpu/fpu.c */
	struct step_state step_state;	/* [r] vmx/step.c */
	u32 pkru, host_pkru;		/* [r] PKRU, while the other one is in the CPU */

	/* CPUID: cpu/cpuid.c */
	struct minikvm_cpuid_entry2 *cpuid;	/* [m] as the VMM gave it, kvmalloc'd */
	struct minikvm_cpuid_entry2 *cpuid_sorted; /* [m] by function, then index */
	u32 cpuid_nent;			/* [m] */
	u16 cpuid_index[2][CPUID_INDEXED]; /* [m] place in @cpuid_sorted + 1, or 0: search */
	u8 maxphyaddr;			/* [m] derived from @cpuid, as what follows */
	bool has_x2apic, has_tsc_deadline; /* [m] for the local APIC */
	bool cpuid_locked;		/* [m] the vCPU ran: CPUID is final */
	unsigned long cr4_reserved;	/* [m] bits that this CPUID makes reserved */
	u64 efer_reserved;		/* [m] */
	u64 xcr0_allowed;		/* [m] */

	/* Guest memory: mm/ */
	u32 slots_seq;			/* [a] odd: this thread uses vm->slots */
	u32 slots_depth;		/* [m] nested slots_read_lock() */
	const struct memslot *slot_hit;	/* [m] found last under the outermost one, or NULL */
	struct ept_cache ept_cache;	/* [m] tables for the next fault */
	struct known_walk known_walk[KNOWN_WALKS]; /* [m] by linear address */
	gfn_t ahead_gfn;		/* [m] a fault here continues a row of faults */
	u32 ahead;			/* [m] pages that the last fault of the row mapped */
	struct page *ahead_page[EPT_AHEAD_MAX]; /* [m] of the fault that is being served */

	/* I/O in progress: run.c calls it first on the next RUN. */
	int (*complete)(struct vcpu *vcpu);	/* [m] verdict, as an exit handler's */
	struct pio_state pio;		/* [m] io/pio.c */
	struct mmio_state mmio;		/* [m] io/mmio.c, decode.h has the layout */
	struct step *step;		/* [m] io/step.c; NULL: never needed */

	/* Interrupt controller and halt */
	struct lapic *lapic;		/* [c] NULL: the VMM's own */
	u64 timer_deadline;		/* [m] guest TSC at which the run loop has its timer expire; 0: none */
	u32 mp_state;			/* [m] MINIKVM_MP_STATE_*: cpu/mp_state.c */
	u8 sipi_vector;			/* [a] written before START_SIPI */
	unsigned long starts;		/* [a] START_*: arrived, and not taken yet */
	struct rcuwait wait;		/* where a halted vCPU sleeps */
	struct task_struct *thread;	/* [a] in RUN, or NULL: run/spin.c */
	bool ready;			/* [a] @thread waits for a processor */

	struct mutex mutex;		/* one ioctl at a time; taken before vm->slots_lock */
	bool window_asked;		/* [m] request_interrupt_window of this RUN */
	bool vm_held;			/* [m] this RUN has a reference to @vm of its own */
	bool sigmask_active;		/* [m] */
	sigset_t sigmask;		/* [m] SET_SIGNAL_MASK, while in RUN */
	struct preempt_notifier notifier; /* [m] while loaded */
	struct page *run_pages;		/* [c] run page, PIO page, coalesced ring */
	void *pio_data;			/* [c] second page of @run_pages */
	struct list_head stats_link;	/* ground: list of all vCPUs for debugfs */
	struct vcpu_stats stats;	/* [m] read racily by debugfs */
#ifdef MINIKVM_DEBUG
	struct vcpu_check check;	/* vmx/check.h */
#endif
};

/**
 * struct vm - a virtual machine: guest physical memory, vCPUs, chips, one fd
 */
struct vm {
	struct mm_struct *mm;		/* [c] creator's, grabbed */
	refcount_t users;		/* [a] the VM fd and each vCPU fd */
	int dead;			/* [a] REASON of vm_kill(), or 0 */
	struct mutex lock;		/* creation of vCPUs and chips */
	struct vcpu *vcpus[VM_MAX_VCPUS]; /* [l] to write, READ_ONCE to read; slots fill from 0 */
	u32 nr_vcpus;			/* [a] smp_store_release after vcpus[] */
	u32 boosted;			/* [a] slot to which a spinning vCPU gave its time last */
	pid_t pid;			/* [c] of the creator, for debugfs */

	/* Memory: mm/ */
	struct mutex slots_lock;	/* slot changes, one at a time */
	rwlock_t notifier_lock;		/* MMU notifiers read @slots under it */
	struct memslots *slots;		/* [s] immutable snapshot */
	u64 slots_gen;			/* [s] how many there were before */
	bool logging;			/* [s] to write: one of @slots is logged */
	bool apic_page;			/* [s] no slot may be where the local APICs are */
	spinlock_t ept_lock;		/* @ept, @invalidate_*: ept_lock(), ept_unlock() */
	struct ept ept;			/* [e] */
	struct mmu_notifier notifier;	/* mm/notifier.c */
	unsigned long invalidate_seq;	/* [e] bumped when an invalidation ends */
	int invalidate_active;		/* [e] invalidations between start and end */
	hva_t invalidate_start, invalidate_end; /* [e] all active ones lie in between */
	atomic64_t ept_gen;		/* bumped after an EPT entry lost rights */
	u64 *cpu_ept_gen;		/* [r] per CPU: generation of its last INVEPT */
	u64 eptp;			/* [c] the EPT pointer for the VMCS */
	u8 gpa_bits;			/* [c] width of guest physical addresses */

	/* Chips: irqchip/. NULL: the VMM brings its own. */
	struct irqchip *irqchip;	/* [l] to write, smp_load_acquire to read */
	struct pit *pit;		/* [l] to write, smp_load_acquire to read */
	u32 tsc_khz;			/* [a] of vCPUs to come */
	u64 tsc_base;			/* [c] host_tsc() at creation: guests count from 0 */
	u64 tsc_shift;			/* [a] and a VMM that sets the TSC, from this: cpu/msr.c */
	int tsc_chosen;			/* [a] a VMM has set it */
#ifdef MINIKVM_DEBUG
	struct vm_check check;		/* vmx/check.h */
#endif
};

/* ------------------------------------------------------------ 1: vmx/ */

/* vmx/caps.c: what this processor can do */
int vmx_caps_init(void);
int vmx_caps_check(void);

/* vmx/vmxon.c: VMXON and VMXOFF on every CPU */
int vmxon_init(void);
void vmxon_exit(void);
int vmx_get(void);
void vmx_put(void);
extern bool vmx_going_down;
void vmx_flush_vpid(struct vcpu *vcpu);

/* vmx/vmcs.c: the VMCS of a vCPU */
int vmcs_init(void);
void vmcs_exit(void);
int vmcs_create(struct vcpu *vcpu);
void vmcs_destroy(struct vcpu *vcpu);
void vmcs_setup(struct vcpu *vcpu);
void vmcs_load(struct vcpu *vcpu, int cpu);
void vmx_load_tsc_offset(struct vcpu *vcpu);
void vmx_set_stay(struct vcpu *vcpu, u64 ticks);
const u64 *vmx_pml_take(struct vcpu *vcpu, unsigned int *n);
void vmcs_clear(struct vcpu *vcpu);
void vmx_spec_ctrl_direct(struct vcpu *vcpu);
enum {	/* instructions that VMX can keep from a guest */
	VMX_HAS_RDTSCP	= BIT(0),	/* and RDPID */
	VMX_HAS_INVPCID	= BIT(1),
	VMX_HAS_RDRAND	= BIT(2),
	VMX_HAS_RDSEED	= BIT(3),
};
void vmcs_set_features(struct vcpu *vcpu, u32 features);
void vmcs_set_interrupt_window(struct vcpu *vcpu, bool on);
void vmcs_set_nmi_window(struct vcpu *vcpu, bool on);

/* vmx/segment.c: guest segments in KVM's layout */
void vmx_get_segment(int seg, struct minikvm_segment *s);
void vmx_set_segment(int seg, const struct minikvm_segment *s);
int vmx_cpl(void);

/* vmx/enter.c: into the guest and back */
void vmx_row_begin(struct vcpu *vcpu);
void vmx_enter(struct vcpu *vcpu);
void vmx_row_end(void);
void vmx_host_save(struct vcpu *vcpu);
void vmx_host_restore(struct vcpu *vcpu);

/* vmx/step.c: one instruction */
bool vmx_step_is_exact(void);
void vmx_step_begin(struct vcpu *vcpu, u64 eptp, bool quiet);
void vmx_step_end(struct vcpu *vcpu);

/* vmx/mitigations.c */
int vmx_mitigations_init(void);
void vmx_mitigations_report(void);
void vmx_mitigations_exit(void);

/* ------------------------------------------------------------ 2: mm/ */

/* mm/memslot.c: guest physical memory as the VMM declares it */
struct memslot;
int memslots_create(struct vm *vm);
void memslots_destroy(struct vm *vm);
int memslot_set(struct vm *vm, const struct minikvm_userspace_memory_region *region);
int memslots_spare_apic(struct vm *vm);
const struct memslot *memslot_find(const struct memslots *slots, gfn_t gfn);

/* mm/notifier.c: the host takes memory back */
int notifier_create(struct vm *vm);
void notifier_destroy(struct vm *vm);

/*
 * mm/ept_fault.c: a guest access that EPT stopped.
 * ept_fault() sleeps. 0: mapped, enter again; EPT_FAULT_MMIO: no slot there, or
 * a write to a read-only one; -EFAULT, -EHWPOISON, -EINTR, -ENOMEM.
 */
#define EPT_FAULT_MMIO 1
int ept_fault(struct vcpu *vcpu, gpa_t gpa, unsigned int access);
void ept_fault_free(struct vcpu *vcpu);

/* mm/vm_ept.c: the EPT of a VM; who takes rights away lets go of it by ept_unlock() */
int ept_create(struct vm *vm);
void ept_destroy_vm(struct vm *vm);
void ept_lock(struct vm *vm);
void ept_unlock(struct vm *vm);
u64 ept_unmap_some(struct vm *vm, gfn_t gfn, u64 npages, unsigned int flags);
u64 *ept_table_alloc(void);
void ept_table_free(u64 *table);

/* mm/dirty_log.c */
void dirty_log_mark(const struct memslot *slot, gfn_t gfn);
int dirty_log_get(struct vm *vm, struct minikvm_dirty_log *log);
void dirty_log_flush(struct vcpu *vcpu);

/*
 * mm/guest_mem.c: the kernel reads and writes guest memory; sleeps.
 * 0; -ENXIO (no slot, or a write to a read-only one); -EFAULT (host page gone).
 */
hva_t guest_hva(struct vcpu *vcpu, gpa_t gpa);
int guest_read_word(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len);
int guest_read(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len);
int guest_write(struct vcpu *vcpu, gpa_t gpa, const void *data, size_t len);
int guest_cmpxchg(struct vcpu *vcpu, gpa_t gpa, u64 old, u64 new, size_t len);

/* ------------------------------------------------------------ 3: cpu/ */

/*
 * cpu/logical.c, cpu/gva.c: from a logical address to a linear one, and on to memory. The
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
	u64 offset;
};
int logical_to_linear(struct vcpu *vcpu, const struct logical *l, u32 size, unsigned int access,
		      gva_t *gva, u64 *room, struct guest_fault *fault);
int gva_to_gpa(struct vcpu *vcpu, gva_t gva, unsigned int access, gpa_t *gpa,
	       struct guest_fault *fault);
int gva_read(struct vcpu *vcpu, gva_t gva, void *data, size_t len, unsigned int access,
	     struct guest_fault *fault);
bool gva_fetch_again(struct vcpu *vcpu, gva_t gva, int cpl, u64 bytes[2]);
void gva_inject(struct vcpu *vcpu, const struct guest_fault *fault);
int vcpu_translate(struct vcpu *vcpu, struct minikvm_translation *tr);

/* cpu/regs.c: general registers, RIP, RFLAGS; REGS ioctls */
unsigned long vcpu_reg(struct vcpu *vcpu, int reg);
void vcpu_set_reg(struct vcpu *vcpu, int reg, unsigned long val);
void vcpu_get_regs(struct vcpu *vcpu, struct minikvm_regs *regs);
int vcpu_set_regs(struct vcpu *vcpu, const struct minikvm_regs *regs);

/* cpu/cr.c: control registers and EFER */
unsigned long vcpu_cr0(struct vcpu *vcpu);
unsigned long vcpu_cr3(struct vcpu *vcpu);
unsigned long vcpu_cr4(struct vcpu *vcpu);
u64 vcpu_cr8(struct vcpu *vcpu);
/* 0, or 1: the value is not allowed, inject #GP */
int vcpu_set_cr0(struct vcpu *vcpu, unsigned long cr0);
int vcpu_set_cr3(struct vcpu *vcpu, unsigned long cr3);
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

/* cpu/sync_regs.c: registers in the run page */
int sync_regs_in(struct vcpu *vcpu, u64 valid, u64 dirty);
void sync_regs_out(struct vcpu *vcpu);

/* cpu/sregs.c: SREGS ioctls, state after power-up and INIT */
void vcpu_get_sregs(struct vcpu *vcpu, struct minikvm_sregs *sregs);
int vcpu_set_sregs(struct vcpu *vcpu, const struct minikvm_sregs *sregs);
void vcpu_reset(struct vcpu *vcpu, bool init);	/* power-up, or INIT */

/* cpu/cpuid.c */
int cpuid_supported(struct minikvm_cpuid2 *cpuid, struct minikvm_cpuid_entry2 *entries);
int cpuid_set(struct vcpu *vcpu, struct minikvm_cpuid_entry2 *entries, u32 nent);
struct minikvm_cpuid_entry2 cpuid_now(struct vcpu *vcpu, u32 i);
const struct minikvm_cpuid_entry2 *cpuid_find(struct vcpu *vcpu, u32 function, u32 index);
void cpuid_query(struct vcpu *vcpu);
void cpuid_create(struct vcpu *vcpu);
void cpuid_free(struct vcpu *vcpu);

/*
 * cpu/msr.c: may run with interrupts off, never sleeps.
 * 0; 1: the guest gets #GP, an ioctl stops counting.
 * @host: asked by an ioctl (may set read-only ones), not by the guest.
 */
int msr_read(struct vcpu *vcpu, u32 index, u64 *data, bool host);
int msr_write(struct vcpu *vcpu, u32 index, u64 data, bool host);
void msr_init(void);
void msr_reset(struct vcpu *vcpu);
bool msr_listed(u32 index);	/* in GET_MSR_INDEX_LIST on this host */
int msr_feature_read(u32 index, u64 *data);
bool msr_tsc_khz_valid(u32 khz);

/* cpu/msr_switch.c */
void msr_switch_init(void);
void msr_reload(struct vcpu *vcpu, u32 index);
void msr_load_syscall(struct vcpu *vcpu);
void msr_switch_to_guest(struct vcpu *vcpu);	/* IRQs off: SYSCALL MSRs etc. of the guest */
void msr_save_guest(struct vcpu *vcpu);		/* before vmx_host_restore() */
void msr_switch_to_host(struct vcpu *vcpu);	/* after it */

/* cpu/fpu.c */
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
int fpu_get_xsave(struct vcpu *vcpu, struct minikvm_xsave *xsave);
int fpu_set_xsave(struct vcpu *vcpu, const struct minikvm_xsave *xsave);
int fpu_set_xcr0(struct vcpu *vcpu, u64 xcr0);
int fpu_get_xcrs(struct vcpu *vcpu, struct minikvm_xcrs *xcrs);
int fpu_set_xcrs(struct vcpu *vcpu, const struct minikvm_xcrs *xcrs);

/* cpu/events.c: what waits to be delivered */
void event_exception(struct vcpu *vcpu, u8 vector);
void event_exception_error(struct vcpu *vcpu, u8 vector, u32 error);
void event_page_fault(struct vcpu *vcpu, gva_t addr, u32 error);
int event_interrupt(struct vcpu *vcpu, u32 vector);	/* INTERRUPT ioctl */
bool event_can_take_interrupt(struct vcpu *vcpu);	/* IF, shadow, nothing in the way */
bool event_waiting(struct vcpu *vcpu);			/* a halted vCPU would wake */
void event_inject(struct vcpu *vcpu);			/* IRQs off, before each entry with something to do */
void event_after_exit(struct vcpu *vcpu, const struct vmexit *exit); /* IDT-vectoring info */
void event_limit_nmis(struct vcpu *vcpu);
void event_reset(struct vcpu *vcpu);

/* cpu/event_state.c: what a VMM saves and restores */
void event_interrupt_again(struct vcpu *vcpu, u8 vector); /* SET_SREGS, SET_VCPU_EVENTS */
int event_interrupt_in_flight(struct vcpu *vcpu);	/* GET_*: vector or -1 */
void vcpu_get_events(struct vcpu *vcpu, struct minikvm_vcpu_events *events);
int vcpu_set_events(struct vcpu *vcpu, const struct minikvm_vcpu_events *events);

/* cpu/debug.c */
#define DR6_DETECT	BIT_ULL(13)	/* SDM "Debug Status Register (DR6)" */
#define DR7_DETECT	BIT_ULL(13)	/* SDM "Debug Control Register (DR7)" */
void debug_before_entry(struct vcpu *vcpu);	/* IRQs off */
void debug_after_exit(struct vcpu *vcpu);	/* IRQs off: host breakpoints back */
void debug_reset(struct vcpu *vcpu);
void debug_exception_delivered(struct vcpu *vcpu);
u64 debug_get_dr(struct vcpu *vcpu, int n);
int debug_set_dr(struct vcpu *vcpu, int n, u64 value);
int vcpu_get_debugregs(struct vcpu *vcpu, struct minikvm_debugregs *dr);
int vcpu_set_debugregs(struct vcpu *vcpu, const struct minikvm_debugregs *dr);

/* ------------------------------------------------------------ 3: irqchip/ */

/*
 * irqchip/irqchip.c: the chips of a VM: PIC pair, IOAPIC, and how a GSI reaches them.
 */
struct irqchip;
int irqchip_create(struct vm *vm);
void irqchip_destroy(struct vm *vm);
int irqchip_set_irq(struct vm *vm, u32 gsi, int level, int *status); /* any context but NMI */
int irqchip_get(struct vm *vm, struct minikvm_irqchip *chip);
int irqchip_set(struct vm *vm, const struct minikvm_irqchip *chip);
int irqchip_pio(struct vm *vm, bool write, u16 port, void *data, int len);	/* PIC, ELCR */
int irqchip_mmio(struct vm *vm, bool write, gpa_t gpa, void *data, int len);	/* IOAPIC */
bool irqchip_has_interrupt(struct vcpu *vcpu);	/* LAPIC or PIC: something to inject now */
int irqchip_take_interrupt(struct vcpu *vcpu);	/* vector, acknowledged, or -1 */

/* irqchip/lapic.c: one per vCPU */
int lapic_create(struct vcpu *vcpu);
void lapic_destroy(struct vcpu *vcpu);
void lapic_reset(struct vcpu *vcpu, bool init);
int lapic_mmio(struct vcpu *vcpu, bool write, gpa_t gpa, void *data, int len); /* 0 or -EOPNOTSUPP */
int lapic_msr_read(struct vcpu *vcpu, u32 msr, u64 *data);	/* x2APIC 0x800-0x83f: 0, or 1 for #GP */
int lapic_msr_write(struct vcpu *vcpu, u32 msr, u64 data);
int lapic_set_base(struct vcpu *vcpu, u64 base, bool host);	/* IA32_APIC_BASE: 0, or 1 for #GP */
u64 lapic_get_tscdeadline(struct vcpu *vcpu);
void lapic_set_tscdeadline(struct vcpu *vcpu, u64 deadline);
u64 lapic_get_tpr(struct vcpu *vcpu);		/* CR8 */
void lapic_set_tpr(struct vcpu *vcpu, u64 cr8);
void lapic_timer_expired(struct vcpu *vcpu);	/* REQ_TIMER, in the vCPU thread */
void lapic_timer_due(struct vcpu *vcpu);
void lapic_timer_sleep(struct vcpu *vcpu);
void lapic_timer_awake(struct vcpu *vcpu);
void lapic_get_state(struct vcpu *vcpu, struct minikvm_lapic_state *state);
int lapic_set_state(struct vcpu *vcpu, const struct minikvm_lapic_state *state);

/* irqchip/pit.c */
int pit_create(struct vm *vm, const struct minikvm_pit_config *config);
void pit_destroy(struct vm *vm);
int pit_pio(struct vm *vm, bool write, u16 port, void *data, int len);
int pit_get(struct vm *vm, struct minikvm_pit_state2 *state);
int pit_set(struct vm *vm, const struct minikvm_pit_state2 *state);

/* ------------------------------------------------------------ 4: io/ */

/*
 * io/bus.c: accesses that a device in the kernel answers. 0, or -EOPNOTSUPP: the VMM's.
 * Never sleeps except for locks that IRQs may not hold; called with IRQs on.
 */
int io_bus_pio(struct vcpu *vcpu, bool write, u16 port, void *data, int len);
int io_bus_mmio(struct vcpu *vcpu, bool write, gpa_t gpa, void *data, int len);

/* io/side.c: a memory operand that is read or written for the guest */
int side_locate(struct vcpu *vcpu, struct mmio_side *side, const struct logical *l, int size,
		unsigned int access, u64 *room);
int side_to_vmm(struct vcpu *vcpu, const struct mmio_piece *p, bool write, u64 data);
int side_read(struct vcpu *vcpu, struct mmio_side *side);
void side_answer(struct vcpu *vcpu, struct mmio_side *side);
int side_write_here(struct vcpu *vcpu, struct mmio_side *side);
int side_write_rest(struct vcpu *vcpu, struct mmio_side *side, int verdict);

/* Is nobody but the VMM to be asked? */
static inline bool piece_is_vmms(const struct vcpu *vcpu, const struct mmio_piece *p)
{
	return p->device && !vcpu->lapic;
}

static inline bool side_is_vmms(const struct vcpu *vcpu, const struct mmio_side *side)
{
	return side->n == 1 && piece_is_vmms(vcpu, &side->piece[0]);
}

static inline bool side_is_read(const struct mmio_side *side)
{
	return side->done == side->n;
}

/* io/pio.c */
int pio_exit(struct vcpu *vcpu, const struct vmexit *exit);	/* verdict */

/* io/mmio.c */
int mmio_exit(struct vcpu *vcpu);	/* verdict */

/* io/step.c: what the decoder does not know; verdicts */
int step_begin(struct vcpu *vcpu);
int step_walk(struct vcpu *vcpu, bool join);
int step_more(struct vcpu *vcpu);
int step_done(struct vcpu *vcpu);
void step_free(struct vcpu *vcpu);

/* io/refuse.c: what nobody knows */
int refuse_insn(struct vcpu *vcpu, const void *bytes, int n);	/* verdict */
int refuse_report(struct vcpu *vcpu, const void *bytes, int n);

/* ------------------------------------------------------------ 5: run/ */

/* run/run.c */
int vcpu_run(struct vcpu *vcpu);

/* cpu/mp_state.c */
void mp_power_up(struct vcpu *vcpu);
void mp_take_starts(struct vcpu *vcpu);
bool mp_may_run(struct vcpu *vcpu);
u32 vcpu_get_mp_state(struct vcpu *vcpu);
int vcpu_set_mp_state(struct vcpu *vcpu, u32 state);

/* run/skip.c */
void vcpu_skip(struct vcpu *vcpu, u32 len);

/* ------------------------------------------------------------ 6: fd/ */

/* fd/dev.c: /dev/minikvm */
int dev_init(void);
void dev_exit(void);
long check_extension(long cap);
long msrs_do(struct minikvm_msrs __user *user,
	     int (*one)(struct vcpu *vcpu, struct minikvm_msr_entry *e), struct vcpu *vcpu, bool get);

/* fd/vm.c */
int vm_create_fd(unsigned long type);

/* fd/vcpu.c */
int vcpu_create_fd(struct vm *vm, unsigned long id);

/* fd/vcpu_state.c */
long vcpu_state_ioctl(struct vcpu *vcpu, unsigned int ioctl, void __user *argp);

/* thread.c: before a thread enters a guest */
int thread_work(void);

/* stats.c: counters in debugfs */
void stats_init(void);
struct file_operations;
void stats_file(const char *name, const struct file_operations *fops);
void stats_exit(void);
void stats_add(struct vcpu *vcpu);
void stats_remove(struct vcpu *vcpu);

#endif
