// SPDX-License-Identifier: GPL-2.0
/*
 * The device node: whose it is, before it is opened. Opening another one might do
 * something. Both are misc devices, and /proc/misc has their names and numbers: a
 * path may be a link, or minikvm's device under KVM's name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "die.h"
#include "node.h"

#define DEFAULT_DEVICE	"/dev/minikvm"
#define MISC_NAMES	"/proc/misc"
#define MISC_MAJOR	10

/* Fills in the name of a misc device; false: there is none with this number. */
static bool misc_name(unsigned int wanted, char name[32])
{
	FILE *file = fopen(MISC_NAMES, "re");
	unsigned int number;
	bool found = false;

	if (!file)
		return false;
	while (!found && fscanf(file, "%u %31s", &number, name) == 2)
		found = number == wanted;
	fclose(file);
	return found;
}

/* Whether a device is the misc device @name. */
static bool misc_is(const struct stat *st, const char *name)
{
	char found[32];

	return S_ISCHR(st->st_mode) && major(st->st_rdev) == MISC_MAJOR &&
	       misc_name(minor(st->st_rdev), found) && !strcmp(found, name);
}

bool node_is_kvm(const char *path)
{
	struct stat st;

	return !stat(path, &st) && misc_is(&st, "kvm");
}

void node_check(struct config *c)
{
	bool asked = c->device;
	struct stat st;

	if (!asked)
		c->device = DEFAULT_DEVICE;
	if (!stat(c->device, &st)) {
		if (!misc_is(&st, "minikvm") && !misc_is(&st, "kvm") && !access(MISC_NAMES, R_OK))
			refuse("%s is neither minikvm's device nor KVM's", c->device);
	} else if (errno == ENOENT && !asked) {
		die("%s: there is none; is the module loaded?", c->device);
	} else if (errno == ENOENT) {
		refuse("%s: there is none; is the module loaded?", c->device);
	} else {
		refuse("%s: %s", c->device, strerror(errno));
	}
}
