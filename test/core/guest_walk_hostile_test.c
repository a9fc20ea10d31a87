/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks of guests' own tables: runs, holes as large as what is not there, and hostile contents. */
#include "../../iommu/core/guest_walk.h"
#include "guest_table.h"

#define ROOT  0x10u
#define DATA  0x100u
#define MEM   0x200u
#define BASE  0x1000u
#define WORDS (FRAME_SIZE / 8)

static struct hw_first_stage table_of(enum pt_format_id id, uint8_t levels, uint8_t bits)
{
    const struct pt_format *format = pt_format(id);

    return (struct hw_first_stage){.root = (uint64_t)ROOT << FRAME_LG2,
                                   .geo = {.format = format,
                                           .levels = levels,
                                           .iova_bits = bits,
                                           .leaf_sizes = format->leaf_sizes}};
}

static struct hw_first_stage x86_4(void)
{
    return table_of(PT_FORMAT_X86, 4, 47);
}

/* One walk, by a walker that has seen nothing yet. */
static struct guest_run walk(struct host *h, const struct hw_first_stage *table, uint64_t dfn,
                             uint64_t max)
{
    struct guest_walk w = guest_walk_of(table, &domain_of(h->d)->memory);
    struct guest_run run;

    guest_walk(&w, dfn_of(dfn), max, &run);
    assert_int_equal(run.dfn.n, dfn);
    assert_in_range(run.nr, 1, max);
    return run;
}

static void assert_run(struct guest_run run, uint64_t gfn, uint64_t nr, unsigned rights)
{
    assert_int_equal(run.rights, rights);
    assert_int_equal(run.nr, nr);
    if (rights)
        assert_int_equal(run.gfn.n, gfn);
}

static void assert_hole(struct host *h, const struct hw_first_stage *table, uint64_t dfn,
                        uint64_t nr)
{
    assert_run(walk(h, table, dfn, UINT64_MAX - dfn), 0, nr, 0);
}

static int with_tables(void **state)
{
    struct host *h = host_create(&(struct setup){0});

    add_memory(h, 0, BASE, MEM);
    make_tables(h, ROOT);
    *state = h;
    return 0;
}

static void leaves_of_every_size(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct host *h = *state;

    guest_write(h, ROOT + 3, 5, x86_page(DATA, true));
    guest_write(h, ROOT + 3, 6, x86_page(DATA + 8, false));
    guest_write(h, ROOT + 2, 3, x86_large(0x200));
    guest_write(h, ROOT + 1, 2, x86_large(0x40000));
    assert_run(walk(h, &t, 5, 100), DATA, 1, RW);
    assert_run(walk(h, &t, 6, 1), DATA + 8, 1, PT_READ);
    assert_run(walk(h, &t, 0x600, UINT64_MAX), 0x200, 0x200, RW);
    assert_run(walk(h, &t, 0x6ff, UINT64_MAX), 0x2ff, 0x101, RW);
    assert_run(walk(h, &t, 0x6ff, 3), 0x2ff, 3, RW);
    assert_run(walk(h, &t, 0x80001, UINT64_MAX), 0x40001, 0x3ffff, RW);
}

/* What is not in memory is found by who looks for it: a walk does not. */
static void a_page_may_lead_anywhere(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct host *h = *state;

    guest_write(h, ROOT + 3, 5, x86_page(BIT64(40) - 1, true));
    assert_run(walk(h, &t, 5, 100), BIT64(40) - 1, 1, RW);
}

static void holes_are_as_large_as_their_entry(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct host *h = *state;

    guest_write(h, ROOT + 3, 8, x86_page(DATA, true));
    assert_hole(h, &t, 7, 1);
    assert_hole(h, &t, 0x200, 0x200);
    assert_hole(h, &t, 0x2ff, 0x101);
    assert_hole(h, &t, 0x40000, 0x40000);
    assert_hole(h, &t, 0x40001, 0x3ffff);
    assert_hole(h, &t, BIT64(27), BIT64(27));
    assert_hole(h, &t, BIT64(27) + 5, BIT64(27) - 5);
    assert_run(walk(h, &t, BIT64(27), 77), 0, 77, 0);
}

