/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ioctl_fuzz says to minikvm: each ioctl of the ABI with an argument that makes sense, makes
 * some, or makes none, all of it out of one sequence of random numbers.
 */
#ifndef SELFTESTS_GRAMMAR_H
#define SELFTESTS_GRAMMAR_H

#include "vm.h"

/* ---- random numbers, a sequence for each thread */

struct dice { uint64_t state; };

static uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(struct dice *d, uint32_t n)
{
	return (roll(d) >> 16) % n;
}

static bool one_in(struct dice *d, uint32_t n)
{
	return !below(d, n);
}

/* Mostly small; what lies at borders; now and then anything. */
static uint64_t number(struct dice *d)
{
	static const uint64_t edge[] = {
		0, 1, ~0ull, 0xffffffff, 1ull << 31, 1ull << 32, 1ull << 47, 1ull << 63, 0x7fffffff,
		0xfee00000, 0xfec00000, 0xd0000000, 0xfff, 0x1000, 0xffffffff00000000,
	};

	switch (below(d, 8)) {
	case 0:
		return edge[below(d, sizeof(edge) / sizeof(edge[0]))];
	case 1:
		return roll(d);
	case 2:
		return 1ull << below(d, 64);
	case 3:
		return below(d, 4096);
	default:
		return below(d, 16);
	}
}

/* ---- memory that threads share; an argument ends before a page that is not there */

#define G_PAGES		64
#define ARG_SIZE	8192u

struct world {
	uint8_t *mem;		/* of the guests, G_PAGES */
	int event[3];		/* eventfds */
};

static void noise(struct dice *d, void *arg, size_t size)
{
	uint32_t n, *word = arg;

	memset(arg, 0, size);
	for (n = 0; n < size / 4; n++)
		if (one_in(d, 3))
			word[n] = number(d);
}

/* Some bits of what is there. */
static void flip(struct dice *d, void *arg, size_t size)
{
	uint32_t n = below(d, 4);

	while (n--)
		((uint8_t *)arg)[below(d, size)] ^= 1 << below(d, 8);
}

static int some_event(struct dice *d, const struct world *w)
{
	return one_in(d, 8) ? (int)below(d, 24) - 1 : w->event[below(d, 3)];
}

static void fill_slot(struct dice *d, const struct world *w, void *arg)
{
	struct minikvm_userspace_memory_region *r = arg;
	uint32_t page = below(d, G_PAGES), n = 1 + below(d, G_PAGES - page);

	*r = (struct minikvm_userspace_memory_region) {
		.slot = below(d, 4), .flags = below(d, 4), .guest_phys_addr = page * 4096ull,
		.memory_size = one_in(d, 4) ? 0 : n * 4096ull,
		.userspace_addr = (uintptr_t)w->mem + page * 4096ull,
	};
	if (one_in(d, 8))
		r->guest_phys_addr = number(d) << 12;
	if (one_in(d, 16))
		noise(d, r, sizeof(*r));
	/* A log of terabytes is a question of the machine's memory. */
	if (r->memory_size > 1 << 30)
		r->flags &= ~MINIKVM_MEM_LOG_DIRTY_PAGES;
}

static void fill_log(struct dice *d, const struct world *w, void *arg)
{
	struct minikvm_clear_dirty_log *r = arg;	/* the slot is where GET's is */

	*r = (struct minikvm_clear_dirty_log) {
		.slot = below(d, 5), .num_pages = 64, .first_page = below(d, 3) * 32,
		.dirty_bitmap = w->mem + below(d, G_PAGES) * 4096,
	};
	if (one_in(d, 2))	/* GET has its pointer there */
		r->num_pages = r->first_page = 0;
	((struct minikvm_dirty_log *)arg)->dirty_bitmap = one_in(d, 4) ? (void *)number(d) : w->mem + 8;
}

