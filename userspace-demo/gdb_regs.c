// SPDX-License-Identifier: GPL-2.0
/*
 * Registers. One table says which there are, in gdb's order, and where the ABI's structs
 * have them; the target description is printed from it. What gdb knows of (its features
 * i386.core, i386.sse, i386.segments) must be complete; the control registers are a
 * feature of ours, which gdb shows as it is told. GDB manual, "Target Descriptions".
 *
 * Left out: AVX and beyond; a segment register's descriptor, but for the bases of FS and GS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "die.h"
#include "gdb_regs.h"

/* All that the table refers to. */
struct gdb_state {
	struct minikvm_regs regs;
	struct minikvm_sregs sregs;
	struct minikvm_fpu fpu;
	uint16_t tags;		/* of the x87, two bits each; fpu.ftwx has one */
	uint32_t none;		/* a register that is always 0 */
};

struct gdb_reg {
	const char *name, *type;
	uint16_t bits, at, size;	/* as gdb has it; where and how long it is in gdb_state */
	const char *feature;		/* begins with this one */
};

#define SIZE_OF(member)	(sizeof(((struct gdb_state *)0)->member))
#define REG(name, type, bits, member)	\
	{ name, type, bits, offsetof(struct gdb_state, member), SIZE_OF(member), NULL }
#define FIRST(feature, name, type, bits, member)	\
	{ name, type, bits, offsetof(struct gdb_state, member), SIZE_OF(member), feature }
#define GENERAL(name)	REG(#name, "int64", 64, regs.name)
#define SEGMENT(name)	REG(#name, "int32", 32, sregs.name.selector)
#define CONTROL(name)	REG(#name, "int64", 64, sregs.name)
#define ST(i)	REG("st" #i, "i387_ext", 80, fpu.fpr[i])
#define XMM(i)	REG("xmm" #i, "vec128", 128, fpu.xmm[i])

static const struct gdb_reg gdb_regs[] = {
	FIRST("org.gnu.gdb.i386.core", "rax", "int64", 64, regs.rax),
	GENERAL(rbx), GENERAL(rcx), GENERAL(rdx), GENERAL(rsi), GENERAL(rdi),
	REG("rbp", "data_ptr", 64, regs.rbp), REG("rsp", "data_ptr", 64, regs.rsp),
	GENERAL(r8), GENERAL(r9), GENERAL(r10), GENERAL(r11),
	GENERAL(r12), GENERAL(r13), GENERAL(r14), GENERAL(r15),
	REG("rip", "code_ptr", 64, regs.rip), REG("eflags", "i386_eflags", 32, regs.rflags),
	SEGMENT(cs), SEGMENT(ss), SEGMENT(ds), SEGMENT(es), SEGMENT(fs), SEGMENT(gs),
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
	REG("fctrl", "int", 32, fpu.fcw), REG("fstat", "int", 32, fpu.fsw),
	REG("ftag", "int", 32, tags), REG("fiseg", "int", 32, none),
	REG("fioff", "int", 32, fpu.last_ip), REG("foseg", "int", 32, none),
	REG("fooff", "int", 32, fpu.last_dp), REG("fop", "int", 32, fpu.last_opcode),
	FIRST("org.gnu.gdb.i386.sse", "xmm0", "vec128", 128, fpu.xmm[0]),
	XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
	XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
	REG("mxcsr", "int", 32, fpu.mxcsr),
	FIRST("org.gnu.gdb.i386.segments", "fs_base", "int64", 64, sregs.fs.base),
	REG("gs_base", "int64", 64, sregs.gs.base),
	FIRST("org.minikvm.control", "cr0", "int64", 64, sregs.cr0),
	CONTROL(cr2), CONTROL(cr3), CONTROL(cr4), CONTROL(cr8), CONTROL(efer),
	REG("apic_base", "int64", 64, sregs.apic_base),
};

#define GDB_REGS	(sizeof(gdb_regs) / sizeof(gdb_regs[0]))
#define REG_BYTES	16		/* of the longest */

/* ---- the description */

static const char type_flags[] =
"<flags id=\"i386_eflags\" size=\"4\">"
"<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"\" start=\"1\" end=\"1\"/>"
"<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
"<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
"<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
"<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" end=\"11\"/>"
"<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"RF\" start=\"16\" end=\"16\"/>"
"<field name=\"VM\" start=\"17\" end=\"17\"/><field name=\"AC\" start=\"18\" end=\"18\"/>"
"</flags>";

static const char type_vector[] =
"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
"<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
"<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
"<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>";

