// SPDX-License-Identifier: GPL-2.0
/*
 * A 16550 without the parts that Linux does not look at: no modem lines, output
 * that is never late. The main thread puts input in, a vCPU takes it.
 * National Semiconductor PC16550D data sheet.
 */
#include <string.h>

#include "serial.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCRATCH };

enum { IER_INPUT = 1, IER_OUTPUT = 2, LCR_DIVISOR = 0x80, LSR_INPUT = 1, LSR_IDLE = 0x60,
	IIR_NONE = 1, IIR_OUTPUT = 2, IIR_INPUT = 4, IIR_FIFO = 0xc0, MSR_READY = 0xb0 };

static struct serial *serial_of(struct device *d)
{
	return (struct serial *)((char *)d - offsetof(struct serial, device));
}

static bool serial_has_input(const struct serial_state *s)
{
	return s->in != s->out;
}

static void serial_update_line(struct serial *s)
{
	const struct serial_state *r = &s->state;
	bool level = ((r->ier & IER_INPUT) && serial_has_input(r)) ||
		     ((r->ier & IER_OUTPUT) && r->output_done);

	if (level == s->level)
		return;
	s->level = level;
	irq_set(&s->irq, level);
}

static void serial_write_register(struct serial *s, unsigned int reg, uint8_t value)
{
	struct serial_state *r = &s->state;

	switch (reg) {
	case DATA:
		/* Whoever shows it may be slow; input must not wait for that. */
		pthread_mutex_unlock(&s->device.lock);
		s->put(value);
		pthread_mutex_lock(&s->device.lock);
		r->output_done = true;
		break;
	case IER:
		if (value & ~r->ier & IER_OUTPUT)
			r->output_done = true;
		r->ier = value & 0xf;
		break;
	case LCR:
		r->lcr = value;
		break;
	case MCR:
		r->mcr = value;
		break;
	case SCRATCH:
		r->scratch = value;
		break;
	}
}

static uint8_t serial_identify(struct serial_state *r)
{
	if ((r->ier & IER_INPUT) && serial_has_input(r))
		return IIR_INPUT | IIR_FIFO;
	if ((r->ier & IER_OUTPUT) && r->output_done) {
		r->output_done = false;
		return IIR_OUTPUT | IIR_FIFO;
	}
	return IIR_NONE | IIR_FIFO;
}

static uint8_t serial_read_register(struct serial_state *r, unsigned int reg)
{
	switch (reg) {
	case DATA:
		return serial_has_input(r) ? r->input[r->out++ % sizeof(r->input)] : 0;
	case IER:
		return r->ier;
	case IIR:
		return serial_identify(r);
	case LCR:
		return r->lcr;
	case MCR:
		return r->mcr;
	case LSR:
		return LSR_IDLE | (serial_has_input(r) ? LSR_INPUT : 0);
	case MSR:
		return MSR_READY;
	default:
		return r->scratch;
	}
}

/* A wide access is one of a byte to each register, as ISA makes of it. */
static void serial_write(struct device *d, uint64_t reg, const uint8_t *data, unsigned int size)
{
	struct serial *s = serial_of(d);

	for (; size--; reg++, data++) {
		if ((s->state.lcr & LCR_DIVISOR) && reg <= IER)
			s->state.divisor[reg] = *data;
		else
			serial_write_register(s, reg, *data);
	}
	serial_update_line(s);
}

static void serial_read(struct device *d, uint64_t reg, uint8_t *data, unsigned int size)
{
	struct serial *s = serial_of(d);

	for (; size--; reg++, data++) {
		if ((s->state.lcr & LCR_DIVISOR) && reg <= IER)
			*data = s->state.divisor[reg];
		else
			*data = serial_read_register(&s->state, reg);
	}
	serial_update_line(s);
}

static void serial_reset(struct device *d)
{
	struct serial *s = serial_of(d);

	memset(&s->state, 0, sizeof(s->state));
	serial_update_line(s);
}

static size_t serial_save(const struct device *d, void *state)
{
	const struct serial *s = serial_of((struct device *)d);

	memcpy(state, &s->state, sizeof(s->state));
	return sizeof(s->state);
}

static bool serial_load(struct device *d, const void *state, size_t size)
{
	struct serial *s = serial_of(d);
	const struct serial_state *from = state;

	if (size != sizeof(s->state) || from->in - from->out > sizeof(from->input))
		return false;
	s->state = *from;
	serial_update_line(s);
	return true;
}

static const struct device_ops serial_ops = {
	.name = "16550", .read = serial_read, .write = serial_write, .reset = serial_reset,
	.save = serial_save, .load = serial_load,
};

void serial_create(struct serial *s, struct irq_line irq, void (*put)(uint8_t byte))
{
	*s = (struct serial) { .irq = irq, .put = put };
	device_init(&s->device, &serial_ops);
}

void serial_input(struct serial *s, const uint8_t *data, size_t n)
{
	struct serial_state *r = &s->state;

	pthread_mutex_lock(&s->device.lock);
	for (; n-- && r->in - r->out < sizeof(r->input); r->in++)
		r->input[r->in % sizeof(r->input)] = *data++;
	serial_update_line(s);
	pthread_mutex_unlock(&s->device.lock);
}
