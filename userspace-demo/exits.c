// SPDX-License-Identifier: GPL-2.0
/* The names of exits: of the ABI's tables, linux/minikvm_exits.h. */
#include <stddef.h>

#include <linux/minikvm.h>
#include <linux/minikvm_exits.h>

#include "exits.h"

#define EXIT_ROW(name)	\
	[MINIKVM_EXIT_##name] = #name,
static const char *const user_exits[] = { MINIKVM_USER_EXITS(EXIT_ROW) };

#define HARDWARE_ROW(number, name)	\
	[number] = #name,
static const char *const hardware_exits[] = { MINIKVM_HARDWARE_EXITS(HARDWARE_ROW) };

#define NAME_OF(table, i)	((i) < sizeof(table) / sizeof(table[0]) ? table[i] : NULL)

const char *exit_name(uint32_t reason)
{
	return NAME_OF(user_exits, reason);
}

const char *hardware_exit_name(uint32_t reason)
{
	return NAME_OF(hardware_exits, reason);
}
