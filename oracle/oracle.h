/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: one case on /dev/kvm and on /dev/minikvm, and what differs.
 *
 * A case is made from a seed alone: the state that a vCPU starts in, words of memory, guest
 * code, and a row of operations (ioctls and RUNs). Played on a machine it leaves a trace, with
 * a record for every operation and exit, and what is left at the end. Two traces are compared
 * field by field. Documentation/testing.rst says how to read what comes out.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/minikvm.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Guest memory. The same numbers are linear addresses, where there is paging. */
enum {
	G_IVT		= 0x0000,
	G_CODE		= 0x1000,	/* the case's code */
	G_CODE_EDGE	= 0x2000,	/* code may cross it */
	G_STUBS		= 0x2000,	/* handler of vector n at + 16 * n: FILLER only */
	G_STACK		= 0x3800,	/* level 0's, and below it the handlers' */
	G_GDT		= 0x4000,
	G_LDT		= 0x4400,
	G_TSS		= 0x4800,
	G_IDT		= 0x5000,
	G_PML4		= 0x6000,
	G_PDPT		= 0x7000,
	G_PD		= 0x8000,
	G_PT		= 0x9000,
	G_PD32		= 0xa000,	/* of paging without PAE */
	G_PT32		= 0xb000,
	G_DATA		= 0xc000,	/* and 0xd000, 0xe000 */
	G_ROM		= 0xf000,	/* a read-only slot */
	G_DEVICE	= 0x10000,	/* nothing there */
	G_WINDOW	= 0x20000,	/* linear: four pages that the case maps as it likes */
	G_SIZE		= 0x10000,
	G_PAGES		= G_SIZE / 4096,
};

/* All memory that is nothing else is OUT to this port, which ends a run wherever RIP is. */
#define FILLER		0xe6
#define PORT_END	0xe6

/* Descriptors of the GDT, the same in each mode; + 3 where the level is 3. */
enum {
	S_CODE32 = 0x08, S_DATA = 0x10, S_TSS = 0x18, S_CODE64 = 0x28, S_CODE32_3 = 0x30,
	S_DATA_3 = 0x38, S_CODE64_3 = 0x40, S_CODE16 = 0x48, S_DATA16 = 0x50, S_DOWN = 0x58,
	S_ABSENT = 0x60, S_LDT = 0x68, S_GATE = 0x78, S_CONFORMING = 0x88, S_READONLY = 0x90,
	S_CODE16_3 = 0x98, S_LAST = 0x98,
};

enum mode { REAL, PROT16, PROT32, PAGED32, PAE, COMPAT, LONG, MODES };

/* Pieces of a vCPU's state that an ioctl sets and another one gets. */
enum part { P_REGS, P_SREGS, P_EVENTS, P_DEBUGREGS, P_XCRS, P_XSAVE, P_FPU, P_MP_STATE, P_LAPIC,
	    P_PIC_MASTER, P_PIC_SLAVE, P_IOAPIC, PARTS };

enum op_kind {
	OP_RUN,			/* until the code ends, or a few exits; one, if @more */
	OP_PUT,			/* @value to byte @at of part @a, @size bytes; set unless @more */
	OP_SET_MSR,		/* @at: index */
	OP_GET_MSR,
	OP_INTERRUPT,		/* @at: vector; @a: if the guest takes one */
	OP_NMI,
	OP_LINE,		/* @at: GSI, @value: level */
	OP_MSI,			/* @at: address, @value: data */
	OP_TRANSLATE,		/* @value: linear address */
	OP_OUT,			/* the guest's OUT: @at: port, @size */
	OP_IN,
	OP_STORE,		/* the guest's MOV to memory: @value to @at, 4 bytes */
	OP_LOAD,
	/* word @a of the leaf @at, subleaf @value's low half, := high half */
	OP_CPUID,
	OP_DEBUG,		/* SET_GUEST_DEBUG: @value: control */
	OP_MOVE,		/* to a fresh VM of the other device */
	OP_KINDS
};

struct op {
	u8 kind, a, size, more;
	u32 at;
	u64 value;
};

struct poke {
	u32 at;			/* guest physical, aligned */
	u32 pad;
	u64 value;
};

enum { MAX_OPS = 24, MAX_POKES = 24, MAX_CODE = 32, MAX_RECORDS = 40, MAX_CHANGES = 96,
       SURE_CHANGES = MAX_CHANGES - 32 };

#define ACCESSED	(0x20 | 0x20ull << 32)	/* in a page table entry, or in two of four bytes */

/* What a machine has; a batch of cases has one kind of machine. */
enum { WITH_IRQCHIP = 1, WITH_DIRTY_LOG = 2, WITH_FRESH_VCPU = 4 };

struct scene {			/* a case; "case" is a word of C */
	u64 seed;
	const struct generator *generator;
	u32 machine;		/* WITH_* */
	enum mode mode;
	struct minikvm_regs regs;
	struct minikvm_sregs sregs;
	struct minikvm_vcpu_events events;
	u8 code[MAX_CODE];
	u32 code_at;
	int ncode, nops, npokes;
	struct op ops[MAX_OPS];
	struct poke pokes[MAX_POKES];
};

