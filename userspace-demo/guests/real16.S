/* SPDX-License-Identifier: GPL-2.0 */
/*
 * First reading: 16-bit real mode. Prints a line on the serial port, character by
 * character, each one an exit to the VMM; then halts.
 *
 *	minivmm --flat real16.bin
 */
	.code16
	.globl _start
_start:
	mov $message, %si
	mov $0x3f8, %dx
next:
	lodsb
	test %al, %al
	jz done
	out %al, %dx
	jmp next
done:
	hlt

message:
	.asciz "Hello from real mode.\n"
