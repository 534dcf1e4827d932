// SPDX-License-Identifier: GPL-2.0
/*
 * The least ACPI with which Linux finds its interrupt controllers and can power
 * off: RSDP, XSDT, FADT, MADT, and a DSDT of one object. ACPI specification 6,
 * "ACPI System Description Tables".
 */
#include <string.h>

#include "vmm.h"

enum { RSDP = ACPI_TABLES, XSDT = RSDP + 0x40, FADT = RSDP + 0x100, DSDT = RSDP + 0x300,
	MADT = RSDP + 0x400 };

/* Name (_S5_, Package (4) { 5, 5, 0, 0 }): the sleep type that means power-off. */
static const uint8_t dsdt_aml[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04,
	0x0a, PM_SLEEP_TYPE, 0x0a, PM_SLEEP_TYPE, 0x00, 0x00,
};

/* MADT entries: local APIC 0; an IOAPIC with GSI 0 on pin 0, which the kernel's
 * own routing makes so; IRQ 9 level-triggered, as ACPI wants it.
 */
static const uint8_t madt_entries[] = {
	0, 8, 0, 0, 1, 0, 0, 0,
	1, 12, 0, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0,
	2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0,
};

static void put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* All bytes add up to 0. */
static void checksum(uint8_t *table, size_t size, size_t at)
{
	uint8_t sum = 0;
	size_t i;

	table[at] = 0;
	for (i = 0; i < size; i++)
		sum += table[i];
	table[at] = -sum;
}

static void header(uint8_t *table, const char *signature, uint32_t size, uint8_t revision)
{
	memcpy(table, signature, 4);
	put32(table + 4, size);
	table[8] = revision;
	memcpy(table + 10, "MINVMMMINIVMM  ", 14);
	checksum(table, size, 9);
}

static void fadt_write(uint8_t *t)
{
	put32(t + 40, DSDT);
	put16(t + 46, 9);		/* SCI */
	put32(t + 56, PM1_EVENT);
	put32(t + 64, PM1_CONTROL);
	t[88] = 4;			/* length of the event block */
	t[89] = 2;			/* of the control block */
	put16(t + 109, 1 << 2);		/* no VGA; no i8042: bit 1 is clear */
	/* WBINVD works; no buttons; reset register there */
	put32(t + 112, 1 << 0 | 1 << 4 | 1 << 5 | 1 << 10);
	t[116] = 1;			/* reset register: a port of 8 bits */
	t[117] = 8;
	put64(t + 120, RESET_PORT);
	t[128] = 6;			/* value to write there */
	put64(t + 140, DSDT);
	header(t, "FACP", 276, 6);
}

void acpi_write(struct vmm *vmm)
{
	uint8_t *rsdp = vmm->mem + RSDP, *xsdt = vmm->mem + XSDT;
	uint8_t *madt = vmm->mem + MADT, *dsdt = vmm->mem + DSDT;

	memcpy(dsdt + 36, dsdt_aml, sizeof(dsdt_aml));
	header(dsdt, "DSDT", 36 + sizeof(dsdt_aml), 2);
	fadt_write(vmm->mem + FADT);

	put32(madt + 36, 0xfee00000);
	put32(madt + 40, 1);		/* there is a PIC, too */
	memcpy(madt + 44, madt_entries, sizeof(madt_entries));
	header(madt, "APIC", 44 + sizeof(madt_entries), 5);

	put64(xsdt + 36, FADT);
	put64(xsdt + 44, MADT);
	header(xsdt, "XSDT", 52, 1);

	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "MINVMM", 6);
	rsdp[15] = 2;
	put32(rsdp + 20, 36);
	put64(rsdp + 24, XSDT);
	checksum(rsdp, 20, 8);
	checksum(rsdp, 36, 32);
}
