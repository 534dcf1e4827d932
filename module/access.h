/* SPDX-License-Identifier: GPL-2.0 */
/* What an access is, as segments, page tables and EPT are asked about it. */
#ifndef MINIKVM_ACCESS_H
#define MINIKVM_ACCESS_H

enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_FETCH = 4, ACCESS_USER = 8 };

#endif
