// SPDX-License-Identifier: GPL-2.0
/* Leaf 4 is a row of leaves: the first one answers for all. */
const struct minikvm_cpuid_entry2 *cpuid_table_find(const struct cpuid_table *t, u32 function,
						    u32 index)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		if (t->entries[i].function == function)
			return &t->entries[i];
	return NULL;
}
