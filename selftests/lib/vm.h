/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tests' library: a VM with one vCPU or more, guest code beside host code.
 *
 * MINIKVM_DEVICE chooses the device: /dev/minikvm, or /dev/kvm, on which every
 * test that is not about minikvm alone must pass, too. Without it a test skips.
 */
#ifndef SELFTESTS_VM_H
#define SELFTESTS_VM_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/minikvm.h>

/* The harness defines variables: only the test itself may include it. */
#ifndef VM_LIBRARY
#include "kselftest_harness.h"
#endif

/* Guest memory: where the library puts things; the rest is the test's. */
enum {
	G_CODE		= 0x1000,	/* the code under test, at most 0x1000 bytes */
	G_STUBS		= 0x2000,	/* exception stubs, 16 bytes each */
	G_STUB_HLT	= 4,		/* where in a stub its HLT is */
	G_GDT		= 0x4000,
	G_IDT		= 0x5000,
	G_TSS		= 0x6000,
	G_STACK		= 0x9000,	/* top */
	G_TABLES	= 0x10000,	/* page tables, to 0x1a000 */
	G_DATA		= 0x40000,	/* for the test */
	G_SIZE		= 0x400000,
	G_HOLE		= 0xd0000000,	/* mapped linearly, no memory there */
};

#define PORT_EXCEPTION	0xe9	/* the stubs say their vector here */

struct test_vm {
	int dev, vm, vcpu;
	uint8_t *mem;
	struct minikvm_run *run;
};

/*
 * Guest code: assembly between two labels, for 16- or 64-bit mode.
 * NAME and NAME_end are its bounds.
 */
#define GUEST(name, mode, text)						\
extern const uint8_t name[], name##_end[];				\
asm(".pushsection .rodata\n.globl " #name "\n" #name ":\n.code" mode "\n"	\
    text "\n" #name "_end:\n.globl " #name "_end\n.code64\n.popsection\n")
#define GUEST16(name, text)	GUEST(name, "16", text)
#define GUEST32(name, text)	GUEST(name, "32", text)
#define GUEST64(name, text)	GUEST(name, "64", text)

const char *test_device(void);
bool test_on_kvm(void);
int test_open(void);	/* the device, or exits with "skip" */

void vm_make(struct test_vm *t, bool irqchip);
void vm_make_split(struct test_vm *t, int pins);	/* PIC and IOAPIC are the test's */
void vm_free(struct test_vm *t);
/* One more vCPU of @t's VM, as a test_vm that shares everything else with it. */
struct test_vm vm_add_vcpu(const struct test_vm *t, int id);
void vm_free_vcpu(struct test_vm *t);
int vm_slot(struct test_vm *t, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
	    void *hva);

/* 2 MiB of zeroes that the host has in one page; NULL: it does not give one. */
void *vm_huge_page(void);
/* @n pages for a slot that is logged. Were they made a huge page, reads would name them again. */
void *vm_small_pages(size_t n);

/* To be called of a guest that takes an NMI: its handler returns, where it would halt. */
void vm_nmi_returns(struct test_vm *t, bool wide);

/* Put code at G_CODE and the vCPU before its first instruction. */
void guest_real(struct test_vm *t, const uint8_t *code, const uint8_t *end);
void guest_protected(struct test_vm *t, const uint8_t *code, const uint8_t *end);
void guest_long(struct test_vm *t, const uint8_t *code, const uint8_t *end);

/* SET_MSRS of one: 1, or 0 if it is refused. */
int vm_set_msr(struct test_vm *t, uint32_t index, uint64_t value);
int vm_run(struct test_vm *t);		/* RUN: exit reason, or -errno */
void *vm_io_data(struct test_vm *t);
struct minikvm_regs vm_regs(struct test_vm *t);
void vm_set_regs(struct test_vm *t, struct minikvm_regs regs);
struct minikvm_sregs vm_sregs(struct test_vm *t);

/* Run to the next OUT to @port (or HLT, if -1) and give its value; fails the test otherwise. */
#define EXPECT_OUT(t, p, v) do {						\
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(t)) TH_LOG("exit %u", (t)->run->exit_reason); \
	ASSERT_EQ(MINIKVM_EXIT_IO_OUT, (t)->run->io.direction);		\
	ASSERT_EQ(p, (t)->run->io.port)					\
		TH_LOG("value %#x", *(uint8_t *)vm_io_data(t));		\
	uint32_t value_ = 0;						\
	memcpy(&value_, vm_io_data(t), (t)->run->io.size);		\
	ASSERT_EQ((uint32_t)(v), value_);				\
} while (0)

#define EXPECT_HLT(t) ASSERT_EQ(MINIKVM_EXIT_HLT, vm_run(t))

#endif
