/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's second stage: an identity context that no call can name and no device is in. Contexts
 * that hardware nests are on it. Made when the first of them is, and kept until the domain ends.
 */
#ifndef SLUICE_CORE_STAGE2_H
#define SLUICE_CORE_STAGE2_H

#include "domain.h"

/*
 * 0 and *out. -ERESTART: it is being filled: again; -ENOMEM, -ENOSPC: what is there of it stays for
 * the next who asks.
 */
int stage2_get(struct domain_locked l, struct context **out);

#endif
