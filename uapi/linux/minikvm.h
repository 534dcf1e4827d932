/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The whole binary interface of /dev/minikvm: a subset of KVM's on x86-64, with
 * KVM's numbers and layouts. Self-contained; C and C++.
 *
 * Three kinds of file descriptor:
 *	device	open("/dev/minikvm")
 *	VM	MINIKVM_CREATE_VM on the device
 *	vCPU	MINIKVM_CREATE_VCPU on a VM; mmap it for struct minikvm_run
 *
 * Marks on fields: [in] the VMM fills it, [out] the kernel fills it. A struct
 * that one ioctl gets and another sets is [out] for the first and [in] for the
 * second, and carries the mark at its head. Fields named pad or reserved are
 * ignored on the way in, unless the ioctl says otherwise, and 0 on the way out.
 */
#ifndef _UAPI_LINUX_MINIKVM_H
#define _UAPI_LINUX_MINIKVM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __cplusplus
#define MINIKVM_STATIC_ASSERT(cond) static_assert(cond, #cond)
#define MINIKVM_FLEX(type, name) type name[0]
#else
#define MINIKVM_STATIC_ASSERT(cond) _Static_assert(cond, #cond)
#define MINIKVM_FLEX(type, name) type name[]
#endif
#define MINIKVM_ASSERT_SIZE(type, size) MINIKVM_STATIC_ASSERT(sizeof(struct type) == (size))

#define MINIKVM_API_VERSION	12

/* ------------------------------------------------ device: /dev/minikvm */

#define MINIKVMIO 0xAE

#define MINIKVM_GET_API_VERSION		_IO(MINIKVMIO, 0x00)	/* returns 12 */
#define MINIKVM_CREATE_VM		_IO(MINIKVMIO, 0x01)	/* arg: type, 0; returns a VM fd */
#define MINIKVM_GET_MSR_INDEX_LIST	_IOWR(MINIKVMIO, 0x02, struct minikvm_msr_list)
#define MINIKVM_CHECK_EXTENSION		_IO(MINIKVMIO, 0x03)	/* arg: MINIKVM_CAP_*; also on a VM */
#define MINIKVM_GET_VCPU_MMAP_SIZE	_IO(MINIKVMIO, 0x04)	/* returns bytes to mmap on a vCPU */
#define MINIKVM_GET_SUPPORTED_CPUID	_IOWR(MINIKVMIO, 0x05, struct minikvm_cpuid2)
#define MINIKVM_GET_EMULATED_CPUID	_IOWR(MINIKVMIO, 0x09, struct minikvm_cpuid2)
#define MINIKVM_GET_MSR_FEATURE_INDEX_LIST _IOWR(MINIKVMIO, 0x0a, struct minikvm_msr_list)

#define MINIKVM_X86_GET_MCE_CAP_SUPPORTED _IOR(MINIKVMIO, 0x9d, __u64)	/* bits of IA32_MCG_CAP */

/* Answers of MINIKVM_CHECK_EXTENSION; every number not served answers 0. */
#define MINIKVM_CAP_IRQCHIP		0
#define MINIKVM_CAP_HLT			1
#define MINIKVM_CAP_USER_MEMORY		3
#define MINIKVM_CAP_SET_TSS_ADDR	4
#define MINIKVM_CAP_EXT_CPUID		7
#define MINIKVM_CAP_NR_VCPUS		9
#define MINIKVM_CAP_NR_MEMSLOTS		10
#define MINIKVM_CAP_NOP_IO_DELAY	12
#define MINIKVM_CAP_MP_STATE		14
#define MINIKVM_CAP_COALESCED_MMIO	15
#define MINIKVM_CAP_SYNC_MMU		16
#define MINIKVM_CAP_DESTROY_MEMORY_REGION_WORKS 21
#define MINIKVM_CAP_USER_NMI		22
#define MINIKVM_CAP_SET_GUEST_DEBUG	23
#define MINIKVM_CAP_REINJECT_CONTROL	24
#define MINIKVM_CAP_IRQ_ROUTING		25
#define MINIKVM_CAP_IRQ_INJECT_STATUS	26
#define MINIKVM_CAP_JOIN_MEMORY_REGIONS_WORKS 30
#define MINIKVM_CAP_MCE			31
#define MINIKVM_CAP_IRQFD		32
#define MINIKVM_CAP_PIT2		33
#define MINIKVM_CAP_SET_BOOT_CPU_ID	34
#define MINIKVM_CAP_PIT_STATE2		35
#define MINIKVM_CAP_IOEVENTFD		36
#define MINIKVM_CAP_SET_IDENTITY_MAP_ADDR 37
#define MINIKVM_CAP_ADJUST_CLOCK	39
#define MINIKVM_CAP_INTERNAL_ERROR_DATA	40
#define MINIKVM_CAP_VCPU_EVENTS		41
#define MINIKVM_CAP_INTR_SHADOW		49
#define MINIKVM_CAP_DEBUGREGS		50
#define MINIKVM_CAP_X86_ROBUST_SINGLESTEP 51
#define MINIKVM_CAP_ENABLE_CAP		54
#define MINIKVM_CAP_XSAVE		55
#define MINIKVM_CAP_XCRS		56
#define MINIKVM_CAP_TSC_CONTROL		60
#define MINIKVM_CAP_GET_TSC_KHZ		61
#define MINIKVM_CAP_MAX_VCPUS		66
#define MINIKVM_CAP_TSC_DEADLINE_TIMER	72
#define MINIKVM_CAP_SYNC_REGS		74
#define MINIKVM_CAP_KVMCLOCK_CTRL	76
#define MINIKVM_CAP_SIGNAL_MSI		77
#define MINIKVM_CAP_READONLY_MEM	81
#define MINIKVM_CAP_IRQFD_RESAMPLE	82
#define MINIKVM_CAP_DEVICE_CTRL		89
#define MINIKVM_CAP_EXT_EMUL_CPUID	95
#define MINIKVM_CAP_ENABLE_CAP_VM	98
#define MINIKVM_CAP_IOEVENTFD_NO_LENGTH	100
#define MINIKVM_CAP_CHECK_EXTENSION_VM	105
#define MINIKVM_CAP_DISABLE_QUIRKS	116
#define MINIKVM_CAP_X86_SMM		117
#define MINIKVM_CAP_MULTI_ADDRESS_SPACE	118
#define MINIKVM_CAP_SPLIT_IRQCHIP	121
#define MINIKVM_CAP_IOEVENTFD_ANY_LENGTH 122
#define MINIKVM_CAP_VCPU_ATTRIBUTES	127
#define MINIKVM_CAP_MAX_VCPU_ID		128
#define MINIKVM_CAP_X2APIC_API		129
#define MINIKVM_CAP_IMMEDIATE_EXIT	136
#define MINIKVM_CAP_X86_DISABLE_EXITS	143
#define MINIKVM_CAP_GET_MSR_FEATURES	153
#define MINIKVM_CAP_NESTED_STATE	157
#define MINIKVM_CAP_MSR_PLATFORM_INFO	159
#define MINIKVM_CAP_COALESCED_PIO	162
#define MINIKVM_CAP_EXCEPTION_PAYLOAD	164
#define MINIKVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 168
#define MINIKVM_CAP_X86_USER_SPACE_MSR	188
#define MINIKVM_CAP_X86_MSR_FILTER	189
#define MINIKVM_CAP_ENFORCE_PV_FEATURE_CPUID 190
#define MINIKVM_CAP_DIRTY_LOG_RING	192
#define MINIKVM_CAP_SET_GUEST_DEBUG2	195
#define MINIKVM_CAP_SREGS2		200
#define MINIKVM_CAP_BINARY_STATS_FD	203
#define MINIKVM_CAP_EXIT_ON_EMULATION_FAILURE 204
#define MINIKVM_CAP_XSAVE2		208
#define MINIKVM_CAP_DISABLE_QUIRKS2	213
#define MINIKVM_CAP_VM_TSC_CONTROL	214
#define MINIKVM_CAP_X86_TRIPLE_FAULT_EVENT 218
#define MINIKVM_CAP_X86_NOTIFY_VMEXIT	219
#define MINIKVM_CAP_DIRTY_LOG_RING_ACQ_REL 223
#define MINIKVM_CAP_USER_MEMORY2	231
#define MINIKVM_CAP_X86_APIC_BUS_CYCLES_NS 237

