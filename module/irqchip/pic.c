// SPDX-License-Identifier: GPL-2.0
/*
 * Two 8259A interrupt controllers, wired as in a PC: lines in, INT pin out,
 * programmed through ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0 and 0x4d1. Called by
 * irqchip.c only, with the lock held.
 *
 * Left out, as in KVM: single mode, the level bit of ICW1 (ELCR decides), and
 * the effect of special mask mode (it is only remembered).
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "pic.h"

#define MASTER		0
#define SLAVE		1
#define CASCADE		2		/* the slave's line on the master */
#define SPURIOUS	7

/* Lines that ELCR may make level triggered: not timer, keyboard, cascade, RTC, FPU. */
#define MASTER_ELCR	0xf8
#define SLAVE_ELCR	0xde

/* Values of init_state: the initialisation command word that comes next. */
enum { READY = 0, WANT_ICW2 = 1, WANT_ICW3 = 2, WANT_ICW4 = 3 };

/**
 * pic_init - power-up state
 * @pic: zeroed memory
 */
void pic_init(struct pic *pic)
{
	pic->chip[MASTER].elcr_mask = MASTER_ELCR;
	pic->chip[SLAVE].elcr_mask = SLAVE_ELCR;
}

/* A line of one chip. 1: requested, 0: was requested already, -1: masked. */
static int set_line(struct minikvm_pic_state *chip, unsigned int line, bool level)
{
	u8 bit = BIT(line);
	bool edge = !(chip->elcr & bit), fresh = true;

	if (level && (!edge || !(chip->last_irr & bit))) {
		fresh = !(chip->irr & bit);
		chip->irr |= bit;
	} else if (!level && !edge) {
		chip->irr &= ~bit;
	}
	if (level)
		chip->last_irr |= bit;
	else
		chip->last_irr &= ~bit;
	return chip->imr & bit ? -1 : fresh;
}

/* Distance of the best line in @lines from the top of the rotating order; 8: none. */
static unsigned int pic_best(const struct minikvm_pic_state *chip, u8 lines)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (lines & BIT((i + chip->priority_add) & 7))
			break;
	return i;
}

/* The line that a chip asks to be served, or -1. */
static int pic_wanted(const struct pic *pic, unsigned int index)
{
	const struct minikvm_pic_state *chip = &pic->chip[index];
	unsigned int request = pic_best(chip, chip->irr & ~chip->imr);
	u8 in_service = chip->isr;

	/* Special fully nested mode: the slave may ask again while it is served. */
	if (index == MASTER && chip->special_fully_nested_mode)
		in_service &= ~BIT(CASCADE);
	if (request == 8 || request >= pic_best(chip, in_service))
		return -1;
	return (request + chip->priority_add) & 7;
}

/* Whatever changed: pass the slave's request on, and set the INT pin. */
static void pic_update(struct pic *pic)
{
	bool output;

	if (pic_wanted(pic, SLAVE) >= 0) {
		set_line(&pic->chip[MASTER], CASCADE, true);
		set_line(&pic->chip[MASTER], CASCADE, false);
	}
	output = pic_wanted(pic, MASTER) >= 0;
	if (output && !pic->output)
		pic->raised = true;
	WRITE_ONCE(pic->output, output);
}

/**
 * pic_set_line - a device moves its interrupt line
 * @pic: the pair
 * @line: 0..15
 * @level: high or low
 *
 * Return: 1 if this is a new request, 0 if it merged with one that waits, -1 if
 * the line is masked (an edge is remembered all the same).
 */
int pic_set_line(struct pic *pic, unsigned int line, bool level)
{
	unsigned int index = array_index_nospec(line / 8, ARRAY_SIZE(pic->chip));
	int ret = set_line(&pic->chip[index], line % 8, level);

	pic_update(pic);
	return ret;
}

/**
 * pic_drive_line - pic_set_line() for one of the sources that share the line
 * @pic: the pair
 * @line: 0..15
 * @source: which
 * @level: high or low
 *
 * Return: as pic_set_line().
 */
int pic_drive_line(struct pic *pic, unsigned int line, enum irq_source source, bool level)
{
	line = array_index_nospec(line, PIC_LINES);
	return pic_set_line(pic, line, line_drive(&pic->holders[line], source, level));
}

/* Who resamples lets go of the line before anybody looks at it again. */
static void pic_end_of_interrupt(struct pic *pic, unsigned int index, unsigned int line)
{
	struct minikvm_pic_state *chip = &pic->chip[index];
	u8 *holders = &pic->holders[index * 8 + line];

	chip->isr &= ~BIT(line);
	pic->acked |= BIT(index * 8 + line);
	if (*holders & BIT(SOURCE_RESAMPLE))
		set_line(chip, line, line_drive(holders, SOURCE_RESAMPLE, false));
}

/* A chip's request is accepted: into service, or done at once with automatic EOI. */
static void pic_serve(struct pic *pic, unsigned int index, unsigned int line)
{
	struct minikvm_pic_state *chip = &pic->chip[index];

	chip->isr |= BIT(line);
	if (!(chip->elcr & BIT(line)))
		chip->irr &= ~BIT(line);
	if (!chip->auto_eoi)
		return;
	if (chip->rotate_on_auto_eoi)
		chip->priority_add = (line + 1) & 7;
	pic_end_of_interrupt(pic, index, line);
}

/**
 * pic_take - the CPU acknowledges INT
 * @pic: the pair
 *
 * Return: the vector: line 7's if the request went away meanwhile.
 */
