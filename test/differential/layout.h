/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things are in the memory of a program: below 2 MiB nothing is touched, since QEMU has its
 * own there.
 */
#ifndef TEST_DIFFERENTIAL_LAYOUT_H
#define TEST_DIFFERENTIAL_LAYOUT_H

#include <stdint.h>

#define WORLD_RAM   0x1000000u /* bytes; nothing lies behind */
#define WORLD_PAGE  0x1000u
#define WORLD_SIDS  2u
#define WORLD_SID_A 0x28u /* 00:05.0 */
#define WORLD_SID_B 0x30u

/* Pages of tables, then two blocks of data, each in a 2 MiB block of its own. */
#define TABLES      0x200000u
#define NR_TABLES   64u
#define DATA_LOW    0x300000u
#define DATA_HIGH   0x400000u
#define NR_DATA     16u /* pages in each */
#define WORLD_PAGES (NR_TABLES + 2 * NR_DATA)

#define NO_MEMORY 0x1000000000u /* here there is nothing at all */

/* What page of the tables is for what. */
enum {
    PAGE_NOTHING, /* zero: a root table that names nobody */
    PAGE_ROOT,
    PAGE_QUEUE,
    PAGE_REMAP,
    PAGE_STATUS,
    PAGE_CONTEXT,
    PAGE_CONTEXT_HIGH,
    PAGE_PASID_DIR,
    PAGE_PASID,
    PAGE_TREES, /* this and all behind it */
};

static inline uint64_t table_page(unsigned page)
{
    return TABLES + (uint64_t)page * WORLD_PAGE;
}

/* The index-th page that somebody may look at: tables, then data. */
static inline uint64_t world_page(unsigned index)
{
    if (index < NR_TABLES)
        return table_page(index);
    index -= NR_TABLES;
    if (index < NR_DATA)
        return DATA_LOW + (uint64_t)index * WORLD_PAGE;
    return DATA_HIGH + (uint64_t)(index - NR_DATA) * WORLD_PAGE;
}

/* What a data page has at its start of a program: no two words are alike. */
static inline uint64_t world_word(uint64_t addr)
{
    return 0xda7a000000000001u | addr << 8;
}

#endif