struct minikvm_msr_list {
	__u32 nmsrs;		/* [in] entries of room, [out] entries there are */
	MINIKVM_FLEX(__u32, indices);	/* [out] */
};
MINIKVM_ASSERT_SIZE(minikvm_msr_list, 4);

struct minikvm_cpuid_entry2 {	/* GET_SUPPORTED_CPUID, GET_CPUID2 [out], SET_CPUID2 [in] */
	__u32 function;		/* EAX of the query */
	__u32 index;		/* ECX of the query, if the flag says it matters */
	__u32 flags;		/* MINIKVM_CPUID_FLAG_* */
	__u32 eax;
	__u32 ebx;
	__u32 ecx;
	__u32 edx;
	__u32 padding[3];
};
MINIKVM_ASSERT_SIZE(minikvm_cpuid_entry2, 40);

#define MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX	(1 << 0)
#define MINIKVM_CPUID_FLAG_STATEFUL_FUNC	(1 << 1)	/* never set */
#define MINIKVM_CPUID_FLAG_STATE_READ_NEXT	(1 << 2)	/* never set */

struct minikvm_cpuid2 {
	__u32 nent;		/* [in] entries of room or given, [out] entries there are */
	__u32 padding;
	MINIKVM_FLEX(struct minikvm_cpuid_entry2, entries);
};
MINIKVM_ASSERT_SIZE(minikvm_cpuid2, 8);

/* ------------------------------------------------ VM */

#define MINIKVM_CREATE_VCPU		_IO(MINIKVMIO, 0x41)	/* arg: id; returns a vCPU fd */
#define MINIKVM_GET_DIRTY_LOG		_IOW(MINIKVMIO, 0x42, struct minikvm_dirty_log)
#define MINIKVM_SET_NR_MMU_PAGES	_IO(MINIKVMIO, 0x44)	/* arg: number; nothing to limit here */
#define MINIKVM_SET_USER_MEMORY_REGION	\
	_IOW(MINIKVMIO, 0x46, struct minikvm_userspace_memory_region)
#define MINIKVM_SET_TSS_ADDR		_IO(MINIKVMIO, 0x47)	/* arg: guest physical address */
#define MINIKVM_SET_IDENTITY_MAP_ADDR	_IOW(MINIKVMIO, 0x48, __u64)
#define MINIKVM_SET_USER_MEMORY_REGION2	\
	_IOW(MINIKVMIO, 0x49, struct minikvm_userspace_memory_region2)
#define MINIKVM_CREATE_IRQCHIP		_IO(MINIKVMIO, 0x60)
#define MINIKVM_IRQ_LINE		_IOW(MINIKVMIO, 0x61, struct minikvm_irq_level)
#define MINIKVM_GET_IRQCHIP		_IOWR(MINIKVMIO, 0x62, struct minikvm_irqchip)
#define MINIKVM_SET_IRQCHIP		_IOR(MINIKVMIO, 0x63, struct minikvm_irqchip)
#define MINIKVM_IRQ_LINE_STATUS		_IOWR(MINIKVMIO, 0x67, struct minikvm_irq_level)
#define MINIKVM_REGISTER_COALESCED_MMIO	_IOW(MINIKVMIO, 0x67, struct minikvm_coalesced_mmio_zone)
#define MINIKVM_UNREGISTER_COALESCED_MMIO _IOW(MINIKVMIO, 0x68, struct minikvm_coalesced_mmio_zone)
#define MINIKVM_SET_GSI_ROUTING		_IOW(MINIKVMIO, 0x6a, struct minikvm_irq_routing)
#define MINIKVM_REINJECT_CONTROL	_IO(MINIKVMIO, 0x71)	/* struct minikvm_reinject_control */
#define MINIKVM_IRQFD			_IOW(MINIKVMIO, 0x76, struct minikvm_irqfd)
#define MINIKVM_CREATE_PIT2		_IOW(MINIKVMIO, 0x77, struct minikvm_pit_config)
#define MINIKVM_SET_BOOT_CPU_ID		_IO(MINIKVMIO, 0x78)	/* arg: id; before the first vCPU */
#define MINIKVM_SET_CLOCK		_IOW(MINIKVMIO, 0x7b, struct minikvm_clock_data)
#define MINIKVM_GET_CLOCK		_IOR(MINIKVMIO, 0x7c, struct minikvm_clock_data)
#define MINIKVM_IOEVENTFD		_IOW(MINIKVMIO, 0x79, struct minikvm_ioeventfd)
#define MINIKVM_GET_PIT2		_IOR(MINIKVMIO, 0x9f, struct minikvm_pit_state2)
#define MINIKVM_SET_PIT2		_IOW(MINIKVMIO, 0xa0, struct minikvm_pit_state2)
#define MINIKVM_SET_TSC_KHZ		_IO(MINIKVMIO, 0xa2)	/* also on a vCPU */
#define MINIKVM_GET_TSC_KHZ		_IO(MINIKVMIO, 0xa3)	/* also on a vCPU */
#define MINIKVM_ENABLE_CAP		_IOW(MINIKVMIO, 0xa3, struct minikvm_enable_cap)
#define MINIKVM_SIGNAL_MSI		_IOW(MINIKVMIO, 0xa5, struct minikvm_msi)
#define MINIKVM_CLEAR_DIRTY_LOG		_IOWR(MINIKVMIO, 0xc0, struct minikvm_clear_dirty_log)
#define MINIKVM_RESET_DIRTY_RINGS	_IO(MINIKVMIO, 0xc7)	/* returns how many entries */
#define MINIKVM_X86_SET_MSR_FILTER	_IOW(MINIKVMIO, 0xc6, struct minikvm_msr_filter)

#define MINIKVM_MEM_LOG_DIRTY_PAGES	(1UL << 0)
#define MINIKVM_MEM_READONLY		(1UL << 1)

struct minikvm_userspace_memory_region {
	__u32 slot;		/* [in] slot number; bits 31:16 (address space) must be 0 */
	__u32 flags;		/* [in] MINIKVM_MEM_* */
	__u64 guest_phys_addr;	/* [in] page-aligned */
	__u64 memory_size;	/* [in] bytes, page-aligned; 0 deletes the slot */
	__u64 userspace_addr;	/* [in] page-aligned, in the caller's memory */
};
MINIKVM_ASSERT_SIZE(minikvm_userspace_memory_region, 32);

