// SPDX-License-Identifier: GPL-2.0
/* Claim: a VMM can set every MSR of the lists that VMMs set at reset, or restore of what they
 * saved, in one SET_MSRS; whatever the guest's CPUID shows.
 */
#include "lib/vm.h"

#define MAX_LIST	512
#define MSR_PLATFORM_INFO	0xce

struct list {
	struct minikvm_msrs head;
	struct minikvm_msr_entry e[255];
};

struct indices {
	struct minikvm_msr_list head;
	uint32_t index[MAX_LIST];
};

static struct indices listed(const struct test_vm *t, unsigned long ioctl_nr)
{
	struct indices l = { .head.nmsrs = MAX_LIST };

	if (ioctl(t->dev, ioctl_nr, &l))
		abort();
	return l;
}

static bool is_listed(const struct indices *l, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < l->head.nmsrs; i++)
		if (l->head.indices[i] == index)
			return true;
	return false;
}

static void add(struct list *l, uint32_t index, uint64_t data)
{
	l->head.entries[l->head.nmsrs++] = (struct minikvm_msr_entry) { .index = index, .data = data };
}

static void add_if(struct list *l, const struct indices *there, uint32_t index, uint64_t data)
{
	if (is_listed(there, index))
		add(l, index, data);
}

/* The whole list, or the one that failed. */
#define EXPECT_SET(t, l) do {						\
	int n_ = ioctl((t)->vcpu, MINIKVM_SET_MSRS, l);			\
	ASSERT_EQ((int)(l)->head.nmsrs, n_)				\
		TH_LOG("set %#x", n_ < 0 ? -1 : (l)->head.entries[n_].index); \
} while (0)

#define GET(t, i) ({							\
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m_ = {	\
		.head.nmsrs = 1, .e.index = i };			\
	ASSERT_EQ(1, ioctl((t)->vcpu, MINIKVM_GET_MSRS, &m_)) TH_LOG("get %#x", m_.e.index); \
	m_.e.data; })

static void setup_mce(struct test_vm *t, uint64_t banks)
{
	uint64_t cap;

	if (ioctl(t->dev, MINIKVM_X86_GET_MCE_CAP_SUPPORTED, &cap))
		abort();
	cap = banks | (cap & (1 << 8 | 1 << 24));
	if (ioctl(t->vcpu, MINIKVM_X86_SETUP_MCE, &cap))
		abort();
}

/* What QEMU takes from the list if it is there. */
static void add_qemus_optional(struct list *l, const struct indices *there)
{
	add_if(l, there, 0xc0000081, 0);	/* STAR */
	add_if(l, there, 0xc0010117, 0);	/* VM_HSAVE_PA */
	add_if(l, there, 0xc0000103, 0);	/* TSC_AUX */
	add_if(l, there, 0x3b, 0);		/* TSC_ADJUST */
	add_if(l, there, 0x1a0, 1);		/* MISC_ENABLE: fast strings */
	add_if(l, there, 0x9e, 0x30000);	/* SMBASE */
	add_if(l, there, 0x34, 0);		/* SMI_COUNT */
	add_if(l, there, 0xd90, 0);		/* BNDCFGS */
	add_if(l, there, 0xda0, 0);		/* XSS */
	add_if(l, there, 0xe1, 0);		/* UMWAIT_CONTROL */
	add_if(l, there, 0x48, 0);		/* SPEC_CTRL */
	add_if(l, there, 0x122, 0);		/* TSX_CTRL */
	add_if(l, there, 0x6e0, 0);		/* TSC_DEADLINE */
	add_if(l, there, 0x3a, 0);		/* FEATURE_CONTROL */
}

static void add_mtrrs(struct list *l)
{
	static const uint32_t fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c,
					  0x26d, 0x26e, 0x26f };
	uint32_t i;

	add(l, 0x2ff, 0);
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(l, fixed[i], 0x0606060606060606);
	for (i = 0; i < 8; i++) {
		add(l, 0x200 + 2 * i, 6 | i << 28);
		add(l, 0x201 + 2 * i, 0xff0000800);
	}
	add(l, 0x2ff, 0xc06);
}

TEST(what_qemu_sets_at_reset)
{
	static const uint64_t bank[] = { ~0ull, 0, 0, 0 };
	struct indices there;
	struct list l = {};
	struct test_vm t;
	uint32_t i;

	vm_make(&t, true);
	there = listed(&t, MINIKVM_GET_MSR_INDEX_LIST);
	setup_mce(&t, 10);
	add(&l, 0x174, 0);
	add(&l, 0x175, 0);
	add(&l, 0x176, 0);
	add(&l, 0x277, 0x0007040600070406);
	add_qemus_optional(&l, &there);
	add(&l, 0xc0000083, 0);
	add(&l, 0xc0000102, 0);
	add(&l, 0xc0000084, 0);
	add(&l, 0xc0000082, 0);
	add(&l, 0x10, 0);
	add_mtrrs(&l);
	add(&l, 0x17a, 0);
	add(&l, 0x17b, ~0ull);
	for (i = 0; i < 10 * 4; i++)
		add(&l, 0x400 + i, bank[i % 4]);
	add(&l, 0x1b, 0xfee00900);
	EXPECT_SET(&t, &l);
	ASSERT_EQ(0x0606060606060606, GET(&t, 0x26f));
	ASSERT_EQ(~0ull, GET(&t, 0x17b));
	ASSERT_EQ(~0ull, GET(&t, 0x424));
	vm_free(&t);
}