/* As large as what the table would have mapped. */
static void tables_outside_memory_are_holes(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct hw_first_stage nowhere = t;
    struct host *h = *state;

    guest_write(h, ROOT + 2, 1, x86_table(MEM));
    guest_write(h, ROOT + 1, 1, x86_table(BIT64(40) - 1));
    guest_write(h, ROOT, 1, x86_table(MEM + 1));
    assert_hole(h, &t, 0x201, 0x1ff);
    assert_hole(h, &t, 0x40002, 0x3fffe);
    assert_hole(h, &t, BIT64(27) + 3, BIT64(27) - 3);
    nowhere.root = (BIT64(40) - 1) << FRAME_LG2;
    assert_hole(h, &nowhere, 9, BIT64(36) - 9);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(MEM), mfn_of(0x3000), 1, SLUICE_FRAME_PRIVATE),
                     0);
    assert_hole(h, &t, 0x201, 0x1ff); /* in memory now, but not for devices */
}

/* One that was outside does not make the next a hole. */
static void a_walker_gets_over_a_table_outside(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct host *h = *state;
    struct guest_walk w = guest_walk_of(&t, &domain_of(h->d)->memory);
    struct guest_run run;

    guest_write(h, ROOT + 2, 1, x86_table(MEM));
    guest_write(h, ROOT + 3, 511, x86_page(DATA, true));
    guest_write(h, ROOT + 2, 2, x86_table(ROOT + 4));
    guest_write(h, ROOT + 4, 0, x86_page(DATA + 1, true));
    guest_walk(&w, dfn_of(511), 1000, &run);
    assert_run(run, DATA, 1, RW);
    guest_walk(&w, dfn_of(512), 1000, &run);
    assert_run(run, 0, 512, 0);
    guest_walk(&w, dfn_of(1024), 1, &run);
    assert_run(run, DATA + 1, 1, RW);
}

static void reserved_bits_are_holes(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct host *h = *state;

    guest_write(h, ROOT + 3, 7, x86_page(DATA, true));
    guest_write(h, ROOT + 3, 6, x86_page(DATA, true) | X86_PT_IGN); /* these are not */
    guest_write(h, ROOT + 2, 3, x86_large(0x202));                  /* 2M that is not aligned */
    guest_write(h, ROOT + 1, 2, x86_large(0x200));                  /* so is 1G */
    guest_write(h, ROOT, 1, x86_large(0));                          /* 512G there are not */
    assert_run(walk(h, &t, 6, 1), DATA, 1, RW);
    assert_hole(h, &t, 0x601, 0x1ff);
    assert_hole(h, &t, 0x80001, 0x3ffff);
    assert_hole(h, &t, BIT64(27) + 1, BIT64(27) - 1);
}

static void rights_are_those_of_all_levels(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct host *h = *state;

    guest_write(h, ROOT + 2, 1, x86_table(ROOT + 4) & ~X86_PT_RW);
    guest_write(h, ROOT + 4, 3, x86_page(DATA, true));
    assert_run(walk(h, &t, 0x203, 1), DATA, 1, PT_READ);
}

static void five_levels(void **state)
{
    const struct hw_first_stage t = table_of(PT_FORMAT_X86, 5, 56);
    struct host *h = *state;

    guest_write(h, ROOT + 3, 0, x86_table(ROOT + 4));
    guest_write(h, ROOT + 4, 5, x86_page(DATA, true));
    assert_run(walk(h, &t, 5, 1), DATA, 1, RW);
    assert_hole(h, &t, BIT64(36) + 5, BIT64(36) - 5);
    assert_hole(h, &t, BIT64(27) + 5, BIT64(27) - 5);
}

static uint64_t lpae(uint64_t gfn, uint64_t bits)
{
    return gfn << FRAME_LG2 | LPAE_VALID | bits;
}

