// SPDX-License-Identifier: GPL-2.0
/* Makes a case smaller for as long as it still differs in the same field. */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

struct shrinker {
	struct machine *m;	/* KVM's, minikvm's */
	struct scene *best;
	struct difference *d;
	struct trace *t;	/* two */
	char group[16], name[48];
	int left;		/* attempts */
};

/* Fresh machines: what a case needs of an earlier one is not the case's. */
static bool differs(struct shrinker *sh, const struct scene *s, struct difference *d)
{
	int i;

	for (i = 0; i < 2; i++) {
		machine_make(&sh->m[i], s->machine);
		play(&sh->m[i], s, &sh->t[i]);	/* its pages are mapped now, as amid a batch */
		if (sh->m[i].spoiled || sh->m[i].vm < 0 || s->machine & WITH_FRESH_VCPU) {
			machine_rest(&sh->m[i]);
			machine_make(&sh->m[i], s->machine);
		}
		play(&sh->m[i], s, &sh->t[i]);
		machine_rest(&sh->m[i]);
	}
	untangle(&sh->t[0], &sh->t[1]);
	return compare(s, &sh->t[0], &sh->t[1], d);
}

/* Keeps @s if it differs as before. */
static bool keep(struct shrinker *sh, const struct scene *s)
{
	struct difference d;

	if (!memcmp(s, sh->best, sizeof(*s)) || sh->left-- <= 0)
		return false;
	if (!differs(sh, s, &d) || strcmp(d.field, sh->group) || strcmp(d.name, sh->name))
		return false;
	*sh->best = *s;
	*sh->d = d;
	sh->d->scene = sh->best;
	return true;
}

static void drop_ops(struct shrinker *sh)
{
	struct scene s;
	int i;

	for (i = sh->best->nops - 1; i >= 0; i--) {
		s = *sh->best;
		s.nops--;
		memmove(&s.ops[i], &s.ops[i + 1], (s.nops - i) * sizeof(s.ops[0]));
		keep(sh, &s);
	}
}

static void drop_pokes(struct shrinker *sh)
{
	struct scene s;
	int i;

	for (i = sh->best->npokes - 1; i >= 0; i--) {
		s = *sh->best;
		s.npokes--;
		memmove(&s.pokes[i], &s.pokes[i + 1], (s.npokes - i) * sizeof(s.pokes[0]));
		keep(sh, &s);
	}
}

static void drop_code(struct shrinker *sh)
{
	struct scene s;
	int i;

	for (i = sh->best->ncode - 1; i >= 0; i--) {
		s = *sh->best;
		s.ncode--;
		memmove(&s.code[i], &s.code[i + 1], s.ncode - i);
		keep(sh, &s);
	}
}

/* A simpler value for one word of a case: @plain, 0, one bit less. */
static void simplify(struct shrinker *sh, size_t at, int size, u64 plain)
{
	struct scene s = *sh->best;
	u64 v = 0, less;

	memcpy(&v, (u8 *)&s + at, size);
	if (v == plain)
		return;
	memcpy((u8 *)&s + at, &plain, size);
	if (keep(sh, &s))
		return;
	while (v) {
		less = v & (v - 1);
		s = *sh->best;
		memcpy((u8 *)&s + at, &less, size);
		if (!keep(sh, &s))
			return;
		v = less;
	}
}

/* The registers, towards those that the world begins with. */
static void simplify_state(struct shrinker *sh)
{
	static const u8 sizes[] = { 8, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct scene plain = *sh->best;
	size_t at, i, segment, base = offsetof(struct scene, sregs);

	world_scene(&plain, plain.mode, sh->best->sregs.cs.dpl == 3 ? 3 : 0);
	for (i = 0; i < sizeof(plain.regs) / 8; i++)
		simplify(sh, offsetof(struct scene, regs) + 8 * i, 8, ((u64 *)&plain.regs)[i]);
	for (segment = 0; segment < 8; segment++) {
		at = base + segment * sizeof(struct minikvm_segment);
		for (i = 0; i < COUNT(sizes); at += sizes[i++]) {
			u64 v = 0;

			memcpy(&v, (u8 *)&plain + at, sizes[i]);
			simplify(sh, at, sizes[i], v);
		}
	}
	for (at = base + 8 * sizeof(struct minikvm_segment); at < base + sizeof(plain.sregs); at += 8)
		simplify(sh, at, 8, *(u64 *)((u8 *)&plain + at));
	at = offsetof(struct scene, events);
	for (i = 0; i < sizeof(plain.events) / 4; i++)
		simplify(sh, at + 4 * i, 4, ((u32 *)&plain.events)[i]);
}

static void simplify_values(struct shrinker *sh)
{
	int i;

	for (i = 0; i < sh->best->nops; i++)
		simplify(sh, offsetof(struct scene, ops[i].value), 8, 0);
	for (i = 0; i < sh->best->npokes; i++)
		simplify(sh, offsetof(struct scene, pokes[i].value), 8, 0);
	for (i = 0; i < sh->best->ncode; i++)
		simplify(sh, offsetof(struct scene, code[i]), 1, 0x90);
}

bool shrink(struct machine *m, struct scene *s, struct difference *d, struct trace *t, int attempts)
{
	struct shrinker sh = { .m = m, .best = s, .d = d, .t = t, .left = attempts };

	if (!differs(&sh, s, d))
		return false;
	strcpy(sh.group, d->field);
	strcpy(sh.name, d->name);
	drop_ops(&sh);
	drop_pokes(&sh);
	drop_code(&sh);
	simplify_state(&sh);
	simplify_values(&sh);
	drop_ops(&sh);
	differs(&sh, s, d);	/* the traces are those of the best */
	return true;
}
