// SPDX-License-Identifier: GPL-2.0
/* The guest's memory: as a case begins with it, and what a case has changed. */
#include <string.h>
#include <sys/ioctl.h>

#include "oracle.h"

enum { LINE = 64 };

static u64 dirty(struct machine *m)
{
	u64 bits = 0;
	struct minikvm_dirty_log log = { .slot = 0, .dirty_bitmap = &bits };

	if (m->kind & WITH_DIRTY_LOG)
		ioctl(m->vm, MINIKVM_GET_DIRTY_LOG, &log);
	return bits;
}

/* From one mode's memory to another's. Where the two are the same, nothing is to be done. */
static void change_mode(struct machine *m, enum mode mode)
{
	const u8 *base = world_memory(mode);
	u32 page, line;

	for (page = 0; page < G_SIZE; page += 4096) {
		if (!memcmp(m->mem + page, base + page, 4096))
			continue;
		for (line = page; line < page + 4096; line += LINE)
			if (memcmp(m->mem + line, base + line, LINE))
				memcpy(m->mem + line, base + line, LINE);
	}
	m->base = base;
	m->mode = mode;
}

/* @m's memory as @s begins with it, and nothing dirty. */
void memory_prepare(struct machine *m, const struct scene *s)
{
	int i;

	if (m->mode != s->mode)
		change_mode(m, s->mode);
	for (i = 0; i < s->npokes; i++)
		memcpy(m->mem + s->pokes[i].at, &s->pokes[i].value, 8);
	memcpy(m->mem + s->code_at, s->code, s->ncode);
	dirty(m);
}

/* Was this word so before the guest ran? */
static bool is_hosts(const struct scene *s, u32 at, u64 value)
{
	int i;

	for (i = s->npokes - 1; i >= 0; i--)
		if (s->pokes[i].at == at)
			return s->pokes[i].value == value;
	return at + 7 >= s->code_at && at < s->code_at + (u32)s->ncode;
}

/* Accessed flags alone; both halves of the word: it may be two entries of four bytes. */
static bool is_accessed_only(u64 now, u64 then)
{
	return !((now ^ then) & ~ACCESSED);
}

/* Of @LINE bytes at @at. */
static void line_take(struct machine *m, const struct scene *s, struct ending *e, u32 at,
		      u64 dirty_pages)
{
	u64 *now = (u64 *)m->mem;
	const u64 *then = (const u64 *)m->base;
	u32 i;

	for (i = at / 8; i < (at + LINE) / 8; i++) {
		if (now[i] == then[i])
			continue;
		if (e->nchanges < MAX_CHANGES)
			e->changes[e->nchanges] = (struct change) {
				.at = i * 8, .was = then[i], .value = now[i] };
		e->nchanges++;
		if (!is_accessed_only(now[i], then[i]) && e->nwritten++ >= SURE_CHANGES)
			e->rest = e->rest * 31 + (now[i] & ~ACCESSED) + i;
		if (!is_hosts(s, i * 8, now[i]) && m->kind & WITH_DIRTY_LOG)
			e->lost |= ~dirty_pages & 1ull << at / 4096;
		now[i] = then[i];
	}
}

/* The words that are not as the mode has them; they are so again afterwards. */
void memory_take(struct machine *m, const struct scene *s, struct ending *e)
{
	u64 dirty_pages = dirty(m);
	u32 page, line;

	for (page = 0; page < G_SIZE; page += 4096) {
		if (!memcmp(m->mem + page, m->base + page, 4096))
			continue;
		for (line = page; line < page + 4096; line += LINE)
			if (memcmp(m->mem + line, m->base + line, LINE))
				line_take(m, s, e, line, dirty_pages);
	}
}