u8 pic_take(struct pic *pic)
{
	int line = pic_wanted(pic, MASTER), index = MASTER;

	if (line >= 0)
		pic_serve(pic, MASTER, line);
	if (line == CASCADE) {
		index = SLAVE;
		line = pic_wanted(pic, SLAVE);
		if (line >= 0)
			pic_serve(pic, SLAVE, line);
	}
	WRITE_ONCE(pic->output, false);
	pic_update(pic);
	return pic->chip[index].irq_base + (line < 0 ? SPURIOUS : line);
}

/*
 * ICW1. Edges that were not served are lost: who counts them must hear of it. INT stays as it is
 * until something else changes, as on KVM: what the slave asks for waits for new vectors.
 */
static void write_icw1(struct pic *pic, unsigned int index, u8 val)
{
	struct minikvm_pic_state *chip = &pic->chip[index];
	u8 lost = chip->irr & ~chip->elcr;

	pic->unmasked |= chip->imr << index * 8;
	pic->acked |= lost << index * 8;
	chip->isr &= ~lost;
	chip->last_irr = 0;
	chip->irr &= chip->elcr;
	chip->imr = 0;
	chip->priority_add = 0;
	chip->special_mask = 0;
	chip->read_reg_select = 0;
	chip->init4 = val & 1;
	if (!chip->init4) {
		chip->special_fully_nested_mode = 0;
		chip->auto_eoi = 0;
	}
	chip->init_state = WANT_ICW2;
}

/* OCW2: end of interrupt, and rotation of priorities. */
static void write_ocw2(struct pic *pic, unsigned int index, u8 val)
{
	struct minikvm_pic_state *chip = &pic->chip[index];
	bool rotate = val & BIT(7), specific = val & BIT(6), eoi = val & BIT(5);
	unsigned int line = val & 7;

	if (!specific && !eoi) {
		chip->rotate_on_auto_eoi = rotate;
		return;
	}
	if (!specific) {
		line = pic_best(chip, chip->isr);
		if (line == 8)
			return;
		line = (line + chip->priority_add) & 7;
	}
	if (rotate)
		chip->priority_add = (line + 1) & 7;
	if (eoi)
		pic_end_of_interrupt(pic, index, line);
	pic_update(pic);
}

/* OCW3: poll, which register to read, special mask mode. */
static void write_ocw3(struct minikvm_pic_state *chip, u8 val)
{
	if (val & BIT(2))
		chip->poll = 1;
	if (val & BIT(1))
		chip->read_reg_select = val & 1;
	if (val & BIT(6))
		chip->special_mask = val >> 5 & 1;
}

/* The odd port: the mask, or the words that follow ICW1. */
static void write_data(struct pic *pic, unsigned int index, u8 val)
{
	struct minikvm_pic_state *chip = &pic->chip[index];

	switch (chip->init_state) {
	case READY:
		pic->unmasked |= (chip->imr & ~val) << index * 8;
		chip->imr = val;
		pic_update(pic);
		break;
	case WANT_ICW2:
		chip->irq_base = val & 0xf8;
		chip->init_state = WANT_ICW3;
		break;
	case WANT_ICW3:		/* the wiring is fixed */
		chip->init_state = chip->init4 ? WANT_ICW4 : READY;
		break;
	case WANT_ICW4:
		chip->special_fully_nested_mode = val >> 4 & 1;
		chip->auto_eoi = val >> 1 & 1;
		chip->init_state = READY;
		break;
	}
}

/**
 * pic_write - OUT to a port of the pair
 * @pic: the pair
 * @port: 0x20, 0x21, 0xa0, 0xa1, 0x4d0 or 0x4d1
 * @val: one byte
 */
void pic_write(struct pic *pic, u16 port, u8 val)
{
	unsigned int index = port >> 7 & 1;

	if (port >> 8)
		pic->chip[port & 1].elcr = val & pic->chip[port & 1].elcr_mask;
	else if (port & 1)
		write_data(pic, index, val);
	else if (val & BIT(4))
		write_icw1(pic, index, val);
	else if (val & BIT(3))
		write_ocw3(&pic->chip[index], val);
	else
		write_ocw2(pic, index, val);
}

/* A read after the poll command: acknowledge without INTA. */
static u8 poll_read(struct pic *pic, unsigned int index)
{
	struct minikvm_pic_state *chip = &pic->chip[index];
	int line = pic_wanted(pic, index);

	chip->poll = 0;
	if (line < 0) {
		pic_update(pic);
		return SPURIOUS;
	}
	if (index == SLAVE) {
		pic->chip[MASTER].isr &= ~BIT(CASCADE);
		pic->chip[MASTER].irr &= ~BIT(CASCADE);
	}
	chip->irr &= ~BIT(line);
	pic_end_of_interrupt(pic, index, line);
	if (index == SLAVE || line != CASCADE)
		pic_update(pic);
	return 0x80 | line;
}

/**
 * pic_read - IN from a port of the pair
 * @pic: the pair
 * @port: 0x20, 0x21, 0xa0, 0xa1, 0x4d0 or 0x4d1
 */
u8 pic_read(struct pic *pic, u16 port)
{
	unsigned int index = port >> 7 & 1;
	const struct minikvm_pic_state *chip = &pic->chip[index];

	if (port >> 8)
		return pic->chip[port & 1].elcr;
	if (chip->poll)
		return poll_read(pic, index);
	if (port & 1)
		return chip->imr;
	return chip->read_reg_select ? chip->isr : chip->irr;
}

/**
 * pic_set_chip - take over the state of one chip
 * @pic: the pair
 * @index: 0 master, 1 slave
 * @state: any bytes: each field is masked where it is used
 */
void pic_set_chip(struct pic *pic, unsigned int index, const struct minikvm_pic_state *state)
{
	pic->chip[index] = *state;
	pic_update(pic);
}
