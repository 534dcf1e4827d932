// SPDX-License-Identifier: GPL-2.0
/*
 * Where gdb comes from. Who can connect owns the guest, so nobody can from another machine.
 * Nothing here waits for ever: the main thread has other things to do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "gdb_line.h"

#define PATIENCE	5000	/* ms */

bool gdb_line_is_port(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static int line_close(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

int gdb_line_listen(unsigned int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		return line_close(fd);
	return fd;
}

int gdb_line_accept(int listening)
{
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;

	if (fd >= 0)	/* packets are small, and each waits for an answer */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int gdb_line_open(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios t;

	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &t))
		return line_close(fd);
	cfmakeraw(&t);
	cfsetspeed(&t, B115200);
	t.c_cflag |= CLOCAL | CREAD;	/* no modem */
	t.c_cflag &= ~CRTSCTS;
	if (tcsetattr(fd, TCSANOW, &t))
		return line_close(fd);
	return fd;
}

bool gdb_line_send(int fd, const void *data, size_t n)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	ssize_t done;

	while (n) {
		done = write(fd, data, n);
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (done < 0 && poll(&ready, 1, PATIENCE) == 0)
			return false;
		if (done > 0) {
			data = (const uint8_t *)data + done;
			n -= done;
		}
	}
	return true;
}
