/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two objects of the module: struct vm and struct vcpu, field by field with who may touch
 * it. On the ground: this includes nothing of the floors above, whose functions are in
 * a header of each folder's own, in the order in which data flows. What a file includes is its
 * own floor or a lower one.
 *
 *	7 fd/fd.h   6 run/run.h, vm/vm.h   5 io/io.h   4 cpu/cpu.h
 *	3 irqchip/irqchip.h, mm/mm.h   2 vmx/vmx.h   ground (this, parts.h, uapi)
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
#include "parts.h"

#define VM_MAX_VCPUS	512	/* in one VM: a page of pointers to them */
#define VM_VCPU_IDS	(4 * VM_MAX_VCPUS) /* as in KVM: a VMM may leave gaps for a topology */
#define VM_MAX_SLOTS	512	/* in one VM */
#define CPUID_MAX	256	/* entries that SET_CPUID2 takes */
#define MAX_IO_MSRS	256	/* entries of GET_MSRS and SET_MSRS, plus 1 */
#define RUN_PAGES	3	/* run page, PIO data; and the VM's ring of coalesced writes */
#define VCPU_PAGES	2	/* of them, those that are the vCPU's own */

struct vm;
struct vcpu;
struct cpumask;
struct lapic;
struct ioapic;
struct pic;
struct pit;
struct ioeventfd_table;
struct msr_filter;
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

/* Bits of vcpu->requests: work for the vCPU thread before its next entry. */
enum {
	REQ_EVENT,		/* look at the interrupt chips again */
	REQ_KILL,		/* vm_kill() was called */
	REQ_TIMER,		/* the LAPIC timer expired */
	REQ_TRIPLE_FAULT,	/* cpu/events.c: a fault while delivering #DF */
	REQ_EOI_EXIT,		/* the VMM's IOAPIC is to hear of @ioapic_eoi */
	REQ_DIRTY_RING,		/* @dirty_ring may have to be emptied first */
	REQ_MSR_FILTER,		/* vm->msr_filter is another one */
	REQ_CLOCK,		/* the guest's clock is to be written: pv/guest_clock.c */
	REQ_STEAL,		/* so is what its thread has waited: pv/steal.c */
	REQ_EOI,		/* has the guest ended its interrupt? pv/eoi.c */
};

/* Bits of vcpu->starts. An INIT takes back a SIPI that waits. */
enum { START_INIT, START_SIPI };

#define CPUID_INDEXED	32	/* Clever: cpuid-index: functions from 0 and from 0x80000000 */

/**
 * struct vcpu - a virtual CPU: one VMCS, one run page, one fd
 */
struct vcpu {
	/* What entry and exit touch first. */
	unsigned long regs[NR_GPRS];	/* [m] RSP is in the VMCS; slot 4 unused. At offset 0: vmx/entry.S */
	unsigned long host_rsp;		/* [r] as in VMCS HOST_RSP; vmx/entry.S knows the offset */
	u64 spec_ctrl;			/* [m] the guest's IA32_SPEC_CTRL; vmx/entry.S knows the offset */
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
	u32 exits_off;			/* [c] MINIKVM_X86_DISABLE_EXITS_*: what never exits */
	u32 hv_timer;			/* [p] as in the VMCS: the VMX-preemption timer */
	u8 stay;			/* [a] how often its longest stay is doubled: see vmx_set_hv_timer() */
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
	struct vmexit exit;		/* [m] the last one: only the run loop writes it */
	u32 insn_len;			/* [m] bytes that EXIT_SKIP moves past: the exit's, or the decoder's */
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
	bool msr_filtered;		/* [m] a filter has a say: cpu/msr_filter.c */
	u8 *msr_bitmap;			/* [m] of its own, once it had a filter; vmx/vmcs.c */
	u64 host_tsc_aux;		/* [p] of @last_cpu, to put back in msr_switch_to_host() */
	u64 host_kernel_gs_base;	/* [r] likewise, of the thread */
	bool syscall_loaded;		/* [r] STAR and its kin are the guest's */
	struct syscall_msrs host_syscall; /* [r] what msr_load_syscall() found */
	u64 tsc_offset;			/* [m] guest TSC less the scaled host_tsc(); others compare theirs */
	u64 tsc_ratio;			/* [m] as tsc_scaled() has it; others compare theirs */
	unsigned int tsc_epoch;		/* [p] as of which VMCS and clock are right: vmx/tsc.h */
	u32 tsc_khz;			/* [m] as the VMM has it; not scaled: within 250 ppm of the host's */

	/* Debug registers: cpu/debug.c */
	u64 dr[4], dr6, dr7;		/* [m] guest's */
	struct guest_debug debug;	/* [m] and what the processor gets: cpu/guest_debug.c */
	u64 host_debugctl;		/* [r] to put back in debug_after_exit() */