static void arm_stage_1(void **state)
{
    const struct hw_first_stage t = table_of(PT_FORMAT_LPAE1, 4, 48);
    struct host *h = *state;

    for (unsigned i = 0; i < 3; i++)
        guest_write(h, ROOT + i, 0, lpae(ROOT + i + 1, LPAE_TABLE));
    guest_write(h, ROOT + 3, 1, lpae(DATA, LPAE_TABLE | LPAE_AF));
    guest_write(h, ROOT + 3, 2, lpae(DATA + 9, LPAE_TABLE | LPAE_AF | LPAE1_AP_RO));
    guest_write(h, ROOT + 3, 3, lpae(DATA, LPAE_TABLE)); /* without the access flag */
    guest_write(h, ROOT + 3, 4, lpae(DATA, LPAE_AF));    /* a block, which 4K cannot be */
    guest_write(h, ROOT + 3, 5, lpae(DATA, LPAE_TABLE | LPAE_AF | LPAE_HIGH));
    guest_write(h, ROOT + 3, 6, lpae(DATA, LPAE_TABLE | LPAE_AF));
    guest_write(h, ROOT + 2, 1, lpae(0x400, LPAE_AF));
    guest_write(h, ROOT + 2, 2, lpae(ROOT + 3, LPAE_TABLE | LPAE1_APTABLE_RO));
    assert_run(walk(h, &t, 1, 9), DATA, 1, RW);
    assert_run(walk(h, &t, 2, 9), DATA + 9, 1, PT_READ);
    for (unsigned i = 3; i < 6; i++)
        assert_run(walk(h, &t, i, 1), 0, 1, 0);
    assert_run(walk(h, &t, 6, 1), DATA, 1, RW);
    assert_run(walk(h, &t, 0x205, UINT64_MAX), 0x405, 0x1fb, RW);
    assert_run(walk(h, &t, 0x401, 1), DATA, 1, PT_READ);
}

static void nothing_is_beyond_the_width(void **state)
{
    const struct hw_first_stage wide = x86_4(), narrow = table_of(PT_FORMAT_X86, 4, 39);
    struct host *h = *state;

    guest_write(h, ROOT, 256, x86_table(ROOT + 1)); /* bit 47 of an address */
    guest_write(h, ROOT, 1, x86_table(ROOT + 1));   /* bit 39 */
    guest_write(h, ROOT + 3, 0, x86_page(DATA, true));
    assert_run(walk(h, &wide, 0, 1), DATA, 1, RW);
    assert_run(walk(h, &wide, BIT64(27), 1), DATA, 1, RW);
    assert_run(walk(h, &wide, BIT64(35), 1000), 0, 1000, 0);
    assert_run(walk(h, &narrow, 0, 1), DATA, 1, RW);
    assert_run(walk(h, &narrow, BIT64(27), 1000), 0, 1000, 0);
    assert_run(walk(h, &narrow, BIT64(52) - 1, 1), 0, 1, 0);
}

/* ---- Memory that is another at each look -------------------------------------------------------
 */

struct looks {
    uint8_t nr[8][WORDS]; /* of each word of frames ROOT.. */
    uint64_t other;       /* what a lowest entry turns into, and back */
};

static void look(struct host *h, mfn_t frame, unsigned offset, size_t size)
{
    const uint64_t table = frame.n - BASE - ROOT;
    struct looks *l = h->arg;
    uint64_t entry;

    assert_in_range(table, 0, 7);
    assert_int_equal(offset % 8, 0);
    assert_int_equal(size % 8, 0);
    for (unsigned i = offset / 8; i < (offset + size) / 8; i++) {
        l->nr[table][i]++;
        for (unsigned k = 0; table == 3 && l->other && k < h->nr_content; k++) {
            if (h->content[k].frame.n != frame.n)
                continue;
            memcpy(&entry, h->content[k].bytes + (size_t)8 * i, 8);
            entry ^= l->other;
            memcpy(h->content[k].bytes + (size_t)8 * i, &entry, 8);
        }
    }
}

/* From end to end with one walker; how many frames had rights. */
static uint64_t walk_all(struct host *h, const struct hw_first_stage *t, uint64_t last)
{
    struct guest_walk w = guest_walk_of(t, &domain_of(h->d)->memory);
    struct guest_run run;
    uint64_t mapped = 0;

    for (uint64_t dfn = 0; dfn <= last; dfn += run.nr) {
        guest_walk(&w, dfn_of(dfn), last - dfn + 1, &run);
        mapped += run.rights ? run.nr : 0;
    }
    return mapped;
}

