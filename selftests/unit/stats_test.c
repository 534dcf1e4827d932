// SPDX-License-Identifier: GPL-2.0
/* How statistics lie in their file: module/fd/stats_layout.h. */
#include <stddef.h>
#include <stdlib.h>

#include "unit.h"
#include "../../module/fd/stats_layout.h"

static const struct stats_source sources[] = {
	{ "first", MINIKVM_STATS_TYPE_CUMULATIVE, 0 },
	{ "a_name_that_is_longer_than_there_is_room_for_in_48_bytes", MINIKVM_STATS_TYPE_INSTANT, 8 },
	{ "third", MINIKVM_STATS_TYPE_INSTANT, 16 },
};

static void nothing_overlaps(void)
{
	struct stats_image *image = calloc(1, stats_size(3));
	char *bytes = (char *)image;
	u64 *values = stats_fill(image, sources, 3);

	values[0] = values[1] = values[2] = 7;
	CHECK_EQ(image->header.id_offset, 24);
	CHECK_EQ(image->header.desc_offset, 24 + 48);
	CHECK_EQ(image->header.data_offset, 24 + 48 + 3 * (16 + 48));
	CHECK_EQ((char *)values - bytes, image->header.data_offset);
	CHECK_EQ(stats_size(3), image->header.data_offset + 3 * 8);
	CHECK_EQ(image->header.num_desc, 3);
	free(image);
}

static void items(void)
{
	struct stats_image *image = calloc(1, stats_size(3));

	stats_fill(image, sources, 3);
	CHECK(!strcmp(stats_item(image, 0)->name, "first"));
	CHECK_EQ(strlen(stats_item(image, 1)->name), 47);
	CHECK_EQ(stats_item(image, 1)->flags, 1);
	CHECK_EQ(stats_item(image, 2)->offset, 16);
	CHECK_EQ(stats_item(image, 2)->size, 1);
	free(image);
}

int main(void)
{
	RUN(nothing_overlaps);
	RUN(items);
	return unit_end();
}