/* The same with room for memory that only the guest can see, which there is not. */
struct minikvm_userspace_memory_region2 {
	__u32 slot;		/* [in] as above */
	__u32 flags;		/* [in] as above */
	__u64 guest_phys_addr;	/* [in] as above */
	__u64 memory_size;	/* [in] as above */
	__u64 userspace_addr;	/* [in] as above */
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};
MINIKVM_ASSERT_SIZE(minikvm_userspace_memory_region2, 160);

struct minikvm_dirty_log {
	__u32 slot;		/* [in] */
	__u32 padding1;
	union {
		void *dirty_bitmap;	/* [in] one bit per page, rounded up to 64 */
		__u64 padding2;
	};
};
MINIKVM_ASSERT_SIZE(minikvm_dirty_log, 16);

struct minikvm_clear_dirty_log {
	__u32 slot;		/* [in] */
	__u32 num_pages;	/* [in] a multiple of 64, or to the end of the slot */
	__u64 first_page;	/* [in] a multiple of 64 */
	union {
		void *dirty_bitmap;	/* [in] one bit per page, from first_page on */
		__u64 padding2;
	};
};
MINIKVM_ASSERT_SIZE(minikvm_clear_dirty_log, 24);

#define MINIKVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE	(1 << 0)
#define MINIKVM_DIRTY_LOG_INITIALLY_SET		(1 << 1)
#define MINIKVM_DIRTY_LOG_MANUAL_CAPS \
	(MINIKVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | MINIKVM_DIRTY_LOG_INITIALLY_SET)

struct minikvm_irq_level {
	union {
		__u32 irq;	/* [in] GSI */
		__s32 status;	/* [out] of IRQ_LINE_STATUS: vCPUs reached, 0 coalesced, -1 masked */
	};
	__u32 level;		/* [in] 0 or 1 */
};
MINIKVM_ASSERT_SIZE(minikvm_irq_level, 8);

#define MINIKVM_IRQ_ROUTING_IRQCHIP	1
#define MINIKVM_IRQ_ROUTING_MSI		2

struct minikvm_irq_routing_irqchip {
	__u32 irqchip;		/* [in] MINIKVM_IRQCHIP_* */
	__u32 pin;		/* [in] 0..7 of a PIC, 0..23 of the IOAPIC */
};
MINIKVM_ASSERT_SIZE(minikvm_irq_routing_irqchip, 8);

struct minikvm_irq_routing_msi {
	__u32 address_lo;	/* [in] */
	__u32 address_hi;	/* [in] bits 31:8: bits 31:8 of the APIC ID, see CAP_X2APIC_API */
	__u32 data;		/* [in] */
	__u32 pad;		/* ignored */
};
MINIKVM_ASSERT_SIZE(minikvm_irq_routing_msi, 16);

#define MINIKVM_MSI_VALID_DEVID		(1 << 0)	/* taken; the ID is ignored */

struct minikvm_irq_routing_entry {
	__u32 gsi;		/* [in] 0..4095 */
	__u32 type;		/* [in] MINIKVM_IRQ_ROUTING_* */
	__u32 flags;		/* [in] 0; of an MSI also MINIKVM_MSI_VALID_DEVID */
	__u32 pad;		/* ignored */
	union {
		struct minikvm_irq_routing_irqchip irqchip;
		struct minikvm_irq_routing_msi msi;
		__u32 pad[8];
	} u;
};
MINIKVM_ASSERT_SIZE(minikvm_irq_routing_entry, 48);

struct minikvm_irq_routing {	/* SET_GSI_ROUTING */
	__u32 nr;		/* [in] entries, at most 4096 */
	__u32 flags;		/* [in] 0 */
	MINIKVM_FLEX(struct minikvm_irq_routing_entry, entries);
};
MINIKVM_ASSERT_SIZE(minikvm_irq_routing, 8);

struct minikvm_msi {		/* SIGNAL_MSI */
	__u32 address_lo;	/* [in] as in minikvm_irq_routing_msi */
	__u32 address_hi;	/* [in] */
	__u32 data;		/* [in] */
	__u32 flags;		/* [in] 0 or MINIKVM_MSI_VALID_DEVID */
	__u32 devid;		/* ignored */
	__u8 pad[12];		/* ignored */
};
MINIKVM_ASSERT_SIZE(minikvm_msi, 32);

#define MINIKVM_IRQFD_FLAG_DEASSIGN	(1 << 0)
#define MINIKVM_IRQFD_FLAG_RESAMPLE	(1 << 1)

struct minikvm_irqfd {
	__u32 fd;		/* [in] eventfd: a write to it raises @gsi */
	__u32 gsi;		/* [in] */
	__u32 flags;		/* [in] MINIKVM_IRQFD_FLAG_* */
	__u32 resamplefd;	/* [in] with RESAMPLE: eventfd that is told of the EOI */
	__u8 pad[16];		/* ignored */
};
MINIKVM_ASSERT_SIZE(minikvm_irqfd, 32);

#define MINIKVM_IOEVENTFD_FLAG_DATAMATCH	(1 << 0)
#define MINIKVM_IOEVENTFD_FLAG_PIO		(1 << 1)
#define MINIKVM_IOEVENTFD_FLAG_DEASSIGN		(1 << 2)

struct minikvm_ioeventfd {
	__u64 datamatch;	/* [in] with DATAMATCH: only a write of this value */
	__u64 addr;		/* [in] port or guest physical address */
	__u32 len;		/* [in] 1, 2, 4 or 8; 0: any */
	__s32 fd;		/* [in] eventfd that a write signals */
	__u32 flags;		/* [in] MINIKVM_IOEVENTFD_FLAG_* */
	__u8 pad[36];		/* ignored */
};
MINIKVM_ASSERT_SIZE(minikvm_ioeventfd, 64);

struct minikvm_reinject_control {
	__u8 pit_reinject;	/* [in] 0: the PIT's ticks do not wait for the guest */
	__u8 reserved[31];	/* ignored */
};
MINIKVM_ASSERT_SIZE(minikvm_reinject_control, 32);

struct minikvm_coalesced_mmio_zone {	/* REGISTER_, UNREGISTER_COALESCED_MMIO */
	__u64 addr;		/* [in] port or guest physical address */
	__u32 size;		/* [in] bytes */
	__u32 pio;		/* [in] 0: memory, 1: ports */
};
MINIKVM_ASSERT_SIZE(minikvm_coalesced_mmio_zone, 16);

/* A write that was noted. */
struct minikvm_coalesced_mmio {
	__u64 phys_addr;	/* [out] port or guest physical address */
	__u32 len;		/* [out] bytes */
	__u32 pio;		/* [out] 0: memory, 1: ports */
	__u8 data[8];		/* [out] the first @len count */
};
MINIKVM_ASSERT_SIZE(minikvm_coalesced_mmio, 24);

/* The page at MINIKVM_COALESCED_MMIO_PAGE_OFFSET; 170 entries fit. Empty if first == last. */
struct minikvm_coalesced_mmio_ring {
	__u32 first;		/* [in] the VMM takes from here */
	__u32 last;		/* [in, out] minikvm puts here */
	MINIKVM_FLEX(struct minikvm_coalesced_mmio, coalesced_mmio);
};
MINIKVM_ASSERT_SIZE(minikvm_coalesced_mmio_ring, 8);

