/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's container against an array of booleans: pages come and go at both ends and between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pages.h"

#define DFNS 512u

static uint32_t seed = 1;

static unsigned below(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

static void compare(const struct pages *p, const bool *there)
{
    size_t n = 0;

    for (unsigned i = 0; i < DFNS; i++) {
        const struct page *page = pages_at(p, i);

        assert_int_equal(page != NULL, there[i]);
        if (page)
            assert_int_equal(page->gfn, i + 7);
        n += there[i];
    }
    assert_int_equal(p->nr, n);
}

static void insert(struct pages *p, bool *there, unsigned first, unsigned nr)
{
    struct page new[16];

    for (unsigned i = 0; i < nr; i++) {
        if (first + i >= DFNS || there[first + i])
            return;
        new[i] = (struct page){.dfn = first + i, .gfn = first + i + 7};
    }
    pages_insert(p, new, nr);
    memset(there + first, true, nr);
}

static void take(struct pages *p, bool *there, unsigned first, unsigned nr)
{
    if (first + nr > DFNS)
        nr = DFNS - first;
    pages_remove(p, first, first + nr - 1);
    memset(there + first, false, nr);
}

static void test_random(void **state)
{
    bool there[DFNS] = {false};
    struct pages p = {0};

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        if (below(2))
            insert(&p, there, below(DFNS), 1 + below(16));
        else
            take(&p, there, below(DFNS), 1 + below(16));
        if (i % 16 == 0)
            compare(&p, there);
    }
    pages_free(&p);
}

/* A window that moves on: what is first goes, what is last comes. */
static void test_window(void **state)
{
    bool there[DFNS] = {false};
    struct pages p = {0};

    (void)state;
    for (unsigned turn = 0; turn < 20; turn++)
        for (unsigned i = 0; i < DFNS; i++) {
            if (there[i])
                take(&p, there, i, 1);
            insert(&p, there, (i + 100) % DFNS, 1);
            if (i % 32 == 0)
                compare(&p, there);
        }
    assert_true(p.room + p.before < 4096);
    pages_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
