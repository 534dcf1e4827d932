// SPDX-License-Identifier: GPL-2.0
/* minivmm's small devices, and the tables that tell of them: userspace-demo/ports.c, acpi.c. */
#include <string.h>

#include "unit.h"
#include "../../userspace-demo/die.c"
#include "../../userspace-demo/memory.c"
#include "../../userspace-demo/bus.c"
#include "../../userspace-demo/ports.c"
#include "../../userspace-demo/acpi.c"

static int asked;

void stop_ask(struct stop *stop, int status)
{
	CHECK(!stop);
	asked = status;
}

/* What a write of a value to a port asks for. */
static int after(struct device *d, uint64_t offset, unsigned int size, uint16_t value)
{
	uint8_t data[2] = { value & 0xff, value >> 8 };

	asked = STOP_NOT;
	d->ops->write(d, offset, data, size);
	return asked;
}

static void power_off_wants_type_and_enable(void)
{
	struct pm pm = { };

	pm_create(&pm, NULL);
	CHECK_EQ(after(&pm.device, 4, 2, 1 << 13 | PM_SLEEP_TYPE << 10), ST_POWER_OFF);
	CHECK_EQ(after(&pm.device, 4, 2, PM_SLEEP_TYPE << 10), STOP_NOT);
	CHECK_EQ(after(&pm.device, 4, 2, 1 << 13 | 1 << 10), STOP_NOT);
	CHECK_EQ(after(&pm.device, 4, 1, 1 << 13 | PM_SLEEP_TYPE << 10), STOP_NOT);
	CHECK_EQ(after(&pm.device, 2, 2, 1 << 13 | PM_SLEEP_TYPE << 10), STOP_NOT);
	CHECK_EQ(after(&pm.device, 0, 2, 1 << 13 | PM_SLEEP_TYPE << 10), STOP_NOT);
}

static void events_stay_enabled(void)
{
	struct pm pm = { };
	struct bus bus = { };
	uint8_t data[6];

	pm_create(&pm, NULL);
	CHECK(bus_add(&bus, PM_PORT, PM_PORTS, &pm.device));
	bus_write(&bus, PM_PORT, (const uint8_t *)"\x11\x22\x33\x44\x55\x66", 6);
	bus_read(&bus, PM_PORT, data, 6);
	CHECK(!memcmp(data, "\0\0\x33\x44\0\0", 6));
	bus_write(&bus, PM_PORT + 3, (const uint8_t *)"\x05", 1);
	bus_read(&bus, PM_PORT + 2, data, 2);
	CHECK(!memcmp(data, "\x33\x05", 2));
	bus_reset(&bus);
	bus_read(&bus, PM_PORT + 2, data, 2);
	CHECK(!memcmp(data, "\0\0", 2));
}

static void each_reset_port_has_its_word(void)
{
	struct reset_port a, b;
	uint8_t data;

	reset_port_create(&a, NULL, 4, 4, 0xff);
	reset_port_create(&b, NULL, 0xff, 0xfe, 0);
	CHECK_EQ(after(&a.device, 0, 1, RESET_VALUE), ST_RESET);
	CHECK_EQ(after(&a.device, 0, 1, 0xe), ST_RESET);
	CHECK_EQ(after(&a.device, 0, 1, 2), STOP_NOT);
	CHECK_EQ(after(&b.device, 0, 1, 0xfe), ST_RESET);
	CHECK_EQ(after(&b.device, 0, 1, 0xff), STOP_NOT);
	CHECK_EQ(after(&b.device, 0, 1, 4), STOP_NOT);
	a.device.ops->read(&a.device, 0, &data, 1);
	CHECK_EQ(data, 0xff);
	b.device.ops->read(&b.device, 0, &data, 1);
	CHECK_EQ(data, 0);
}

/* ---- tables */

static uint8_t first_mib[FIRST_MIB_END];

static uint8_t sum(const uint8_t *t, size_t size)
{
	uint8_t s = 0;

	while (size--)
		s += *t++;
	return s;
}

static uint64_t get(uint64_t at, size_t size)
{
	uint64_t v = 0;

	CHECK(at >= ACPI_TABLES && at + size <= FIRST_MIB_END);
	memcpy(&v, first_mib + at, size);
	return v;
}

/* Checks a table's head and returns its end. */
static uint64_t table(uint64_t at, const char *signature)
{
	uint64_t size = get(at + 4, 4);

	CHECK(!memcmp(first_mib + at, signature, 4));
	CHECK(at + size <= FIRST_MIB_END);
	CHECK_EQ(sum(first_mib + at, size), 0);
	return at + size;
}

/* As Linux goes from table to table. */
static void tables_are_found(void)
{
	struct memory m = { .range = { { 0, sizeof(first_mib), first_mib } }, .nr = 1 };
	uint64_t xsdt, fadt, madt, facs;

	memset(first_mib, 0, sizeof(first_mib));
	acpi_write(&m, 64);
	CHECK(!memcmp(first_mib + ACPI_TABLES, "RSD PTR ", 8));
	CHECK_EQ(sum(first_mib + ACPI_TABLES, 20), 0);
	CHECK_EQ(sum(first_mib + ACPI_TABLES, 36), 0);
	xsdt = get(ACPI_TABLES + 24, 8);
	CHECK_EQ(table(xsdt, "XSDT"), xsdt + 36 + 16);
	fadt = get(xsdt + 36, 8);
	madt = get(xsdt + 44, 8);
	CHECK(table(fadt, "FACP") <= get(fadt + 140, 8));
	CHECK_EQ(get(fadt + 140, 8), get(fadt + 40, 4));
	CHECK(table(get(fadt + 40, 4), "DSDT") <= madt);
	CHECK_EQ(get(fadt + 56, 4), PM1_EVENT);
	CHECK_EQ(get(fadt + 64, 4), PM1_CONTROL);
	table(madt, "APIC");
	facs = get(fadt + 36, 4);
	CHECK(!memcmp(first_mib + facs, "FACS", 4));
	CHECK_EQ(facs % 64, 0);
	CHECK_EQ(get(facs + 4, 4), 64);
	CHECK(facs >= xsdt + 52 && facs + 64 <= fadt);
}

static void a_local_apic_for_each_processor(void)
{
	static const unsigned int cpus[] = { 1, 2, 16, 64 };
	struct memory m = { .range = { { 0, sizeof(first_mib), first_mib } }, .nr = 1 };
	size_t i;

	for (i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		unsigned int local = 0, io = 0;
		uint64_t at, end;

		memset(first_mib, 0xcc, sizeof(first_mib));
		acpi_write(&m, cpus[i]);
		end = table(MADT, "APIC");
		for (at = MADT + 44; at < end; at += get(at + 1, 1)) {
			CHECK(get(at + 1, 1) >= 8);
			if (get(at, 1) == 0) {
				CHECK_EQ(get(at + 3, 1), local);
				CHECK_EQ(get(at + 4, 4), 1);
				local++;
			}
			io += get(at, 1) == 1;
		}
		CHECK_EQ(at, end);
		CHECK_EQ(local, cpus[i]);
		CHECK_EQ(io, 1);
	}
}

int main(void)
{
	RUN(power_off_wants_type_and_enable);
	RUN(events_stay_enabled);
	RUN(each_reset_port_has_its_word);
	RUN(tables_are_found);
	RUN(a_local_apic_for_each_processor);
	return unit_end();
}
