/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes DMAR tables: start, structures, seal. */
#ifndef TEST_HW_VTD_DMAR_H
#define TEST_HW_VTD_DMAR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct table {
    uint8_t byte[16384];
    size_t size;
    size_t begun; /* offset of the structure that is being made */
};

static inline void put(struct table *t, uint64_t value, unsigned bytes)
{
    while (bytes--) {
        t->byte[t->size++] = (uint8_t)value;
        value >>= 8;
    }
}

static inline void begin(struct table *t, unsigned type)
{
    t->begun = t->size;
    put(t, type, 2);
    put(t, 0, 2);
}

static inline void end(struct table *t)
{
    t->byte[t->begun + 2] = (uint8_t)(t->size - t->begun);
    t->byte[t->begun + 3] = (uint8_t)((t->size - t->begun) >> 8);
}

static inline void unit(struct table *t, unsigned flags, unsigned segment, uint64_t base)
{
    begin(t, 0);
    put(t, flags, 1);
    put(t, 0, 1);
    put(t, segment, 2);
    put(t, base, 8);
}

static inline void rmrr_in(struct table *t, unsigned segment, uint64_t base, uint64_t limit)
{
    begin(t, 1);
    put(t, 0, 2);
    put(t, segment, 2);
    put(t, base, 8);
    put(t, limit, 8);
}

static inline void rmrr(struct table *t, uint64_t base, uint64_t limit)
{
    rmrr_in(t, 0, base, limit);
}

static inline void scope(struct table *t, unsigned type, unsigned id, unsigned bus, unsigned device,
                         unsigned function)
{
    put(t, type, 1);
    put(t, 8, 1);
    put(t, 0, 2);
    put(t, id, 1);
    put(t, bus, 1);
    put(t, device, 1);
    put(t, function, 1);
}

/* With a path of two hops. */
static inline void deep_scope(struct table *t, unsigned type, unsigned bus, unsigned bridge,
                              unsigned device)
{
    put(t, type, 1);
    put(t, 10, 1);
    put(t, 0, 3);
    put(t, bus, 1);
    put(t, bridge, 2);
    put(t, device, 2);
}

static inline void start(struct table *t)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->byte, "DMAR", 4);
    t->size = 48;
    t->byte[8] = 1;
    t->byte[36] = 38;
    t->byte[37] = 1;
}

static inline void seal(struct table *t)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < 4; i++)
        t->byte[4 + i] = (uint8_t)(t->size >> 8 * i);
    t->byte[9] = 0;
    for (size_t i = 0; i < t->size; i++)
        sum = (uint8_t)(sum + t->byte[i]);
    t->byte[9] = (uint8_t)-sum;
}

#endif