#define MINIKVM_X2APIC_API_USE_32BIT_IDS		(1ULL << 0)
#define MINIKVM_X2APIC_API_DISABLE_BROADCAST_QUIRK	(1ULL << 1)
#define MINIKVM_X2APIC_API_VALID_FLAGS	3

struct minikvm_enable_cap {
	__u32 cap;		/* [in] MINIKVM_CAP_* */
	__u32 flags;		/* [in] 0 */
	__u64 args[4];		/* [in] args[0]: what the capability says */
	__u8 pad[64];		/* ignored */
};
MINIKVM_ASSERT_SIZE(minikvm_enable_cap, 104);

#define MINIKVM_MSR_FILTER_READ			(1 << 0)
#define MINIKVM_MSR_FILTER_WRITE		(1 << 1)
#define MINIKVM_MSR_FILTER_RANGE_VALID_MASK	(MINIKVM_MSR_FILTER_READ | MINIKVM_MSR_FILTER_WRITE)
#define MINIKVM_MSR_FILTER_MAX_BITMAP_SIZE	0x600	/* bytes */

struct minikvm_msr_filter_range {
	__u32 flags;		/* [in] MINIKVM_MSR_FILTER_READ, _WRITE */
	__u32 nmsrs;		/* [in] 0: the range counts for nothing */
	__u32 base;		/* [in] the first MSR */
	__u8 *bitmap;		/* [in] a bit per MSR, rounded up to 64: 1 lets the guest */
};
MINIKVM_ASSERT_SIZE(minikvm_msr_filter_range, sizeof(void *) == 8 ? 24 : 16);

#define MINIKVM_MSR_FILTER_MAX_RANGES	16
#define MINIKVM_MSR_FILTER_DEFAULT_ALLOW	(0 << 0)
#define MINIKVM_MSR_FILTER_DEFAULT_DENY		(1 << 0)
#define MINIKVM_MSR_FILTER_VALID_MASK		MINIKVM_MSR_FILTER_DEFAULT_DENY

struct minikvm_msr_filter {	/* X86_SET_MSR_FILTER */
	__u32 flags;		/* [in] of MSRs in no range: MINIKVM_MSR_FILTER_DEFAULT_* */
	struct minikvm_msr_filter_range ranges[MINIKVM_MSR_FILTER_MAX_RANGES];
};

/* What a guest does without an exit: bits of CAP_X86_DISABLE_EXITS. */
#define MINIKVM_X86_DISABLE_EXITS_MWAIT		(1 << 0)	/* MONITOR and MWAIT */
#define MINIKVM_X86_DISABLE_EXITS_HLT		(1 << 1)
#define MINIKVM_X86_DISABLE_EXITS_PAUSE		(1 << 2)	/* rows of it */
#define MINIKVM_X86_DISABLE_EXITS_CSTATE	(1 << 3)	/* RDMSR of time in C-states */
#define MINIKVM_X86_DISABLE_VALID_EXITS		0xf

/* Why an access is the VMM's: bits of CAP_X86_USER_SPACE_MSR, and run->msr.reason. */
#define MINIKVM_MSR_EXIT_REASON_INVAL	(1 << 0)	/* refused: the value, the guest's CPUID */
#define MINIKVM_MSR_EXIT_REASON_UNKNOWN	(1 << 1)	/* there is no such MSR here */
#define MINIKVM_MSR_EXIT_REASON_FILTER	(1 << 2)	/* X86_SET_MSR_FILTER has denied it */
#define MINIKVM_MSR_EXIT_REASON_VALID_MASK \
	(MINIKVM_MSR_EXIT_REASON_INVAL | MINIKVM_MSR_EXIT_REASON_UNKNOWN | \
	 MINIKVM_MSR_EXIT_REASON_FILTER)

/* Oddities that a VMM can switch off: CAP_DISABLE_QUIRKS2. */
#define MINIKVM_X86_QUIRK_LINT0_REENABLED	(1 << 0)
#define MINIKVM_X86_QUIRK_LAPIC_MMIO_HOLE	(1 << 2)
#define MINIKVM_X86_QUIRK_OUT_7E_INC_RIP	(1 << 3)
#define MINIKVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT	(1 << 4)
#define MINIKVM_X86_QUIRK_FIX_HYPERCALL_INSN	(1 << 5)
#define MINIKVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS	(1 << 6)
#define MINIKVM_X86_QUIRK_STUFF_FEATURE_MSRS	(1 << 8)
#define MINIKVM_X86_QUIRKS_VALID_MASK \
	(MINIKVM_X86_QUIRK_LINT0_REENABLED | MINIKVM_X86_QUIRK_LAPIC_MMIO_HOLE | \
	 MINIKVM_X86_QUIRK_OUT_7E_INC_RIP | MINIKVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | \
	 MINIKVM_X86_QUIRK_FIX_HYPERCALL_INSN | MINIKVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS | \
	 MINIKVM_X86_QUIRK_STUFF_FEATURE_MSRS)

struct minikvm_pic_state {	/* one 8259 */
	__u8 last_irr;		/* levels of the lines, to see edges */
	__u8 irr;
	__u8 imr;
	__u8 isr;
	__u8 priority_add;	/* line with the highest priority */
	__u8 irq_base;		/* vector of line 0 */
	__u8 read_reg_select;	/* 1: reads give ISR */
	__u8 poll;
	__u8 special_mask;
	__u8 init_state;	/* ICW expected next, 0 when running */
	__u8 auto_eoi;
	__u8 rotate_on_auto_eoi;
	__u8 special_fully_nested_mode;
	__u8 init4;		/* ICW4 follows */
	__u8 elcr;		/* a bit per level-triggered line */
	__u8 elcr_mask;
};
MINIKVM_ASSERT_SIZE(minikvm_pic_state, 16);

#define MINIKVM_IOAPIC_NUM_PINS	24
struct minikvm_ioapic_state {
	__u64 base_address;
	__u32 ioregsel;
	__u32 id;
	__u32 irr;		/* a bit per asserted pin */
	__u32 pad;
	union {
		__u64 bits;
		struct {
			__u8 vector;
			__u8 delivery_mode:3;
			__u8 dest_mode:1;
			__u8 delivery_status:1;
			__u8 polarity:1;
			__u8 remote_irr:1;
			__u8 trig_mode:1;
			__u8 mask:1;
			__u8 reserve:7;
			__u8 reserved[4];
			__u8 dest_id;
		} fields;
	} redirtbl[MINIKVM_IOAPIC_NUM_PINS];
};
MINIKVM_ASSERT_SIZE(minikvm_ioapic_state, 216);

#define MINIKVM_IRQCHIP_PIC_MASTER	0
#define MINIKVM_IRQCHIP_PIC_SLAVE	1
#define MINIKVM_IRQCHIP_IOAPIC		2
#define MINIKVM_NR_IRQCHIPS		3

struct minikvm_irqchip {	/* GET_IRQCHIP [out], SET_IRQCHIP [in] */
	__u32 chip_id;		/* [in] MINIKVM_IRQCHIP_* */
	__u32 pad;
	union {
		char dummy[512];
		struct minikvm_pic_state pic;
		struct minikvm_ioapic_state ioapic;
	} chip;
};
MINIKVM_ASSERT_SIZE(minikvm_irqchip, 520);

