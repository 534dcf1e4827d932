// SPDX-License-Identifier: GPL-2.0
/* Each directory begins at 0 again. */
static void page_tables_write(const struct memory *m)
{
	uint64_t *pml4 = memory_at(m, PAGE_TABLES, 6 * TABLE);
	uint64_t *pdpt = pml4 + ENTRIES, *pd = pdpt + ENTRIES;
	uint64_t i;

	pml4[0] = (PAGE_TABLES + TABLE) | PTE_PRESENT | PTE_WRITABLE;
	for (i = 0; i < 4; i++)
		pdpt[i] = (PAGE_TABLES + (2 + i) * TABLE) | PTE_PRESENT | PTE_WRITABLE;
	for (i = 0; i < 4 * ENTRIES; i++)
		pd[i] = (i % ENTRIES) << 21 | PTE_PRESENT | PTE_WRITABLE | PTE_LARGE;
}
