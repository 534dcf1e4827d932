// SPDX-License-Identifier: GPL-2.0
/*
 * What the registers of a local APIC mean: which interrupt is next, which
 * writes are allowed. Called by lapic.c and lapic_timer.c (the vCPU's side) and
 * apic_bus.c (other CPUs' side); all of them at once, as after a reset, are in
 * lapic_state.c, who is addressed by a message in lapic_address.c. See SDM
 * "Advanced Programmable Interrupt Controller (APIC)".
 *
 * Left out, as in KVM: the error status register stays 0, the arbitration
 * priority register reads 0, messages with delivery mode SMI are dropped.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "lapic_regs.h"

#define NR_LVT		6

/* LVT fields that can be written; bit 12 (delivery status) is kept, as KVM does. */
#define LVT_BASIC	(LAPIC_LVT_MASKED | BIT(12) | 0xff)
#define LVT_LINT	(LVT_BASIC | LAPIC_LVT_MODE | BIT(13) | BIT(14) | LAPIC_LVT_LEVEL)

static const u32 lvt_writable[NR_LVT] = {
	LVT_BASIC,		/* timer; its mode bits depend on CPUID */
	LVT_BASIC | LAPIC_LVT_MODE,	/* thermal sensor */
	LVT_BASIC | LAPIC_LVT_MODE,	/* performance counters */
	LVT_LINT,
	LVT_LINT,
	LVT_BASIC,		/* error */
};

/* x2APIC ICR: 31:20, 17:16 and 13 are reserved. */
#define X2APIC_ICR_RESERVED	0xfff32000ULL

static u32 *reg_ptr(const struct lapic_regs *regs, u32 reg)
{
	return regs->page + reg;
}

/**
 * lapic_reg - a register's bits, with no side effect
 * @regs: the APIC
 * @reg: LAPIC_*
 *
 * Any context.
 */
u32 lapic_reg(const struct lapic_regs *regs, u32 reg)
{
	return READ_ONCE(*reg_ptr(regs, reg));
}

/**
 * lapic_reg_set - set a register's bits, with no side effect
 * @regs: the APIC
 * @reg: LAPIC_*
 * @val: the bits
 *
 * Context: the vCPU thread.
 */
void lapic_reg_set(struct lapic_regs *regs, u32 reg, u32 val)
{
	WRITE_ONCE(*reg_ptr(regs, reg), val);
}

/* The long that holds a vector's bit in ISR, TMR or IRR; the bit is vector % 32. */
static unsigned long *vector_word(const struct lapic_regs *regs, u32 set, u8 vector)
{
	return regs->page + set + (vector / 32) * 16;
}

static bool vector_test(const struct lapic_regs *regs, u32 set, u8 vector)
{
	return lapic_reg(regs, set + (vector / 32) * 16) & BIT(vector % 32);
}

/**
 * lapic_regs_take_posted - what senders have left goes into IRR
 * @regs: the APIC
 *
 * Context: the vCPU thread. Return: the highest vector of these, or -1.
 */
int lapic_regs_take_posted(struct lapic_regs *regs)
{
	int i, highest = -1;
	u32 reg = LAPIC_IRR;

	for (i = 0; i < 256 / BITS_PER_LONG; i++, reg += 32) {
		unsigned long *from = &regs->posted[i], new;

		if (!READ_ONCE(*from))
			continue;
		new = xchg(from, 0);
		lapic_reg_set(regs, reg, lapic_reg(regs, reg) | (u32)new);
		lapic_reg_set(regs, reg + 16, lapic_reg(regs, reg + 16) | new >> 32);
		highest = i * BITS_PER_LONG + __fls(new);
	}
	return highest;
}

/**
 * lapic_regs_requested - the highest vector in IRR
 * @regs: the APIC, after lapic_regs_merge()
 *
 * Context: the vCPU thread. Return: it, or -1.
 */
int lapic_regs_requested(const struct lapic_regs *regs)
{
	int i;

	for (i = LAPIC_VECTOR_WORDS - 1; i >= 0; i--) {
		u32 word = lapic_reg(regs, LAPIC_IRR + i * 16);

		if (word)
			return i * 32 + __fls(word);
	}
	return -1;
}

/**
 * lapic_regs_in_service - the highest vector in ISR
 * @regs: the APIC
 *
 * Context: the vCPU thread. Return: it, or -1.
 */
int lapic_regs_in_service(const struct lapic_regs *regs)
{
	u32 words, word, i;

	for (words = regs->isr_words; words; words &= ~BIT(i)) {
		i = __fls(words);
		word = lapic_reg(regs, LAPIC_ISR + i * 16);
		if (word)
			return i * 32 + __fls(word);
	}
	return -1;
}

