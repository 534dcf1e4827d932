// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: which IDs the vCPUs of a VM can have, how many there can be, and which of them boots, is
 * as the capabilities and the VMM say; an APIC with an ID above 255 is reached by it.
 */
#include "lib/smp.h"

GUEST64(many, "mov $10, %eax; vmcall; out %al, $0x10; hlt");
GUEST64(send_once, "1: mov %r9d, %esi; mov %r10d, %edi;" SEND "out %al, $0x10; jmp 1b");

static int cap(struct test_vm *t, int number)
{
	return ioctl(t->vm, MINIKVM_CHECK_EXTENSION, number);
}

/* 0, or the errno. */
static int vm_call(struct test_vm *t, unsigned long request, unsigned long arg)
{
	int ret = ioctl(t->vm, request, arg);

	if (ret > 2 && request == MINIKVM_CREATE_VCPU)
		close(ret);
	return ret < 0 ? errno : 0;
}

static int limit(struct test_vm *t, uint64_t ids, uint32_t flags)
{
	struct minikvm_enable_cap c = {
		.cap = MINIKVM_CAP_MAX_VCPU_ID, .flags = flags, .args = { ids },
	};

	return vm_call(t, MINIKVM_ENABLE_CAP, (unsigned long)&c);
}

/* A VM without vCPUs, with chips. */
static void bare(struct test_vm *t)
{
	t->dev = test_open();
	t->vm = must(ioctl(t->dev, MINIKVM_CREATE_VM, 0), "CREATE_VM");
	must(ioctl(t->vm, MINIKVM_SET_TSS_ADDR, 0xfffbd000), "SET_TSS_ADDR");
	must(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0), "CREATE_IRQCHIP");
}

static void bare_end(struct test_vm *t)
{
	close(t->vm);
	close(t->dev);
}

TEST(ids_have_gaps_and_a_limit)
{
	struct test_vm t;
	int ids;

	bare(&t);
	ids = cap(&t, MINIKVM_CAP_MAX_VCPU_ID);
	ASSERT_LE(256, cap(&t, MINIKVM_CAP_MAX_VCPUS));
	ASSERT_EQ(4 * cap(&t, MINIKVM_CAP_MAX_VCPUS), ids);
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_CREATE_VCPU, ids));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_CREATE_VCPU, 1ul << 32));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_CREATE_VCPU, -1ul));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_CREATE_VCPU, ids - 1));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_CREATE_VCPU, 7));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_CREATE_VCPU, 700));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_CREATE_VCPU, 0));
	ASSERT_EQ(EEXIST, vm_call(&t, MINIKVM_CREATE_VCPU, ids - 1));
	ASSERT_EQ(EEXIST, vm_call(&t, MINIKVM_CREATE_VCPU, 7));
	bare_end(&t);
}

/* A vCPU that is one too many is so whether its ID is free or not. */
TEST(no_more_than_advertised)
{
	int max, i;
	struct test_vm t;

	bare(&t);
	max = cap(&t, MINIKVM_CAP_MAX_VCPUS);
	if (max > 512) {
		bare_end(&t);
		SKIP(return, "%d are too many to create here", max);
	}
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, vm_call(&t, MINIKVM_CREATE_VCPU, 2 * i));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_CREATE_VCPU, 1));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_CREATE_VCPU, 2));
	bare_end(&t);
}

TEST(a_vmm_limits_its_ids_once)
{
	struct test_vm t;
	int ids;

	bare(&t);
	ids = cap(&t, MINIKVM_CAP_MAX_VCPU_ID);
	ASSERT_EQ(EINVAL, limit(&t, ids + 1, 0));
	ASSERT_EQ(EINVAL, limit(&t, 1ull << 32, 0));
	ASSERT_EQ(EINVAL, limit(&t, 5, 1));
	ASSERT_EQ(0, limit(&t, 5, 0));
	ASSERT_EQ(0, limit(&t, 5, 0));
	ASSERT_EQ(EINVAL, limit(&t, 4, 0));
	ASSERT_EQ(EINVAL, limit(&t, 6, 0));
	ASSERT_EQ(EINVAL, limit(&t, 0, 0));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_CREATE_VCPU, 5));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_CREATE_VCPU, 4));
	ASSERT_EQ(EEXIST, vm_call(&t, MINIKVM_CREATE_VCPU, 4));
	ASSERT_EQ(ids, cap(&t, MINIKVM_CAP_MAX_VCPU_ID));
	bare_end(&t);

	/* The first vCPU decides, too. */
	bare(&t);
	ASSERT_EQ(0, limit(&t, 0, 0));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_CREATE_VCPU, 0));
	ASSERT_EQ(EINVAL, limit(&t, 5, 0));
	ASSERT_EQ(0, limit(&t, ids, 0));
	bare_end(&t);
}