#define MINIKVM_PIT_SPEAKER_DUMMY	1	/* port 0x61 is in the kernel, too */
struct minikvm_pit_config {
	__u32 flags;		/* [in] MINIKVM_PIT_* */
	__u32 pad[15];
};
MINIKVM_ASSERT_SIZE(minikvm_pit_config, 64);

struct minikvm_pit_channel_state {
	__u32 count;		/* 1..65536 */
	__u16 latched_count;
	__u8 count_latched;
	__u8 status_latched;
	__u8 status;
	__u8 read_state;
	__u8 write_state;
	__u8 write_latch;
	__u8 rw_mode;
	__u8 mode;
	__u8 bcd;
	__u8 gate;
	__s64 count_load_time;	/* ns, CLOCK_MONOTONIC */
};
MINIKVM_ASSERT_SIZE(minikvm_pit_channel_state, 24);

#define MINIKVM_PIT_FLAGS_HPET_LEGACY		0x00000001
#define MINIKVM_PIT_FLAGS_SPEAKER_DATA_ON	0x00000002
struct minikvm_pit_state2 {	/* GET_PIT2 [out], SET_PIT2 [in] */
	struct minikvm_pit_channel_state channels[3];
	__u32 flags;
	__u32 reserved[9];
};
MINIKVM_ASSERT_SIZE(minikvm_pit_state2, 112);

#define MINIKVM_CLOCK_TSC_STABLE	2	/* [out] the clock goes with the TSC */
#define MINIKVM_CLOCK_REALTIME		4	/* @realtime counts */
#define MINIKVM_CLOCK_HOST_TSC		8	/* [out] @host_tsc counts */
#define MINIKVM_CLOCK_VALID_FLAGS \
	(MINIKVM_CLOCK_TSC_STABLE | MINIKVM_CLOCK_REALTIME | MINIKVM_CLOCK_HOST_TSC)

struct minikvm_clock_data {	/* GET_CLOCK [out], SET_CLOCK [in]; all of one moment */
	__u64 clock;		/* the VM's, in ns */
	__u32 flags;		/* MINIKVM_CLOCK_* */
	__u32 pad0;
	__u64 realtime;		/* the host's CLOCK_REALTIME, in ns */
	__u64 host_tsc;		/* [out] */
	__u32 pad[4];
};
MINIKVM_ASSERT_SIZE(minikvm_clock_data, 48);

/* ------------------------------------------------ vCPU */

#define MINIKVM_RUN			_IO(MINIKVMIO, 0x80)
#define MINIKVM_GET_REGS		_IOR(MINIKVMIO, 0x81, struct minikvm_regs)
#define MINIKVM_SET_REGS		_IOW(MINIKVMIO, 0x82, struct minikvm_regs)
#define MINIKVM_GET_SREGS		_IOR(MINIKVMIO, 0x83, struct minikvm_sregs)
#define MINIKVM_SET_SREGS		_IOW(MINIKVMIO, 0x84, struct minikvm_sregs)
#define MINIKVM_TRANSLATE		_IOWR(MINIKVMIO, 0x85, struct minikvm_translation)
#define MINIKVM_INTERRUPT		_IOW(MINIKVMIO, 0x86, struct minikvm_interrupt)
#define MINIKVM_GET_MSRS		_IOWR(MINIKVMIO, 0x88, struct minikvm_msrs)
#define MINIKVM_SET_MSRS		_IOW(MINIKVMIO, 0x89, struct minikvm_msrs)
#define MINIKVM_SET_SIGNAL_MASK		_IOW(MINIKVMIO, 0x8b, struct minikvm_signal_mask)
#define MINIKVM_GET_FPU			_IOR(MINIKVMIO, 0x8c, struct minikvm_fpu)
#define MINIKVM_SET_FPU			_IOW(MINIKVMIO, 0x8d, struct minikvm_fpu)
#define MINIKVM_GET_LAPIC		_IOR(MINIKVMIO, 0x8e, struct minikvm_lapic_state)
#define MINIKVM_SET_LAPIC		_IOW(MINIKVMIO, 0x8f, struct minikvm_lapic_state)
#define MINIKVM_SET_CPUID2		_IOW(MINIKVMIO, 0x90, struct minikvm_cpuid2)
#define MINIKVM_GET_CPUID2		_IOWR(MINIKVMIO, 0x91, struct minikvm_cpuid2)
#define MINIKVM_SET_VAPIC_ADDR		_IOW(MINIKVMIO, 0x93, struct minikvm_vapic_addr)
#define MINIKVM_GET_MP_STATE		_IOR(MINIKVMIO, 0x98, struct minikvm_mp_state)
#define MINIKVM_SET_MP_STATE		_IOW(MINIKVMIO, 0x99, struct minikvm_mp_state)
#define MINIKVM_NMI			_IO(MINIKVMIO, 0x9a)
#define MINIKVM_SET_GUEST_DEBUG		_IOW(MINIKVMIO, 0x9b, struct minikvm_guest_debug)
#define MINIKVM_X86_SETUP_MCE		_IOW(MINIKVMIO, 0x9c, __u64)	/* IA32_MCG_CAP */
#define MINIKVM_X86_SET_MCE		_IOW(MINIKVMIO, 0x9e, struct minikvm_x86_mce)
#define MINIKVM_GET_VCPU_EVENTS		_IOR(MINIKVMIO, 0x9f, struct minikvm_vcpu_events)
#define MINIKVM_SET_VCPU_EVENTS		_IOW(MINIKVMIO, 0xa0, struct minikvm_vcpu_events)
#define MINIKVM_GET_DEBUGREGS		_IOR(MINIKVMIO, 0xa1, struct minikvm_debugregs)
#define MINIKVM_SET_DEBUGREGS		_IOW(MINIKVMIO, 0xa2, struct minikvm_debugregs)
#define MINIKVM_GET_XSAVE		_IOR(MINIKVMIO, 0xa4, struct minikvm_xsave)
#define MINIKVM_SET_XSAVE		_IOW(MINIKVMIO, 0xa5, struct minikvm_xsave)
#define MINIKVM_GET_XCRS		_IOR(MINIKVMIO, 0xa6, struct minikvm_xcrs)
#define MINIKVM_SET_XCRS		_IOW(MINIKVMIO, 0xa7, struct minikvm_xcrs)

#define MINIKVM_KVMCLOCK_CTRL		_IO(MINIKVMIO, 0xad)	/* no arg */
#define MINIKVM_SET_DEVICE_ATTR		_IOW(MINIKVMIO, 0xe1, struct minikvm_device_attr)
#define MINIKVM_GET_DEVICE_ATTR		_IOW(MINIKVMIO, 0xe2, struct minikvm_device_attr)
#define MINIKVM_HAS_DEVICE_ATTR		_IOW(MINIKVMIO, 0xe3, struct minikvm_device_attr)
#define MINIKVM_GET_NESTED_STATE	_IOWR(MINIKVMIO, 0xbe, struct minikvm_nested_state)
#define MINIKVM_SET_NESTED_STATE	_IOW(MINIKVMIO, 0xbf, struct minikvm_nested_state)
#define MINIKVM_GET_STATS_FD		_IO(MINIKVMIO, 0xce)	/* also on a VM; returns an fd */
#define MINIKVM_GET_XSAVE2		_IOR(MINIKVMIO, 0xcf, struct minikvm_xsave)

