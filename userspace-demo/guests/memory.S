/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fourth reading: memory above 4 GiB. As long64.S gets to 64-bit mode, with page
 * tables for 5 GiB. Writes to both ends of the fifth GiB and to memory below that
 * has the same lower address bits, reads all of it again, and reads from the hole
 * where no memory is.
 *
 *	minivmm --mem 4096 --flat memory.bin
 */
	.set HIGH, 0x100000000
	.set HIGH_LAST, 0x13ffffff8
	.set LOW, 0x200000
	.set LOW_LAST, 0x3ffffff8
	.set HOLE, 0xd0000000

	.code16
	.globl _start
_start:
	/* PML4 at 0x10000 -> PDPT at 0x11000 -> five tables of 2 MiB pages from 0x12000 on */
	xor %ax, %ax
	mov %ax, %ds
	mov $0x1000, %ax
	mov %ax, %es
	movl $0x11003, %es:0x0000
	mov $0x12003, %eax
	mov $0x1000, %di
	mov $5, %cx
tables:
	mov %eax, %es:(%di)
	add $0x1000, %eax
	add $8, %di
	loop tables
	mov $0x2000, %di
	mov $0x83, %eax
	xor %edx, %edx
	mov $5 * 512, %cx
pages:
	mov %eax, %es:(%di)
	mov %edx, %es:4(%di)
	add $0x200000, %eax
	adc $0, %edx
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
	movabs $HIGH, %rsi
	movabs $HIGH_LAST, %rdi
	mov $LOW, %r8
	mov $LOW_LAST, %r9
	mov $HOLE, %r10d
	movq $1, (%rsi)
	movq $2, (%rdi)
	movq $3, (%r8)
	movq $4, (%r9)
	mov $wrong, %rbx
	cmpq $1, (%rsi)
	jne say
	cmpq $2, (%rdi)
	jne say
	cmpq $3, (%r8)
	jne say
	cmpq $4, (%r9)
	jne say
	movq $5, (%r10)			/* nobody is there: lost, and ones */
	mov (%r10), %rax
	cmp $-1, %rax
	jne say
	mov $right, %rbx
say:
	mov $0x3f8, %dx
next:
	mov (%rbx), %al
	inc %rbx
	test %al, %al
	jz done
	out %al, %dx
	jmp next
done:
	hlt

right:
	.asciz "Memory on both sides of the hole.\n"
wrong:
	.asciz "Memory is not as it was written.\n"

	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long gdt
