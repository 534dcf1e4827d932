// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: which state a vCPU is in among the others of its VM, a VMM sees and sets as with KVM;
 * what has arrived is part of it. No thread but this one.
 */
#include "lib/smp.h"

GUEST64(init_them, "1: mov %r9d, %esi; mov %r10d, %edi;" SEND "out %al, $0x10; jmp 1b");

static void one_message(uint32_t icr, uint32_t dest)
{
	send(icr, dest, 0);
	must(vm_run(&cpu[0]), "RUN");
	cpu[0].run->immediate_exit = 1;		/* the OUT is finished */
	vm_run(&cpu[0]);
	cpu[0].run->immediate_exit = 0;
}

TEST(vcpus_are_as_many_as_advertised)
{
	int max, ids, i, n, fd[64];
	struct test_vm t;

	vm_make(&t, true);
	max = ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPUS);
	ids = ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPU_ID);
	n = ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_NR_VCPUS);
	ASSERT_LE(4, max);
	ASSERT_LE(max, ids);
	ASSERT_EQ(sysconf(_SC_NPROCESSORS_ONLN) < max ? sysconf(_SC_NPROCESSORS_ONLN) : max, n);
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_CREATE_VCPU, ids));
	ASSERT_EQ(EINVAL, errno);
	n = max < 64 ? max : 64;
	for (i = 1; i < n; i++) {
		fd[i] = ioctl(t.vm, MINIKVM_CREATE_VCPU, ids - i);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_CREATE_VCPU, ids - i));
		ASSERT_EQ(EEXIST, errno);
	}
	for (i = 1; i < n; i++)
		close(fd[i]);
	vm_free(&t);
}

TEST(states_go_round)
{
	static const uint32_t states[] = {
		MINIKVM_MP_STATE_UNINITIALIZED, MINIKVM_MP_STATE_INIT_RECEIVED,
		MINIKVM_MP_STATE_HALTED, MINIKVM_MP_STATE_RUNNABLE,
	};

	make(2, false);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[0]));
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp_state(&cpu[1]));
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		set_mp_state(&cpu[1], states[i]);
		ASSERT_EQ(states[i], mp_state(&cpu[1]));
	}
	unmake();
}

TEST(a_start_that_has_arrived_is_seen)
{
	make(2, false);
	prepare(0, init_them, init_them_end, false, 0);
	one_message(ICR_SIPI, 1);		/* nobody waits for it */
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp_state(&cpu[1]));
	one_message(ICR_INIT, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	one_message(ICR_SIPI, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	ASSERT_EQ(START_VECTOR << 8, vm_sregs(&cpu[1]).cs.selector);
	ASSERT_EQ(G_START, vm_sregs(&cpu[1]).cs.base);
	ASSERT_EQ(0, vm_regs(&cpu[1]).rip);
	one_message(ICR_INIT, 1);		/* takes back the SIPI before it, not after it */
	one_message(ICR_SIPI, 1);
	one_message(ICR_INIT, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	one_message(ICR_INIT, 1);
	one_message(ICR_SIPI + 1, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	ASSERT_EQ((START_VECTOR + 1) << 8, vm_sregs(&cpu[1]).cs.selector);
	unmake();
}

TEST(a_saved_sipi_starts)
{
	struct minikvm_vcpu_events e = { };

	make(2, false);
	ASSERT_EQ(0, ioctl(cpu[1].vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.flags |= MINIKVM_VCPUEVENT_VALID_SIPI_VECTOR;
	e.sipi_vector = 0x9a;
	ASSERT_EQ(0, ioctl(cpu[1].vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	set_mp_state(&cpu[1], MINIKVM_MP_STATE_SIPI_RECEIVED);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	ASSERT_EQ(0x9a00, vm_sregs(&cpu[1]).cs.selector);
	ASSERT_EQ(0x9a000, vm_sregs(&cpu[1]).cs.base);
	unmake();
}

/* An INIT for the boot processor: it begins where it did at power-up. */
TEST(init_of_the_boot_processor)
{
	make(2, false);
	prepare(1, init_them, init_them_end, false, 0);
	prepare(0, halted, halted_end, false, 0);
	struct minikvm_regs r = vm_regs(&cpu[1]);

	r.r9 = ICR_INIT;
	r.r10 = 0;
	vm_set_regs(&cpu[1], r);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&cpu[1]));
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[0]));
	ASSERT_EQ(0xfff0, vm_regs(&cpu[0]).rip);
	ASSERT_EQ(0xffff0000, vm_sregs(&cpu[0]).cs.base);
	unmake();
}

/* What an exit left open is not done in the life after an INIT. */
GUEST16(asks, "in $0x12, %al; hlt");

TEST(init_forgets_an_open_exit)
{
	make(2, false);
	guest_real(&cpu[1], asks, asks_end);
	set_mp_state(&cpu[1], MINIKVM_MP_STATE_RUNNABLE);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&cpu[1]));
	prepare(0, init_them, init_them_end, false, 0);
	one_message(ICR_INIT, 1);
	one_message(ICR_SIPI, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	cpu[1].run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, vm_run(&cpu[1]));
	ASSERT_EQ(0, vm_regs(&cpu[1]).rip);
	ASSERT_EQ(G_START, vm_sregs(&cpu[1]).cs.base);
	unmake();
}

TEST_HARNESS_MAIN
