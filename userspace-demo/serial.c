// SPDX-License-Identifier: GPL-2.0
/*
 * A 16550 without the parts that Linux does not look at: no modem lines, output
 * that is never late. The terminal's thread puts input in, the vCPU takes it.
 * National Semiconductor PC16550D data sheet.
 */
#include <pthread.h>
#include <unistd.h>

#include "vmm.h"

#define SERIAL_GSI	4

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCRATCH };

enum { IER_INPUT = 1, IER_OUTPUT = 2, LCR_DIVISOR = 0x80, LSR_INPUT = 1, LSR_IDLE = 0x60,
	IIR_NONE = 1, IIR_OUTPUT = 2, IIR_INPUT = 4, IIR_FIFO = 0xc0, MSR_READY = 0xb0 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t ier, lcr, mcr, scratch, divisor[2];
static bool output_done;		/* an interrupt says that more can be written */
static int line;			/* of the interrupt */
static uint8_t input[4096];
static size_t input_in, input_out;	/* count up, used modulo the size */
static uint8_t output[512];
static size_t output_used;

static bool has_input(void)
{
	return input_in != input_out;
}

static void update_line(struct vmm *vmm)
{
	int level = ((ier & IER_INPUT) && has_input()) || ((ier & IER_OUTPUT) && output_done);

	if (level == line)
		return;
	line = level;
	vm_irq(vmm, SERIAL_GSI, level);
}

/* Standard output gets whole lines, so that many characters are one system call. */
void serial_flush(void)
{
	size_t done = 0;

	while (done < output_used) {
		ssize_t n = write(STDOUT_FILENO, output + done, output_used - done);

		if (n <= 0)
			break;
		done += n;
	}
	output_used = 0;
}

static void put(uint8_t byte)
{
	output[output_used++] = byte;
	/* A prompt has no newline: somebody is waiting for it. */
	if (byte == '\n' || output_used == sizeof(output) || isatty(STDIN_FILENO))
		serial_flush();
}

static void write_register(unsigned int reg, uint8_t value)
{
	switch (reg) {
	case DATA:
		put(value);
		output_done = true;
		break;
	case IER:
		if (value & ~ier & IER_OUTPUT)
			output_done = true;
		ier = value & 0xf;
		break;
	case LCR:
		lcr = value;
		break;
	case MCR:
		mcr = value;
		break;
	case SCRATCH:
		scratch = value;
		break;
	}
}

void serial_write(struct vmm *vmm, unsigned int reg, uint8_t value)
{
	pthread_mutex_lock(&lock);
	if ((lcr & LCR_DIVISOR) && reg <= IER)
		divisor[reg] = value;
	else
		write_register(reg, value);
	update_line(vmm);
	pthread_mutex_unlock(&lock);
}

static uint8_t identify(void)
{
	if ((ier & IER_INPUT) && has_input())
		return IIR_INPUT | IIR_FIFO;
	if ((ier & IER_OUTPUT) && output_done) {
		output_done = false;
		return IIR_OUTPUT | IIR_FIFO;
	}
	return IIR_NONE | IIR_FIFO;
}

static uint8_t read_register(unsigned int reg)
{
	switch (reg) {
	case DATA:
		return has_input() ? input[input_out++ % sizeof(input)] : 0;
	case IER:
		return ier;
	case IIR:
		return identify();
	case LCR:
		return lcr;
	case MCR:
		return mcr;
	case LSR:
		return LSR_IDLE | (has_input() ? LSR_INPUT : 0);
	case MSR:
		return MSR_READY;
	default:
		return scratch;
	}
}

uint8_t serial_read(struct vmm *vmm, unsigned int reg)
{
	uint8_t value;

	pthread_mutex_lock(&lock);
	if ((lcr & LCR_DIVISOR) && reg <= IER)
		value = divisor[reg];
	else
		value = read_register(reg);
	update_line(vmm);
	pthread_mutex_unlock(&lock);
	return value;
}

/* From the terminal's thread. What does not fit is lost, as on a real line. */
void serial_input(struct vmm *vmm, const uint8_t *data, size_t n)
{
	pthread_mutex_lock(&lock);
	while (n-- && input_in - input_out < sizeof(input))
		input[input_in++ % sizeof(input)] = *data++;
	update_line(vmm);
	pthread_mutex_unlock(&lock);
}
