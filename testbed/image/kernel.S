/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel in a page or two, for testbed/check-guests: what a teaching kernel does first. A boot
 * loader (Multiboot) starts it in protected mode; it turns on paging with PAE, takes interrupts of
 * the PIT by way of the 8259s, runs a program at privilege level 3 that makes system calls and a
 * page fault, measures with the speaker's timer, and starts the other processors. Each step
 * says its line on the serial port; the last one is on VGA's text page, too.
 */
#define KCODE	0x08
#define KDATA	0x10
#define UCODE	0x1b
#define UDATA	0x23
#define TASK	0x28
#define FLAT(access) .quad 0xcf00000000ffff | (access) << 40
#define TICKS_PER_SECOND 100
#define AP_START 0x8000			/* the page that SIPI names */
#define LAPIC	0xfee00000
#define HIDDEN	0x80000000		/* linear; nothing identical is there */

	.code32
	.section .text
	.align 4
	.long 0x1badb002, 0, -0x1badb002	/* Multiboot's header */
	.globl _start
_start:
	cli
	cld
	mov $stack, %esp
	mov $multiboot, %esi
	cmp $0x2badb002, %eax
	jne fail
	call say
	lgdt gdtr
	ljmp $KCODE, $1f
1:	mov $KDATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $task, %eax			/* the TSS's base in the GDT */
	mov %ax, gdt + TASK + 2
	shr $16, %eax
	mov %al, gdt + TASK + 4
	mov $TASK, %eax
	ltr %ax
	call paging
	call gates
	call clock
	call speaker
	call processors
	call user			/* comes back by its last system call */
	mov $done, %esi
	call say
	mov $screen, %esi		/* one REP MOVS to a device */
	mov $0xb8000, %edi
	mov $(screen_end - screen), %ecx
	rep movsb
	mov $0x604, %dx			/* S5, where -no-shutdown lets the screen be read */
	mov $0x2000, %ax
	out %ax, %dx
halt:	cli
	hlt
	jmp halt

fail:	mov $failed, %esi
	call say
	jmp halt

/* The text at %esi, to COM1. */
say:	lodsb
	test %al, %al
	jz 2f
	mov %al, %ah
	mov $0x3fd, %dx
1:	in %dx, %al
	test $0x20, %al
	jz 1b
	mov $0x3f8, %dx
	mov %ah, %al
	out %al, %dx
	jmp say
2:	ret

/* 4 GiB identical by 2 MiB, for everybody but the first 2 MiB; at HIDDEN is the kernel again. */
paging:
	mov $tables, %edi
	mov $0x87, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	movl $0, 4(%edi)
	add $8, %edi
	add $0x200000, %eax
	loop 1b
	andb $~4, tables		/* here is the kernel */
	movl $0x83, tables + 8 * 1024
	mov %cr4, %eax
	or $0x20, %eax
	mov %eax, %cr4
	mov $pointers, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80010000, %eax
	mov %eax, %cr0
	movl $0x12345678, mark
	cmpl $0x12345678, mark + HIDDEN
	jne fail
	mov $paged, %esi
	jmp say

gate:	/* %edi: vector * 8, %eax: handler, %edx: access */
	mov %ax, idt(%edi)
	movw $KCODE, idt + 2(%edi)
	mov %dx, idt + 4(%edi)
	shr $16, %eax
	mov %ax, idt + 6(%edi)
	ret

gates:
	mov $14 * 8, %edi
	mov $page_fault, %eax
	mov $0x8e00, %edx
	call gate
	mov $32 * 8, %edi
	mov $tick, %eax
	call gate
	mov $128 * 8, %edi
	mov $system_call, %eax
	mov $0xee00, %edx
	call gate
	lidt idtr
	ret

/* The 8259s, all but the timer masked; the 8254, at TICKS_PER_SECOND. */
clock:
	mov $setup, %esi
1:	lodsw
	test %ax, %ax
	jz 2f
	movzbl %al, %edx
	mov %ah, %al
	out %al, %dx
	jmp 1b
2:	sti
	mov $5, %ecx
	call wait
	mov $ticking, %esi
	jmp say

wait:	add ticks, %ecx			/* for %ecx ticks */
1:	hlt
	cmp ticks, %ecx
	jg 1b
	ret

tick:	incl ticks
	push %eax
	mov $0x20, %al
	out %al, $0x20
	pop %eax
	iret

/* Counter 2 runs down once, in 10 ms; its output is looked at. */
speaker:
	mov $0xb0, %al
	out %al, $0x43
	in $0x61, %al
	and $~2, %al
	or $1, %al
	out %al, $0x61
	mov $0x9c, %al
	out %al, $0x42
	mov $0x2e, %al
	out %al, $0x42
	rdtsc
	mov %eax, %ebx
	xor %ecx, %ecx
