// SPDX-License-Identifier: GPL-2.0
/* Whose trap flag is in RFLAGS: a guest and its VMM, both of whom may step. */
#include "unit.h"
#include "../../module/cpu/debug_step.h"

#define TF	X86_EFLAGS_TF

/* One RUN in which the instruction is over; it may change the flags. */
static u64 step(struct guest_debug *d, u64 rflags, u64 clears)
{
	rflags = debug_step_put(d, rflags);
	CHECK(rflags & TF);
	return debug_step_over(d, rflags & ~clears, true);
}

static void check_step(void)
{
	struct guest_debug d = { .step = STEP_DUE };

	CHECK(step(&d, 2, 0) == 2 && d.step == STEP_DUE);
	CHECK(step(&d, 2, 0) == 2 && d.step == STEP_DUE);
	/* The guest's own stays, unless it clears it. */
	CHECK(step(&d, 2 | TF, 0) == (2 | TF));
	CHECK(step(&d, 2 | TF, TF) == 2);
	CHECK(step(&d, 2, TF) == 2 && d.step == STEP_DUE);
}

static void check_not_over(void)
{
	struct guest_debug d = { .step = STEP_DUE };
	u64 rflags = debug_step_put(&d, 2);

	/* A signal before the instruction. */
	CHECK(rflags == (2 | TF) && debug_step_take(&d, rflags) == 2 && d.step == STEP_DUE);
	/* A handler runs, with ours in its frame: RUN after RUN until it returns. */
	rflags = debug_step_put(&d, 2);
	CHECK(debug_step_take(&d, 2) == 2 && d.step == STEP_OUT);
	CHECK(debug_step_put(&d, 2) == 2 && d.step == STEP_OUT);
	CHECK(debug_step_take(&d, 2 | TF) == 2 && d.step == STEP_DUE);
	/* The last RUN carried the instruction out, and the VMM hears of it later. */
	rflags = debug_step_put(&d, 2);
	CHECK(debug_step_over(&d, rflags, false) == 2 && d.step == STEP_DONE);
	CHECK(debug_step_put(&d, 2) == 2 && d.step == STEP_DONE);
	CHECK(debug_step_take(&d, 2 | TF) == (2 | TF));
	CHECK(debug_step_over(&d, 2 | TF, true) == (2 | TF) && d.step == STEP_DUE);
}

static void check_off(void)
{
	struct guest_debug d = { };

	CHECK(debug_step_put(&d, 2) == 2);
	CHECK(debug_step_take(&d, 2 | TF) == (2 | TF));
	CHECK(debug_step_over(&d, 2 | TF, true) == (2 | TF) && d.step == STEP_OFF);
}

static void check_registers(void)
{
	struct guest_debug d = { .step = STEP_DONE };

	debug_step_set_regs(&d, false, 2);
	CHECK(d.step == STEP_DONE);
	debug_step_set_regs(&d, true, 2);
	CHECK(d.step == STEP_DUE);
	d.step = STEP_OUT;
	debug_step_set_regs(&d, false, 2);
	CHECK(d.step == STEP_OUT);
	debug_step_set_regs(&d, false, 2 | TF);
	CHECK(d.step == STEP_DUE);
}

int main(void)
{
	RUN(check_step);
	RUN(check_not_over);
	RUN(check_off);
	RUN(check_registers);
	return unit_end();
}