/* One of the ISR registers was written. */
static void isr_changed(struct lapic_regs *regs, int word)
{
	regs->changed = true;
	if (lapic_reg(regs, LAPIC_ISR + word * 16))
		regs->isr_words |= BIT(word);
	else if (!regs->shared)
		regs->isr_words &= ~BIT(word);
}

static bool sw_enabled(const struct lapic_regs *regs)
{
	return lapic_reg(regs, LAPIC_SVR) & LAPIC_SVR_ENABLED;
}

/**
 * lapic_regs_busy - is a vector requested or in service?
 * @regs: the APIC
 * @vector: which
 *
 * Any context; a snapshot.
 */
bool lapic_regs_busy(const struct lapic_regs *regs, u8 vector)
{
	return vector_test(regs, LAPIC_IRR, vector) || vector_test(regs, LAPIC_ISR, vector) ||
	       READ_ONCE(regs->posted[vector / BITS_PER_LONG]) >> (vector % BITS_PER_LONG) & 1;
}

/** lapic_regs_is_level - does its EOI go to the IOAPIC? Any context. */
bool lapic_regs_is_level(const struct lapic_regs *regs, u8 vector)
{
	return vector_test(regs, LAPIC_TMR, vector);
}

/**
 * lapic_regs_request - a fixed interrupt arrives
 * @regs: the APIC
 * @vector: which
 * @level: level triggered: its EOI goes to the IOAPIC
 *
 * Any context, any CPU. TMR first: who takes the vector must see its mode.
 */
void lapic_regs_request(struct lapic_regs *regs, u8 vector, bool level)
{
	if (vector_test(regs, LAPIC_TMR, vector) != level) {
		if (level)
			set_bit(vector % 32, vector_word(regs, LAPIC_TMR, vector));
		else
			clear_bit(vector % 32, vector_word(regs, LAPIC_TMR, vector));
	}
	if (regs->posts)
		set_bit(vector % BITS_PER_LONG, &regs->posted[vector / BITS_PER_LONG]);
	else
		set_bit(vector % 32, vector_word(regs, LAPIC_IRR, vector));
}

/* SDM "Task and Processor Priorities". */
static u32 processor_priority(const struct lapic_regs *regs)
{
	u32 tpr = lapic_reg(regs, LAPIC_TPR) & 0xff;
	int isr = lapic_regs_in_service(regs);
	u32 class = isr < 0 ? 0 : isr & 0xf0;

	return (tpr & 0xf0) >= class ? tpr : class;
}

/**
 * lapic_regs_threshold - at what TPR would there be something more to deliver?
 * @regs: the APIC, after lapic_regs_merge()
 *
 * Context: the vCPU thread. Return: the class that TPR must fall below, or 0: what waits does
 * not wait for that. SDM "TPR Virtualization".
 */
u32 lapic_regs_threshold(const struct lapic_regs *regs)
{
	int class = lapic_reg(regs, LAPIC_TPR) >> 4 & 0xf, irr;

	/* Class 1 holds the lowest vectors back, which are never used, and Linux sets it. */
	if (class <= 1 && (!class || !lapic_reg(regs, LAPIC_IRR)))
		return 0;
	irr = lapic_regs_requested(regs);
	return irr >= 0 && irr >> 4 <= class ? irr >> 4 : 0;
}

/**
 * lapic_regs_pending - the vector that the CPU would be given now
 * @regs: the APIC, after lapic_regs_merge()
 *
 * Context: the vCPU thread. Return: the highest vector in IRR whose class is
 * above the processor priority, or -1.
 */
int lapic_regs_pending(const struct lapic_regs *regs)
{
	int irr;

	if (regs->mode < LAPIC_XAPIC)
		return -1;
	irr = lapic_regs_requested(regs);
	if (irr < 0 || (irr & 0xf0) <= processor_priority(regs))
		return -1;
	return irr;
}

/**
 * lapic_regs_take - the CPU accepts a vector: IRR to ISR
 * @regs: the APIC
 * @vector: what lapic_regs_pending() said
 *
 * Context: the vCPU thread.
 */
void lapic_regs_take(struct lapic_regs *regs, u8 vector)
{
	clear_bit(vector % 32, vector_word(regs, LAPIC_IRR, vector));
	__set_bit(vector % 32, vector_word(regs, LAPIC_ISR, vector));
	isr_changed(regs, vector / 32);
}

/**
 * lapic_regs_eoi - end of the interrupt in service
 * @regs: the APIC
 * @level: set to its trigger mode
 *
 * Context: the vCPU thread. Return: the vector, or -1 if none was in service.
 */
int lapic_regs_eoi(struct lapic_regs *regs, bool *level)
{
	int vector = lapic_regs_in_service(regs);

	if (vector < 0)
		return -1;
	__clear_bit(vector % 32, vector_word(regs, LAPIC_ISR, vector));
	isr_changed(regs, vector / 32);
	*level = vector_test(regs, LAPIC_TMR, vector);
	return vector;
}

