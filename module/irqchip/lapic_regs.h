/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC as a register file: lapic_regs.c holds the rules, lapic.c
 * carries out what a write asks for. Nothing here knows a vCPU or the kernel;
 * it compiles in userspace, too.
 *
 * The page is laid out as the processor's virtual-APIC page, and may be one: then
 * the processor writes it while the guest runs, and the vCPU thread otherwise.
 *
 * Who may touch a register: TMR any CPU, with atomic bit operations; everything else,
 * and every other write, is the vCPU thread's. Who sends an interrupt puts its vector
 * into IRR or @posted, and does not look at the page to see whom it addresses, but
 * at one word of lapic_address.c.
 */
#ifndef IRQCHIP_LAPIC_REGS_H
#define IRQCHIP_LAPIC_REGS_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/types.h>

#include "../../uapi/linux/minikvm.h"

struct vm;
struct lapic;

/* Offsets in the register page; SDM "Local APIC Register Address Map". */
enum {
	LAPIC_ID	= 0x020,
	LAPIC_VERSION	= 0x030,
	LAPIC_TPR	= 0x080,
	LAPIC_APR	= 0x090,
	LAPIC_PPR	= 0x0a0,
	LAPIC_EOI	= 0x0b0,
	LAPIC_LDR	= 0x0d0,
	LAPIC_DFR	= 0x0e0,
	LAPIC_SVR	= 0x0f0,
	LAPIC_ISR	= 0x100,	/* 8 registers, 16 bytes apart, as TMR and IRR */
	LAPIC_TMR	= 0x180,
	LAPIC_IRR	= 0x200,
	LAPIC_ESR	= 0x280,
	LAPIC_ICR	= 0x300,
	LAPIC_ICR2	= 0x310,
	LAPIC_LVTT	= 0x320,	/* the six LVT entries are in a row */
	LAPIC_LVT_THERMAL = 0x330,
	LAPIC_LVT_PERF	= 0x340,
	LAPIC_LINT0	= 0x350,
	LAPIC_LINT1	= 0x360,
	LAPIC_LVT_ERROR	= 0x370,
	LAPIC_TMICT	= 0x380,	/* timer: initial count */
	LAPIC_TMCCT	= 0x390,	/* timer: current count, made up when read */
	LAPIC_TDCR	= 0x3e0,
	LAPIC_SELF_IPI	= 0x3f0,
};

#define LAPIC_VERSION_VALUE	0x50014	/* 6 LVT entries; no directed EOI */
#define LAPIC_SVR_ENABLED	BIT(8)
#define LAPIC_LVT_MASKED	BIT(16)
#define LAPIC_LVT_LEVEL		BIT(15)
#define LAPIC_LVT_MODE		0x700U
#define LAPIC_LVT_EXTINT	0x700U	/* the mode in which the PIC comes through */
#define LAPIC_DFR_FLAT		0xffffffffU
#define LAPIC_DFR_CLUSTER	0x0fffffffU
#define LAPIC_ICR_ASSERT	BIT(14)
#define LAPIC_ICR_LEVEL		BIT(15)
#define LAPIC_ICR_LOGICAL	BIT(11)
#define LAPIC_ICR_BUSY		BIT(12)
#define LAPIC_ICR_SELF		BIT(18)
#define LAPIC_ICR_SHORTHAND	(3U << 18)

#define LAPIC_BROADCAST		0xffU
#define X2APIC_BROADCAST	0xffffffffU

/* Bits 11:10 of IA32_APIC_BASE. */
enum lapic_mode {
	LAPIC_DISABLED	= 0,
	LAPIC_INVALID	= 1,
	LAPIC_XAPIC	= 2,
	LAPIC_X2APIC	= 3,
};

static inline enum lapic_mode lapic_mode_of(u64 apic_base)
{
	return (apic_base >> 10) & 3;
}

/* Bits 18:17 of LVTT. */
enum lapic_timer_mode {
	LAPIC_ONESHOT	= 0,
	LAPIC_PERIODIC	= 1,
	LAPIC_DEADLINE	= 2,
	LAPIC_NO_TIMER	= 3,	/* reserved: nothing ever expires */
};

/* Bits 10:8 of an interrupt message. */
enum apic_delivery {
	APIC_FIXED = 0, APIC_LOWEST = 1, APIC_SMI = 2, APIC_NMI = 4,
	APIC_INIT = 5, APIC_STARTUP = 6, APIC_EXTINT = 7,
};

/* Bits 19:18 of ICR. */
enum apic_shorthand { APIC_TO_DEST = 0, APIC_TO_SELF = 1, APIC_TO_ALL = 2, APIC_TO_OTHERS = 3 };

/**
 * struct apic_msg - one interrupt message on its way to local APICs
 * @dest: APIC ID or logical destination, in the sender's width
 * @vector: 0..255
 * @delivery: enum apic_delivery, or the reserved 3
 * @shorthand: enum apic_shorthand; with another than APIC_TO_DEST @dest is unused
 * @logical: @dest is a logical destination
 * @level: level triggered
 * @assert: not a de-assert message
 * @exact: sent by a local APIC, or the VMM wants it so: 0xff is no broadcast in x2APIC mode
 * @redirect: an MSI's redirection hint: as lowest priority
 */
struct apic_msg {
	u32 dest;
	u8 vector;
	u8 delivery;
	u8 shorthand;
	bool logical;
	bool level;
	bool assert;
	bool exact;
	bool redirect;
};

#define LAPIC_VECTOR_WORDS	8	/* registers in ISR, TMR and IRR */