#define MINIKVM_VCPU_TSC_CTRL		0
#define MINIKVM_VCPU_TSC_OFFSET		0

struct minikvm_device_attr {	/* HAS_, GET_, SET_DEVICE_ATTR [in] */
	__u32 flags;		/* not looked at */
	__u32 group;		/* MINIKVM_VCPU_TSC_CTRL */
	__u64 attr;		/* MINIKVM_VCPU_TSC_OFFSET: a __u64 */
	__u64 addr;		/* where the value is [in, out] */
};
MINIKVM_ASSERT_SIZE(minikvm_device_attr, 24);

struct minikvm_regs {		/* GET_REGS [out], SET_REGS [in] */
	__u64 rax, rbx, rcx, rdx;
	__u64 rsi, rdi, rsp, rbp;
	__u64 r8, r9, r10, r11;
	__u64 r12, r13, r14, r15;
	__u64 rip, rflags;
};
MINIKVM_ASSERT_SIZE(minikvm_regs, 144);

struct minikvm_segment {
	__u64 base;
	__u32 limit;		/* bytes, whatever @g says */
	__u16 selector;
	__u8 type;
	__u8 present, dpl, db, s, l, g, avl;
	__u8 unusable;
	__u8 padding;
};
MINIKVM_ASSERT_SIZE(minikvm_segment, 24);

struct minikvm_dtable {
	__u64 base;
	__u16 limit;
	__u16 padding[3];
};
MINIKVM_ASSERT_SIZE(minikvm_dtable, 16);

#define MINIKVM_NR_INTERRUPTS 256
struct minikvm_sregs {		/* GET_SREGS [out], SET_SREGS [in] */
	struct minikvm_segment cs, ds, es, fs, gs, ss;
	struct minikvm_segment tr, ldt;
	struct minikvm_dtable gdt, idt;
	__u64 cr0, cr2, cr3, cr4, cr8;
	__u64 efer;
	__u64 apic_base;
	__u64 interrupt_bitmap[(MINIKVM_NR_INTERRUPTS + 63) / 64]; /* the one being delivered */
};
MINIKVM_ASSERT_SIZE(minikvm_sregs, 312);

struct minikvm_translation {
	__u64 linear_address;	/* [in] */
	__u64 physical_address;	/* [out] guest physical, or ~0 */
	__u8 valid;		/* [out] */
	__u8 writeable;		/* [out] always 1 */
	__u8 usermode;		/* [out] always 0 */
	__u8 pad[5];
};
MINIKVM_ASSERT_SIZE(minikvm_translation, 24);

struct minikvm_interrupt {
	__u32 irq;		/* [in] vector 0..255 */
};
MINIKVM_ASSERT_SIZE(minikvm_interrupt, 4);

struct minikvm_msr_entry {
	__u32 index;		/* [in] */
	__u32 reserved;
	__u64 data;		/* GET_MSRS [out], SET_MSRS [in] */
};
MINIKVM_ASSERT_SIZE(minikvm_msr_entry, 16);

struct minikvm_msrs {		/* the ioctl returns how many entries were done */
	__u32 nmsrs;		/* [in] */
	__u32 pad;
	MINIKVM_FLEX(struct minikvm_msr_entry, entries);
};
MINIKVM_ASSERT_SIZE(minikvm_msrs, 8);

struct minikvm_signal_mask {
	__u32 len;		/* [in] bytes in sigset: 8 */
	MINIKVM_FLEX(__u8, sigset);	/* [in] signals blocked while in RUN */
};
MINIKVM_ASSERT_SIZE(minikvm_signal_mask, 4);

struct minikvm_fpu {		/* GET_FPU [out], SET_FPU [in]; as FXSAVE lays it out */
	__u8 fpr[8][16];
	__u16 fcw;
	__u16 fsw;
	__u8 ftwx;
	__u8 pad1;
	__u16 last_opcode;
	__u64 last_ip;
	__u64 last_dp;
	__u8 xmm[16][16];
	__u32 mxcsr;
	__u32 pad2;
};
MINIKVM_ASSERT_SIZE(minikvm_fpu, 416);

#define MINIKVM_APIC_REG_SIZE 0x400
struct minikvm_lapic_state {	/* GET_LAPIC [out], SET_LAPIC [in]; xAPIC register page */
	char regs[MINIKVM_APIC_REG_SIZE];
};
MINIKVM_ASSERT_SIZE(minikvm_lapic_state, 1024);

struct minikvm_vapic_addr {	/* SET_VAPIC_ADDR [in] */
	__u64 vapic_addr;	/* 0: there is no such page */
};
MINIKVM_ASSERT_SIZE(minikvm_vapic_addr, 8);

#define MINIKVM_MP_STATE_RUNNABLE	0
#define MINIKVM_MP_STATE_UNINITIALIZED	1	/* waits for INIT */
#define MINIKVM_MP_STATE_INIT_RECEIVED	2	/* waits for SIPI */
#define MINIKVM_MP_STATE_HALTED		3
#define MINIKVM_MP_STATE_SIPI_RECEIVED	4
struct minikvm_mp_state {	/* GET_MP_STATE [out], SET_MP_STATE [in] */
	__u32 mp_state;
};
MINIKVM_ASSERT_SIZE(minikvm_mp_state, 4);

#define MINIKVM_VCPUEVENT_VALID_NMI_PENDING	0x01
#define MINIKVM_VCPUEVENT_VALID_SIPI_VECTOR	0x02
#define MINIKVM_VCPUEVENT_VALID_SHADOW		0x04
#define MINIKVM_VCPUEVENT_VALID_SMM		0x08
#define MINIKVM_VCPUEVENT_VALID_PAYLOAD		0x10
#define MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT	0x20

#define MINIKVM_X86_SHADOW_INT_MOV_SS	0x01
#define MINIKVM_X86_SHADOW_INT_STI	0x02

struct minikvm_vcpu_events {	/* GET_VCPU_EVENTS [out], SET_VCPU_EVENTS [in] */
	struct {
		__u8 injected;
		__u8 nr;
		__u8 has_error_code;
		__u8 pending;
		__u32 error_code;
	} exception;
	struct {
		__u8 injected;
		__u8 nr;
		__u8 soft;
		__u8 shadow;	/* MINIKVM_X86_SHADOW_* */
	} interrupt;
	struct {
		__u8 injected;
		__u8 pending;
		__u8 masked;
		__u8 pad;
	} nmi;
	__u32 sipi_vector;
	__u32 flags;		/* MINIKVM_VCPUEVENT_*: which fields count */
	struct {
		__u8 smm;	/* no SMM: all 0 */
		__u8 pending;
		__u8 smm_inside_nmi;
		__u8 latched_init;
	} smi;
	struct {
		__u8 pending;
	} triple_fault;
	__u8 reserved[26];
	__u8 exception_has_payload;
	__u64 exception_payload;
};
MINIKVM_ASSERT_SIZE(minikvm_vcpu_events, 64);

