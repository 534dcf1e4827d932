// SPDX-License-Identifier: GPL-2.0
/* minivmm's buses, and a device on one: userspace-demo/bus.c, serial.c. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "../../userspace-demo/bus.c"
#include "../../userspace-demo/serial.c"

/* ---- a device that remembers */

struct memo {
	struct device device;
	uint64_t offset;
	unsigned int size, resets;
	uint8_t value;
};

static void memo_read(struct device *d, uint64_t offset, uint8_t *data, unsigned int size)
{
	struct memo *m = (struct memo *)d;

	m->offset = offset;
	m->size = size;
	memset(data, m->value, size);
}

static void memo_write(struct device *d, uint64_t offset, const uint8_t *data, unsigned int size)
{
	struct memo *m = (struct memo *)d;

	m->offset = offset;
	m->size = size;
	m->value = data[0];
}

static void memo_reset(struct device *d)
{
	((struct memo *)d)->resets++;
}

static size_t memo_save(const struct device *d, void *state)
{
	*(uint8_t *)state = ((const struct memo *)d)->value;
	return 1;
}

static bool memo_load(struct device *d, const void *state, size_t size)
{
	if (size == 1)
		((struct memo *)d)->value = *(const uint8_t *)state;
	return size == 1;
}

static const struct device_ops memo_ops = {
	.name = "memo", .read = memo_read, .write = memo_write, .reset = memo_reset,
	.save = memo_save, .load = memo_load,
};
static const struct device_ops read_only_ops = { .name = "read only", .read = memo_read };

static struct memo memo(const struct device_ops *ops, uint8_t value)
{
	struct memo m = { .value = value };

	device_init(&m.device, ops);
	return m;
}

/* ---- ranges */

static void ranges_do_not_overlap(void)
{
	static const struct { uint64_t start, size; bool added; } rows[] = {
		{ 0x3f8, 8, true },
		{ 0x3f8, 8, false },
		{ 0x3f0, 8, true },
		{ 0x400, 1, true },
		{ 0x3ff, 1, false },
		{ 0x3e0, 0x11, false },		/* over the begin of one */
		{ 0x400, 0x10, false },
		{ 0x3ef, 2, false },
		{ 0x3ef, 0x100, false },	/* around all */
		{ 0x3fa, 2, false },		/* within one */
		{ 0x401, 0, false },
		{ ~0ull, 1, false },		/* its end cannot be said */
		{ ~0ull - 1, 1, true },
		{ ~0ull - 8, 16, false },
	};
	struct memo m = memo(&memo_ops, 0);
	struct bus bus = { };
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(bus_add(&bus, rows[i].start, rows[i].size, &m.device), rows[i].added);
		CHECK_EQ(bus.nr, n += rows[i].added);
	}
}

static void a_full_bus_says_so(void)
{
	struct memo m = memo(&memo_ops, 0);
	struct bus bus = { };
	int i;

	for (i = 0; i < BUS_RANGES; i++)
		CHECK(bus_add(&bus, i * 16, 16, &m.device));
	CHECK(!bus_add(&bus, i * 16, 16, &m.device));
	CHECK_EQ(bus.nr, BUS_RANGES);
}

static void an_access_finds_its_device(void)
{
	struct memo a = memo(&memo_ops, 0xa), b = memo(&memo_ops, 0xb);
	struct bus bus = { };
	uint8_t data[4];

	bus_add(&bus, 0x10, 4, &a.device);
	bus_add(&bus, 0x14, 4, &b.device);
	bus_read(&bus, 0x10, data, 1);
	CHECK_EQ(data[0], 0xa);
	CHECK_EQ(a.offset, 0);
	bus_read(&bus, 0x17, data, 1);
	CHECK_EQ(data[0], 0xb);
	CHECK_EQ(b.offset, 3);
	bus_write(&bus, 0x13, (uint8_t [1]) { 7 }, 1);
	CHECK_EQ(a.value, 7);
	CHECK_EQ(a.offset, 3);
	CHECK_EQ(b.value, 0xb);
}