/**
 * lapic_regs_quiet - is one edge-triggered interrupt in service, and nothing requested?
 * @regs: the APIC
 *
 * Context: the vCPU thread. Return: the vector, or -1.
 */
int lapic_regs_quiet(const struct lapic_regs *regs)
{
	int vector = lapic_regs_in_service(regs);

	if (vector < 0 || lapic_regs_requested(regs) >= 0 || vector_test(regs, LAPIC_TMR, vector))
		return -1;
	return vector;
}

/* Does the register exist for reading? Bit n stands for offset n * 16. */
static bool lapic_reg_readable(const struct lapic_regs *regs, u32 reg)
{
	const u64 always = BIT_ULL(LAPIC_ID >> 4) | BIT_ULL(LAPIC_VERSION >> 4) |
		BIT_ULL(LAPIC_TPR >> 4) | BIT_ULL(LAPIC_PPR >> 4) | BIT_ULL(LAPIC_LDR >> 4) |
		BIT_ULL(LAPIC_SVR >> 4) |
		0xffffffULL << (LAPIC_ISR >> 4) |	/* ISR, TMR, IRR */
		BIT_ULL(LAPIC_ESR >> 4) | BIT_ULL(LAPIC_ICR >> 4) |
		0xffULL << (LAPIC_LVTT >> 4) |		/* LVT, initial and current count */
		BIT_ULL(LAPIC_TDCR >> 4);
	const u64 xapic = BIT_ULL(LAPIC_APR >> 4) | BIT_ULL(LAPIC_DFR >> 4) |
		BIT_ULL(LAPIC_ICR2 >> 4);
	u64 mask = always | (regs->mode == LAPIC_X2APIC ? 0 : xapic);

	return reg <= LAPIC_SELF_IPI && (mask >> (reg >> 4) & 1);
}

/**
 * lapic_regs_read - the guest reads a register
 * @regs: the APIC
 * @reg: offset, any value; a multiple of 16 names a register
 * @val: where it goes
 *
 * Context: the vCPU thread. Return: 0, or 1 if there is no such register or it
 * cannot be read. The current count is the timer's to tell: here it is 0.
 */
int lapic_regs_read(const struct lapic_regs *regs, u32 reg, u32 *val)
{
	if (reg % 16 || !lapic_reg_readable(regs, reg))
		return 1;
	if (reg == LAPIC_PPR)
		*val = processor_priority(regs);
	else
		*val = lapic_reg(regs, reg & LAPIC_SELF_IPI);	/* the highest: all bits */
	return 0;
}

/* Off masks the whole LVT: SDM "Local APIC State After It Has Been Software Disabled". */
static unsigned int write_svr(struct lapic_regs *regs, u32 val)
{
	bool on = val & LAPIC_SVR_ENABLED;
	u32 reg;

	lapic_reg_set(regs, LAPIC_SVR, val & 0x3ff);
	for (reg = LAPIC_LVTT; !on && reg <= LAPIC_LVT_ERROR; reg += 16)
		lapic_reg_set(regs, reg, lapic_reg(regs, reg) | LAPIC_LVT_MASKED);
	lapic_address_publish(regs);
	return on ? LAPIC_DO_EVENT : LAPIC_DO_TIMER_MODE | LAPIC_DO_TIMER_DROP;
}

static unsigned int write_lvt(struct lapic_regs *regs, u32 reg, u32 val)
{
	u32 lvt = array_index_nospec((reg - LAPIC_LVTT) >> 4, ARRAY_SIZE(lvt_writable));
	u32 writable = lvt_writable[lvt];

	if (reg == LAPIC_LVTT)
		writable |= regs->deadline_ok ? 3 << 17 : 1 << 17;
	if (!sw_enabled(regs))
		val |= LAPIC_LVT_MASKED;
	lapic_reg_set(regs, reg, val & writable);
	if (reg == LAPIC_LVTT)
		return LAPIC_DO_TIMER_MODE;
	if (reg != LAPIC_LINT0)
		return 0;
	lapic_address_publish(regs);
	return LAPIC_DO_EVENT;
}

/* Registers that exist in xAPIC mode only, or are read-only in x2APIC mode. */
static unsigned int write_xapic(struct lapic_regs *regs, u32 reg, u32 val)
{
	if (regs->mode == LAPIC_X2APIC)
		return LAPIC_DO_GP;
	switch (reg) {
	case LAPIC_DFR:
		val |= 0x0fffffff;
		break;
	default:	/* ID, LDR, ICR2: an 8-bit ID at the top */
		val &= 0xff000000;
	}
	lapic_reg_set(regs, reg, val);
	lapic_address_publish(regs);
	return 0;
}

