/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Differences that the specification explains: docs/viommu-differences.md has them for readers.
 */
#ifndef TEST_DIFFERENTIAL_KNOWN_H
#define TEST_DIFFERENTIAL_KNOWN_H

#include "compare.h"

struct known {
    const char *name;
    const char *why; /* with its section */
    bool (*is)(const struct difference *d);
    bool ends; /* afterwards the units are in different states */
};
extern const struct known known[];
extern const unsigned nr_known;

/* NULL: nothing explains it. */
const struct known *known_find(const struct difference *d);

#endif
