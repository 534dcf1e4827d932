// SPDX-License-Identifier: GPL-2.0
/* What is in service is interrupted by its equals, not only by what is above it. */
static int pic_wanted(const struct pic *pic, unsigned int index)
{
	const struct minikvm_pic_state *chip = &pic->chip[index];
	unsigned int request = pic_best(chip, chip->irr & ~chip->imr);
	u8 in_service = chip->isr;

	if (index == MASTER && chip->special_fully_nested_mode)
		in_service &= ~BIT(CASCADE);
	if (request == 8 || request > pic_best(chip, in_service))
		return -1;
	return (request + chip->priority_add) & 7;
}
