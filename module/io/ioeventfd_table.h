/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The accesses that signal an eventfd: which one does a write mean? A table is sorted, and not
 * changed once it is published: ioeventfd_table.c. ioeventfd.c owns it. Compiles in userspace,
 * too.
 */
#ifndef MINIKVM_IO_IOEVENTFD_TABLE_H
#define MINIKVM_IO_IOEVENTFD_TABLE_H

#include <linux/types.h>

struct eventfd_ctx;

/**
 * struct ioeventfd - a write that signals an eventfd
 * @eventfd: which
 * @addr: port, or guest physical address
 * @data: the value that it has to write, if @match
 * @len: bytes, or 0: any number
 * @pio: @addr is a port
 * @match: @data matters
 */
struct ioeventfd {
	struct eventfd_ctx *eventfd;
	u64 addr;
	u64 data;
	u8 len;
	bool pio;
	bool match;
};

/**
 * struct ioeventfd_table - all of a VM's
 * @nr: how many
 * @entry: sorted: memory first, by address
 */
struct ioeventfd_table {
	u32 nr;
	struct ioeventfd entry[];
};

u32 ioeventfd_first(const struct ioeventfd_table *t, bool pio, u64 addr);
const struct ioeventfd *ioeventfd_find(const struct ioeventfd_table *t, bool pio, u64 addr,
				       int len, u64 data);
bool ioeventfd_conflicts(const struct ioeventfd_table *t, const struct ioeventfd *e);
const struct ioeventfd *ioeventfd_same(const struct ioeventfd_table *t,
				       const struct ioeventfd *e);
void ioeventfd_copy_with(struct ioeventfd_table *new, const struct ioeventfd_table *old,
			 const struct ioeventfd *e);
void ioeventfd_copy_without(struct ioeventfd_table *new, const struct ioeventfd_table *old,
			    const struct ioeventfd *e);

#endif
