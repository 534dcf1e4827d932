/* SPDX-License-Identifier: GPL-2.0 */
/* How statistics lie in the file of GET_STATS_FD. Pure. */
#ifndef MINIKVM_FD_STATS_LAYOUT_H
#define MINIKVM_FD_STATS_LAYOUT_H

#include <linux/string.h>
#include <linux/types.h>

#include "../../uapi/linux/minikvm.h"

#define STATS_NAME	48	/* bytes of each name, as KVM */

#define STATS_ITEM	(sizeof(struct minikvm_stats_desc) + STATS_NAME)	/* a descriptor's bytes */

/**
 * struct stats_image - a whole file: this, then descriptors with their names, then values
 */
struct stats_image {
	struct minikvm_stats_header header;
	char id[STATS_NAME];
	u8 items[];
};

/* One statistic: its name, and where its value is found. */
struct stats_source {
	const char *name;
	u32 flags;		/* MINIKVM_STATS_* */
	u32 offset;		/* of a u64 in the object */
};

static inline size_t stats_size(u32 n)
{
	return sizeof(struct stats_image) + n * (STATS_ITEM + sizeof(u64));
}

static inline struct minikvm_stats_desc *stats_item(struct stats_image *image, u32 i)
{
	return (struct minikvm_stats_desc *)(image->items + i * STATS_ITEM);
}

/* Fills all of a zeroed image but its name. Return: where the values are to go. */
static inline u64 *stats_fill(struct stats_image *image, const struct stats_source *source, u32 n)
{
	struct minikvm_stats_desc *desc;
	u32 i;

	image->header.name_size = STATS_NAME;
	image->header.num_desc = n;
	image->header.id_offset = offsetof(struct stats_image, id);
	image->header.desc_offset = sizeof(*image);
	image->header.data_offset = sizeof(*image) + n * STATS_ITEM;
	for (i = 0; i < n; i++) {
		desc = stats_item(image, i);
		desc->flags = source[i].flags;
		desc->size = 1;
		desc->offset = i * sizeof(u64);
		memcpy(desc->name, source[i].name, strnlen(source[i].name, STATS_NAME - 1));
	}
	return (u64 *)stats_item(image, n);
}

#endif