static void describe_all(FILE *out)
{
	size_t i;

	fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
	      "<target version=\"1.0\"><architecture>i386:x86-64</architecture>", out);
	for (i = 0; i < GDB_REGS; i++) {
		const struct gdb_reg *r = &gdb_regs[i];

		if (r->feature)
			fprintf(out, "%s<feature name=\"%s\">%s%s", i ? "</feature>\n" : "",
				r->feature, i ? "" : type_flags,
				!strcmp(r->type, "vec128") ? type_vector : "");
		fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%zu\"/>\n",
			r->name, r->bits, r->type, i);
	}
	fputs("</feature></target>\n", out);
}

const char *gdb_regs_description(void)
{
	static char *text;
	size_t size;
	FILE *out;

	if (text)
		return text;
	out = open_memstream(&text, &size);
	if (!out)
		die("no memory");
	describe_all(out);
	fclose(out);
	return text;
}

/* ---- all that a vCPU has, and back what was changed */

static uint16_t tags_of(uint8_t valid)
{
	uint16_t tags = 0;
	int i;

	for (i = 0; i < 8; i++)
		tags |= valid & 1 << i ? 0 : 3 << 2 * i;	/* 3: empty */
	return tags;
}

static uint8_t valid_of(uint16_t tags)
{
	uint8_t valid = 0;
	int i;

	for (i = 0; i < 8; i++)
		valid |= (tags >> 2 * i & 3) != 3 ? 1 << i : 0;
	return valid;
}

static void state_get(const struct vcpu *vcpu, struct gdb_state *s)
{
	memset(s, 0, sizeof(*s));
	if (ioctl(vcpu->fd, MINIKVM_GET_REGS, &s->regs) ||
	    ioctl(vcpu->fd, MINIKVM_GET_SREGS, &s->sregs) ||
	    ioctl(vcpu->fd, MINIKVM_GET_FPU, &s->fpu))
		die("the registers of vCPU %u cannot be read", vcpu->id);
	s->tags = tags_of(s->fpu.ftwx);
}

/* What is as it was stays untouched: to set it might do more than nothing. */
static bool state_set(const struct vcpu *vcpu, const struct gdb_state *old, struct gdb_state *s)
{
	if (s->tags != old->tags)
		s->fpu.ftwx = valid_of(s->tags);
	if (memcmp(&s->sregs, &old->sregs, sizeof(s->sregs)) &&
	    ioctl(vcpu->fd, MINIKVM_SET_SREGS, &s->sregs))
		return false;
	if (memcmp(&s->regs, &old->regs, sizeof(s->regs)) &&
	    ioctl(vcpu->fd, MINIKVM_SET_REGS, &s->regs))
		return false;
	return !memcmp(&s->fpu, &old->fpu, sizeof(s->fpu)) ||
	       !ioctl(vcpu->fd, MINIKVM_SET_FPU, &s->fpu);
}

/* ---- one register: as gdb has it, it may be longer or shorter than ours */

static void reg_put(const struct gdb_state *s, const struct gdb_reg *r, struct gdb_out *out)
{
	size_t bytes = r->bits / 8, n = r->size < bytes ? r->size : bytes;
	uint8_t value[REG_BYTES] = { };

	memcpy(value, (const uint8_t *)s + r->at, n);
	gdb_out_hex(out, value, bytes);
}

static bool reg_take(struct gdb_state *s, const struct gdb_reg *r, const char **digits)
{
	size_t bytes = r->bits / 8, n = r->size < bytes ? r->size : bytes;
	uint8_t value[REG_BYTES];

	if (!gdb_take_bytes(digits, value, bytes))
		return false;
	memcpy((uint8_t *)s + r->at, value, n);
	return true;
}

void gdb_regs_get(const struct vcpu *vcpu, struct gdb_out *out)
{
	struct gdb_state s;
	size_t i;

	state_get(vcpu, &s);
	for (i = 0; i < GDB_REGS; i++)
		reg_put(&s, &gdb_regs[i], out);
}

bool gdb_regs_set(const struct vcpu *vcpu, const char *digits)
{
	struct gdb_state old, new;
	size_t i;

	state_get(vcpu, &old);
	new = old;
	for (i = 0; i < GDB_REGS; i++)
		if (!reg_take(&new, &gdb_regs[i], &digits))
			return false;
	return !*digits && state_set(vcpu, &old, &new);
}

bool gdb_reg_get(const struct vcpu *vcpu, uint64_t number, struct gdb_out *out)
{
	struct gdb_state s;

	if (number >= GDB_REGS)
		return false;
	state_get(vcpu, &s);
	reg_put(&s, &gdb_regs[number], out);
	return true;
}

bool gdb_reg_set(const struct vcpu *vcpu, uint64_t number, const char *digits)
{
	struct gdb_state old, new;

	if (number >= GDB_REGS)
		return false;
	state_get(vcpu, &old);
	new = old;
	return reg_take(&new, &gdb_regs[number], &digits) && !*digits && state_set(vcpu, &old, &new);
}
