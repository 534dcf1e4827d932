// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID: what minikvm can offer, what the VMM chose, what the guest is told.
 *
 * The offer is an allow-list: a bit that is not named here is 0, whatever the
 * host has. SDM "CPUID - CPU Identification".
 */
#include <linux/slab.h>
#include <linux/sort.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "../vmx/vmx.h"
#include "../minikvm.h"

#define LEAF_MAX	0xd
#define LEAF_KVM	0x40000000
#define EXT_MAX		0x80000008

/* Bits that a guest may have if the host has them. */
static const struct allowed {
	u32 function, index;
	u32 eax, ebx, ecx, edx;
} allowed[] = {
	{ .function = 1, .eax = ~0u, .ebx = 0x0000ff00,
	  /* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND */
	  .ecx = BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) |
		 BIT(22) | BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30),
	  /* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36
	   * CLFLUSH MMX FXSR SSE SSE2 SS */
	  .edx = 0x0783fbff | BIT(19) | BIT(27) },
	{ .function = 2, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
	{ .function = 7, .eax = 0,
	  /* FSGSBASE TSC_ADJUST BMI1 AVX2 FDP SMEP BMI2 ERMS INVPCID ZERO_FCS AVX512F DQ
	   * RDSEED ADX SMAP IFMA CLFLUSHOPT CLWB CD SHA BW VL */
	  .ebx = BIT(0) | BIT(1) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) |
		 BIT(10) | BIT(13) | BIT(16) | BIT(17) | BIT(18) | BIT(19) | BIT(20) | BIT(21) |
		 BIT(23) | BIT(24) | BIT(28) | BIT(29) | BIT(30) | BIT(31),
	  /* VBMI UMIP PKU VBMI2 GFNI VAES VPCLMUL VNNI BITALG VPOPCNTDQ LA57 RDPID */
	  .ecx = BIT(1) | BIT(2) | BIT(3) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) |
		 BIT(12) | BIT(14) | BIT(16) | BIT(22),
	  /* FSRM MD_CLEAR SPEC_CTRL STIBP ARCH_CAPABILITIES SSBD */
	  .edx = BIT(4) | BIT(10) | BIT(26) | BIT(27) | BIT(29) | BIT(31) },
	{ .function = 0xd, .index = 1, .eax = BIT(0) | BIT(1) | BIT(2) },
	{ .function = 0x80000001, .eax = ~0u,
	  /* LAHF LZCNT PREFETCHW */
	  .ecx = BIT(0) | BIT(5) | BIT(8),
	  /* SYSCALL NX PDPE1GB RDTSCP LM */
	  .edx = BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29) },
	{ .function = 0x80000002, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
	{ .function = 0x80000003, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
	{ .function = 0x80000004, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
	{ .function = 0x80000005, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
	{ .function = 0x80000006, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
	{ .function = 0x80000007, .edx = BIT(8) },	/* invariant TSC */
	{ .function = 0x80000008, .eax = 0x0000ffff },
};

/* A list under construction; counts on when the room is used up. */
struct list {
	struct minikvm_cpuid_entry2 *entries;
	u32 room, n;
};

static struct minikvm_cpuid_entry2 *add(struct list *l, u32 function, u32 index, bool indexed)
{
	static struct minikvm_cpuid_entry2 overflow;	/* never read */
	struct minikvm_cpuid_entry2 *e = l->n < l->room ? &l->entries[l->n] : &overflow;

	l->n++;
	memset(e, 0, sizeof(*e));
	e->function = function;
	e->index = index;
	e->flags = indexed ? MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
	cpuid_count(function, index, &e->eax, &e->ebx, &e->ecx, &e->edx);
	return e;
}

/* What Linux hides from itself (boot parameters, errata) is hidden from guests, too. */
static void mask_by_kernel(struct minikvm_cpuid_entry2 *e)
{
	if (e->function == 1 && !boot_cpu_has(X86_FEATURE_XSAVE))
		e->ecx &= ~(BIT(26) | BIT(28) | BIT(29) | BIT(12));
	if (e->function == 1 && !boot_cpu_has(X86_FEATURE_PCID))
		e->ecx &= ~BIT(17);
	if (e->function != 7)
		return;
	if (!vmx_caps.invpcid)
		e->ebx &= ~BIT(10);
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		e->ebx &= ~(BIT(5) | BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31));
	if (!boot_cpu_has(X86_FEATURE_FSGSBASE))
		e->ebx &= ~BIT(0);
	if (!boot_cpu_has(X86_FEATURE_OSPKE))
		e->ecx &= ~BIT(3);
	if (!vmx_caps.rdtscp)
		e->ecx &= ~BIT(22);
	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		e->edx &= ~(BIT(26) | BIT(27) | BIT(31));
	if (!boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		e->edx &= ~BIT(29);
}

static void add_allowed(struct list *l, u32 function, u32 index, bool indexed)
{
	struct minikvm_cpuid_entry2 *e = add(l, function, index, indexed);
	int i;

	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (allowed[i].function != function || allowed[i].index != index)
			continue;
		e->eax &= allowed[i].eax;
		e->ebx &= allowed[i].ebx;
		e->ecx &= allowed[i].ecx;
		e->edx &= allowed[i].edx;
		mask_by_kernel(e);
		break;
	}
	if (i == ARRAY_SIZE(allowed))
		e->eax = e->ebx = e->ecx = e->edx = 0;
	/* The x2APIC and TSC_ADJUST are ours, whatever the host has. */
	if (function == 1)
		e->ecx |= BIT(21);
	if (function == 7)
		e->ebx |= BIT(1);
	if (function == 0x80000001 && !vmx_caps.rdtscp)
		e->edx &= ~BIT(27);
	/* The virtual APIC timer never stops. */
	if (function == 6)
		e->eax = BIT(2);
}

/* Caches as the host has them, shared by nobody. */
static void add_caches(struct list *l)
{
	struct minikvm_cpuid_entry2 *e;
	u32 i = 0;

	do {
		e = add(l, 4, i++, true);
		e->eax &= 0x3fff;
	} while ((e->eax & 0x1f) && i < 8);
}

static void add_xstate(struct list *l)
{
	u64 xcr0 = fpu_supported_xcr0();
	struct minikvm_cpuid_entry2 *e = add(l, 0xd, 0, true);
	u32 i, size = 576;

	e->eax = xcr0;
	e->edx = xcr0 >> 32;
	add_allowed(l, 0xd, 1, true);
	for (i = 2; i < 64; i++) {
		struct minikvm_cpuid_entry2 *s;

		if (!(xcr0 & BIT_ULL(i)))
			continue;
		s = add(l, 0xd, i, true);
		size = max(size, s->eax + s->ebx);
		s->ecx &= BIT(1);
		s->edx = 0;
	}
	e->ebx = size;
	e->ecx = size;
}

static void add_basic(struct list *l)
{
	u32 top = min_t(u32, cpuid_eax(0), LEAF_MAX), i;

	if (!fpu_supported_xcr0())
		top = min_t(u32, top, 0xb);
	add(l, 0, 0, false)->eax = top;
	for (i = 1; i <= top; i++) {
		if (i == 4)
			add_caches(l);
		else if (i == 0xd)
			add_xstate(l);
		else
			add_allowed(l, i, 0, i == 7 || i == 0xb);
	}
}

/*
 * The leaves by which a guest knows whose hypercalls and MSRs it may use. The
 * interface is KVM's, so the name is; no paravirtual feature is offered yet.
 */
static void add_hypervisor(struct list *l)
{
	struct minikvm_cpuid_entry2 *e = add(l, LEAF_KVM, 0, false);

	e->eax = LEAF_KVM + 1;
	memcpy(&e->ebx, "KVMK", 4);
	memcpy(&e->ecx, "VMKV", 4);
	memcpy(&e->edx, "M\0\0\0", 4);
	e = add(l, LEAF_KVM + 1, 0, false);
	e->eax = BIT(1);	/* no delay needed after port I/O */
	e->ebx = e->ecx = e->edx = 0;
}

/**
 * cpuid_supported - GET_SUPPORTED_CPUID
 * @cpuid: nent is the room; becomes the number of entries
 * @entries: filled
 *
 * Return: 0, or -E2BIG if there is not enough room.
 */
int cpuid_supported(struct minikvm_cpuid2 *cpuid, struct minikvm_cpuid_entry2 *entries)
{
	struct list l = { .entries = entries, .room = cpuid->nent };
	u32 top = min_t(u32, cpuid_eax(0x80000000), EXT_MAX), i;

	add_basic(&l);
	add_hypervisor(&l);
	i = l.n;
	add_allowed(&l, 0x80000000, 0, false);
	if (i < l.room)
		entries[i].eax = top;
	for (i = 0x80000001; i <= top; i++)
		add_allowed(&l, i, 0, false);
	if (l.n > l.room)
		return -E2BIG;
	cpuid->nent = l.n;
	return 0;
}

static int compare(const struct minikvm_cpuid_entry2 *e, u32 function, u32 index)
{
	if (e->function != function)
		return e->function < function ? -1 : 1;
	if (!(e->flags & MINIKVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index)
		return 0;
	return e->index < index ? -1 : 1;
}

/**
 * cpuid_find - the entry for a query
 * @vcpu: whose
 * @function: EAX
 * @index: ECX
 *
 * Return: the entry, or NULL.
 */
const struct minikvm_cpuid_entry2 *cpuid_find(struct vcpu *vcpu, u32 function, u32 index)
{
	u32 low = 0, high = vcpu->cpuid_nent;

	while (low < high) {
		u32 mid = (low + high) / 2;
		int order = compare(&vcpu->cpuid_sorted[mid], function, index);

		if (!order)
			return &vcpu->cpuid_sorted[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* SDM "CPUID": a basic leaf above the highest answers as the highest; others 0. */
static const struct minikvm_cpuid_entry2 *find_or_last(struct vcpu *vcpu, u32 function, u32 index)
{
	const struct minikvm_cpuid_entry2 *e = cpuid_find(vcpu, function, index), *top;

	if (e || function >= LEAF_KVM)
		return e;
	top = cpuid_find(vcpu, 0, 0);
	if (!top || function <= top->eax)
		return NULL;
	return cpuid_find(vcpu, top->eax, index);
}

/* Bits that follow the guest's own state. */
static void adjust(struct vcpu *vcpu, u32 function, u32 index, u32 *ebx, u32 *ecx, u32 *edx)
{
	if (function == 1) {
		*ecx = (*ecx & ~BIT(27)) | (vcpu->cr4 & X86_CR4_OSXSAVE ? BIT(27) : 0);
		if (vcpu->lapic)
			*edx = (*edx & ~BIT(9)) | (vcpu->apic_base & BIT(11) ? BIT(9) : 0);
	} else if (function == 7 && !index) {
		*ecx = (*ecx & ~BIT(4)) | (vcpu->cr4 & X86_CR4_PKE ? BIT(4) : 0);
	} else if (function == 0xd && !index) {
		const struct minikvm_cpuid_entry2 *s;
		u32 i, size = 576;

		for (i = 2; i < 32; i++) {
			s = vcpu->xcr0 & BIT(i) ? cpuid_find(vcpu, 0xd, i) : NULL;
			if (s)
				size = max(size, s->eax + s->ebx);
		}
		*ebx = size;
	}
}

/**
 * cpuid_query - the CPUID instruction
 * @vcpu: attached
 * @eax: function, then the answer
 * @ebx: answer
 * @ecx: index, then the answer
 * @edx: answer
 *
 * Context: interrupts off or on.
 */
void cpuid_query(struct vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	u32 function = *eax, index = *ecx;
	const struct minikvm_cpuid_entry2 *e = find_or_last(vcpu, function, index);

	if (!e) {
		*eax = *ebx = *ecx = *edx = 0;
		/* Topology leaves echo the index and tell the APIC ID at every level. */
		if (function == 0xb)
			*ecx = index & 0xff;
		return;
	}
	*eax = e->eax;
	*ebx = e->ebx;
	*ecx = e->ecx;
	*edx = e->edx;
	if (function == 1 || function == 7 || function == 0xd)
		adjust(vcpu, function, index, ebx, ecx, edx);
}

static int by_query(const void *a, const void *b)
{
	const struct minikvm_cpuid_entry2 *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static u32 feature(struct vcpu *vcpu, u32 function, int reg)
{
	const struct minikvm_cpuid_entry2 *e = cpuid_find(vcpu, function, 0);

	return e ? (&e->eax)[reg] : 0;
}

/* CR4 bits that this CPUID does not give the guest are reserved. */
static unsigned long cr4_reserved(struct vcpu *vcpu)
{
	u32 f1c = feature(vcpu, 1, 2), f7b = feature(vcpu, 7, 1), f7c = feature(vcpu, 7, 2);
	unsigned long ok = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |
			   X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE |
			   X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	unsigned long host = vmx_caps.cr4_fixed0;

	ok |= f1c & BIT(26) && fpu_supported_xcr0() ? X86_CR4_OSXSAVE : 0;
	ok |= f1c & BIT(17) ? X86_CR4_PCIDE : 0;
	ok |= f7b & BIT(0) ? X86_CR4_FSGSBASE : 0;
	ok |= f7b & BIT(7) ? X86_CR4_SMEP : 0;
	ok |= f7b & BIT(20) ? X86_CR4_SMAP : 0;
	ok |= f7c & BIT(2) ? X86_CR4_UMIP : 0;
	ok |= f7c & BIT(3) && boot_cpu_has(X86_FEATURE_OSPKE) ? X86_CR4_PKE : 0;
	ok |= f7c & BIT(16) ? X86_CR4_LA57 : 0;
	return ~(ok & host);
}

/* What other files ask often, derived once. */
static void derive(struct vcpu *vcpu)
{
	u32 edx = feature(vcpu, 0x80000001, 3), phys = feature(vcpu, 0x80000008, 0) & 0xff;
	const struct minikvm_cpuid_entry2 *xstate = cpuid_find(vcpu, 0xd, 0);

	vcpu->cr4_reserved = cr4_reserved(vcpu);
	vcpu->efer_reserved = ~0ull;
	vcpu->efer_reserved &= ~(u64)(edx & BIT(11) ? EFER_SCE : 0);
	vcpu->efer_reserved &= ~(u64)(edx & BIT(20) ? EFER_NX : 0);
	vcpu->efer_reserved &= ~(u64)(edx & BIT(29) ? EFER_LME | EFER_LMA : 0);
	vcpu->maxphyaddr = phys >= 32 && phys <= 52 ? phys : 36;
	vcpu->xcr0_allowed = xstate ? (xstate->eax | (u64)xstate->edx << 32) &
				      fpu_supported_xcr0() : 0;
	vcpu->has_spec_ctrl = (feature(vcpu, 7, 3) & BIT(26)) &&
			      boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
	vcpu->has_x2apic = feature(vcpu, 1, 2) & BIT(21);
}

static bool same(struct vcpu *vcpu, const struct minikvm_cpuid_entry2 *entries, u32 nent)
{
	return nent == vcpu->cpuid_nent &&
	       !memcmp(vcpu->cpuid, entries, nent * sizeof(*entries));
}

/**
 * cpuid_set - SET_CPUID2
 * @vcpu: whose
 * @entries: kvmalloc'd; taken over on success
 * @nent: how many
 *
 * Return: 0, -EINVAL once the vCPU has run, -ENOMEM.
 */
int cpuid_set(struct vcpu *vcpu, struct minikvm_cpuid_entry2 *entries, u32 nent)
{
	struct minikvm_cpuid_entry2 *sorted;

	if (vcpu->cpuid_locked) {
		if (!same(vcpu, entries, nent))
			return -EINVAL;
		kvfree(entries);
		return 0;
	}
	sorted = kvmalloc_array(nent + 1, sizeof(*sorted), GFP_KERNEL_ACCOUNT);
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, entries, nent * sizeof(*sorted));
	sort(sorted, nent, sizeof(*sorted), by_query, NULL);
	cpuid_free(vcpu);
	vcpu->cpuid = entries;
	vcpu->cpuid_sorted = sorted;
	vcpu->cpuid_nent = nent;
	derive(vcpu);
	return 0;
}

/** cpuid_create - a vCPU starts without CPUID: only the oldest features */
void cpuid_create(struct vcpu *vcpu)
{
	derive(vcpu);
}

/** cpuid_free - forget the entries */
void cpuid_free(struct vcpu *vcpu)
{
	kvfree(vcpu->cpuid);
	kvfree(vcpu->cpuid_sorted);
	vcpu->cpuid = vcpu->cpuid_sorted = NULL;
	vcpu->cpuid_nent = 0;
}
