// SPDX-License-Identifier: GPL-2.0
/*
 * The least ACPI with which Linux finds its interrupt controllers and can power
 * off: RSDP, XSDT, FADT with FACS, MADT, and a DSDT of one object. ACPI specification 6,
 * "ACPI System Description Tables".
 */
#include <string.h>

#include "acpi.h"
#include "config.h"
#include "ports.h"

enum { RSDP = ACPI_TABLES, XSDT = RSDP + 0x40, FACS = RSDP + 0x80,
	FADT = RSDP + 0x100, DSDT = RSDP + 0x300, MADT = RSDP + 0x400 };

/* Name (_S5_, Package (4) { 5, 5, 0, 0 }): the sleep type that means power-off. */
static const uint8_t dsdt_aml[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04,
	0x0a, PM_SLEEP_TYPE, 0x0a, PM_SLEEP_TYPE, 0x00, 0x00,
};

/*
 * MADT entries after those of the local APICs: an IOAPIC with GSI 0 on pin 0, which
 * the kernel's own routing makes so; IRQ 9 level-triggered, as ACPI wants it.
 */
static const uint8_t madt_io[] = {
	1, 12, 0, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0,
	2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0,
};

enum { MADT_HEAD = 44, MADT_LOCAL = 8 };

_Static_assert(MADT + MADT_HEAD + MAX_CPUS * MADT_LOCAL + sizeof(madt_io) <= FIRST_MIB_END,
	       "the tables end with the first MiB");

static void acpi_put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void acpi_put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void acpi_put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* All bytes add up to 0. */
static void acpi_checksum(uint8_t *table, size_t size, size_t at)
{
	uint8_t sum = 0;
	size_t i;

	table[at] = 0;
	for (i = 0; i < size; i++)
		sum += table[i];
	table[at] = -sum;
}

static void acpi_header(uint8_t *table, const char *signature, uint32_t size, uint8_t revision)
{
	memcpy(table, signature, 4);
	acpi_put32(table + 4, size);
	table[8] = revision;
	memcpy(table + 10, "MINVMMMINIVMM  ", 14);
	acpi_checksum(table, size, 9);
}

/* What firmware and the system share: nothing but a lock that nobody takes. No checksum. */
static void facs_write(uint8_t *t)
{
	memcpy(t, "FACS", 4);
	acpi_put32(t + 4, 64);
	t[32] = 2;			/* version */
}

static void fadt_write(uint8_t *t)
{
	acpi_put32(t + 36, FACS);
	acpi_put32(t + 40, DSDT);
	acpi_put16(t + 46, 9);		/* SCI */
	acpi_put32(t + 56, PM1_EVENT);
	acpi_put32(t + 64, PM1_CONTROL);
	t[88] = 4;			/* length of the event block */
	t[89] = 2;			/* of the control block */
	acpi_put16(t + 109, 1 << 2);		/* no VGA; no i8042: bit 1 is clear */
	/* WBINVD works; no buttons; reset register there */
	acpi_put32(t + 112, 1 << 0 | 1 << 4 | 1 << 5 | 1 << 10);
	t[116] = 1;			/* reset register: a port of 8 bits */
	t[117] = 8;
	acpi_put64(t + 120, RESET_PORT);
	t[128] = RESET_VALUE;		/* value to write there */
	acpi_put64(t + 140, DSDT);
	acpi_header(t, "FACP", 276, 6);
}

static void madt_write(uint8_t *t, unsigned int cpus)
{
	uint8_t *entry = t + MADT_HEAD;
	unsigned int i;

	acpi_put32(t + 36, 0xfee00000);
	acpi_put32(t + 40, 1);		/* there is a PIC, too */
	for (i = 0; i < cpus; i++, entry += MADT_LOCAL) {
		entry[0] = 0;		/* a processor with its local APIC */
		entry[1] = MADT_LOCAL;
		entry[2] = i;		/* the processor's number, its APIC's */
		entry[3] = i;
		acpi_put32(entry + 4, 1);	/* it is there */
	}
	memcpy(entry, madt_io, sizeof(madt_io));
	acpi_header(t, "APIC", entry + sizeof(madt_io) - t, 5);
}

/* All bytes add up to 0, those of the first version by themselves. */
static void rsdp_write(uint8_t *t)
{
	memcpy(t, "RSD PTR ", 8);
	memcpy(t + 9, "MINVMM", 6);
	t[15] = 2;
	acpi_put32(t + 20, 36);
	acpi_put64(t + 24, XSDT);
	acpi_checksum(t, 20, 8);
	acpi_checksum(t, 36, 32);
}

void acpi_write(const struct memory *m, unsigned int cpus)
{
	uint8_t *tables = memory_at(m, ACPI_TABLES, FIRST_MIB_END - ACPI_TABLES);
	uint8_t *dsdt = tables + (DSDT - ACPI_TABLES), *xsdt = tables + (XSDT - ACPI_TABLES);

	memcpy(dsdt + 36, dsdt_aml, sizeof(dsdt_aml));
	acpi_header(dsdt, "DSDT", 36 + sizeof(dsdt_aml), 2);
	facs_write(tables + (FACS - ACPI_TABLES));
	fadt_write(tables + (FADT - ACPI_TABLES));
	madt_write(tables + (MADT - ACPI_TABLES), cpus);

	acpi_put64(xsdt + 36, FADT);
	acpi_put64(xsdt + 44, MADT);
	acpi_header(xsdt, "XSDT", 52, 1);
	rsdp_write(tables + (RSDP - ACPI_TABLES));
}
