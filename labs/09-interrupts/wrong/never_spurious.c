// SPDX-License-Identifier: GPL-2.0
/* Nobody asks, and line 0 is served. */
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
	return pic->chip[index].irq_base + (line < 0 ? 0 : line);
}
