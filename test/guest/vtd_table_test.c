/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables that the guest's VT-d driver writes, read back from the guest's memory by pt_trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../guest/vtd/table.h"
#include "../../iommu/pgtable/pgtable.h"

#define PAGES   64u /* for tables */
#define BASE    UINT64_C(0x40000000)
#define IOVA    UINT64_C(0x80000000)
#define MAPPED  2048u /* pages that are mapped and unmapped: 8 MiB */
#define TWO_MIB 512u

struct world {
    struct gvtd_port port;
    struct gvtd_memory memory;
    struct gvtd_table table;
    uint64_t guest[PAGES][GVTD_WORDS]; /* what the guest's memory has */
    uint64_t right[MAPPED];            /* gpa and rights; 0: nothing */
};

static int store(void *arg, uint64_t gpa, const void *from, size_t size)
{
    struct world *w = arg;

    assert_true(gpa >= BASE && gpa + size <= BASE + sizeof(w->guest));
    memcpy((char *)w->guest + (gpa - BASE), from, size);
    return 0;
}

static struct world *make(bool first, unsigned levels)
{
    struct world *w = calloc(1, sizeof(*w));

    w->port = (struct gvtd_port){.arg = w, .store = store};
    w->memory = (struct gvtd_memory){.port = &w->port,
                                     .base = BASE,
                                     .nr = PAGES,
                                     .page = calloc(PAGES, sizeof(*w->memory.page)),
                                     .idle = calloc(PAGES, sizeof(uint32_t)),
                                     .leaving = calloc(PAGES, sizeof(uint32_t))};
    w->table = (struct gvtd_table){
        .memory = &w->memory, .first = first, .levels = levels, .leaf_level = 1};
    assert_int_equal(gvtd_table_init(&w->table), 0);
    return w;
}

static void drop(struct world *w)
{
    free(w->memory.page);
    free(w->memory.idle);
    free(w->memory.leaving);
    free(w);
}

static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    const struct world *w = arg;
    const uint64_t at = (table.n << FRAME_LG2) + offset - BASE;

    (void)level;
    assert_true(at < sizeof(w->guest));
    return w->guest[at / GVTD_PAGE][at % GVTD_PAGE / sizeof(uint64_t)];
}

/* What hardware finds at a page: 0: nothing. */
static uint64_t look(struct world *w, uint64_t page)
{
    const struct pt_format *format = pt_format(w->table.first ? PT_FORMAT_X86 : PT_FORMAT_VTDSS);
    const struct pt_geometry geo = {.format = format,
                                    .levels = (uint8_t)w->table.levels,
                                    .iova_bits = w->table.levels == 3 ? 39 : 47,
                                    .leaf_sizes = format->leaf_sizes};
    const mfn_t root = {gvtd_address(&w->memory, w->table.root) >> FRAME_LG2};
    struct pt_leaf leaf;
    const int err = pt_trace(&geo, root, IOVA + page * FRAME_SIZE, read_entry, w, &leaf);

    assert_int_not_equal(err, -EINVAL);
    return err ? 0 : leaf.mfn.n << FRAME_LG2 | (leaf.attr & (PT_READ | PT_WRITE));
}

static void check(struct world *w)
{
    for (uint64_t i = 0; i < MAPPED; i++)
        assert_int_equal(look(w, i), w->right[i]);
}

static bool map(struct world *w, uint64_t page, uint64_t gpa, uint64_t nr, unsigned rights)
{
    const unsigned seen = rights == GVTD_WRITE && w->table.first ? 3 : rights;
    bool replaced;

    assert_int_equal(
        gvtd_map(&w->table, IOVA + page * FRAME_SIZE, gpa, nr * FRAME_SIZE, rights, &replaced), 0);
    for (uint64_t i = 0; i < nr; i++)
        w->right[page + i] = (gpa + i * FRAME_SIZE) | seen;
    return replaced;
}

static void unmap(struct world *w, uint64_t page, uint64_t nr)
{
    assert_int_equal(gvtd_unmap(&w->table, IOVA + page * FRAME_SIZE, nr * FRAME_SIZE), 0);
    memset(&w->right[page], 0, nr * sizeof(*w->right));
}

static void test_large_leaves(void **state)
{
    struct world *w = make(false, 3);
    const uint32_t before = w->memory.used;

    (void)state;
    assert_false(map(w, 0, 0x10000000, 2 * TWO_MIB, 3));
    assert_int_equal(w->memory.used, before + 1);
    check(w);
    unmap(w, 5, 1); /* cuts the first */
    check(w);
    unmap(w, 0, 5);
    unmap(w, 6, 2 * TWO_MIB - 6);
    check(w);
    assert_int_equal(w->memory.used, before + 2);
    drop(w);
}

/* A table gives way to a leaf, and is there again once that was flushed. */
static void test_replaced(void **state)
{
    struct world *w = make(true, 4);
    uint32_t used;

    (void)state;
    assert_false(map(w, 3, 0x5000, 1, 1));
    unmap(w, 3, 1);
    used = w->memory.used;
    assert_true(map(w, 0, 0x10000000, TWO_MIB, 3));
    assert_int_equal(w->memory.nr_leaving, 1);
    check(w);
    gvtd_left(&w->memory);
    map(w, TWO_MIB, 0x5000, 1, 3);
    assert_int_equal(w->memory.used, used);
    check(w);
    drop(w);
}

static void test_no_memory(void **state)
{
    struct world *w = make(false, 4);
    bool replaced;

    (void)state;
    w->memory.nr = w->memory.used + 1;
    assert_int_equal(gvtd_map(&w->table, IOVA, 0, FRAME_SIZE, 3, &replaced), -ENOMEM);
    drop(w);
}

static uint32_t any(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

/* Pages from here on that are all mapped, or all not. */
static uint64_t alike(const struct world *w, uint64_t page)
{
    uint64_t nr = 1;

    while (page + nr < MAPPED && !w->right[page + nr] == !w->right[page])
        nr++;
    return nr;
}

static void play(bool first, unsigned levels)
{
    struct world *w = make(first, levels);
    uint64_t seed = 7;

    for (unsigned i = 0; i < 300; i++) {
        uint64_t page = any(&seed, MAPPED), nr;

        if (any(&seed, 2))
            page &= ~(uint64_t)(TWO_MIB - 1);
        nr = alike(w, page);
        nr = any(&seed, 2) ? nr : 1 + any(&seed, (uint32_t)nr);
        if (w->right[page])
            unmap(w, page, nr);
        else
            map(w, page, (page + TWO_MIB * any(&seed, 9)) * FRAME_SIZE, nr, 1 + any(&seed, 3));
        gvtd_left(&w->memory);
        check(w);
    }
    drop(w);
}

static void test_any_order(void **state)
{
    (void)state;
    play(false, 3);
    play(false, 4);
    play(true, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_leaves),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
