// SPDX-License-Identifier: GPL-2.0
/*
 * In the machine: kexec KERNEL INITRD COMMAND-LINE FLAGS loads a kernel by kexec_file_load(2),
 * FLAGS 2 is for a crash; kexec without arguments goes there.
 *
 * Debian's kexec wants the libraries of a hypervisor, and to be installed asks who shall reboot.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long ret;

	if (argc == 5)
		ret = syscall(SYS_kexec_file_load, open(argv[1], O_RDONLY), open(argv[2], O_RDONLY),
			      strlen(argv[3]) + 1, argv[3], strtoul(argv[4], NULL, 0));
	else
		ret = syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			      LINUX_REBOOT_CMD_KEXEC, NULL);
	if (ret)
		perror("kexec");
	return ret != 0;
}
