/* SPDX-License-Identifier: GPL-2.0 */
/* A file of the command line, mapped. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image {
	const char *path;
	const uint8_t *data;
	size_t size;
};

/* Does not return if there is none, or nothing in it. */
void image_open(struct image *image, const char *path);

#endif
