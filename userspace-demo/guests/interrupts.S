/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Third reading: interrupts. Real mode; programs the PIC and the PIT that are in
 * the kernel, counts ten ticks while halted, prints a dot for each, and powers
 * off through the port that ACPI would use.
 *
 *	minivmm --irqchip --flat interrupts.bin
 */
	.code16
	.globl _start
_start:
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %ss
	mov $0x8000, %sp
	movw $tick, 0x20 * 4		/* vector 0x20: IRQ 0 */
	movw $0, 0x20 * 4 + 2

	mov $0x11, %al			/* PIC: vectors from 0x20, only IRQ 0 open */
	out %al, $0x20
	mov $0x20, %al
	out %al, $0x21
	mov $4, %al
	out %al, $0x21
	mov $1, %al
	out %al, $0x21
	mov $0xfe, %al
	out %al, $0x21

	mov $0x34, %al			/* PIT channel 0: 100 times a second */
	out %al, $0x43
	mov $11932 & 0xff, %al
	out %al, $0x40
	mov $11932 >> 8, %al
	out %al, $0x40

	mov $10, %cx
	sti
wait:
	hlt
	test %cx, %cx
	jnz wait
	cli
	mov $0x3f8, %dx
	mov $'\n', %al
	out %al, %dx
	mov $0x604, %dx			/* S5 */
	mov $0x3400, %ax
	out %ax, %dx
	hlt

tick:
	push %ax
	push %dx
	mov $0x3f8, %dx
	mov $'.', %al
	out %al, %dx
	dec %cx
	mov $0x20, %al			/* end of interrupt */
	out %al, $0x20
	pop %dx
	pop %ax
	iret
