/* SPDX-License-Identifier: GPL-2.0 */
/* Keys that nobody turns. */
#ifndef SHIM_JUMP_LABEL_H
#define SHIM_JUMP_LABEL_H

#define DECLARE_STATIC_KEY_FALSE(name)	extern int name
#define static_branch_unlikely(key)	false

#endif