static void each_word_is_read_once(void **state)
{
    const struct hw_first_stage t = x86_4();
    struct looks looks = {.other = 0};
    struct host *h = *state;

    for (unsigned i = 0; i < 512; i++)
        guest_write(h, ROOT + 3, i, i % 7 ? x86_page(DATA + i % 50, i % 3) : 0);
    h->arg = &looks;
    h->on_read = look;
    assert_int_equal(walk_all(h, &t, 600), 512 - 74);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < WORDS; k++)
            assert_in_range(looks.nr[i][k], i == 3, i == 3 || k < 2);
    assert_int_equal(looks.nr[2][0], 1);
    assert_int_equal(looks.nr[2][1], 1);
    assert_int_equal(looks.nr[0][0], 1);
}

/* A leaf is one of the two values: never the frame of one with the rights of the other. */
static void a_word_that_flips_is_one_of_its_values(void **state)
{
    const uint64_t one = x86_page(DATA, true), two = x86_page(DATA + 1, false);
    const struct hw_first_stage t = x86_4();
    struct looks looks = {.other = one ^ two};
    struct host *h = *state;
    struct guest_run run;
    unsigned attr;
    uint16_t no;

    for (unsigned i = 0; i < 512; i++)
        guest_write(h, ROOT + 3, i, one);
    h->arg = &looks;
    h->on_read = look;
    for (unsigned i = 0; i < 40; i++) {
        run = walk(h, &t, 3 + i % 2, 1);
        assert_int_equal(run.rights, run.gfn.n == DATA ? RW : PT_READ);
        assert_in_range(run.gfn.n, DATA, DATA + 1);
    }
    no = new_nested(h, ROOT);
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned dfn = 0; dfn < 512; dfn++) {
            const uint64_t mfn = goes_to(h, no, dfn, &attr);

            assert_in_range(mfn, BASE + DATA, BASE + DATA + 1);
            assert_int_equal(attr, mfn == BASE + DATA ? RW : PT_READ);
        }
        assert_int_equal(flush_nested(h, no, i, 512 - 2 * i), 0);
    }
}

/* Now it is a table, now it is none. */
static void an_entry_that_flips_between_levels(void **state)
{
    const uint64_t table = x86_table(ROOT + 4), leaf = x86_large(0x400);
    struct looks looks = {.other = table ^ leaf};
    struct host *h = *state;
    uint64_t mfn;
    uint16_t no;

    /* The flipping table is that in frame ROOT + 3: here, one of tables. */
    add_memory(h, 0x400, BASE + 0x400, 0x200);
    guest_write(h, ROOT, 0, x86_table(ROOT + 2));
    guest_write(h, ROOT + 2, 0, x86_table(ROOT + 3));
    guest_write(h, ROOT + 3, 1, table);
    for (unsigned i = 0; i < 512; i++) {
        guest_write(h, ROOT + 4, i, x86_page(DATA, true));
        if (i != 1)
            guest_write(h, ROOT + 3, i, 0);
    }
    h->arg = &looks;
    h->on_read = look;
    no = new_nested(h, ROOT);
    for (unsigned i = 0; i < 20; i++) {
        mfn = goes_to(h, no, 0x210, NULL);
        assert_true(mfn == BASE + DATA || mfn == BASE + 0x410);
        assert_int_equal(flush_nested(h, no, 0x210, 1 + i % 2), 0);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, with_tables, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(leaves_of_every_size),
        T(a_page_may_lead_anywhere),
        T(holes_are_as_large_as_their_entry),
        T(tables_outside_memory_are_holes),
        T(a_walker_gets_over_a_table_outside),
        T(reserved_bits_are_holes),
        T(rights_are_those_of_all_levels),
        T(five_levels),
        T(arm_stage_1),
        T(nothing_is_beyond_the_width),
        T(each_word_is_read_once),
        T(a_word_that_flips_is_one_of_its_values),
        T(an_entry_that_flips_between_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