static void fill_irqfd(struct dice *d, const struct world *w, void *arg)
{
	*(struct minikvm_irqfd *)arg = (struct minikvm_irqfd) {
		.fd = some_event(d, w), .gsi = one_in(d, 8) ? number(d) : below(d, 24),
		.flags = one_in(d, 8) ? number(d) : below(d, 4), .resamplefd = some_event(d, w),
	};
}

static void fill_ioeventfd(struct dice *d, const struct world *w, void *arg)
{
	static const uint8_t lengths[] = { 0, 1, 2, 4, 8, 3, 9 };

	*(struct minikvm_ioeventfd *)arg = (struct minikvm_ioeventfd) {
		.datamatch = below(d, 3), .addr = one_in(d, 2) ? 0x10 + below(d, 4) : number(d),
		.len = lengths[below(d, 7)], .fd = some_event(d, w),
		.flags = one_in(d, 8) ? number(d) : below(d, 8),
	};
}

static void fill_zone(struct dice *d, const struct world *w, void *arg)
{
	*(struct minikvm_coalesced_mmio_zone *)arg = (struct minikvm_coalesced_mmio_zone) {
		.addr = one_in(d, 2) ? 0x10 : number(d), .size = one_in(d, 8) ? number(d) : 1 + below(d, 16),
		.pio = below(d, 3),
	};
}

static void fill_routes(struct dice *d, const struct world *w, void *arg)
{
	struct minikvm_irq_routing *r = arg;
	uint32_t i, n = below(d, 8);

	noise(d, arg, sizeof(*r) + n * sizeof(r->entries[0]));
	*r = (struct minikvm_irq_routing) { .nr = one_in(d, 8) ? number(d) : n, .flags = one_in(d, 32) };
	for (i = 0; i < n; i++) {
		r->entries[i].gsi = one_in(d, 16) ? number(d) : below(d, 24);
		r->entries[i].type = 1 + below(d, 2);
		r->entries[i].flags = one_in(d, 16);
		r->entries[i].u.irqchip.irqchip = below(d, 3);
		r->entries[i].u.irqchip.pin = below(d, 24);
	}
}

static void fill_msrs(struct dice *d, const struct world *w, void *arg)
{
	static const uint32_t first[] = { 0, 0x170, 0x200, 0x400, 0x800, 0x4b564d00, 0xc0000080, 0x480 };
	struct minikvm_msrs *m = arg;
	uint32_t i, n = below(d, 16);

	*m = (struct minikvm_msrs) { .nmsrs = one_in(d, 8) ? number(d) : n };
	for (i = 0; i < n; i++)
		m->entries[i] = (struct minikvm_msr_entry) {
			.index = one_in(d, 8) ? number(d) : first[below(d, 8)] + below(d, 32),
			.data = number(d),
		};
}

static void fill_cpuid(struct dice *d, const struct world *w, void *arg)
{
	struct minikvm_cpuid2 *c = arg;
	uint32_t i, n = below(d, 32);

	*c = (struct minikvm_cpuid2) { .nent = one_in(d, 8) ? number(d) : n };
	for (i = 0; i < n; i++)
		c->entries[i] = (struct minikvm_cpuid_entry2) {
			.function = below(d, 16) | (one_in(d, 4) ? 1u << 31 : one_in(d, 4) ? 1 << 30 : 0),
			.index = below(d, 3), .flags = below(d, 2), .eax = number(d), .ebx = number(d),
			.ecx = roll(d), .edx = roll(d),
		};
}

