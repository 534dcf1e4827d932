/* SPDX-License-Identifier: GPL-2.0 */
#ifndef array_index_nospec
#define array_index_nospec(index, size) (index)
#endif
