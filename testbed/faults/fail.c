// SPDX-License-Identifier: GPL-2.0
/* Which allocation fails: see fail.h. */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

bool fail_now(const char *file, int line);

/* The how-manyth from now on, of the thread that wrote it, or at load of any; 0: none. */
static int fail_nth;
static pid_t fail_pid;
static char fail_where[80];

static int fail_set(const char *text, const struct kernel_param *param)
{
	fail_pid = text && strchr(text, '@') ? 0 : current->pid;
	fail_where[0] = '\0';
	return param_set_int(text && *text == '@' ? text + 1 : text, param);
}

static const struct kernel_param_ops fail_ops = { .set = fail_set, .get = param_get_int };

module_param_cb(fail_nth, &fail_ops, &fail_nth, 0600);
module_param_string(fail_where, fail_where, sizeof(fail_where), 0400);

bool fail_now(const char *file, int line)
{
	if (READ_ONCE(fail_nth) <= 0 || !in_task() || (fail_pid && current->pid != fail_pid))
		return false;
	if (--fail_nth)
		return false;
	snprintf(fail_where, sizeof(fail_where), "%s:%d", strrchr(file, '/') ?: file, line);
	return true;
}
