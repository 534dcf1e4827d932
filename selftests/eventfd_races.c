// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: ioeventfds, irqfds and routes come and go, by DEASSIGN and by closing, beside vCPUs
 * that use them and threads that signal: nobody gets stuck, nothing is left behind, and what
 * is there in the end works.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "lib/irq.h"

/*
 * A round waits for who still reads what it takes away: a tenth of a second on a kernel that
 * watches itself. There it is as many as have begun in ROUNDS_S seconds, but some in any case.
 */
#define ROUNDS		150
#define LEAST_ROUNDS	20
#define ROUNDS_S	10
#define ADDR	(G_HOLE + 0x50)
#define PIN	10

GUEST64(rings, "sti; mov $0xd0000050, %ebp; 1: out %al, $0x10; mov %eax, (%rbp); jmp 1b");

static struct test_vm vm;
static volatile bool stop;
static int signalled[2];	/* by the signaller, while they are irqfds and while not */
static int told;		/* resamplefd, and what ioeventfds signal */
static time_t last_second;	/* in which a round begins */

static void nothing(int sig)
{
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool another_round(int i)
{
	return i < ROUNDS && (i < LEAST_ROUNDS || seconds() < last_second);
}

static void *runs(void *arg)
{
	while (!stop) {
		int reason = vm_run(&vm);

		if (reason != MINIKVM_EXIT_IO && reason != MINIKVM_EXIT_MMIO && reason != -EINTR)
			errx(1, "exit %d", reason);
	}
	return NULL;
}

static void *signals(void *arg)
{
	while (!stop) {
		eventfd_write(signalled[0], 1);
		eventfd_write(signalled[1], 1);
		sched_yield();
	}
	return NULL;
}

static int ioeventfd(int fd, uint64_t addr, uint32_t len, uint32_t flags)
{
	struct minikvm_ioeventfd args = { .addr = addr, .len = len, .fd = fd, .flags = flags };

	return ioctl(vm.vm, MINIKVM_IOEVENTFD, &args) ? -errno : 0;
}

static int irqfd(int fd, uint32_t gsi, uint32_t flags)
{
	struct minikvm_irqfd args = { .fd = fd, .gsi = gsi, .flags = flags, .resamplefd = told };

	return ioctl(vm.vm, MINIKVM_IRQFD, &args) ? -errno : 0;
}

/* Two of these threads: the same ioeventfds, so that only one of both can have them. */
static void *rings_come_and_go(void *arg)
{
	int i, got = 0;

	for (i = 0; another_round(i); i++) {
		int fd = irq_must(eventfd(0, EFD_NONBLOCK), "eventfd");
		int pio = ioeventfd(fd, 0x10, 1, MINIKVM_IOEVENTFD_FLAG_PIO);
		int mmio = ioeventfd(fd, ADDR, 0, 0);

		if ((pio && pio != -EEXIST) || (mmio && mmio != -EEXIST))
			errx(1, "assign: %d, %d", pio, mmio);
		sched_yield();
		if (!pio && ioeventfd(fd, 0x10, 1, MINIKVM_IOEVENTFD_FLAG_PIO |
						   MINIKVM_IOEVENTFD_FLAG_DEASSIGN))
			errx(1, "deassign of a port");
		if (!mmio && ioeventfd(fd, ADDR, 0, MINIKVM_IOEVENTFD_FLAG_DEASSIGN))
			errx(1, "deassign of memory");
		close(fd);
		got += !pio + !mmio;
	}
	return (void *)(long)got;
}

static void *irqfds_come_and_go(void *arg)
{
	int i;

	for (i = 0; another_round(i); i++) {
		int fd = irq_must(eventfd(i & 1, EFD_NONBLOCK), "eventfd");

		if (irqfd(signalled[0], 30, 0) ||
		    irqfd(signalled[1], PIN, MINIKVM_IRQFD_FLAG_RESAMPLE) ||
		    irqfd(fd, PIN, i & 2 ? MINIKVM_IRQFD_FLAG_RESAMPLE : 0))
			err(1, "assign");
		sched_yield();
		if (i & 4 && irqfd(fd, PIN, MINIKVM_IRQFD_FLAG_DEASSIGN))
			err(1, "deassign");
		close(fd);
		if (irqfd(signalled[0], 30, MINIKVM_IRQFD_FLAG_DEASSIGN) ||
		    irqfd(signalled[1], PIN, MINIKVM_IRQFD_FLAG_DEASSIGN))
			err(1, "deassign");
	}
	return NULL;
}

static void *routes_change(void *arg)
{
	int i;

	for (i = 0; another_round(i); i++) {
		irq_table.e[0] = irq_to_msi(30, 0, 0x60 + i % 8);
		irq_table.e[1] = irq_to_pin(PIN, MINIKVM_IRQCHIP_IOAPIC, PIN + i % 4);
		if (irq_route(&vm, 1 + i % 3 / 2))
			err(1, "SET_GSI_ROUTING");
		sched_yield();
	}
	return NULL;
}

static void prepare(void)
{
	struct minikvm_irqchip chip = { .chip_id = MINIKVM_IRQCHIP_PIC_MASTER };
	int i;

	irq_make(&vm);
	irq_must(ioctl(vm.vm, MINIKVM_GET_IRQCHIP, &chip), "GET_IRQCHIP");
	chip.chip.pic.imr = 0xff;
	irq_must(ioctl(vm.vm, MINIKVM_SET_IRQCHIP, &chip), "SET_IRQCHIP");
	for (i = 0; i < 4; i++)
		irq_ioapic(&vm, PIN + i, IOAPIC_LEVEL | (0x70 + i));
	irq_next(&vm);		/* out of the shadow of STI: the next guest begins without IF */
	guest_long(&vm, rings, rings_end);
	irq_stubs(&vm);
	for (i = 0; i < 2; i++)
		signalled[i] = irq_must(eventfd(0, EFD_NONBLOCK), "eventfd");
	told = irq_must(eventfd(0, EFD_NONBLOCK), "eventfd");
}

static void start(pthread_t *thread, void *(*what)(void *))
{
	if (pthread_create(thread, NULL, what, NULL))
		errx(1, "pthread_create");
}

static void finish(pthread_t vcpu, pthread_t signaller)
{
	stop = true;
	while (pthread_tryjoin_np(vcpu, NULL)) {
		pthread_kill(vcpu, SIGUSR1);
		usleep(1000);
	}
	pthread_join(signaller, NULL);
}

/* Everything that can be left of the interrupts, then only what is raised now. */
static int last_vector(void)
{
	int i, vector = NO_IRQ;

	for (i = 0; i < 1000; i++) {
		int reason = vm_run(&vm);

		if (reason == MINIKVM_EXIT_IO && vm.run->io.port == PORT_EXCEPTION)
			vector = *(uint8_t *)vm_io_data(&vm);
		else if (reason == MINIKVM_EXIT_MMIO)
			break;
	}
	return vector;
}

/* KVM: who lets go of a line after its route has changed leaves the old pin high. */
static void lower_pins(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		irq_must(irq_route_one(&vm, irq_to_pin(PIN, MINIKVM_IRQCHIP_IOAPIC, PIN + i)), "route");
		irq_line(&vm, PIN, 0);
		irq_must(irqfd(told, PIN, MINIKVM_IRQFD_FLAG_RESAMPLE), "assign");
		irq_must(irqfd(told, PIN, MINIKVM_IRQFD_FLAG_DEASSIGN), "deassign");
	}
}