TEST(the_vmm_chooses_who_boots)
{
	struct minikvm_lapic_state l;
	struct test_vm t, boots, waits;
	int ids;

	bare(&t);
	ids = cap(&t, MINIKVM_CAP_MAX_VCPU_ID);
	ASSERT_EQ(1, cap(&t, MINIKVM_CAP_SET_BOOT_CPU_ID));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_SET_BOOT_CPU_ID, ids + 1));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_SET_BOOT_CPU_ID, 1ul << 32));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_SET_BOOT_CPU_ID, ids));
	ASSERT_EQ(EINVAL, limit(&t, ids - 1, 0));
	ASSERT_EQ(0, vm_call(&t, MINIKVM_SET_BOOT_CPU_ID, 3));
	ASSERT_EQ(EINVAL, limit(&t, 2, 0));
	ASSERT_EQ(0, limit(&t, 4, 0));
	ASSERT_EQ(EINVAL, vm_call(&t, MINIKVM_SET_BOOT_CPU_ID, 5));
	waits = vm_add_vcpu(&t, 0);
	ASSERT_EQ(EBUSY, vm_call(&t, MINIKVM_SET_BOOT_CPU_ID, 3));
	ASSERT_EQ(EBUSY, vm_call(&t, MINIKVM_SET_BOOT_CPU_ID, ids + 1));
	boots = vm_add_vcpu(&t, 3);
	ASSERT_EQ(0xfee00800, vm_sregs(&waits).apic_base);
	ASSERT_EQ(0xfee00900, vm_sregs(&boots).apic_base);
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp_state(&waits));
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&boots));
	ASSERT_EQ(0, ioctl(waits.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(0x10000, *(uint32_t *)&l.regs[0x350]);
	ASSERT_EQ(0, ioctl(boots.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(0x700, *(uint32_t *)&l.regs[0x350]);
	vm_free_vcpu(&waits);
	vm_free_vcpu(&boots);
	bare_end(&t);
}

/* vCPUs 0, 44 and 300, which is 44 in 8 bits. */
static void make_high(bool wide)
{
	struct minikvm_enable_cap c = {
		.cap = MINIKVM_CAP_X2APIC_API, .args = { MINIKVM_X2APIC_API_USE_32BIT_IDS },
	};

	make(1, false);
	if (wide)
		must(ioctl(cpu[0].vm, MINIKVM_ENABLE_CAP, &c), "ENABLE_CAP");
	cpu[1] = vm_add_vcpu(&cpu[0], 44);
	cpu[2] = vm_add_vcpu(&cpu[0], 300);
	nr_cpus = 3;
}

static void message(bool x2apic, uint32_t icr, uint32_t dest)
{
	set_apic(&cpu[0], 0, x2apic);
	prepare(0, send_once, send_once_end, x2apic, 0);
	send(icr, dest, 0);
	must(vm_run(&cpu[0]), "RUN");
	cpu[0].run->immediate_exit = 1;		/* the OUT is finished */
	vm_run(&cpu[0]);
	cpu[0].run->immediate_exit = 0;
}

static uint32_t apic_id(struct test_vm *t, struct minikvm_lapic_state *l)
{
	must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, l), "GET_LAPIC");
	return *(uint32_t *)&l->regs[0x20];
}

TEST(an_id_above_255_is_reached)
{
	make_high(true);
	message(false, ICR_INIT, 44);
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp_state(&cpu[2]));
	message(true, ICR_INIT, 300);		/* in xAPIC mode itself */
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[2]));
	message(true, ICR_SIPI, 300);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[2]));
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	set_apic(&cpu[2], 0, true);
	message(true, ICR_INIT, 300);
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[2]));
	message(true, ICR_SIPI | ICR_LOGICAL, 18 << 16 | 1 << 12);	/* 300 = 16 * 18 + 12 */
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[2]));
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	message(true, ICR_SIPI, 44);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	unmake();
}

/* Every APIC with the ID hears it, where IDs have 8 bits. */
TEST(an_id_cut_to_8_bits_is_heard_by_two)
{
	make_high(false);
	message(false, ICR_INIT, 44);
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[2]));
	unmake();
}

TEST(a_saved_id_has_8_bits_or_32)
{
	struct minikvm_lapic_state l;

	for (int wide = 0; wide < 2; wide++) {
		make_high(wide);
		ASSERT_EQ(44 << 24, apic_id(&cpu[2], &l));
		set_apic(&cpu[2], 0, true);
		ASSERT_EQ(wide ? 300 : 44 << 24, apic_id(&cpu[2], &l));
		*(uint32_t *)&l.regs[0x20] = 45;
		ASSERT_EQ(wide ? -1 : 0, ioctl(cpu[2].vcpu, MINIKVM_SET_LAPIC, &l));
		if (wide)
			ASSERT_EQ(EINVAL, errno);
		ASSERT_EQ(wide ? 300 : 44 << 24, apic_id(&cpu[2], &l));
		ASSERT_EQ(18 << 16 | 1 << 12, *(uint32_t *)&l.regs[0xd0]);
		unmake();
	}
}

/* The hypercall for many, with an NMI for ID 1. */
static uint64_t call_one(void)
{
	struct test_vm *t = &cpu[0];
	struct minikvm_regs r;

	guest_long(t, many, many_end);
	r = vm_regs(t);
	r.rbx = 2;
	r.rcx = 0;
	r.rdx = 0;
	r.rsi = 0x400;
	vm_set_regs(t, r);
	must(vm_run(t) == MINIKVM_EXIT_IO ? 0 : -1, "the hypercall");
	return vm_regs(t).rax;
}

TEST(a_message_to_many_does_not_find_one_that_is_off)
{
	struct minikvm_sregs s;

	make(2, false);
	ASSERT_EQ(1, call_one());
	s = vm_sregs(&cpu[1]);
	s.apic_base &= ~0x800ull;
	ASSERT_EQ(0, ioctl(cpu[1].vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(0, call_one());
	unmake();
}

TEST_HARNESS_MAIN
