/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Second reading: from real mode to 64-bit mode by the guest's own hand. Builds
 * page tables (the first GiB, one to one), switches on PAE, long mode and paging,
 * jumps to 64-bit code, multiplies two 64-bit numbers there and prints the result.
 *
 *	minivmm --flat long64.bin
 */
	.code16
	.globl _start
_start:
	/* PML4 at 0x10000 -> PDPT at 0x11000 -> one page of 1 GiB in 2 MiB pieces */
	xor %ax, %ax
	mov %ax, %ds
	mov $0x1000, %ax
	mov %ax, %es
	movl $0x11003, %es:0x0000
	movl $0x12003, %es:0x1000
	mov $0x2000, %di
	mov $0x83, %eax
	mov $512, %cx
pages:
	mov %eax, %es:(%di)
	add $0x200000, %eax
	add $8, %di
	loop pages

	mov $0x20, %eax			/* CR4.PAE */
	mov %eax, %cr4
	mov $0x10000, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	or $0x100, %eax
	wrmsr
	lgdtl gdt_pointer
	mov %cr0, %eax
	or $0x80000001, %eax		/* CR0.PG, CR0.PE */
	mov %eax, %cr0
	ljmpl $8, $long_mode

	.code64
long_mode:
	movabs $0x100000001, %rax
	movabs $0x123456789, %rbx
	imul %rbx, %rax
	mov %rax, %rbx
	mov $16, %ecx
	mov $0x3f8, %dx
digit:
	rol $4, %rbx
	mov %bl, %al
	and $0xf, %al
	add $'0', %al
	cmp $'9', %al
	jbe print
	add $'a' - '9' - 1, %al
print:
	out %al, %dx
	loop digit
	mov $'\n', %al
	out %al, %dx
	hlt

	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long gdt