TEST(all_at_once)
{
	pthread_t vcpu, signaller, changer[4];
	void *got[2];
	int i;

	signal(SIGUSR1, nothing);
	prepare();
	last_second = seconds() + ROUNDS_S;
	start(&vcpu, runs);
	start(&signaller, signals);
	start(&changer[0], rings_come_and_go);
	start(&changer[1], rings_come_and_go);
	start(&changer[2], irqfds_come_and_go);
	start(&changer[3], routes_change);
	for (i = 0; i < 2; i++)
		pthread_join(changer[i], &got[i]);
	ASSERT_LT(0, (long)got[0] + (long)got[1]);
	for (; i < 4; i++)
		pthread_join(changer[i], NULL);
	finish(vcpu, signaller);
	if (test_on_kvm())
		lower_pins();

	for (i = 0; i < 3; i++)
		last_vector();
	ASSERT_EQ(NO_IRQ, last_vector());
	ASSERT_EQ(0, irq_route_one(&vm, irq_to_msi(30, 0, 0x50)));
	ASSERT_EQ(0, irqfd(signalled[0], 30, 0));
	eventfd_write(signalled[0], 1);
	ASSERT_EQ(0x50, last_vector());
	ASSERT_EQ(0, ioeventfd(signalled[0], ADDR, 4, 0));	/* the guest interrupts itself */
	ASSERT_EQ(0x50, last_vector());
	vm_free(&vm);
}

TEST_HARNESS_MAIN
