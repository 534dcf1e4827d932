// SPDX-License-Identifier: GPL-2.0
/* A guest that is on its way to long mode, LME set and no paging yet, cannot be entered. */
static bool efer_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	bool lma = f->efer & RULES_EFER_LMA, lme = f->efer & RULES_EFER_LME;

	if (!(f->entry & RULES_ENTRY_LOAD_EFER))
		return false;
	return rule_broken(e, f->efer & ~RULES_EFER_DEFINED,
			   "guest EFER", "reserved bits must be 0") ||
	       rule_broken(e, lma != ia32e(e),
			   "guest EFER", "LMA must be as the entry control for IA-32e mode") ||
	       rule_broken(e, lma != lme,
			   "guest EFER", "LME must be as LMA with paging on");
}
