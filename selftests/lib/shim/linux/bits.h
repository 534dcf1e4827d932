/* SPDX-License-Identifier: GPL-2.0 */
/* For values that are computed in the uapi headers, none of which is compared. */
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK_ULL(h, l) (((~0ULL) << (l)) & (~0ULL >> (63 - (h))))