struct record {			/* after an operation, or an exit of RUN */
	u32 op;
	int ret;		/* of the ioctl, or -errno */
	u32 exit;
	u32 ready;		/* ready_for_interrupt_injection, and << 8 if_flag */
	bool moved;		/* of the device where the case did not begin */
	u64 cr8, apic_base;
	u64 detail[5];		/* of the exit, or what was read */
	struct minikvm_regs regs;
	struct minikvm_sregs sregs;
	struct minikvm_vcpu_events events;
};

enum { XSAVE_BYTES = 832, MAX_MSRS = 32 };

struct ending {
	struct minikvm_debugregs debugregs;
	u64 xcr0;
	u32 mp_state;
	u8 xsave[XSAVE_BYTES];
	u64 msrs[MAX_MSRS];
	u64 lost;		/* a bit for each page that the guest wrote and the log lacks */
	u8 lapic[MINIKVM_APIC_REG_SIZE];
	struct minikvm_pic_state pic[2];
	struct minikvm_ioapic_state ioapic;
	u32 nchanges;		/* words of memory that are not as at first */
	u32 nwritten;		/* of these, more than accessed flags in them */
	u64 rest;		/* a sum over those from SURE_CHANGES on; the list may end there */
	struct change { u32 at, pad; u64 was, value; } changes[MAX_CHANGES];
};

struct trace {
	int nrecords;
	bool endless;		/* a signal had to stop it: its end is nobody's */
	bool moved;		/* it ended on the other device */
	struct record records[MAX_RECORDS];
	struct ending ending;
};

struct machine {
	const char *name, *path;
	int dev, vm, vcpu;
	u32 kind;		/* WITH_* */
	u8 *mem;
	struct minikvm_run *run;
	bool spoiled;		/* not fit for another case */
	struct machine *other;	/* the other device's */
	const u8 *base;		/* memory as the mode has it, before the case */
	enum mode mode;		/* @mem is of this mode; MODES: of none */
	struct ending birth;	/* what prepare() goes back to */
};

struct generator {
	const char *name, *what;
	u32 share;		/* of a mixed run */
	u32 machines;		/* WITH_* that may be */
	void (*make)(struct scene *s);
};

struct difference {
	const char *field;	/* "regs", "sregs", ... of a record, or of the ending */
	char name[48];
	const struct scene *scene;
	const struct trace *kvm, *mini;
	int record;		/* -1: the ending */
	u64 value[2];		/* KVM's, minikvm's */
	bool known;		/* something was explained */
	bool over;		/* and all that follows from it */
};

/* random.c: */
void rnd_seed(u64 seed);
u64 rnd(void);
u64 rnd_below(u64 n);
bool rnd_one_in(u64 n);
u64 rnd_edge(void);		/* a value that is likely to be a border */
#define RND_OF(array) ((array)[rnd_below(COUNT(array))])

/* world.c: */
const u8 *world_memory(enum mode mode);
void world_sregs(enum mode mode, int cpl, struct minikvm_sregs *sregs);
void world_scene(struct scene *s, enum mode mode, int cpl);
u64 world_access(int kind, int size);
extern const char *const mode_names[MODES];

/* machine.c: */
extern bool machine_turns;	/* only one device can have a VM at a time */
void machine_open(struct machine *m, const char *name, const char *path);
void machine_make(struct machine *m, u32 kind);
void machine_rest(struct machine *m);
void machine_watch(bool on);
void machine_common_cpuid(struct machine *a, struct machine *b);
struct minikvm_cpuid2 *machine_cpuid(void);

/* parts.c: */
extern const struct part_info { const char *name; unsigned int size, offset; unsigned long get,
set; }
	parts[PARTS];
int part_get(struct machine *m, enum part part, void *data);
int part_set(struct machine *m, enum part part, void *data);
extern const u32 watched_msrs[];
int watched_count(void);
void ending_take(struct machine *m, struct ending *e);
void ending_undo(struct machine *m, const struct ending *e);

/* memory.c: */
void memory_prepare(struct machine *m, const struct scene *s);
void memory_take(struct machine *m, const struct scene *s, struct ending *e);

/* move.c: */
void move(struct machine *m, u64 *refused);
void untangle(struct trace *kvm, struct trace *mini);

/* play.c: */
void play(struct machine *m, const struct scene *s, struct trace *t);

/* compare.c: */
bool compare(const struct scene *s, const struct trace *kvm, const struct trace *mini,
	     struct difference *d);

/* explained.c: */
const char *explained(struct difference *d);
void explained_print(void);

/* shrink.c: */
bool shrink(struct machine *m, struct scene *s, struct difference *d, struct trace *t,
int attempts);

/* show.c: */
void show_trace(const char *name, const struct scene *s, const struct trace *t);
void show(const struct scene *s, const struct difference *d);

/* generators.c: */
enum { BATCH = 256 };		/* cases of one machine */
extern const struct generator generators[];
const struct generator *generator_find(const char *name);
void scene_make(struct scene *s, u64 seed, const struct generator *only);
void gen_insn(struct scene *s);
void gen_window(struct scene *s);
void gen_state(struct scene *s);
void gen_msr(struct scene *s);
void gen_cpuid(struct scene *s);
void gen_event(struct scene *s);
void gen_paging(struct scene *s);
void gen_chips(struct scene *s);
void gen_move(struct scene *s);

#endif
