/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of accesses that the kernel makes for an instruction have in common. */
#ifndef SELFTESTS_ACCESS_H
#define SELFTESTS_ACCESS_H

#include "vm.h"

#define PORT	0x1234
#define WINDOW	0x40000000ull	/* G_DATA once more, through tables of its own */
enum { PDPT = G_TABLES + 0x1000, PD = G_TABLES + 0x6000, PT = G_TABLES + 0x7000 };
enum { A = 0x20, D = 0x40 };
#define GB	(1ull << 30)

/* The registers come from the host. */
GUEST64(ins64, "insb; hlt");
GUEST64(outs64, "outsb; hlt");
GUEST64(movs64, "movsb; hlt");
GUEST64(insl64, "insl; hlt");
GUEST64(outsl64, "outsl; hlt");
GUEST64(movsl64, "movsl; hlt");
GUEST64(rep_ins64, "rep insb; hlt");
GUEST64(rep_outs64, "rep outsb; hlt");
GUEST64(rep_movs64, "rep movsb; hlt");
GUEST64(outs_fs64, "outsb %fs:(%rsi), %dx; hlt");
GUEST64(incb64, "incb (%rdi); hlt");
GUEST64(wrpkru, "push %rdx; xor %ecx, %ecx; xor %edx, %edx; mov $0xc, %eax; .byte 0x0f, 0x01, 0xef;"
	"pop %rdx; insb; hlt");
GUEST64(step_ins, "pushf; orl $0x100, (%rsp); popf; rep insb; hlt");

GUEST32(ins32, "insb; hlt");
GUEST32(insl32, "insl; hlt");
GUEST32(ins_di32, "addr16 insb; hlt");
GUEST32(outs32, "outsb; hlt");
GUEST32(outs_ss32, "outsb %ss:(%esi), %dx; hlt");
GUEST32(outs_cs32, "outsb %cs:(%esi), %dx; hlt");
GUEST32(outs_fs32, "outsb %fs:(%esi), %dx; hlt");
GUEST32(outs_gs32, "outsb %gs:(%esi), %dx; hlt");
GUEST32(movs32, "movsb; hlt");
GUEST32(movsl32, "movsl; hlt");
GUEST32(rep_ins32, "rep insb; hlt");
GUEST16(rep_ins16, "rep insb; hlt");
GUEST16(rep_outs16, "rep outsb; hlt");

static void set(struct test_vm *t, uint64_t rsi, uint64_t rdi, uint64_t rcx)
{
	struct minikvm_regs r = vm_regs(t);

	r.rsi = rsi;
	r.rdi = rdi;
	r.rcx = rcx;
	r.rdx = PORT;
	vm_set_regs(t, r);
}

static void set_sregs(struct test_vm *t, struct minikvm_sregs *s)
{
	if (ioctl(t->vcpu, MINIKVM_SET_SREGS, s))
		abort();
}

/* What the devices have seen. */
static struct {
	int ins, outs, reads, writes;
	uint8_t out[16], written[16];
	int nout, nwritten;
	uint64_t at;		/* of the last access to memory */
} seen;

static void serve_io(struct test_vm *t)
{
	uint8_t *data = vm_io_data(t);
	uint32_t i, n = t->run->io.size * t->run->io.count;

	for (i = 0; i < n; i++) {
		if (t->run->io.direction == MINIKVM_EXIT_IO_IN)
			data[i] = 'a' + seen.ins++;
		else if (seen.nout < 16)
			seen.out[seen.nout++] = data[i];
	}
	seen.outs += t->run->io.direction == MINIKVM_EXIT_IO_OUT;
}

static void serve_mmio(struct test_vm *t)
{
	seen.at = t->run->mmio.phys_addr;
	if (!t->run->mmio.is_write) {
		memcpy(t->run->mmio.data, "PQRSTUVW", 8);
		seen.reads++;
		return;
	}
	seen.writes++;
	memcpy(seen.written + seen.nwritten, t->run->mmio.data, t->run->mmio.len);
	seen.nwritten += t->run->mmio.len;
}

/* RUN, and play the devices, to an exit that is none of theirs. */
static int serve(struct test_vm *t)
{
	int ret, i;

	memset(&seen, 0, sizeof(seen));
	for (i = 0; i < 40; i++) {
		ret = vm_run(t);
		if (ret == MINIKVM_EXIT_IO && t->run->io.port == PORT)
			serve_io(t);
		else if (ret == MINIKVM_EXIT_MMIO)
			serve_mmio(t);
		else
			break;
	}
	return ret;
}

/* The vector that a stub has said, or -1. */
static int exception(struct test_vm *t, int ret)
{
	if (ret != MINIKVM_EXIT_IO || t->run->io.port != PORT_EXCEPTION)
		return -1;
	return *(uint8_t *)vm_io_data(t);
}

static uint64_t *entry(struct test_vm *t, uint64_t at)
{
	return (uint64_t *)(t->mem + at);
}

/* Long mode, with G_DATA at WINDOW, too: nobody else uses the entries that lead there. */
static void with_window(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	guest_long(t, code, end);
	*entry(t, PDPT + 8) = PD | 7;
	*entry(t, PD) = PT | 7;
	*entry(t, PT) = G_DATA | 7;
}

#endif
