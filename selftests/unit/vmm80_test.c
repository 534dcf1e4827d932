// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: samples/vmm80.c asks a device for what a VMM needs, and answers each exit. The device is
 * a list of exits here: no guest runs.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "unit.h"
#include "../../uapi/linux/minikvm.h"

static int test_open(const char *path, int flags, ...);
static int test_ioctl(int fd, unsigned long request, ...);
static void *test_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
static void test_error(void) __attribute__((noreturn));
static FILE *printed;

#define open	test_open
#define ioctl	test_ioctl
#define mmap	test_mmap
#define err(...) test_error()
#define errx(...) test_error()
#define main	vmm80
#undef stdout
#define stdout	printed
#include "../../samples/vmm80.c"
#undef main
#undef stdout

/* ---- the device */

enum { DEV = 100, VM, VCPU, RUN_PAGE = 3 * 4096, DATA = 2048 };

struct exit_row {
	uint32_t reason, port, size, count;
	uint8_t direction;
	const char *data;	/* of an OUT */
	uint64_t address;	/* of an access to memory */
	int error;		/* what RUN fails with instead */
};

static const struct exit_row *row;
static unsigned long fails;	/* a request that does */
static char path[64], *said;
static size_t said_size;
static uint8_t run_page[RUN_PAGE], answers[16][8];
static void *memory;
static int runs, answered, run_mapped, version_asked;
static struct minikvm_userspace_memory_region slot;
static struct minikvm_regs regs;
static struct minikvm_sregs sregs;
static bool regs_set, sregs_set, slot_set;
static jmp_buf ended;

static void test_error(void)
{
	longjmp(ended, 1);
}

static int test_open(const char *name, int flags, ...)
{
	snprintf(path, sizeof(path), "%s", name);
	CHECK_EQ(flags & O_ACCMODE, O_RDWR);
	return DEV;
}

static void *test_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	CHECK_EQ(prot, PROT_READ | PROT_WRITE);
	CHECK_EQ(offset, 0);
	if (fd == VCPU) {
		CHECK_EQ(size, RUN_PAGE);
		CHECK(flags & MAP_SHARED);
		run_mapped++;
		return run_page;
	}
	CHECK(flags & MAP_ANONYMOUS);
	free(memory);
	memory = aligned_alloc(4096, size);
	memset(memory, 0, size);
	return memory;
}

/* One RUN: what became of the last exit, then the next one. */
static int run_once(void)
{
	struct minikvm_run *run = (struct minikvm_run *)run_page;
	const struct exit_row *last = runs ? row - 1 : NULL;

	if (last && last->reason == MINIKVM_EXIT_IO && last->direction == MINIKVM_EXIT_IO_IN)
		memcpy(answers[answered++], run_page + DATA, 8);
	if (last && last->reason == MINIKVM_EXIT_MMIO)
		memcpy(answers[answered++], run->mmio.data, 8);
	if (++runs > 20)
		test_error();
	if (row->error) {
		errno = row++->error;
		return -1;
	}
	memset(run_page, 0, sizeof(run_page));
	run->exit_reason = row->reason;
	if (row->reason == MINIKVM_EXIT_IO) {
		run->io.direction = row->direction;
		run->io.port = row->port;
		run->io.size = row->size;
		run->io.count = row->count;
		run->io.data_offset = DATA;
		if (row->data)
			memcpy(run_page + DATA, row->data, row->size * row->count);
	}
	if (row->reason == MINIKVM_EXIT_MMIO) {
		run->mmio.phys_addr = row->address;
		run->mmio.len = row->size;
	}
	row++;
	return 0;
}

static int test_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *arg;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	if (request == fails) {
		errno = EINVAL;
		return -1;
	}
	switch (request) {
	case MINIKVM_GET_API_VERSION: version_asked = fd == DEV; return MINIKVM_API_VERSION;
	case MINIKVM_CREATE_VM: CHECK_EQ(fd, DEV); return VM;
	case MINIKVM_GET_VCPU_MMAP_SIZE: CHECK_EQ(fd, DEV); return RUN_PAGE;
	case MINIKVM_SET_USER_MEMORY_REGION: CHECK_EQ(fd, VM); slot = *(typeof(slot) *)arg; slot_set = true; return 0;
	case MINIKVM_CREATE_VCPU: CHECK_EQ(fd, VM); return VCPU;
	case MINIKVM_GET_SREGS: CHECK_EQ(fd, VCPU); *(typeof(sregs) *)arg = sregs; return 0;
	case MINIKVM_SET_SREGS: CHECK_EQ(fd, VCPU); sregs = *(typeof(sregs) *)arg; sregs_set = true; return 0;
	case MINIKVM_SET_REGS: CHECK_EQ(fd, VCPU); regs = *(typeof(regs) *)arg; regs_set = true; return 0;
	case MINIKVM_RUN: CHECK_EQ(fd, VCPU); return run_once();
	}
	errno = ENOTTY;
	return -1;
}

/* ---- a run of it */

static const struct exit_row halt[] = { { .reason = MINIKVM_EXIT_HLT } };

