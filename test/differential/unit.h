/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One VT-d with memory and two devices behind it, as a program sees it: QEMU's, or ours.
 */
#ifndef TEST_DIFFERENTIAL_UNIT_H
#define TEST_DIFFERENTIAL_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../iommu/spec/vtd.h"

/* An interrupt that arrived. */
struct unit_interrupt {
    uint32_t destination;
    uint8_t vector;
    bool logical, level;
};

struct unit;

struct unit_ops {
    uint64_t (*read)(struct unit *u, unsigned offset, unsigned size);
    void (*write)(struct unit *u, unsigned offset, unsigned size, uint64_t value);
    void (*load)(struct unit *u, uint64_t addr, void *to, size_t size);
    void (*store)(struct unit *u, uint64_t addr, const void *from, size_t size);
    /* A read that was blocked, or went to what is no memory, gives zeros. */
    void (*dma)(struct unit *u, uint16_t sid, uint64_t addr, void *data, size_t size, bool write);
    /* Returns how many arrived: 0 or 1. */
    unsigned (*msi)(struct unit *u, uint16_t sid, uint64_t addr, uint32_t data,
                    struct unit_interrupt *out);
    /* NULL: it works; otherwise why not. */
    const char *(*gone)(struct unit *u);
    void (*close)(struct unit *u);
};

struct unit {
    const struct unit_ops *ops;
    const char *name;
    bool scalable;
    unsigned iotlb, fault; /* offsets of registers that CAP and ECAP place */
    unsigned nr_faults;
};

static inline uint64_t unit_read(struct unit *u, unsigned offset, unsigned size)
{
    return u->ops->read(u, offset, size);
}

static inline void unit_write(struct unit *u, unsigned offset, unsigned size, uint64_t value)
{
    u->ops->write(u, offset, size, value);
}

static inline uint64_t unit_load(struct unit *u, uint64_t addr)
{
    uint64_t word;

    u->ops->load(u, addr, &word, sizeof(word));
    return word;
}

static inline void unit_store(struct unit *u, uint64_t addr, uint64_t word)
{
    u->ops->store(u, addr, &word, sizeof(word));
}

/* Reads CAP and ECAP. */
void unit_learn(struct unit *u);

enum unit_kind {
    UNIT_QEMU,
    UNIT_OURS,     /* its devices are emulated */
    UNIT_ASSIGNED, /* its devices are a machine's, behind contexts that mirror the tables */
};
/* NULL: *why has the words; *missing: QEMU is not installed. */
struct unit *unit_open(enum unit_kind kind, bool scalable, const char **why, bool *missing);

#endif
