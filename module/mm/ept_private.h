/* SPDX-License-Identifier: GPL-2.0 */
/* Pages that stand in for frames of one vCPU, and the tables that map them. */
#ifndef MINIKVM_EPT_PRIVATE_H
#define MINIKVM_EPT_PRIVATE_H

#include "ept_copy.h"
#include "mm.h"

struct private_page {
	gfn_t gfn;
	u8 *data;		/* one page, kept for the next time */
	u64 rights;		/* EPT_READ, EPT_WRITE, EPT_EXEC */
};

struct ept_private {
	struct ept_copy copy;
	struct private_page page[EPT_COPY_FRAMES];
	int n;			/* of them that stand in for something */
	u64 gen;		/* vm->ept_gen before the tables were copied; 0: never were */
};

void ept_private_free(struct ept_private *p);
void ept_private_clear(struct ept_private *p);
struct private_page *ept_private_find(struct ept_private *p, gfn_t gfn);
struct private_page *ept_private_add(struct ept_private *p, gfn_t gfn);
void ept_private_drop(struct ept_private *p);
int ept_private_build(struct vm *vm, struct ept_private *p);
bool ept_private_holds(const struct vm *vm, const struct ept_private *p);
u64 ept_private_eptp(const struct vm *vm, const struct ept_private *p);

#endif
