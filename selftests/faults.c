// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: whichever allocation of an operation fails, it ends with ENOMEM (or goes without),
 * the same operation then succeeds, and the VM runs on. Needs a module with allocations that
 * fail when told (testbed/check-faults); what is left behind, kmemleak and the page counts say.
 */
#include <sys/eventfd.h>

#include "lib/vm.h"

#define NTH	"/sys/module/minikvm/parameters/fail_nth"
#define WHERE	"/sys/module/minikvm/parameters/fail_where"
#define MOST	200		/* allocations of one operation */

GUEST64(touch, "mov $0x40000, %ebx; mov %ebx, (%rbx); mov $0xd0000000, %ecx; mov (%rcx), %eax;"
	"mov $0x240000, %ebx; mov (%rbx), %edx; mov $0x3e0000, %ebx; incl (%rbx); out %al, $0x10");

static char where[80];

static void arm(int n)
{
	int fd = open(NTH, O_WRONLY);

	if (dprintf(fd, "%d", n) < 0)
		perror(NTH);
	close(fd);
}

static int disarm(void)
{
	char text[16] = "";
	int fd = open(NTH, O_RDONLY), left;

	left = read(fd, text, sizeof(text) - 1);
	close(fd);
	fd = open(WHERE, O_RDONLY);
	left = read(fd, where, sizeof(where) - 1);
	where[left > 0 ? left - 1 : 0] = '\0';
	close(fd);
	left = atoi(text);
	arm(0);
	return left;
}

/* ---- operations: like an ioctl, and once more after a failure */

static struct test_vm t;
static int event, resample, made;	/* what the operation has made, to be closed */

static int create_vm(void) { return made = ioctl(t.dev, MINIKVM_CREATE_VM, 0); }
static int create_vcpu(void) { return made = ioctl(t.vm, MINIKVM_CREATE_VCPU, 1); }

static int stats(int fd)
{
	char begin[24];

	fd = ioctl(fd, MINIKVM_GET_STATS_FD, 0);
	if (fd >= 0 && read(fd, begin, sizeof(begin)) < 0) {
		close(fd);
		return -1;
	}
	return made = fd;
}

static int vm_stats(void) { return stats(t.vm); }
static int vcpu_stats(void) { return stats(t.vcpu); }

static int slot(uint32_t flags, uint64_t gpa, uint64_t size)
{
	struct minikvm_userspace_memory_region r = {
		.slot = 3, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)t.mem,
	};

	return ioctl(t.vm, MINIKVM_SET_USER_MEMORY_REGION, &r);
}

static int add_slot(void) { return slot(0, 1 << 30, 1 << 20); }
static int log_slot(void) { return slot(1, 1 << 30, 1 << 20); }
static int move_slot(void) { return slot(0, 2 << 29 | 1 << 28, 1 << 20); }
static int delete_slot(void) { return slot(0, 1 << 30, 0); }

static int irqfd(void)
{
	struct minikvm_irqfd a = { .fd = event, .gsi = 3, .flags = 2, .resamplefd = resample };

	return ioctl(t.vm, MINIKVM_IRQFD, &a);
}

static int ioeventfd(void)
{
	struct minikvm_ioeventfd a = { .addr = 0x55, .len = 1, .fd = event, .flags = 2 };

	return ioctl(t.vm, MINIKVM_IOEVENTFD, &a);
}

static int zone(void)
{
	struct minikvm_coalesced_mmio_zone z = { .addr = 0xe0000000, .size = 8 };

	return ioctl(t.vm, MINIKVM_REGISTER_COALESCED_MMIO, &z);
}

static int routing(void)
{
	struct { struct minikvm_irq_routing r; struct minikvm_irq_routing_entry e[2]; } a = {
		.r = { .nr = 2 }, .e = { { .gsi = 5, .type = 1 }, { .gsi = 90, .type = 2 } },
	};

	return ioctl(t.vm, MINIKVM_SET_GSI_ROUTING, &a);
}

static int msr_filter(void)
{
	static uint8_t bits[64];
	struct minikvm_msr_filter f = { .ranges[0] = { .flags = 3, .nmsrs = 99, .base = 0x10, .bitmap = bits } };

	return ioctl(t.vm, MINIKVM_X86_SET_MSR_FILTER, &f);
}

static int cpuid(void)
{
	struct { struct minikvm_cpuid2 c; struct minikvm_cpuid_entry2 e[100]; } a = { .c.nent = 100 };

	return ioctl(t.dev, MINIKVM_GET_SUPPORTED_CPUID, &a) ?: ioctl(t.vcpu, MINIKVM_SET_CPUID2, &a) ?:
	       ioctl(t.vcpu, MINIKVM_GET_CPUID2, &a);
}

static int xsave(void)
{
	static uint32_t area[1024];

	return ioctl(t.vcpu, MINIKVM_GET_XSAVE, area) ?: ioctl(t.vcpu, MINIKVM_SET_XSAVE, area);
}

static int lapic(void)
{
	static struct minikvm_lapic_state s;

	return ioctl(t.vcpu, MINIKVM_GET_LAPIC, &s) ?: ioctl(t.vcpu, MINIKVM_SET_LAPIC, &s);
}

static int msrs(void)
{
	struct { struct minikvm_msrs m; struct minikvm_msr_entry e[2]; } a = {
		.m.nmsrs = 2, .e = { { .index = 0x10 }, { .index = 0x277 } },
	};

	return ioctl(t.vcpu, MINIKVM_GET_MSRS, &a) < 0 ? -1 : ioctl(t.vcpu, MINIKVM_SET_MSRS, &a);
}

