// SPDX-License-Identifier: GPL-2.0
/* A file of the command line, mapped: looked at first, copied into the guest later. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "image.h"

void image_open(struct image *image, const char *path)
{
	struct stat st;
	void *data;
	int fd;

	/* By its path first: a FIFO would have us wait, a device might do anything. */
	if (stat(path, &st))
		refuse("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		refuse("%s is not a file", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		refuse("%s: %s", path, strerror(errno));
	if (!st.st_size)
		refuse("%s is empty", path);
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	*image = (struct image) { path, data, st.st_size };
}
