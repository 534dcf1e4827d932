/* SPDX-License-Identifier: GPL-2.0 */
/* Nothing: no thread here enters a guest. */
