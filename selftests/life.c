// SPDX-License-Identifier: GPL-2.0
/* Claim: the order in which device, VM, vCPU and mapping are closed does not matter; the module
 * cannot be unloaded while one is open.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "lib/vm.h"

GUEST16(halt, "hlt");

static void close_one(struct test_vm *t, int which)
{
	switch (which) {
	case 0: close(t->dev); break;
	case 1: close(t->vm); break;
	case 2: close(t->vcpu); break;
	case 3: munmap(t->run, 4096 * 3); break;
	case 4: munmap(t->mem, G_SIZE); break;
	}
}

TEST(every_close_order)
{
	struct test_vm t;
	int a, b, c, d, e;

	for (a = 0; a < 5; a++)
		for (b = 0; b < 5; b++)
			for (c = 0; c < 5; c++)
				for (d = 0; d < 5; d++) {
					int used = 1 << a | 1 << b | 1 << c | 1 << d;

					if (__builtin_popcount(used) != 4)
						continue;
					e = __builtin_ctz(0x1f & ~used);
					vm_make(&t, (a ^ d) & 1);
					guest_real(&t, halt, halt_end);
					close_one(&t, a);
					close_one(&t, b);
					close_one(&t, c);
					close_one(&t, d);
					close_one(&t, e);
				}
}

TEST(a_vcpu_runs_after_its_vm_fd_is_closed)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, halt, halt_end);
	close(t.vm);
	close(t.dev);
	EXPECT_HLT(&t);
	close(t.vcpu);
}

TEST(unload_is_busy_while_open)
{
	int dev = test_open();

	if (test_on_kvm())
		SKIP(return, "minikvm's own");
	ASSERT_EQ(-1, syscall(SYS_delete_module, "minikvm", O_NONBLOCK));
	ASSERT_TRUE(errno == EBUSY || errno == EAGAIN);
	close(dev);
}

TEST_HARNESS_MAIN