	struct vcpu_events events;	/* [m] cpu/events.c */
	atomic_t nmi_queued;		/* [a] NMIs that wait: 0..2 */
	struct fpu_guest fpu;		/* [m] cpu/fpu_kernel.c */
	union fpregs_state *fpu_area;	/* [c] or cpu/fpu_own.c */
	struct step_state step_state;	/* [r] vmx/step.c */
	u32 pkru, host_pkru;		/* [r] PKRU, while the other one is in the CPU */

	/* CPUID: cpu/cpuid.c */
	struct minikvm_cpuid_entry2 *cpuid;	/* [m] as the VMM gave it, kvmalloc'd */
	struct minikvm_cpuid_entry2 *cpuid_sorted; /* [m] by function, then index */
	u32 cpuid_nent;			/* [m] */
	u16 cpuid_index[2][CPUID_INDEXED]; /* [m] Clever: cpuid-index: place in the latter + 1, or 0 */
	u8 maxphyaddr;			/* [m] derived from @cpuid, as what follows */
	bool has_x2apic, has_tsc_deadline; /* [m] for the local APIC */
	bool cpuid_locked;		/* [m] the vCPU ran: CPUID is final */
	unsigned long cr4_reserved;	/* [m] bits that this CPUID makes reserved */
	u64 efer_reserved;		/* [m] */
	u64 xcr0_allowed;		/* [m] */

	struct pv_state pv;		/* pv/ */

	/* Guest memory: mm/ */
	u32 slots_seq;			/* [a] odd: this thread uses vm->slots */
	u32 slots_depth;		/* [m] nested slots_read_lock() */
	const struct memslot *slot_hit;	/* [m] found last under the outermost one, or NULL */
	struct dirty_ring dirty_ring;	/* mm/dirty_ring.h */
	struct ept_cache ept_cache;	/* [m] tables for the next fault */
	struct cached_walk walk_cache[WALK_CACHE_SIZE]; /* [m] Clever: walk-cache: by linear address */
	gfn_t around_gfn;		/* [m] Clever: fault-around: a fault here continues a row of faults */
	u32 around;			/* [m] Clever: fault-around: pages that the last one of the row mapped */
	struct page *around_page[EPT_AROUND_MAX]; /* [m] of the fault that is being served */

	/* I/O in progress: run/run.c calls it first on the next RUN. */
	int (*complete)(struct vcpu *vcpu);	/* [m] verdict, as an exit handler's */
	struct pio_state pio;		/* [m] io/pio.c */
	struct emulate_state emulate;	/* [m] io/emulate.c, parts.h has the layout */
	struct step *step;		/* [m] io/step.c; NULL: never needed */

	/* Interrupt controller and halt */
	struct lapic *lapic;		/* [c] NULL: the VMM's own */
	u8 ioapic_eoi;			/* [m] the vector of REQ_EOI_EXIT */
	void *apic_page;		/* [c] its registers, the virtual-APIC page; NULL: likewise */
	u8 apicv;			/* [m] enum apicv_mode, as in the VMCS */
	u8 tpr_threshold;		/* [m] as in the VMCS */
	u64 timer_deadline;		/* [m] guest TSC at which the run loop has its timer expire; 0: none */
	u32 mp_state;			/* [m] MINIKVM_MP_STATE_*: cpu/mp_state.c */
	u8 sipi_vector;			/* [a] written before START_SIPI */
	unsigned long starts;		/* [a] START_*: arrived, and not taken yet */
	struct rcuwait wait;		/* where a halted vCPU sleeps */
	struct task_struct *thread;	/* [a] in RUN, or NULL: run/spin.c */
	bool ready;			/* [a] @thread waits for a processor */

	struct mutex mutex;		/* one ioctl at a time; taken before vm->slots_lock */
	bool window_asked;		/* [m] request_interrupt_window of this RUN */
	struct file *file;		/* [m] of this RUN */
	bool file_held;			/* [m] this RUN has a reference to @file of its own */
	bool sigmask_active;		/* [m] */
	sigset_t sigmask;		/* [m] SET_SIGNAL_MASK, while in RUN */
	struct preempt_notifier notifier; /* [m] while loaded */
	struct page *run_pages;		/* [c] run page, PIO page */
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
	int dead;			/* [a] 1 after vm_kill(), else 0 */
	struct mutex lock;		/* creation of vCPUs and chips */
	struct vcpu *vcpus[VM_MAX_VCPUS]; /* [l] to write, READ_ONCE to read; slots fill from 0 */
	u32 nr_vcpus;			/* [a] smp_store_release after vcpus[] */
	u32 vcpu_ids;			/* [l] how many IDs there are; 0: neither chosen nor used yet */
	u32 boot_id;			/* [l] to write, before there are vCPUs: who begins by itself */
	bool sparse_ids;		/* [a] a vCPU's ID is not its slot; set before @nr_vcpus */
	u32 boosted;			/* [a] slot to which a spinning vCPU gave its time last */
	pid_t pid;			/* [c] of the creator, for debugfs */