static void fill_cap(struct dice *d, const struct world *w, void *arg)
{
	static const uint16_t caps[] = {
		MINIKVM_CAP_SPLIT_IRQCHIP, MINIKVM_CAP_X2APIC_API, MINIKVM_CAP_X86_DISABLE_EXITS,
		MINIKVM_CAP_X86_USER_SPACE_MSR, MINIKVM_CAP_EXCEPTION_PAYLOAD, MINIKVM_CAP_DIRTY_LOG_RING,
		MINIKVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, MINIKVM_CAP_DISABLE_QUIRKS2,
		MINIKVM_CAP_X86_NOTIFY_VMEXIT, MINIKVM_CAP_X86_APIC_BUS_CYCLES_NS,
		MINIKVM_CAP_X86_TRIPLE_FAULT_EVENT, MINIKVM_CAP_EXIT_ON_EMULATION_FAILURE,
		MINIKVM_CAP_ENFORCE_PV_FEATURE_CPUID, MINIKVM_CAP_MSR_PLATFORM_INFO,
		MINIKVM_CAP_MAX_VCPU_ID, MINIKVM_CAP_DIRTY_LOG_RING_ACQ_REL,
	};

	*(struct minikvm_enable_cap *)arg = (struct minikvm_enable_cap) {
		.cap = one_in(d, 8) ? below(d, 256) : caps[below(d, sizeof(caps) / sizeof(caps[0]))],
		.flags = one_in(d, 32), .args = { one_in(d, 8) ? 4096 : number(d), number(d) },
	};
}

static void fill_filter(struct dice *d, const struct world *w, void *arg)
{
	struct minikvm_msr_filter *f = arg;
	uint32_t i, n = below(d, 17);

	*f = (struct minikvm_msr_filter) { .flags = one_in(d, 32) ? number(d) : below(d, 2) };
	for (i = 0; i < n; i++)
		f->ranges[i] = (struct minikvm_msr_filter_range) {
			.flags = one_in(d, 16) ? number(d) : below(d, 4), .base = number(d),
			.nmsrs = one_in(d, 16) ? number(d) : below(d, 300),
			.bitmap = one_in(d, 16) ? (void *)number(d) : w->mem,
		};
}

static void fill_mask(struct dice *d, const struct world *w, void *arg)
{
	struct minikvm_signal_mask *m = arg;

	noise(d, arg, 12);
	m->len = one_in(d, 8) ? number(d) : 8;
	m->sigset[1] = 0;		/* SIGUSR1, which ends a RUN */
}

static void fill_attr(struct dice *d, const struct world *w, void *arg)
{
	*(struct minikvm_device_attr *)arg = (struct minikvm_device_attr) {
		.group = one_in(d, 4), .attr = one_in(d, 4),
		.addr = one_in(d, 8) ? number(d) : (uintptr_t)w->mem + 64,
	};
}

/* ---- the ioctls */

/* To which kind of descriptor it is said, most of the time. */
enum kind { DEVICE, VM, VCPU, KINDS };

struct word {
	enum kind kind;
	unsigned long nr;
	void (*fill)(struct dice *d, const struct world *w, void *arg);
	unsigned long get;	/* what it sets is what this has got, and some bits else */
};

#define V(name)		{ VM, MINIKVM_##name }
#define C(name)		{ VCPU, MINIKVM_##name }
#define STATE(kind, name)		{ kind, MINIKVM_SET_##name, NULL, MINIKVM_GET_##name }