static unsigned int write_x2apic(struct lapic_regs *regs, u32 reg, u32 val)
{
	if (reg == LAPIC_SELF_IPI && regs->mode == LAPIC_X2APIC && val <= 0xff)
		return LAPIC_DO_SELF_IPI;
	return LAPIC_DO_GP;
}

static unsigned int write_tmict(struct lapic_regs *regs, u32 val)
{
	if (lapic_regs_timer_mode(regs) == LAPIC_DEADLINE)
		return 0;
	lapic_reg_set(regs, LAPIC_TMICT, val);
	return LAPIC_DO_TIMER_START;
}

/**
 * lapic_regs_write - the guest writes a register
 * @regs: the APIC
 * @reg: offset, any value; a multiple of 16 names a register
 * @val: 32 bits; ICR in x2APIC mode goes through lapic_regs_write_icr()
 *
 * Context: the vCPU thread. Return: what is to be done about it, LAPIC_DO_*.
 */
unsigned int lapic_regs_write(struct lapic_regs *regs, u32 reg, u32 val)
{
	switch (reg) {
	case LAPIC_ID:
	case LAPIC_LDR:
	case LAPIC_DFR:
	case LAPIC_ICR2:
		return write_xapic(regs, reg, val);
	case LAPIC_TPR:
		lapic_reg_set(regs, reg, val & 0xff);
		return LAPIC_DO_EVENT;
	case LAPIC_EOI:
		return LAPIC_DO_EOI | LAPIC_DO_EVENT;
	case LAPIC_SVR:
		return write_svr(regs, val);
	case LAPIC_ESR:		/* nothing is ever in it */
		return regs->mode == LAPIC_X2APIC && val ? LAPIC_DO_GP : 0;
	case LAPIC_ICR:
		lapic_reg_set(regs, reg, val & ~LAPIC_ICR_BUSY);
		return LAPIC_DO_IPI;
	case LAPIC_LVTT ... LAPIC_LVT_ERROR:
		return reg % 16 ? LAPIC_DO_GP : write_lvt(regs, reg, val);
	case LAPIC_TMICT:
		return write_tmict(regs, val);
	case LAPIC_TDCR:
		lapic_reg_set(regs, reg, val & 0xb);
		return LAPIC_DO_TIMER_DIVIDE;
	default:
		return write_x2apic(regs, reg, val);
	}
}

/**
 * lapic_regs_write_icr - the 64-bit ICR of x2APIC mode
 * @regs: the APIC
 * @val: what WRMSR wrote
 *
 * Context: the vCPU thread. Return: LAPIC_DO_*. Kept as two registers, the way
 * GET_LAPIC shows it.
 */
unsigned int lapic_regs_write_icr(struct lapic_regs *regs, u64 val)
{
	if (val & X2APIC_ICR_RESERVED)
		return LAPIC_DO_GP;
	lapic_reg_set(regs, LAPIC_ICR, (u32)val & ~LAPIC_ICR_BUSY);
	lapic_reg_set(regs, LAPIC_ICR2, val >> 32);
	return LAPIC_DO_IPI;
}

/**
 * lapic_regs_icr - the message that an interrupt command stands for
 * @regs: the APIC, for the width of the destination
 * @low: ICR bits 31:0
 * @high: ICR bits 63:32
 * @msg: filled
 *
 * SDM "Interrupt Command Register (ICR)".
 */
void lapic_regs_icr(const struct lapic_regs *regs, u32 low, u32 high, struct apic_msg *msg)
{
	*msg = (struct apic_msg) {
		.dest = regs->mode == LAPIC_X2APIC ? high : high >> 24,
		.vector = low & 0xff,
		.delivery = low >> 8 & 7,
		.shorthand = low >> 18 & 3,
		.logical = low & LAPIC_ICR_LOGICAL,
		.level = low & LAPIC_ICR_LEVEL,
		.assert = low & LAPIC_ICR_ASSERT,
		.exact = true,
	};
}

/**
 * lapic_regs_timer_mode - what LVTT says
 * @regs: the APIC
 *
 * Context: the vCPU thread.
 */
enum lapic_timer_mode lapic_regs_timer_mode(const struct lapic_regs *regs)
{
	return lapic_reg(regs, LAPIC_LVTT) >> 17 & (regs->deadline_ok ? 3 : 1);
}

/**
 * lapic_regs_divide - the timer's divider
 * @regs: the APIC
 *
 * Context: the vCPU thread. Return: 1, 2, 4 .. 128, never 0: SDM "Divide
 * Configuration Register".
 */
u32 lapic_regs_divide(const struct lapic_regs *regs)
{
	u32 tdcr = lapic_reg(regs, LAPIC_TDCR);
	u32 code = (tdcr & 3) | (tdcr & 8) >> 1;

	return 1U << ((code + 1) & 7);
}