	raw_spinlock_t clock_lock;
	struct vm_clock clock;		/* @clock_lock: pv/clock.c */
	u64 wall_clock;			/* [a] MSR_KVM_WALL_CLOCK: where a guest wants it */

	/* Memory: mm/ */
	struct mutex slots_lock;	/* slot changes, one at a time */
	rwlock_t notifier_lock;		/* MMU notifiers read @slots under it */
	struct memslots *slots;		/* [s] immutable snapshot */
	u64 slots_gen;			/* [s] how many there were before */
	u32 manual_log;			/* [a] MINIKVM_DIRTY_LOG_*: when pages are noted again */
	u32 dirty_ring;			/* [l] until the first vCPU: entries of each one's; 0: a log instead */
	bool logging;			/* [s] to write: one of @slots is logged */
	bool apic_page;			/* [s] no slot may be where the local APICs are */
	spinlock_t ept_lock;		/* @ept, @invalidate_*: ept_lock(), ept_unlock() */
	struct ept ept;			/* [e] */
	struct mmu_notifier notifier;	/* mm/notifier.c */
	unsigned long invalidate_seq;	/* [e] bumped when an invalidation ends */
	int invalidate_active;		/* [e] invalidations between start and end */
	hva_t invalidate_start, invalidate_end; /* [e] all active ones lie in between */
	atomic64_t ept_gen;		/* bumped after an EPT entry lost rights */
	struct cpumask *in_guest;	/* [e] of vm_sync_guests() */
	u64 *cpu_ept_gen;		/* [r] per CPU: generation of its last INVEPT */
	u64 eptp;			/* [c] the EPT pointer for the VMCS */
	u8 gpa_bits;			/* [c] width of guest physical addresses */

	/* Chips: irqchip/. NULL: the VMM brings its own. */
	struct irqchip *irqchip;	/* [l] to write, smp_load_acquire to read */
	bool irqchip_split;		/* [l] to write, before @irqchip: PIC and IOAPIC are the VMM's */
	struct pit *pit;		/* [l] to write, smp_load_acquire to read */
	u32 apic_bus_ns;		/* [l] to write, before the first vCPU: of a bus cycle */
	u32 x2apic_api;			/* [a] MINIKVM_X2APIC_API_*: ENABLE_CAP sets them */
	atomic_t apic_aliases;		/* local APICs that answer to another ID than their vCPU's */
	atomic_t apic_narrow;		/* local APICs in xAPIC mode, with logical IDs of 8 bits */

	/* What the VMM asked for by ENABLE_CAP and the like: fd/vm_caps.c */
	u32 msr_exits;			/* [a] MINIKVM_MSR_EXIT_REASON_*: what it serves itself */
	u32 platform_info;		/* [a] 1: the guest has MSR_PLATFORM_INFO */
	u32 quirks_off;			/* [a] MINIKVM_X86_QUIRK_* */
	u32 emulation_exits;		/* [a] 1: no #UD for what minikvm does not do */
	u32 triple_fault_event;		/* [a] 1: one that waits is in VCPU_EVENTS */
	u32 exits_off;			/* [a] MINIKVM_X86_DISABLE_EXITS_*: of vCPUs to come */
	struct msr_filter __rcu *msr_filter; /* [l] to write; NULL: there is none */

	/* Eventfds: io/ioeventfd.c */
	struct mutex ioeventfd_lock;	/* changes of @ioeventfds, one at a time */
	struct ioeventfd_table __rcu *ioeventfds; /* written under @ioeventfd_lock; NULL: none */

	/* Coalesced writes: io/coalesced.c */
	spinlock_t ring_lock;		/* @zones, and who puts into @ring */
	struct list_head zones;		/* @ring_lock */
	u32 nr_zones;			/* @ring_lock to write, READ_ONCE to read */
	struct minikvm_coalesced_mmio_ring *ring; /* [c] a page, shared with the VMM: read once */

	u32 tsc_khz;			/* [a] of vCPUs to come */
	u64 tsc_base;			/* [c] host_tsc() at creation */
	u64 tsc_shift;			/* @clock_lock to write: what TSCs show then: cpu/tsc.c */
	bool tsc_chosen;		/* @clock_lock: a VMM has set it */
#ifdef MINIKVM_DEBUG
	struct vm_check check;		/* vmx/check.h */
#endif
};

/* Has the VMM left an oddity of KVM's as it is? */
static inline bool vm_has_quirk(const struct vm *vm, u32 quirk)
{
	return !(READ_ONCE(vm->quirks_off) & quirk);
}

/* ---- the ground */

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
