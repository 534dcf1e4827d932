/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of minivmm share, in the order in which main.c uses them. */
#ifndef VMM_H
#define VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/minikvm.h>
#include <linux/minikvm_exits.h>

/* Exit statuses of the program, as README.md lists them. */
enum { ST_POWER_OFF = 0, ST_ERROR = 1, ST_USAGE = 2, ST_CRASH = 3, ST_RESET = 4, ST_TIMEOUT = 5,
	ST_QUIT = 6 };

/* What the command line says. */
struct config {
	const char *device;
	const char *kernel, *initrd, *cmdline;
	const char *flat;
	uint64_t load;		/* guest physical address of the flat binary */
	bool irqchip;		/* interrupt chips in the kernel */
	bool stats;
	bool populate;		/* no fault of the host while the guest runs */
	unsigned int mem_mib;
	unsigned int timeout;	/* seconds, 0: none */
};

struct vmm {
	int dev, vm, vcpu;	/* file descriptors */
	uint8_t *mem;		/* guest physical address 0 */
	uint64_t mem_size;
	struct minikvm_run *run;
	uint64_t exits[64];	/* by exit reason */
	uint64_t own_ticks;	/* of the time stamp counter, between two RUNs */
	int status;		/* ST_*, once done */
	bool done;
};

/* Where things are in low memory. */
enum {
	BOOT_PARAMS	= 0x10000,
	CMDLINE		= 0x20000,
	PAGE_TABLES	= 0x30000,
	ACPI_TABLES	= 0xe0000,
};

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* vm.c: the three file descriptors, memory, the run loop */
void vm_create(struct vmm *vmm, const struct config *c);
void vcpu_create(struct vmm *vmm);
void vcpu_run(struct vmm *vmm);
void vm_irq(struct vmm *vmm, uint32_t gsi, int level);
void vmm_stop(struct vmm *vmm, int status);

/* boot.c: what is in memory and registers at the start */
void boot_linux(struct vmm *vmm, const struct config *c);
void boot_flat(struct vmm *vmm, const struct config *c);

/* acpi.c: tables that tell the guest its APICs and how to power off */
void acpi_write(struct vmm *vmm);
#define PM1_EVENT	0x600
#define PM1_CONTROL	0x604
#define PM_SLEEP_TYPE	5
#define RESET_PORT	0xcf9

/* devices.c: which port is whose */
void device_io(struct vmm *vmm, bool out, uint16_t port, uint8_t *data, int size);

/* serial.c: a 16550 */
void serial_write(struct vmm *vmm, unsigned int reg, uint8_t value);
uint8_t serial_read(struct vmm *vmm, unsigned int reg);
void serial_input(struct vmm *vmm, const uint8_t *data, size_t n);
void serial_flush(void);

/* terminal.c: standard input and output */
void terminal_start(struct vmm *vmm);
void terminal_restore(void);

#endif