struct minikvm_debugregs {	/* GET_DEBUGREGS [out], SET_DEBUGREGS [in] */
	__u64 db[4];
	__u64 dr6;
	__u64 dr7;
	__u64 flags;		/* must be 0 */
	__u64 reserved[9];
};
MINIKVM_ASSERT_SIZE(minikvm_debugregs, 128);

#define MINIKVM_GUESTDBG_ENABLE		0x00000001	/* else the others but INJECT count for nothing */
#define MINIKVM_GUESTDBG_SINGLESTEP	0x00000002
#define MINIKVM_GUESTDBG_USE_SW_BP	0x00010000	/* INT3 is an exit */
#define MINIKVM_GUESTDBG_USE_HW_BP	0x00020000	/* debugreg[] instead of the guest's */
#define MINIKVM_GUESTDBG_INJECT_DB	0x00040000	/* a #DB for the guest, once */
#define MINIKVM_GUESTDBG_INJECT_BP	0x00080000	/* a #BP */
#define MINIKVM_GUESTDBG_BLOCKIRQ	0x00100000	/* no interrupt and no NMI comes in */
#define MINIKVM_GUESTDBG_VALID_MASK \
	(MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_SINGLESTEP | MINIKVM_GUESTDBG_USE_SW_BP | \
	 MINIKVM_GUESTDBG_USE_HW_BP | MINIKVM_GUESTDBG_INJECT_DB | MINIKVM_GUESTDBG_INJECT_BP | \
	 MINIKVM_GUESTDBG_BLOCKIRQ)

struct minikvm_guest_debug {
	__u32 control;		/* [in] MINIKVM_GUESTDBG_*; other bits are ignored */
	__u32 pad;
	struct {
		__u64 debugreg[8];	/* [in] for USE_HW_BP: DR0 to DR3, and DR7 */
	} arch;
};
MINIKVM_ASSERT_SIZE(minikvm_guest_debug, 72);

struct minikvm_debug_exit_arch {
	__u32 exception;	/* [out] 1: #DB, 3: #BP */
	__u32 pad;
	__u64 pc;		/* [out] linear address of the instruction that is next, or of INT3 */
	__u64 dr6;		/* [out] of #DB, as the guest would read it */
	__u64 dr7;		/* [out] of #DB: the one in use */
};
MINIKVM_ASSERT_SIZE(minikvm_debug_exit_arch, 32);

struct minikvm_x86_mce {	/* a machine check, as the MSRs of a bank have it */
	__u64 status;		/* [in] IA32_MCi_STATUS, with VAL */
	__u64 addr;		/* [in] IA32_MCi_ADDR */
	__u64 misc;		/* [in] IA32_MCi_MISC */
	__u64 mcg_status;	/* [in] IA32_MCG_STATUS, of an uncorrected one */
	__u8 bank;		/* [in] */
	__u8 pad1[7];
	__u64 pad2[3];
};
MINIKVM_ASSERT_SIZE(minikvm_x86_mce, 64);

struct minikvm_xsave {		/* GET_XSAVE [out], SET_XSAVE [in]; as XSAVE lays it out */
	__u32 region[1024];
	MINIKVM_FLEX(__u32, extra);
};
MINIKVM_ASSERT_SIZE(minikvm_xsave, 4096);

/* What a guest's guests are in the middle of: there is no nesting, so it is always this. */
struct minikvm_nested_state {	/* GET_NESTED_STATE [out], SET_NESTED_STATE [in] */
	__u16 flags;		/* 0 */
	__u16 format;		/* 0: VMX */
	__u32 size;		/* GET: [in] bytes of room; 128 */
	union {
		struct {
			__u64 vmxon_pa;		/* ~0: no VMXON */
			__u64 vmcs12_pa;	/* ~0 */
			struct {
				__u16 flags;	/* 0 */
			} smm;
			__u16 pad;
			__u32 flags;
			__u64 preemption_timer_deadline;
		} vmx;
		__u8 pad[120];
	} hdr;
};
MINIKVM_ASSERT_SIZE(minikvm_nested_state, 128);

#define MINIKVM_MAX_XCRS	16
struct minikvm_xcr {
	__u32 xcr;		/* number: 0 */
	__u32 reserved;
	__u64 value;
};
struct minikvm_xcrs {		/* GET_XCRS [out], SET_XCRS [in] */
	__u32 nr_xcrs;
	__u32 flags;		/* must be 0 */
	struct minikvm_xcr xcrs[MINIKVM_MAX_XCRS];
	__u64 padding[16];
};
MINIKVM_ASSERT_SIZE(minikvm_xcrs, 392);

/* ------------------------------------------------ statistics */

/* What is read from the fd of GET_STATS_FD: this, a name, descriptors, then values: __u64 each. */
struct minikvm_stats_header {
	__u32 flags;		/* [out] 0 */
	__u32 name_size;	/* [out] bytes of the name, and of each descriptor's */
	__u32 num_desc;		/* [out] descriptors */
	__u32 id_offset;	/* [out] where the name is */
	__u32 desc_offset;	/* [out] where the descriptors are */
	__u32 data_offset;	/* [out] where the values are */
};
MINIKVM_ASSERT_SIZE(minikvm_stats_header, 24);

#define MINIKVM_STATS_TYPE_CUMULATIVE	0x0
#define MINIKVM_STATS_TYPE_INSTANT	0x1
#define MINIKVM_STATS_UNIT_NONE		0x00
#define MINIKVM_STATS_BASE_POW10	0x000

struct minikvm_stats_desc {
	__u32 flags;		/* [out] MINIKVM_STATS_* */
	__s16 exponent;		/* [out] 0 */
	__u16 size;		/* [out] values: 1 */
	__u32 offset;		/* [out] of the first one, from data_offset */
	__u32 bucket_size;	/* [out] 0 */
	MINIKVM_FLEX(char, name);	/* [out] name_size bytes */
};
MINIKVM_ASSERT_SIZE(minikvm_stats_desc, 16);

/* ------------------------------------------------ the run page */

/* exit_reason: why RUN came back. Those marked - are never given by minikvm. */
#define MINIKVM_EXIT_UNKNOWN		0	/* - */
#define MINIKVM_EXIT_EXCEPTION		1	/* run->ex: a split lock, if the host forbids them */
#define MINIKVM_EXIT_IO			2	/* run->io */
#define MINIKVM_EXIT_HYPERCALL		3	/* - */
#define MINIKVM_EXIT_DEBUG		4	/* run->debug: what SET_GUEST_DEBUG asked for */
#define MINIKVM_EXIT_HLT		5	/* only if the VMM has the APIC */
#define MINIKVM_EXIT_MMIO		6	/* run->mmio */
#define MINIKVM_EXIT_IRQ_WINDOW_OPEN	7
#define MINIKVM_EXIT_SHUTDOWN		8	/* triple fault */
#define MINIKVM_EXIT_FAIL_ENTRY		9	/* run->fail_entry */
#define MINIKVM_EXIT_INTR		10	/* with EINTR: a signal */
#define MINIKVM_EXIT_SET_TPR		11	/* cr8 went down; only if the VMM has the APIC */
#define MINIKVM_EXIT_TPR_ACCESS		12	/* - */
#define MINIKVM_EXIT_NMI		16	/* - */
#define MINIKVM_EXIT_INTERNAL_ERROR	17	/* run->internal, run->emulation_failure */
#define MINIKVM_EXIT_SYSTEM_EVENT	24	/* - */
#define MINIKVM_EXIT_IOAPIC_EOI		26	/* run->eoi; only with CAP_SPLIT_IRQCHIP */
#define MINIKVM_EXIT_X86_RDMSR		29	/* run->msr: what CAP_X86_USER_SPACE_MSR asked for */
#define MINIKVM_EXIT_X86_WRMSR		30	/* run->msr */
#define MINIKVM_EXIT_DIRTY_RING_FULL	31	/* RESET_DIRTY_RINGS comes first */