/* Its status, or -1: it ended with an error message. */
static int vmm(const struct exit_row *rows, const char *device)
{
	char name[] = "vmm80", *argv[] = { name, (char *)device, NULL };
	volatile int status = -1;

	row = rows;
	runs = answered = run_mapped = version_asked = 0;
	regs_set = sregs_set = slot_set = false;
	memset(path, 0, sizeof(path));
	memset(answers, 0, sizeof(answers));
	sregs = (struct minikvm_sregs) { .cs = { .base = 0xffff0000, .selector = 0xf000 }, .efer = 0x77 };
	free(said);
	printed = open_memstream(&said, &said_size);
	if (!setjmp(ended))
		status = vmm80(device ? 2 : 1, argv);
	fclose(printed);
	return status;
}

static void a_device_is_opened_and_asked_who_it_is(void)
{
	vmm(halt, NULL);
	CHECK(!strcmp(path, "/dev/minikvm"));
	CHECK(version_asked);
	vmm(halt, "/dev/kvm");
	CHECK(!strcmp(path, "/dev/kvm"));
	fails = MINIKVM_CREATE_VM;
	CHECK_EQ(vmm(halt, NULL), -1);
	fails = 0;
}

static void memory_is_a_slot_with_the_code_in_it(void)
{
	vmm(halt, NULL);
	CHECK(slot_set && memory);
	CHECK_EQ(slot.guest_phys_addr, 0);
	CHECK_EQ(slot.memory_size, MEM_SIZE);
	CHECK(slot.userspace_addr == (uintptr_t)memory);
	if (memory)
		CHECK(!memcmp((uint8_t *)memory + START, guest, guest_end - guest));
}

static void a_vcpu_begins_at_the_code(void)
{
	vmm(halt, NULL);
	CHECK(regs_set && sregs_set);
	CHECK_EQ(sregs.cs.base + regs.rip, START);
	CHECK_EQ(sregs.cs.base, sregs.cs.selector * 16);
	CHECK_EQ(sregs.efer, 0x77);		/* what it does not know it leaves alone */
	CHECK_EQ(regs.rflags, 2);
}

static void the_run_page_is_as_large_as_the_device_says(void)
{
	CHECK_EQ(vmm(halt, NULL), 0);
	CHECK_EQ(run_mapped, 1);
	CHECK_EQ(runs, 1);
}

static void output_is_printed(void)
{
	static const struct exit_row rows[] = {
		{ MINIKVM_EXIT_IO, 0x3f8, 1, 1, MINIKVM_EXIT_IO_OUT, "H" },
		{ MINIKVM_EXIT_IO, 0x80, 1, 1, MINIKVM_EXIT_IO_OUT, "x" },
		{ MINIKVM_EXIT_IO, 0x3f8, 1, 5, MINIKVM_EXIT_IO_OUT, "ello " },
		{ MINIKVM_EXIT_IO, 0x3f8, 2, 1, MINIKVM_EXIT_IO_OUT, "ok" },
		{ .reason = MINIKVM_EXIT_HLT },
	};

	vmm(rows, NULL);
	CHECK_EQ(runs, 5);
	CHECK(said && !strcmp(said, "Hello ok"));
}

static void nobody_answers_with_ones(void)
{
	static const struct exit_row rows[] = {
		{ MINIKVM_EXIT_IO, 0x60, 1, 1, MINIKVM_EXIT_IO_IN },
		{ MINIKVM_EXIT_IO, 0x60, 4, 2, MINIKVM_EXIT_IO_IN },
		{ .reason = MINIKVM_EXIT_MMIO, .address = 0x30000, .size = 8 },
		{ .reason = MINIKVM_EXIT_HLT },
	};

	vmm(rows, NULL);
	CHECK_EQ(answered, 3);
	CHECK(!memcmp(answers[0], "\xff\0", 2));
	CHECK(!memcmp(answers[1], "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
	CHECK(!memcmp(answers[2], "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
}

static void the_device_in_memory_answers(void)
{
	static const struct exit_row rows[] = {
		{ .reason = MINIKVM_EXIT_MMIO, .address = DEVICE_BYTE, .size = 1 },
		{ .reason = MINIKVM_EXIT_HLT },
	};

	vmm(rows, NULL);
	CHECK_EQ(answered, 1);
	CHECK_EQ(answers[0][0], '!');
}

static void a_signal_ends_no_run(void)
{
	static const struct exit_row rows[] = {
		{ .error = EINTR }, { .error = EINTR }, { .reason = MINIKVM_EXIT_HLT },
	};

	CHECK_EQ(vmm(rows, NULL), 0);
	CHECK_EQ(runs, 3);
}

static void what_it_does_not_know_is_an_error(void)
{
	static const struct exit_row strange[] = { { .reason = MINIKVM_EXIT_SHUTDOWN } };
	static const struct exit_row broken[] = { { .error = EFAULT } };

	CHECK_EQ(vmm(strange, NULL), -1);
	CHECK_EQ(runs, 1);
	CHECK_EQ(vmm(broken, NULL), -1);
	CHECK_EQ(runs, 1);
}

int main(void)
{
	RUN(a_device_is_opened_and_asked_who_it_is);
	RUN(memory_is_a_slot_with_the_code_in_it);
	RUN(a_vcpu_begins_at_the_code);
	RUN(the_run_page_is_as_large_as_the_device_says);
	RUN(output_is_printed);
	RUN(nobody_answers_with_ones);
	RUN(the_device_in_memory_answers);
	RUN(a_signal_ends_no_run);
	RUN(what_it_does_not_know_is_an_error);
	free(memory);
	free(said);
	return unit_end();
}