static int dirty_log(void)
{
	static uint64_t bits[64];
	struct minikvm_dirty_log log = { .slot = 3, .dirty_bitmap = bits };

	if (log_slot())
		return -1;
	return ioctl(t.vm, MINIKVM_GET_DIRTY_LOG, &log);
}

static int clear_log(void)
{
	static uint64_t bits[64];
	struct minikvm_clear_dirty_log log = { .slot = 3, .num_pages = 256, .dirty_bitmap = bits };
	struct minikvm_enable_cap cap = { .cap = MINIKVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { 1 } };

	if (ioctl(t.vm, MINIKVM_ENABLE_CAP, &cap) || log_slot())
		return -1;
	return ioctl(t.vm, MINIKVM_CLEAR_DIRTY_LOG, &log);
}

/* To the guest's OUT, whatever lies on the way. */
static int run(void)
{
	int n;

	for (n = 0; n < 10; n++) {
		if (ioctl(t.vcpu, MINIKVM_RUN, 0))
			return -1;
		if (t.run->exit_reason == MINIKVM_EXIT_IO)
			return 0;
		if (t.run->exit_reason != MINIKVM_EXIT_MMIO)
			break;
	}
	errno = 1000 + t.run->exit_reason;
	return -1;
}

static int split(void)
{
	struct minikvm_enable_cap cap = { .cap = MINIKVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };

	return ioctl(made, MINIKVM_ENABLE_CAP, &cap);
}

static int irqchip(void) { return ioctl(made, MINIKVM_CREATE_IRQCHIP, 0); }

static int pit(void)
{
	struct minikvm_pit_config c = { };

	return ioctl(made, MINIKVM_CREATE_PIT2, &c);
}

static int ring(void)
{
	struct minikvm_enable_cap cap = { .cap = MINIKVM_CAP_DIRTY_LOG_RING, .args = { 4096 } };
	int err = ioctl(made, MINIKVM_ENABLE_CAP, &cap), fd;

	if (err && errno != EINVAL)		/* the second time it is there */
		return -1;
	fd = ioctl(made, MINIKVM_CREATE_VCPU, 7);
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : -1;
}

/* On the VM that runs, in which slot 3 may be; or on another, @made, without chips or with them. */
static const struct operation {
	const char *name;
	int (*go)(void);
	enum { READY, SLOT, BARE, BARE_CHIPS } on;
} operations[] = {
	{ "CREATE_VM", create_vm }, { "CREATE_VCPU", create_vcpu }, { "RUN", run },
	{ "a slot", add_slot }, { "a log", log_slot, SLOT }, { "a slot elsewhere", move_slot, SLOT },
	{ "no slot", delete_slot, SLOT }, { "GET_DIRTY_LOG", dirty_log },
	{ "CLEAR_DIRTY_LOG", clear_log }, { "IRQFD", irqfd },
	{ "IOEVENTFD", ioeventfd }, { "a zone", zone }, { "SET_GSI_ROUTING", routing },
	{ "SET_MSR_FILTER", msr_filter }, { "CPUID", cpuid }, { "XSAVE", xsave }, { "LAPIC", lapic },
	{ "MSRS", msrs }, { "a VM's statistics", vm_stats }, { "a vCPU's statistics", vcpu_stats },
	{ "CREATE_IRQCHIP", irqchip, BARE }, { "SPLIT_IRQCHIP", split, BARE },
	{ "CREATE_PIT2", pit, BARE_CHIPS }, { "DIRTY_LOG_RING", ring, BARE },
};

static void begin(const struct operation *o)
{
	vm_make(&t, true);
	guest_long(&t, touch, touch_end);
	event = eventfd(0, 0);
	resample = eventfd(0, 0);
	made = -1;
	if (o->on == SLOT)
		add_slot();
	if (o->on >= BARE)
		made = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	if (o->on == BARE_CHIPS)
		irqchip();
}

static void end(void)
{
	if (made >= 0)
		close(made);
	close(event);
	close(resample);
	vm_free(&t);
}

/* An error that says what is lacking. RUN's is the guest's memory's. */
static bool is_clean(const struct operation *o, int err)
{
	return err == ENOMEM || err == EMFILE || (o->go == run && err == EFAULT);
}

/* How many allocations an operation has; -1: one failed in a way it should not. */
static int fail_each(const struct operation *o)
{
	int n, ret, err, left;

	for (n = 1; n < MOST; n++) {
		begin(o);
		arm(n);
		ret = o->go();
		err = errno;
		left = disarm();
		if (left > 0) {
			if (ret < 0)
				printf("# %s: without a failure: %s\n", o->name, strerror(err));
			end();
			return ret < 0 ? -1 : n - 1;
		}
		if (ret < 0 && !is_clean(o, err)) {
			printf("# %s: allocation %d, %s: %s (%d)\n", o->name, n, where, strerror(err), err);
			return -1;
		}
		if (ret < 0 && o->go() < 0) {
			printf("# %s: after allocation %d, %s: %s\n", o->name, n, where, strerror(errno));
			return -1;
		}
		if (o->go != run && run()) {
			printf("# %s: allocation %d, %s: the guest does not go on: %s\n", o->name, n,
			       where, strerror(errno));
			return -1;
		}
		end();
	}
	return -1;
}

TEST(each_allocation_fails_once)
{
	int i, n, all = 0;

	if (access(NTH, W_OK))
		SKIP(return, "no module with allocations that fail when told");
	for (i = 0; i < (int)(sizeof(operations) / sizeof(operations[0])); i++) {
		n = fail_each(&operations[i]);
		EXPECT_LE(0, n) TH_LOG("%s", operations[i].name);
		printf("# %s: %d\n", operations[i].name, n);
		all += n > 0 ? n : 0;
	}
	printf("# FIGURES %d allocations failed, each once\n", all);
}

TEST_HARNESS_MAIN