#define MINIKVM_INTERNAL_ERROR_EMULATION	1	/* an instruction minikvm does not do */
#define MINIKVM_INTERNAL_ERROR_SIMUL_EX		2
#define MINIKVM_INTERNAL_ERROR_DELIVERY_EV	3	/* event delivery touched a device */
#define MINIKVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON 4

#define MINIKVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES (1ULL << 0)

#define MINIKVM_EXIT_IO_IN	0
#define MINIKVM_EXIT_IO_OUT	1

#define MINIKVM_PIO_PAGE_OFFSET		1	/* page of the mapping that io.data_offset is in */
#define MINIKVM_COALESCED_MMIO_PAGE_OFFSET 2
#define MINIKVM_DIRTY_LOG_PAGE_OFFSET	64	/* where the ring is, with CAP_DIRTY_LOG_RING */

#define MINIKVM_DIRTY_GFN_F_DIRTY	(1 << 0)	/* [out] the entry names a page */
#define MINIKVM_DIRTY_GFN_F_RESET	(1 << 1)	/* [in] the VMM has taken it */

struct minikvm_dirty_gfn {	/* an entry of the ring, which goes round */
	__u32 flags;		/* MINIKVM_DIRTY_GFN_F_*; read it before, set it after the others */
	__u32 slot;		/* [out] */
	__u64 offset;		/* [out] page of the slot */
};
MINIKVM_ASSERT_SIZE(minikvm_dirty_gfn, 16);

/* Registers that travel in the run page: bits of kvm_valid_regs and kvm_dirty_regs. */
#define MINIKVM_SYNC_X86_REGS	(1UL << 0)
#define MINIKVM_SYNC_X86_SREGS	(1UL << 1)
#define MINIKVM_SYNC_X86_EVENTS	(1UL << 2)
#define MINIKVM_SYNC_X86_VALID_FIELDS \
	(MINIKVM_SYNC_X86_REGS | MINIKVM_SYNC_X86_SREGS | MINIKVM_SYNC_X86_EVENTS)

struct minikvm_sync_regs {
	struct minikvm_regs regs;
	struct minikvm_sregs sregs;
	struct minikvm_vcpu_events events;
};
MINIKVM_ASSERT_SIZE(minikvm_sync_regs, 520);

struct minikvm_run {
	__u8 request_interrupt_window;	/* [in] exit when an interrupt can be injected */
	__u8 immediate_exit;		/* [in] finish the last exit, then EINTR */
	__u8 padding1[6];
	__u32 exit_reason;		/* [out] MINIKVM_EXIT_* */
	__u8 ready_for_interrupt_injection; /* [out] */
	__u8 if_flag;			/* [out] RFLAGS.IF */
	__u16 flags;			/* [out] 0 */
	__u64 cr8;			/* [in, out] if the VMM has the APIC, else [out] */
	__u64 apic_base;		/* [out] */
	union {
		struct {		/* MINIKVM_EXIT_UNKNOWN */
			__u64 hardware_exit_reason;
		} hw;
		struct {		/* MINIKVM_EXIT_FAIL_ENTRY */
			__u64 hardware_entry_failure_reason;	/* [out] */
			__u32 cpu;	/* [out] host CPU */
		} fail_entry;
		struct {		/* MINIKVM_EXIT_EXCEPTION */
			__u32 exception;	/* [out] vector: 17, #AC */
			__u32 error_code;	/* [out] */
		} ex;
		struct {		/* MINIKVM_EXIT_IO */
			__u8 direction;	/* [out] MINIKVM_EXIT_IO_* */
			__u8 size;	/* [out] bytes: 1, 2, 4 */
			__u16 port;	/* [out] */
			__u32 count;	/* [out] values; more than 1 only for string input */
			__u64 data_offset; /* [out] bytes from the start of this struct */
		} io;			/* the data: [out] for OUT, [in] for IN */
		struct {		/* MINIKVM_EXIT_DEBUG */
			struct minikvm_debug_exit_arch arch;
		} debug;
		struct {		/* MINIKVM_EXIT_MMIO */
			__u64 phys_addr;	/* [out] */
			__u8 data[8];	/* [out] for a write, [in] for a read */
			__u32 len;	/* [out] bytes: 1..8 */
			__u8 is_write;	/* [out] */
		} mmio;
		struct {		/* MINIKVM_EXIT_INTERNAL_ERROR */
			__u32 suberror;	/* [out] MINIKVM_INTERNAL_ERROR_* */
			__u32 ndata;	/* [out] words in data */
			__u64 data[16];	/* [out] */
		} internal;
		struct {		/* the same for MINIKVM_INTERNAL_ERROR_EMULATION */
			__u32 suberror;
			__u32 ndata;
			__u64 flags;	/* [out] which fields follow */
			__u8 insn_size;	/* [out] */
			__u8 insn_bytes[15]; /* [out] */
		} emulation_failure;
		struct {		/* MINIKVM_EXIT_SYSTEM_EVENT */
			__u32 type;
			__u32 ndata;
			__u64 data[16];
		} system_event;
		struct {		/* MINIKVM_EXIT_IOAPIC_EOI */
			__u8 vector;
		} eoi;
		struct {		/* MINIKVM_EXIT_X86_RDMSR, MINIKVM_EXIT_X86_WRMSR */
			__u8 error;	/* [in] not 0: the guest gets #GP; [out] 0 */
			__u8 pad[7];
			__u32 reason;	/* [out] MINIKVM_MSR_EXIT_REASON_* */
			__u32 index;	/* [out] */
			__u64 data;	/* [out] of WRMSR, [in] for RDMSR */
		} msr;
		char padding[256];
	};
	__u64 kvm_valid_regs;		/* [in] what RUN leaves in s.regs */
	__u64 kvm_dirty_regs;		/* [in, out] what RUN takes from it first; cleared */
	union {
		struct minikvm_sync_regs regs;
		char padding[2048];
	} s;
};
MINIKVM_ASSERT_SIZE(minikvm_run, 2352);
MINIKVM_STATIC_ASSERT(__builtin_offsetof(struct minikvm_run, exit_reason) == 8);
MINIKVM_STATIC_ASSERT(__builtin_offsetof(struct minikvm_run, cr8) == 16);
MINIKVM_STATIC_ASSERT(__builtin_offsetof(struct minikvm_run, apic_base) == 24);
MINIKVM_STATIC_ASSERT(__builtin_offsetof(struct minikvm_run, io) == 32);
MINIKVM_STATIC_ASSERT(__builtin_offsetof(struct minikvm_run, kvm_valid_regs) == 288);
MINIKVM_STATIC_ASSERT(__builtin_offsetof(struct minikvm_run, s) == 304);

#endif
