/* SPDX-License-Identifier: GPL-2.0 */
/* Keys that are off to whoever asks; a test sees whether they were turned. */
#ifndef SHIM_JUMP_LABEL_H
#define SHIM_JUMP_LABEL_H

#define DECLARE_STATIC_KEY_FALSE(name)	extern int name
#define DEFINE_STATIC_KEY_FALSE(name)	int name
#define static_branch_enable(key)	(*(key) = true)
#define static_branch_disable(key)	(*(key) = false)
#define static_branch_unlikely(key)	false

#endif