static const struct word words[] = {
	{ DEVICE, MINIKVM_GET_API_VERSION }, { DEVICE, MINIKVM_CHECK_EXTENSION },
	{ DEVICE, MINIKVM_GET_MSR_INDEX_LIST }, { DEVICE, MINIKVM_GET_VCPU_MMAP_SIZE },
	{ DEVICE, MINIKVM_GET_SUPPORTED_CPUID, fill_cpuid }, { DEVICE, MINIKVM_GET_EMULATED_CPUID, fill_cpuid },
	{ DEVICE, MINIKVM_GET_MSR_FEATURE_INDEX_LIST }, { DEVICE, MINIKVM_X86_GET_MCE_CAP_SUPPORTED },
	{ DEVICE, MINIKVM_GET_MSRS, fill_msrs },
	V(CHECK_EXTENSION), V(SET_NR_MMU_PAGES), V(SET_TSS_ADDR), V(SET_IDENTITY_MAP_ADDR),
	V(CREATE_IRQCHIP), V(IRQ_LINE), V(IRQ_LINE_STATUS), V(CREATE_PIT2), V(SET_BOOT_CPU_ID),
	V(REINJECT_CONTROL), V(GET_CLOCK), V(SET_CLOCK), V(SIGNAL_MSI), V(RESET_DIRTY_RINGS),
	V(SET_TSC_KHZ), V(GET_TSC_KHZ), V(GET_STATS_FD),
	{ VM, MINIKVM_SET_USER_MEMORY_REGION, fill_slot }, { VM, MINIKVM_SET_USER_MEMORY_REGION, fill_slot },
	{ VM, MINIKVM_SET_USER_MEMORY_REGION2, fill_slot }, { VM, MINIKVM_GET_DIRTY_LOG, fill_log },
	{ VM, MINIKVM_CLEAR_DIRTY_LOG, fill_log }, { VM, MINIKVM_IRQFD, fill_irqfd },
	{ VM, MINIKVM_IRQFD, fill_irqfd }, { VM, MINIKVM_IOEVENTFD, fill_ioeventfd },
	{ VM, MINIKVM_IOEVENTFD, fill_ioeventfd }, { VM, MINIKVM_REGISTER_COALESCED_MMIO, fill_zone },
	{ VM, MINIKVM_UNREGISTER_COALESCED_MMIO, fill_zone }, { VM, MINIKVM_SET_GSI_ROUTING, fill_routes },
	{ VM, MINIKVM_ENABLE_CAP, fill_cap }, { VM, MINIKVM_X86_SET_MSR_FILTER, fill_filter },
	STATE(VM, IRQCHIP), STATE(VM, PIT2),
	C(TRANSLATE), C(INTERRUPT), C(SET_VAPIC_ADDR), C(NMI), C(SET_GUEST_DEBUG), C(X86_SETUP_MCE),
	C(X86_SET_MCE), C(KVMCLOCK_CTRL), C(GET_NESTED_STATE), C(SET_NESTED_STATE), C(GET_STATS_FD),
	C(GET_XSAVE2), C(SET_MP_STATE), C(SET_TSC_KHZ), C(GET_TSC_KHZ),
	{ VCPU, MINIKVM_GET_MSRS, fill_msrs }, { VCPU, MINIKVM_SET_MSRS, fill_msrs },
	{ VCPU, MINIKVM_SET_MSRS, fill_msrs }, { VCPU, MINIKVM_SET_SIGNAL_MASK, fill_mask },
	{ VCPU, MINIKVM_SET_CPUID2, fill_cpuid }, { VCPU, MINIKVM_GET_CPUID2, fill_cpuid },
	{ VCPU, MINIKVM_ENABLE_CAP, fill_cap }, { VCPU, MINIKVM_SET_DEVICE_ATTR, fill_attr },
	{ VCPU, MINIKVM_GET_DEVICE_ATTR, fill_attr }, { VCPU, MINIKVM_HAS_DEVICE_ATTR, fill_attr },
	STATE(VCPU, REGS), STATE(VCPU, SREGS), STATE(VCPU, SREGS), STATE(VCPU, FPU),
	STATE(VCPU, LAPIC), STATE(VCPU, MP_STATE), STATE(VCPU, VCPU_EVENTS),
	STATE(VCPU, DEBUGREGS), STATE(VCPU, XSAVE), STATE(VCPU, XCRS),
};
#define NR_WORDS	(sizeof(words) / sizeof(words[0]))

/* Bytes of the argument: what the number says, and what follows in those with a list. */
static size_t size_of(const struct word *word)
{
	size_t size = _IOC_SIZE(word->nr);

	if (word->fill == fill_msrs)
		return size + 16 * sizeof(struct minikvm_msr_entry);
	if (word->fill == fill_cpuid)
		return size + 32 * sizeof(struct minikvm_cpuid_entry2);
	if (word->fill == fill_routes)
		return size + 8 * sizeof(struct minikvm_irq_routing_entry);
	if (word->fill == fill_log || word->fill == fill_mask)
		return sizeof(struct minikvm_clear_dirty_log);
	return size ?: 32;
}

#endif