/* A VMM shows its guest what the device's feature MSRs say. */
TEST(feature_msrs_go_into_the_vcpu)
{
	struct indices features;
	struct list l = {};
	struct test_vm t;
	uint32_t i;

	vm_make(&t, true);
	features = listed(&t, MINIKVM_GET_MSR_FEATURE_INDEX_LIST);
	for (i = 0; i < features.head.nmsrs; i++) {
		add(&l, features.head.indices[i], 0);
		/* KVM's VMX features only go into a guest that has VMX. */
		if (l.head.entries[l.head.nmsrs - 1].index - 0x480 < 0x20)
			l.head.nmsrs--;
	}
	ASSERT_LT(1, l.head.nmsrs);
	ASSERT_EQ((int)l.head.nmsrs, ioctl(t.dev, MINIKVM_GET_MSRS, &l));
	EXPECT_SET(&t, &l);
	for (i = 0; i < l.head.nmsrs; i++)
		ASSERT_EQ(l.head.entries[i].data, GET(&t, l.head.entries[i].index));
	vm_free(&t);
}

TEST(what_firecracker_sets_at_boot)
{
	struct list l = {};
	struct test_vm t;
	uint32_t i;
	static const uint32_t zero[] = { 0x174, 0x175, 0x176, 0xc0000081, 0xc0000083, 0xc0000102,
					 0xc0000084, 0xc0000082, 0x10 };

	vm_make(&t, true);
	for (i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		add(&l, zero[i], 0);
	add(&l, 0x1a0, 1);
	add(&l, 0x2ff, 0x806);
	EXPECT_SET(&t, &l);
	vm_free(&t);
}

static struct test_vm without_cpuid(void)
{
	struct minikvm_cpuid2 none = {};
	struct test_vm t;

	vm_make(&t, true);
	if (ioctl(t.vcpu, MINIKVM_SET_CPUID2, &none))
		abort();
	return t;
}

/* One by one, so that it says which. */
#define ROUND_TRIP(t, there) do {					\
	uint32_t i_;							\
	for (i_ = 0; i_ < (there)->head.nmsrs; i_++) {			\
		struct list l_ = {};					\
		uint32_t index_ = (there)->head.indices[i_];		\
		if (index_ - 0x480 < 0x20)				\
			continue;	/* KVM's VMX features */	\
		add(&l_, index_, GET(t, index_));			\
		EXPECT_SET(t, &l_);					\
		l_.head.entries[0].data = 0;				\
		if (index_ >> 28 != 4)	/* KVM's Hyper-V */		\
			EXPECT_SET(t, &l_);				\
	}								\
} while (0)

TEST(every_listed_one_round_trips)
{
	struct test_vm t, plain;
	struct indices there;

	vm_make(&t, true);
	plain = without_cpuid();
	there = listed(&t, MINIKVM_GET_MSR_INDEX_LIST);
	ASSERT_LT(20, there.head.nmsrs);
	ROUND_TRIP(&t, &there);
	ROUND_TRIP(&plain, &there);
	vm_free(&t);
	vm_free(&plain);
}

GUEST64(reads_platform_info, "mov $0xce, %ecx; rdmsr; mov %ah, %al; out %al, $0x10;"
	"mov $0xce, %ecx; rdmsr; hlt");

TEST(platform_info_is_the_guests_if_the_vmm_wants)
{
	struct minikvm_enable_cap cap = { .cap = MINIKVM_CAP_MSR_PLATFORM_INFO };
	struct list l = {};
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(1, ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MSR_PLATFORM_INFO));
	add(&l, MSR_PLATFORM_INFO, GET(&t, MSR_PLATFORM_INFO) | 0xab00);
	EXPECT_SET(&t, &l);
	guest_long(&t, reads_platform_info, reads_platform_info_end);
	EXPECT_OUT(&t, 0x10, 0xab);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_ENABLE_CAP, &cap));
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	/* The VMM has it all the same. */
	EXPECT_SET(&t, &l);
	ASSERT_EQ(l.head.entries[0].data, GET(&t, MSR_PLATFORM_INFO));
	cap.args[0] = 1ull << 40;
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_ENABLE_CAP, &cap));
	guest_long(&t, reads_platform_info, reads_platform_info_end);
	EXPECT_OUT(&t, 0x10, 0xab);
	EXPECT_HLT(&t);
	vm_free(&t);
}

/* AMD's: guests write it without asking whose processor they are on. */
TEST(bits_of_hwcr_are_kept_ignored_or_refused)
{
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(1, vm_set_msr(&t, 0xc0010015, 1 << 18 | 0x148));
	ASSERT_EQ(1 << 18, GET(&t, 0xc0010015));
	ASSERT_EQ(0, vm_set_msr(&t, 0xc0010015, 1));
	ASSERT_EQ(1 << 18, GET(&t, 0xc0010015));
	vm_free(&t);
}

TEST_HARNESS_MAIN
