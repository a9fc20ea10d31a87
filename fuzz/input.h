/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of an input, taken one after the other; zeros when they are used up. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t take_byte(struct input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->at++;
}

static inline uint64_t take_number(struct input *in, unsigned bytes)
{
    uint64_t n = 0;

    while (bytes--)
        n = n << 8 | take_byte(in);
    return n;
}

/* Most often a small number, sometimes one at an edge, sometimes anything. */
static inline uint64_t take_hostile(struct input *in, uint64_t small)
{
    static const uint64_t edge[] = {0,          1,
                                    0x1ff,      0x200,
                                    0xfedff,    0xfee00,
                                    0xfeeff,    0xfef00,
                                    1ull << 27, (1ull << 36) - 1,
                                    1ull << 36, 1ull << 40,
                                    1ull << 52, 1ull << 63,
                                    UINT64_MAX, UINT64_MAX - 511};
    const uint8_t kind = take_byte(in);

    if (kind < 208)
        return take_number(in, 2) % small;
    if (kind < 240)
        return edge[kind % 16] - (take_byte(in) & 1);
    return take_number(in, 8);
}

#endif
