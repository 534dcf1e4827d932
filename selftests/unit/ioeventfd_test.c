// SPDX-License-Identifier: GPL-2.0
/* The table of ioeventfds: module/io/ioeventfd_table.c, against a list that is looked through. */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "unit.h"
#include "../../module/io/ioeventfd_table.c"

#define MOST	40

static struct ioeventfd list[MOST];
static u32 nr;
static struct ioeventfd_table *table;

static bool means(const struct ioeventfd *e, bool pio, u64 addr, int len, u64 data)
{
	u64 cut = len == 8 ? data : data & ((1ull << 8 * len) - 1);

	return e->pio == pio && e->addr == addr &&
	       (!e->len || (e->len == len && (!e->match || e->data == cut)));
}

static bool same(const struct ioeventfd *a, const struct ioeventfd *b)
{
	return a->eventfd == b->eventfd && a->addr == b->addr && a->len == b->len &&
	       a->pio == b->pio && a->match == b->match && (!a->match || a->data == b->data);
}

static struct ioeventfd some(void)
{
	static const u8 lengths[] = { 0, 1, 2, 4, 8 };
	struct ioeventfd e = {
		.eventfd = (void *)(1 + below(3)), .addr = below(4) ? below(5) : ~below(5),
		.len = lengths[below(5)], .pio = below(2), .data = below(3),
	};

	e.match = e.len && below(2);
	return e;
}

/* A write that both mean: looked for among all that matter. */
static bool both_mean(const struct ioeventfd *a, const struct ioeventfd *b)
{
	static const u8 lengths[] = { 1, 2, 4, 8 };
	u64 data;
	int i;

	for (i = 0; i < 4; i++)
		for (data = 0; data < 4; data++)
			if (means(a, a->pio, a->addr, lengths[i], data) &&
			    means(b, a->pio, a->addr, lengths[i], data))
				return true;
	return false;
}

static void add(void)
{
	struct ioeventfd e = some();
	struct ioeventfd_table *new;
	bool conflict = false;
	u32 i;

	for (i = 0; i < nr; i++)
		conflict |= both_mean(&list[i], &e);
	CHECK_EQ(ioeventfd_conflicts(table, &e), conflict);
	if (conflict || nr == MOST)
		return;
	new = malloc(sizeof(*new) + (nr + 1) * sizeof(e));
	ioeventfd_copy_with(new, table, &e);
	free(table);
	table = new;
	list[nr++] = e;
}

static void drop(void)
{
	struct ioeventfd e = nr && below(2) ? list[below(nr)] : some();
	const struct ioeventfd *found = ioeventfd_same(table, &e);
	struct ioeventfd_table *new;
	u32 i;

	for (i = 0; i < nr && !same(&list[i], &e); i++)
		;
	CHECK_EQ(found != NULL, i < nr);
	if (!found)
		return;
	new = malloc(sizeof(*new) + (nr - 1) * sizeof(e));
	ioeventfd_copy_without(new, table, found);
	free(table);
	table = new;
	list[i] = list[--nr];
}

static void look(void)
{
	struct ioeventfd e = some();
	int len = 1 << below(4);
	u64 data = below(3) | (len < 8 ? any() << 8 * len : 0);
	const struct ioeventfd *found = ioeventfd_find(table, e.pio, e.addr, len, data);
	u32 i;

	for (i = 0; i < nr && !means(&list[i], e.pio, e.addr, len, data); i++)
		;
	CHECK_EQ(found != NULL, i < nr);
	if (found && i < nr)
		CHECK(same(found, &list[i]));
}

static void as_the_list(void)
{
	u32 i, most = 0;

	table = calloc(1, sizeof(*table));
	for (i = 0; i < 300000; i++) {
		if (below(3))
			look();
		else if (below(5) < 3)
			add();
		else
			drop();
		CHECK_EQ(table->nr, nr);
		most = nr > most ? nr : most;
	}
	CHECK(most > 15);
	free(table);
}

int main(void)
{
	RUN(as_the_list);
	return unit_end();
}