/**
 * struct lapic_regs - a local APIC
 * @page: the 4 KiB register page, laid out as the guest's MMIO sees it
 * @posts: senders leave vectors in @posted, not in IRR, which the processor may own
 * @posted: a bit per vector; lapic_regs_merge() takes them from here
 * @id: the x2APIC ID, which never changes
 * @mode: enum lapic_mode, follows IA32_APIC_BASE; the vCPU thread's
 * @address: what senders look at; written by lapic_address_publish() only
 * @aliases: how many APICs of the VM answer to another ID than @id; lapic_address_publish()
 * @narrow: how many are in xAPIC mode; likewise
 * @shared: the processor writes the page, too, while the guest runs
 * @changed: software has written IRR or ISR since the processor was told; the vCPU thread's
 * @isr_words: which of the eight ISR registers may have a bit set; the vCPU thread's
 * @deadline_ok: CPUID offers TSC-deadline mode
 */
struct lapic_regs {
	void *page;
	bool posts;
	unsigned long posted[256 / BITS_PER_LONG];
	u32 id;
	u32 mode;
	u32 address;
	atomic_t *aliases, *narrow;
	u32 isr_words;
	bool shared;
	bool changed;
	bool deadline_ok;
};

static inline bool lapic_regs_has_posted(const struct lapic_regs *regs)
{
	return READ_ONCE(regs->posted[0]) | READ_ONCE(regs->posted[1]) |
	       READ_ONCE(regs->posted[2]) | READ_ONCE(regs->posted[3]);
}

/* What the caller of lapic_regs_write() has to do next. */
#define LAPIC_DO_GP		BIT(0)	/* refused: #GP if it was a WRMSR */
#define LAPIC_DO_EOI		BIT(1)	/* lapic_regs_eoi(), and tell the IOAPIC */
#define LAPIC_DO_IPI		BIT(2)	/* send what lapic_regs_icr() says */
#define LAPIC_DO_SELF_IPI	BIT(3)	/* send the vector just written to oneself */
#define LAPIC_DO_TIMER_MODE	BIT(4)	/* LVTT may have changed */
#define LAPIC_DO_TIMER_START	BIT(5)	/* the initial count was written */
#define LAPIC_DO_TIMER_DIVIDE	BIT(6)	/* the divider was written */
#define LAPIC_DO_TIMER_DROP	BIT(7)	/* forget an expiry that was not delivered */
#define LAPIC_DO_EVENT		BIT(8)	/* something may be deliverable now */

u32 lapic_reg(const struct lapic_regs *regs, u32 reg);
void lapic_reg_set(struct lapic_regs *regs, u32 reg, u32 val);
bool lapic_regs_busy(const struct lapic_regs *regs, u8 vector);
void lapic_regs_request(struct lapic_regs *regs, u8 vector, bool level);
int lapic_regs_take_posted(struct lapic_regs *regs);
int lapic_regs_requested(const struct lapic_regs *regs);
int lapic_regs_in_service(const struct lapic_regs *regs);
bool lapic_regs_is_level(const struct lapic_regs *regs, u8 vector);
u32 lapic_regs_threshold(const struct lapic_regs *regs);
int lapic_regs_pending(const struct lapic_regs *regs);
void lapic_regs_take(struct lapic_regs *regs, u8 vector);
int lapic_regs_eoi(struct lapic_regs *regs, bool *level);
int lapic_regs_quiet(const struct lapic_regs *regs);
int lapic_regs_read(const struct lapic_regs *regs, u32 reg, u32 *val);
unsigned int lapic_regs_write(struct lapic_regs *regs, u32 reg, u32 val);
unsigned int lapic_regs_write_icr(struct lapic_regs *regs, u64 val);
void lapic_regs_icr(const struct lapic_regs *regs, u32 low, u32 high, struct apic_msg *msg);
enum lapic_timer_mode lapic_regs_timer_mode(const struct lapic_regs *regs);
u32 lapic_regs_divide(const struct lapic_regs *regs);

/* What senders have left goes into IRR: the vCPU thread, before it looks there. */
static inline void lapic_regs_merge(struct lapic_regs *regs)
{
	if (regs->posts && lapic_regs_has_posted(regs)) {
		lapic_regs_take_posted(regs);
		regs->changed = true;
	}
}

/* lapic_state.c: all of them at once */
void lapic_regs_init(struct lapic_regs *regs, void *page, u32 id, bool posts);
void lapic_regs_share(struct lapic_regs *regs, bool shared);
void lapic_regs_set_mode(struct lapic_regs *regs, enum lapic_mode mode);
void lapic_regs_reset(struct lapic_regs *regs, bool init, bool bsp);
void lapic_state_put(struct minikvm_lapic_state *state, u32 reg, u32 val);
void lapic_regs_get(const struct lapic_regs *regs, struct minikvm_lapic_state *state);
void lapic_regs_set(struct lapic_regs *regs, const struct minikvm_lapic_state *state);

/* lapic_address.c: who is addressed by a message */
void lapic_address_publish(struct lapic_regs *regs);
bool lapic_regs_present(const struct lapic_regs *regs);
bool lapic_regs_enabled(const struct lapic_regs *regs);
bool lapic_regs_accepts_pic(const struct lapic_regs *regs);
bool lapic_regs_match(const struct lapic_regs *regs, const struct apic_msg *msg);
u32 lapic_x2apic_ldr(u32 id);

/* apic_bus.c: a message to every local APIC that it addresses */
int apic_deliver(struct vm *vm, struct lapic *src, const struct apic_msg *msg);
bool apic_busy(struct vm *vm, const struct apic_msg *msg);

#endif
