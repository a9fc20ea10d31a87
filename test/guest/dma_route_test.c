/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision table: each row by itself, and all inputs against the table as data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/lib/dma_route.h"

static void expect(struct dma_facts facts, enum dma_route route)
{
    const char *why = "left";

    assert_int_equal(dma_route(&facts, &why), route);
    assert_null(why);
}

static void expect_none(struct dma_facts facts, const char *words)
{
    const char *why = NULL;

    assert_int_equal(dma_route(&facts, &why), DMA_ROUTE_NONE);
    assert_non_null(why);
    assert_non_null(strstr(why, words));
}

static void a_protected_device_uses_its_context(void **state)
{
    (void)state;
    expect((struct dma_facts){.protected = true, .reachable = true}, DMA_ROUTE_MAP);
    expect((struct dma_facts){.protected = true, .reachable = true, .standing = true},
           DMA_ROUTE_STANDING);
}

static void of_direct_mapped_memory_the_address_is_right_as_it_is(void **state)
{
    (void)state;
    expect((struct dma_facts){.direct_mapped = true, .reachable = true}, DMA_ROUTE_AS_IS);
}

static void a_foreign_page_is_looked_up(void **state)
{
    (void)state;
    expect((struct dma_facts){.direct_mapped = true, .reachable = true, .foreign = true},
           DMA_ROUTE_LOOKUP);
}

static void nothing_translates_and_nothing_is_direct(void **state)
{
    (void)state;
    expect((struct dma_facts){.reachable = true, .bounce = true}, DMA_ROUTE_BOUNCE);
    expect((struct dma_facts){.reachable = true, .foreign = true, .bounce = true},
           DMA_ROUTE_BOUNCE);
    expect_none((struct dma_facts){.reachable = true}, "not direct-mapped");
}

static void a_device_that_cannot_reach_the_page_bounces(void **state)
{
    (void)state;
    expect((struct dma_facts){.protected = true, .bounce = true}, DMA_ROUTE_BOUNCE);
    expect((struct dma_facts){.direct_mapped = true, .bounce = true}, DMA_ROUTE_BOUNCE);
    expect_none((struct dma_facts){.protected = true}, "beyond the device's reach");
    expect_none((struct dma_facts){.direct_mapped = true}, "beyond the device's reach");
}

/* Columns: protected, direct-mapped, foreign, reachable, standing, bounce. '-': either. */
static const struct row {
    const char *facts;
    enum dma_route route;
} table[] = {
    {"y--yn-", DMA_ROUTE_MAP},    {"y--yy-", DMA_ROUTE_STANDING}, {"nyny--", DMA_ROUTE_AS_IS},
    {"nyyy--", DMA_ROUTE_LOOKUP}, {"nn---y", DMA_ROUTE_BOUNCE},   {"nn---n", DMA_ROUTE_NONE},
    {"y--n-y", DMA_ROUTE_BOUNCE}, {"ny-n-y", DMA_ROUTE_BOUNCE},   {"y--n-n", DMA_ROUTE_NONE},
    {"ny-n-n", DMA_ROUTE_NONE},
};

#define COLUMNS 6u

static bool matches(const struct row *row, unsigned input)
{
    for (unsigned i = 0; i < COLUMNS; i++)
        if (row->facts[i] == (input >> i & 1 ? 'n' : 'y'))
            return false;
    return true;
}

static const struct row *row_of(unsigned input)
{
    const struct row *found = NULL;

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!matches(&table[i], input))
            continue;
        assert_null(found);
        found = &table[i];
    }
    assert_non_null(found);
    return found;
}

static void all_inputs_are_as_the_table_says(void **state)
{
    (void)state;
    for (unsigned input = 0; input < 1u << COLUMNS; input++) {
        const struct dma_facts facts = {.protected = input & 1,
                                        .direct_mapped = input & 2,
                                        .foreign = input & 4,
                                        .reachable = input & 8,
                                        .standing = input & 16,
                                        .bounce = input & 32};
        const struct row *row = row_of(input);
        const char *why;

        assert_int_equal(dma_route(&facts, &why), row->route);
        assert_int_equal(why != NULL, row->route == DMA_ROUTE_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protected_device_uses_its_context),
        cmocka_unit_test(of_direct_mapped_memory_the_address_is_right_as_it_is),
        cmocka_unit_test(a_foreign_page_is_looked_up),
        cmocka_unit_test(nothing_translates_and_nothing_is_direct),
        cmocka_unit_test(a_device_that_cannot_reach_the_page_bounces),
        cmocka_unit_test(all_inputs_are_as_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
