// SPDX-License-Identifier: GPL-2.0
/* Index 4 means that there is none; with REX.X it is R12. */
static void insn_sib(struct decode *d)
{
	struct insn *insn = d->insn;
	u8 byte = insn_next(&d->c);

	insn->scale = byte >> 6;
	insn->index = (byte >> 3 & 7) | (d->rex & 2 ? 8 : 0);
	insn->base = (byte & 7) | (d->rex & 1 ? 8 : 0);
	if ((byte & 7) == 5 && d->mod == 0) {
		insn->base = INSN_NO_REG;
		insn->disp = insn_number(&d->c, 4);
	}
}