static void what_is_nobodys_reads_as_ones(void)
{
	struct memo a = memo(&memo_ops, 0xa), r = memo(&read_only_ops, 3);
	struct bus bus = { };
	uint8_t data[8];

	bus_add(&bus, 0x10, 4, &a.device);
	bus_add(&bus, 0x80, 4, &r.device);
	memset(data, 0, sizeof(data));
	bus_read(&bus, 0xf, data, 1);
	CHECK_EQ(data[0], 0xff);
	CHECK_EQ(data[1], 0);
	bus_read(&bus, 0x14, data, 8);
	CHECK(!memcmp(data, "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
	bus_write(&bus, 0x14, data, 8);
	CHECK_EQ(a.value, 0xa);
	bus_write(&bus, 0x80, data, 1);
	CHECK_EQ(r.value, 3);
}

static void an_access_does_not_leave_its_range(void)
{
	struct memo a = memo(&memo_ops, 0xa);
	struct bus bus = { };
	uint8_t data[4] = { };

	bus_add(&bus, 0x10, 4, &a.device);
	bus_read(&bus, 0x12, data, 4);
	CHECK_EQ(a.size, 2);
	CHECK(!memcmp(data, "\x0a\x0a\xff\xff", 4));
	bus_write(&bus, 0x13, data, 4);
	CHECK_EQ(a.size, 1);
	bus_read(&bus, 0x10, data, 4);
	CHECK_EQ(a.size, 4);
}

/* ---- all devices */

static void a_device_with_two_ranges_is_one(void)
{
	struct memo a = memo(&memo_ops, 1), r = memo(&read_only_ops, 3);
	struct bus bus = { };

	bus_add(&bus, 0x10, 4, &a.device);
	bus_add(&bus, 0x20, 4, &r.device);
	bus_add(&bus, 0x30, 4, &a.device);
	bus_reset(&bus);
	CHECK_EQ(a.resets, 1);
}

static void state_goes_there_and_back(void)
{
	struct memo a = memo(&memo_ops, 1), r = memo(&read_only_ops, 3), b = memo(&memo_ops, 2);
	struct bus bus = { };
	FILE *file = tmpfile();

	bus_add(&bus, 0x10, 4, &a.device);
	bus_add(&bus, 0x20, 4, &r.device);
	bus_add(&bus, 0x30, 4, &b.device);
	bus_add(&bus, 0x40, 4, &a.device);
	CHECK(bus_save(&bus, file));
	a.value = b.value = r.value = 9;
	rewind(file);
	CHECK(bus_load(&bus, file));
	CHECK_EQ(a.value, 1);
	CHECK_EQ(b.value, 2);
	CHECK_EQ(r.value, 9);
	CHECK_EQ(fgetc(file), EOF);
	fclose(file);
}

/* @how: 0 as it is, 1 another address, 2 another kind, 3 cut off, 4 too large, 5 wrong size */
static bool loads(int how)
{
	static const struct device_ops other_ops = {
		.name = "other", .read = memo_read, .save = memo_save, .load = memo_load,
	};
	struct memo a = memo(&memo_ops, 1), b = memo(how == 2 ? &other_ops : &memo_ops, 5);
	struct bus from = { }, to = { };
	struct record record;
	static char state[sizeof(record) + 2 * DEVICE_STATE];
	size_t size = sizeof(record) + 1;
	FILE *file = tmpfile();
	bool done;

	bus_add(&from, 0x10, 4, &a.device);
	bus_add(&to, how == 1 ? 0x11 : 0x10, 4, &b.device);
	CHECK(bus_save(&from, file));
	rewind(file);
	CHECK_EQ(fread(state, 1, sizeof(state), file), size);
	memcpy(&record, state, sizeof(record));
	record.size = how == 4 ? DEVICE_STATE + 1 : how == 5 ? 0 : record.size;
	memcpy(state, &record, sizeof(record));
	fclose(file);
	file = fmemopen(state, how == 3 ? size - 1 : sizeof(state), "r");
	done = bus_load(&to, file);
	fclose(file);
	CHECK_EQ(b.value, done ? 1 : 5);
	return done;
}

static void another_machines_state_is_refused(void)
{
	int how;

	for (how = 0; how <= 5; how++)
		CHECK_EQ(loads(how), how == 0);
}

/* ---- the serial port */

static int line, changes;
static char said[64];
static size_t said_n;

void irq_set(const struct irq_line *l, bool level)
{
	CHECK_EQ(l->gsi, 4);
	line = level;
	changes++;
}

static void say(uint8_t byte)
{
	said[said_n++ % sizeof(said)] = byte;
}

static struct serial *port(struct bus *bus)
{
	static struct serial s;

	line = changes = said_n = 0;
	serial_create(&s, (struct irq_line) { NULL, 4 }, say);
	*bus = (struct bus) { };
	bus_add(bus, 0x3f8, SERIAL_PORTS, &s.device);
	bus_reset(bus);
	return &s;
}

static uint8_t in(const struct bus *bus, uint64_t reg)
{
	uint8_t value;

	bus_read(bus, 0x3f8 + reg, &value, 1);
	return value;
}

static void out(const struct bus *bus, uint64_t reg, uint8_t value)
{
	bus_write(bus, 0x3f8 + reg, &value, 1);
}

static void a_byte_goes_out(void)
{
	struct bus bus;

	port(&bus);
	CHECK_EQ(in(&bus, LSR), LSR_IDLE);
	out(&bus, DATA, 'x');
	out(&bus, DATA, 'y');
	CHECK_EQ(said_n, 2);
	CHECK_EQ(said[0], 'x');
	CHECK_EQ(said[1], 'y');
	CHECK_EQ(in(&bus, LSR), LSR_IDLE);
	CHECK_EQ(changes, 0);			/* nobody asked for interrupts */
}

static void registers_keep_what_is_written(void)
{
	struct bus bus;

	port(&bus);
	out(&bus, IER, 0xff);
	CHECK_EQ(in(&bus, IER), 0x0f);
	out(&bus, LCR, 0x1b);
	CHECK_EQ(in(&bus, LCR), 0x1b);
	out(&bus, MCR, 0x0b);
	CHECK_EQ(in(&bus, MCR), 0x0b);
	out(&bus, SCRATCH, 0x5a);
	CHECK_EQ(in(&bus, SCRATCH), 0x5a);
	CHECK_EQ(in(&bus, MSR), MSR_READY);
	CHECK_EQ(said_n, 0);
}

/* Who is told that output is done has been told: reading IIR ends it. */
static void output_that_is_done_interrupts_once(void)
{
	struct bus bus;

	port(&bus);
	out(&bus, IER, IER_OUTPUT);
	CHECK_EQ(line, 1);
	CHECK_EQ(in(&bus, IIR), IIR_OUTPUT | IIR_FIFO);
	CHECK_EQ(line, 0);
	CHECK_EQ(in(&bus, IIR), IIR_NONE | IIR_FIFO);
	out(&bus, DATA, 'x');
	CHECK_EQ(line, 1);
	out(&bus, IER, 0);
	CHECK_EQ(line, 0);
	CHECK_EQ(in(&bus, IIR), IIR_NONE | IIR_FIFO);
}

static void a_byte_each_way(void)
{
	struct bus bus;
	struct serial *s = port(&bus);

	out(&bus, DATA, 'x');
	CHECK_EQ(said_n, 1);
	CHECK_EQ(said[0], 'x');
	CHECK_EQ(in(&bus, LSR), LSR_IDLE);
	serial_input(s, (const uint8_t *)"ab", 2);
	CHECK_EQ(line, 0);
	CHECK_EQ(in(&bus, LSR), LSR_IDLE | LSR_INPUT);
	out(&bus, IER, IER_INPUT);
	CHECK_EQ(line, 1);
	CHECK_EQ(in(&bus, IIR), IIR_INPUT | IIR_FIFO);
	CHECK_EQ(in(&bus, DATA), 'a');
	CHECK_EQ(line, 1);
	CHECK_EQ(in(&bus, DATA), 'b');
	CHECK_EQ(line, 0);
	CHECK_EQ(in(&bus, DATA), 0);
	CHECK_EQ(changes, 2);
}

static void two_ports_are_two(void)
{
	struct serial a, b;
	struct bus bus = { };

	serial_create(&a, (struct irq_line) { NULL, 4 }, say);
	serial_create(&b, (struct irq_line) { NULL, 4 }, say);
	bus_add(&bus, 0x3f8, SERIAL_PORTS, &a.device);
	bus_add(&bus, 0x2f8, SERIAL_PORTS, &b.device);
	out(&bus, SCRATCH, 0x55);
	CHECK_EQ(a.state.scratch, 0x55);
	CHECK_EQ(b.state.scratch, 0);
}

static void the_divisor_hides_two_registers(void)
{
	struct bus bus;
	struct serial *s = port(&bus);
	uint8_t two[2] = { 0x12, 0x34 };

	out(&bus, LCR, LCR_DIVISOR);
	bus_write(&bus, 0x3f8, two, 2);		/* as two bytes */
	CHECK_EQ(said_n, 0);
	CHECK_EQ(s->state.divisor[0], 0x12);
	CHECK_EQ(s->state.divisor[1], 0x34);
	memset(two, 0, 2);
	bus_read(&bus, 0x3f8, two, 2);
	CHECK_EQ(two[0], 0x12);
	CHECK_EQ(two[1], 0x34);
	out(&bus, LCR, 3);
	CHECK_EQ(in(&bus, IER), 0);
}

static void what_does_not_fit_is_lost(void)
{
	struct bus bus;
	struct serial *s = port(&bus);
	uint8_t byte;
	int i;

	s->state.in = s->state.out = ~0u - 100;	/* they wrap */
	for (i = 0; i < SERIAL_INPUT + 50; i++) {
		byte = i;
		serial_input(s, &byte, 1);
	}
	for (i = 0; i < SERIAL_INPUT; i++)
		CHECK_EQ(in(&bus, DATA), i & 0xff);
	CHECK_EQ(in(&bus, LSR), LSR_IDLE);
}

static void a_serial_port_is_saved(void)
{
	struct bus bus;
	struct serial *s = port(&bus);
	FILE *file = tmpfile();

	serial_input(s, (const uint8_t *)"typed", 5);
	out(&bus, IER, IER_INPUT);
	out(&bus, SCRATCH, 0x77);
	CHECK_EQ(in(&bus, DATA), 't');
	CHECK(bus_save(&bus, file));
	bus_reset(&bus);
	CHECK_EQ(line, 0);
	CHECK_EQ(in(&bus, SCRATCH), 0);
	rewind(file);
	CHECK(bus_load(&bus, file));
	CHECK_EQ(line, 1);
	CHECK_EQ(in(&bus, SCRATCH), 0x77);
	CHECK_EQ(in(&bus, DATA), 'y');
	fclose(file);
}

static void a_false_queue_is_refused(void)
{
	struct bus bus;
	struct serial *s = port(&bus);
	struct serial_state state = { .in = SERIAL_INPUT + 1, .out = 0 };

	CHECK(!serial_load(&s->device, &state, sizeof(state)));
	state.in--;
	CHECK(!serial_load(&s->device, &state, sizeof(state) - 1));
	CHECK(serial_load(&s->device, &state, sizeof(state)));
}

int main(void)
{
	RUN(ranges_do_not_overlap);
	RUN(a_full_bus_says_so);
	RUN(an_access_finds_its_device);
	RUN(what_is_nobodys_reads_as_ones);
	RUN(an_access_does_not_leave_its_range);
	RUN(a_device_with_two_ranges_is_one);
	RUN(state_goes_there_and_back);
	RUN(another_machines_state_is_refused);
	RUN(a_byte_goes_out);
	RUN(registers_keep_what_is_written);
	RUN(output_that_is_done_interrupts_once);
	RUN(a_byte_each_way);
	RUN(two_ports_are_two);
	RUN(the_divisor_hides_two_registers);
	RUN(what_does_not_fit_is_lost);
	RUN(a_serial_port_is_saved);
	RUN(a_false_queue_is_refused);
	return unit_end();
}
