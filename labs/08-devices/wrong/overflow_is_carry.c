// SPDX-License-Identifier: GPL-2.0
/* Signed overflow is not the carry out of the top. */
static u64 alu_add(u64 a, u64 b, u64 carry, int size, u64 *flags)
{
	u64 r = a + b + carry, top = 1ull << (8 * size - 1);
	u64 out = (a & b) | ((a | b) & ~r);

	*flags = flags_of(r, size) | (out & top ? X86_EFLAGS_CF | X86_EFLAGS_OF : 0) |
		 (out & 8 ? X86_EFLAGS_AF : 0);
	return r;
}
