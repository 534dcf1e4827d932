/* SPDX-License-Identifier: GPL-2.0 */
/* Differences that are meant: the tables, and what their rows ask about a difference. */
#ifndef ORACLE_EXPLAINED_H
#define ORACLE_EXPLAINED_H

#include "oracle.h"

struct explanation {
	const char *name;
	bool (*fits)(const struct difference *d);
	bool go_on;		/* the field alone differs: what follows must be equal */
	const char *reason;
};

/* The last row has no name. */
extern const struct explanation explained_insn[], explained_strings[], explained_events[],
	explained_state[];

bool is_field(const struct difference *d, const char *field, const char *name);
const struct record *record_of(const struct difference *d, const struct trace *t);
u8 opcode_of(const struct scene *s);
bool has_prefix(const struct scene *s, u8 byte);
struct scene at_exit(const struct difference *d);
u64 operand_of(const struct scene *s);
bool is_string(u8 op);
bool is_in_handler(const struct record *r, u8 vector);
bool page_faults(const struct record *r);
bool is_at_end(const struct record *r);
bool refuses(const struct record *r);
bool has_opcode(const struct scene *s, u8 first, u8 second, u8 digits);
const struct op *op_of(const struct difference *d);
bool is_msr_op(const struct difference *d, u32 first, u32 last);
bool of_msr(const struct difference *d, u32 msr);
bool has_op(const struct scene *s, u8 kind);
bool has_put(const struct scene *s, u8 part, u32 from, u32 to, u64 least);

#endif
