// SPDX-License-Identifier: GPL-2.0
/*
 * Who is addressed by an interrupt message: what the senders of interrupts, on
 * any CPU, may know of a local APIC. Called by apic_bus.c and irqchip.c; the
 * owner's side is lapic_regs.c. Pure: it compiles in userspace, too.
 *
 * Mode, ID, logical ID, destination format and both enable bits belong together,
 * and a message that arrives while the owner changes one of them must find either
 * all of the old or all of the new. So the owner keeps them in one word, apart
 * from the register page, and writes that word once at the end of a change. An
 * INIT, a SET_LAPIC or a change of mode is one moment for everybody else.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <asm/barrier.h>

#include "lapic_regs.h"

#define ADDRESS_MODE		GENMASK(1, 0)	/* enum lapic_mode */
#define ADDRESS_ENABLED		BIT(2)		/* by the spurious vector register */
#define ADDRESS_EXTINT		BIT(3)		/* LINT0 lets the PIC through */
#define ADDRESS_FLAT		BIT(4)		/* DFR, one of both or neither */
#define ADDRESS_CLUSTER		BIT(5)
#define ADDRESS_LDR_SHIFT	16		/* of xAPIC mode, 8 bits as the ID */
#define ADDRESS_ID_SHIFT	24

static u32 address_of(const struct lapic_regs *regs)
{
	u32 dfr = lapic_reg(regs, LAPIC_DFR), lint0 = lapic_reg(regs, LAPIC_LINT0);
	u32 address = regs->mode;

	if (lapic_reg(regs, LAPIC_SVR) & LAPIC_SVR_ENABLED)
		address |= ADDRESS_ENABLED;
	if ((lint0 & (LAPIC_LVT_MASKED | LAPIC_LVT_MODE)) == LAPIC_LVT_EXTINT)
		address |= ADDRESS_EXTINT;
	if (dfr == LAPIC_DFR_FLAT)
		address |= ADDRESS_FLAT;
	if (dfr == LAPIC_DFR_CLUSTER)
		address |= ADDRESS_CLUSTER;
	address |= lapic_reg(regs, LAPIC_LDR) >> 24 << ADDRESS_LDR_SHIFT;
	return address | lapic_reg(regs, LAPIC_ID) >> 24 << ADDRESS_ID_SHIFT;
}

static u32 address_seen(const struct lapic_regs *regs)
{
	return READ_ONCE(regs->address);
}

static enum lapic_mode mode_in(u32 address)
{
	return address & ADDRESS_MODE;
}

/* Does it answer to an ID that may be another vCPU's? The guest chose it, or cut it to 8 bits. */
static bool is_alias(const struct lapic_regs *regs, u32 address)
{
	return mode_in(address) == LAPIC_XAPIC && address >> ADDRESS_ID_SHIFT != regs->id;
}

/**
 * lapic_address_publish - the owner has changed registers: senders see them now
 * @regs: the APIC
 *
 * Context: the vCPU thread, after each write of ID, LDR, DFR, SVR, LINT0 or the
 * mode. The barrier is for the PIC: who lets it through here and looks at its
 * output next, or raises that and looks here next, sees what the other has done.
 */
void lapic_address_publish(struct lapic_regs *regs)
{
	u32 address = address_of(regs), old = regs->address;

	if (address == old)
		return;
	/* What it is counts before anybody sees it, and until nobody does. */
	if (is_alias(regs, address))
		atomic_inc(regs->aliases);
	if (mode_in(address) == LAPIC_XAPIC)
		atomic_inc(regs->narrow);
	WRITE_ONCE(regs->address, address);
	smp_mb();	/* pairs with wake_pic_listener() */
	if (is_alias(regs, old))
		atomic_dec(regs->aliases);
	if (mode_in(old) == LAPIC_XAPIC)
		atomic_dec(regs->narrow);
}

/**
 * lapic_regs_present - does IA32_APIC_BASE have it on the bus?
 * @regs: the APIC
 *
 * Any context.
 */
bool lapic_regs_present(const struct lapic_regs *regs)
{
	return mode_in(address_seen(regs)) >= LAPIC_XAPIC;
}

/**
 * lapic_regs_enabled - does it take fixed interrupts?
 * @regs: the APIC
 *
 * Context: any. Both enable bits: IA32_APIC_BASE's and the spurious vector's.
 */
bool lapic_regs_enabled(const struct lapic_regs *regs)
{
	u32 address = address_seen(regs);

	return mode_in(address) >= LAPIC_XAPIC && (address & ADDRESS_ENABLED);
}

/**
 * lapic_regs_accepts_pic - is the PIC's output wired through to the CPU?
 * @regs: the APIC
 *
 * Context: any. True when the APIC is off, or LINT0 is unmasked and ExtINT
 * (virtual wire mode).
 */
bool lapic_regs_accepts_pic(const struct lapic_regs *regs)
{
	u32 address = address_seen(regs);

	return mode_in(address) < LAPIC_XAPIC || (address & ADDRESS_EXTINT);
}

/**
 * lapic_x2apic_ldr - the logical ID that x2APIC mode derives from the ID
 * @id: x2APIC ID
 *
 * Cluster in 31:16, one bit in 15:0. SDM "Logical Destination Mode in x2APIC Mode".
 */
u32 lapic_x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 15);
}

static bool match_logical(u32 address, u32 dest)
{
	u32 ldr = address >> ADDRESS_LDR_SHIFT & 0xff;

	if (address & ADDRESS_FLAT)
		return ldr & dest;
	if (address & ADDRESS_CLUSTER)
		return ldr >> 4 == dest >> 4 && (ldr & dest & 0xf);
	return false;
}

/* IDs above 255 reach an APIC that is still in xAPIC mode. */
static bool match_xapic(const struct lapic_regs *regs, u32 address, const struct apic_msg *msg)
{
	if (msg->dest == LAPIC_BROADCAST)
		return true;
	if (msg->logical)
		return match_logical(address, msg->dest);
	return msg->dest == (msg->dest > 0xff ? regs->id : address >> ADDRESS_ID_SHIFT);
}

/* As in KVM, 0xff of an MSI or the IOAPIC is everybody: no interrupt remapping widens it. */
static bool match_x2apic(const struct lapic_regs *regs, const struct apic_msg *msg)
{
	u32 ldr = lapic_x2apic_ldr(regs->id), dest = msg->dest;

	if (dest == X2APIC_BROADCAST || (dest == LAPIC_BROADCAST && !msg->exact))
		return true;
	if (msg->logical)
		return ldr >> 16 == dest >> 16 && (ldr & dest & 0xffff);
	return dest == regs->id;
}

/**
 * lapic_regs_match - is this APIC a destination of a message?
 * @regs: the APIC
 * @msg: the message; its shorthand is not looked at
 *
 * Any context; looks at the APIC once.
 */
bool lapic_regs_match(const struct lapic_regs *regs, const struct apic_msg *msg)
{
	u32 address = address_seen(regs);

	switch (mode_in(address)) {
	case LAPIC_XAPIC:
		return match_xapic(regs, address, msg);
	case LAPIC_X2APIC:
		return match_x2apic(regs, msg);
	default:
		return false;
	}
}