1:	inc %ecx
	in $0x61, %al
	test $0x20, %al
	jz 1b
	cmp $2, %ecx			/* not at once */
	jb fail
	rdtsc
	cmp %ebx, %eax
	je fail
	mov $measured, %esi
	jmp say

/* INIT and SIPI to everybody else; who comes counts itself. */
processors:
	mov $ap_begin, %esi
	mov $AP_START, %edi
	mov $(ap_end - ap_begin), %ecx
	rep movsb
	movl $0x1ff, LAPIC + 0xf0
	movl $0xc4500, LAPIC + 0x300
	mov $2, %ecx
	call wait
	movl $0xc4600 | AP_START >> 12, LAPIC + 0x300
	mov $20, %ecx
	call wait
	mov count, %eax
	add $'1', %al
	mov %al, number
	mov $counted, %esi
	jmp say

	.code16
ap_begin:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl AP_START + ap_gdtr - ap_begin
	mov $0x11, %eax
	mov %eax, %cr0
	ljmpl $KCODE, $ap
ap_gdtr:
	.word gdt_end - gdt - 1
	.long gdt
ap_end:
	.code32
ap:	mov $KDATA, %eax
	mov %eax, %ds
	lock incl count
	jmp halt

/* Level 3, with a stack of its own and interrupts on. */
user:
	mov %esp, kernel_stack
	mov %esp, task + 4
	mov $UDATA, %eax
	mov %eax, %ds
	mov %eax, %es
	push $UDATA
	push $user_stack
	push $0x202
	push $UCODE
	push $program
	iret

page_fault:				/* of the program, once; it goes on behind the access */
	cmpl $5, (%esp)			/* a read, by level 3, of a page that is there */
	jne fail
	mov %cr2, %eax
	cmp $mark, %eax
	jne fail
	add $4, %esp
	addl $6, (%esp)
	mov $faulted, %esi
	call say
	iret

system_call:				/* %eax 0: the end; 1: what ticks says; 2: say %esi */
	cmp $1, %eax
	je 1f
	jb 2f
	call say
	iret
1:	mov ticks, %eax
	iret
2:	mov kernel_stack, %esp
	mov $KDATA, %eax
	mov %eax, %ds
	mov %eax, %es
	ret

	.section .user, "awx"		/* in the next 2 MiB */
program:
	mov $in_user, %esi
	mov $2, %eax
	int $0x80
	mov $1, %eax
	int $0x80
	lea 5(%eax), %ebx
1:	mov $1, %eax
	int $0x80
	cmp %ebx, %eax
	jl 1b
	.byte 0x8b, 0x0d		/* mov mark, %ecx: six bytes */
	.long mark
	mov $interrupted, %esi
	mov $2, %eax
	int $0x80
	xor %eax, %eax
	int $0x80
in_user:	.asciz "a program at level 3\r\n"
interrupted:	.asciz "the program was interrupted\r\n"
	.skip 512
user_stack:

	.section .data
multiboot:	.asciz "multiboot\r\n"
paged:		.asciz "paging\r\n"
ticking:	.asciz "the timer ticks\r\n"
measured:	.asciz "the speaker's timer ran down\r\n"
counted:	.ascii "processors: "
number:		.asciz "0\r\n"
faulted:	.asciz "a page fault\r\n"
done:		.asciz "done\r\n"
failed:		.asciz "FAILED\r\n"
screen:		.ascii "s\7c\7r\7e\7e\7n\7 \7"
screen_end:
setup:		/* port, value */
	.byte 0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0xa0, 0x11, 0xa1, 0x28, 0xa1, 2, 0xa1, 1
	.byte 0x21, 0xfe, 0xa1, 0xff, 0x43, 0x34, 0x40, 11932 & 0xff, 0x40, 11932 >> 8, 0, 0
	.align 8
gdt:	.quad 0
	FLAT(0x9b)
	FLAT(0x93)
	FLAT(0xfb)
	FLAT(0xf3)
	.quad 0x890000000067
gdt_end:
gdtr:	.word gdt_end - gdt - 1
	.long gdt
idtr:	.word 256 * 8 - 1
	.long idt
	.align 32
pointers:
	.long tables + 1, 0, tables + 0x1001, 0, tables + 0x2001, 0, tables + 0x3001, 0
task:	.long 0, 0, KDATA
	.skip 0x68 - 12

	.section .bss
	.align 4096
tables:	.skip 4 * 4096
idt:	.skip 256 * 8
kernel_stack: .skip 4
ticks:	.skip 4
count:	.skip 4
mark:	.skip 4
	.skip 4096
stack:
