/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include "../../iommu/spec/vtd_pt.h"
#include "../../iommu/spec/x86_pt.h"

#define ENTRIES 512u
/* The same in second-stage entries (sections 9.7 and 9.8). */
#define ADDRESS X86_PT_ADDR
#define PS      X86_PT_PS /* a leaf above the lowest tables */

_Static_assert(GVTD_READ == VTD_SS_R && GVTD_WRITE == VTD_SS_W, "rights are copied as they are");

static unsigned shift_of(unsigned level)
{
    return 12 + 9 * level;
}

static uint64_t span_of(unsigned level)
{
    return UINT64_C(1) << shift_of(level);
}

static unsigned index_of(uint64_t iova, unsigned level)
{
    return (unsigned)(iova >> shift_of(level)) % ENTRIES;
}

static uint64_t bits_of(const struct gvtd_table *t, unsigned rights)
{
    if (!t->first)
        return rights;
    return X86_PT_P | X86_PT_US | X86_PT_A |
           (rights & GVTD_WRITE ? X86_PT_RW | X86_PT_D : UINT64_C(0));
}

static uint64_t leaf_of(const struct gvtd_table *t, uint64_t gpa, unsigned level, unsigned rights)
{
    return gpa | bits_of(t, rights) | (level ? PS : 0);
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return entry && (!level || (entry & PS));
}

int gvtd_table_init(struct gvtd_table *t)
{
    return gvtd_page(t->memory, &t->root);
}

/* ---- Tables ------------------------------------------------------------------------------------
 */

/* Without recursion: there are at most two levels of tables below a larger leaf. */
static void leave_tables(struct gvtd_table *t, uint32_t page, unsigned level)
{
    for (unsigned i = 0; level > 1 && i < ENTRIES; i++) {
        const uint64_t e = t->memory->page[page][i];

        if (e && !is_leaf(e, level - 1))
            gvtd_leave(t->memory, gvtd_page_at(t->memory, e & ADDRESS));
    }
    gvtd_leave(t->memory, page);
}

static int link_table(struct gvtd_table *t, uint32_t page, unsigned index, uint32_t *below)
{
    const int err = gvtd_page(t->memory, below);
    const uint64_t e =
        err ? 0 : gvtd_address(t->memory, *below) | bits_of(t, GVTD_READ | GVTD_WRITE);

    return err ? err : gvtd_set(t->memory, page, index, &e, 1);
}

/* A leaf becomes a table with the same in smaller leaves. */
static int split(struct gvtd_table *t, uint32_t page, unsigned index, unsigned level)
{
    const uint64_t leaf = t->memory->page[page][index];
    uint64_t e[ENTRIES];
    uint32_t below;
    int err = gvtd_page(t->memory, &below);

    if (err)
        return err;
    for (unsigned i = 0; i < ENTRIES; i++)
        e[i] = ((leaf & ~PS) | (level > 1 ? PS : 0)) + i * span_of(level - 1);
    err = gvtd_set(t->memory, below, 0, e, ENTRIES);
    e[0] = gvtd_address(t->memory, below) | bits_of(t, GVTD_READ | GVTD_WRITE);
    return err ? err : gvtd_set(t->memory, page, index, e, 1);
}

/* The table of that level on the way to iova: what is not there is made, leaves are split. */
static int go_down(struct gvtd_table *t, uint64_t iova, unsigned level, uint32_t *page)
{
    int err = 0;

    *page = t->root;
    for (unsigned at = t->levels - 1; at > level && !err; at--) {
        const unsigned i = index_of(iova, at);
        const uint64_t e = t->memory->page[*page][i];

        if (!e) {
            err = link_table(t, *page, i, page);
            continue;
        }
        if (is_leaf(e, at))
            err = split(t, *page, i, at);
        *page = gvtd_page_at(t->memory, t->memory->page[*page][i] & ADDRESS);
    }
    return err;
}

/* ---- Mapping -----------------------------------------------------------------------------------
 */

static unsigned level_for(const struct gvtd_table *t, uint64_t iova, uint64_t gpa, uint64_t size)
{
    unsigned level = t->leaf_level;

    while (level && (((iova | gpa) & (span_of(level) - 1)) || size < span_of(level)))
        level--;
    return level;
}

/* Leaves of one level in one table: how many bytes of them. */
static uint64_t run_of(uint64_t iova, uint64_t size, unsigned level)
{
    const uint64_t room = (ENTRIES - index_of(iova, level)) * span_of(level);
    const uint64_t whole = size & ~(span_of(level) - 1);

    return whole < room ? whole : room;
}

static void replace(struct gvtd_table *t, uint32_t page, unsigned index, unsigned level,
                    bool *replaced)
{
    const uint64_t e = t->memory->page[page][index];

    if (!e)
        return;
    leave_tables(t, gvtd_page_at(t->memory, e & ADDRESS), level);
    *replaced = true;
}

static int map_run(struct gvtd_table *t, uint64_t iova, uint64_t gpa, uint64_t size, unsigned level,
                   unsigned rights, bool *replaced)
{
    const unsigned first = index_of(iova, level), nr = (unsigned)(size >> shift_of(level));
    uint64_t e[ENTRIES];
    uint32_t page;
    const int err = go_down(t, iova, level, &page);

    if (err)
        return err;
    for (unsigned i = 0; i < nr; i++) {
        replace(t, page, first + i, level, replaced);
        e[i] = leaf_of(t, gpa + i * span_of(level), level, rights);
    }
    return gvtd_set(t->memory, page, first, e, nr);
}

int gvtd_map(struct gvtd_table *t, uint64_t iova, uint64_t gpa, uint64_t size, unsigned rights,
             bool *replaced)
{
    int err = 0;

    *replaced = false;
    while (size && !err) {
        const unsigned level = level_for(t, iova, gpa, size);
        const uint64_t run = run_of(iova, size, level);

        err = map_run(t, iova, gpa, run, level, rights, replaced);
        iova += run;
        gpa += run;
        size -= run;
    }
    return err;
}

/* The level of the leaf at iova, or below it where that is cut. */
static unsigned leaf_level(const struct gvtd_table *t, uint64_t iova, uint64_t size)
{
    uint32_t page = t->root;
    unsigned level = t->levels - 1;

    for (; level; level--) {
        const uint64_t e = t->memory->page[page][index_of(iova, level)];

        if (is_leaf(e, level))
            break;
        if (!e)
            return 0;
        page = gvtd_page_at(t->memory, e & ADDRESS);
    }
    while (level && (iova % span_of(level) || size < span_of(level)))
        level--;
    return level;
}

int gvtd_unmap(struct gvtd_table *t, uint64_t iova, uint64_t size)
{
    static const uint64_t empty[ENTRIES];
    uint32_t page;
    int err = 0;

    while (size && !err) {
        const unsigned level = leaf_level(t, iova, size);
        const uint64_t run = level ? span_of(level) : run_of(iova, size, 0);

        err = go_down(t, iova, level, &page);
        if (!err)
            err = gvtd_set(t->memory, page, index_of(iova, level), empty,
                           (unsigned)(run >> shift_of(level)));
        iova += run;
        size -= run;
    }
    return err;
}
