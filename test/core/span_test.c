/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans: overlapping work is turned away, whoever comes from wherever. */
#include "../../iommu/core/trim.h"
#include "fixture.h"

static bool enters(struct span **list, struct span *s, uint64_t first, uint64_t last)
{
    *s = (struct span){.first = dfn_of(first), .last = dfn_of(last)};
    return span_enter(list, s);
}

static void overlaps_are_turned_away_and_neighbours_are_not(void **state)
{
    struct span *list = NULL, a, b;

    (void)state;
    assert_true(enters(&list, &a, 10, 19));
    assert_false(enters(&list, &b, 19, 30));
    assert_false(enters(&list, &b, 0, 10));
    assert_false(enters(&list, &b, 12, 12));
    assert_false(enters(&list, &b, 0, UINT64_MAX));
    assert_true(enters(&list, &b, 20, 20));
    span_leave(&list, &a);
    assert_true(enters(&list, &a, 0, 19));
    span_leave(&list, &b);
    span_leave(&list, &a);
    assert_null(list);
}

static void any_span_of_the_list_can_leave(void **state)
{
    struct span *list = NULL, s[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(enters(&list, &s[i], i, i));
    span_leave(&list, &s[1]);
    span_leave(&list, &s[2]);
    span_leave(&list, &s[0]);
    assert_null(list);
}

struct other {
    struct host *h;
    uint64_t dfn;
    int map_status, unmap_status, lookup_status;
    unsigned times;
};

/* In the middle of a call, between two of its steps: another of the same domain. */
static void meanwhile(struct host *h)
{
    struct other *o = h->arg;
    struct domain *d = domain_of(h->d);
    struct page_range r = {.ctx_no = 1,
                           .gfn = gfn_of(0),
                           .dfn = dfn_of(o->dfn),
                           .nr_pages = 1,
                           .page_lg2 = FRAME_LG2,
                           .attr = RW};
    struct trim trim = {0};
    uint32_t done = 0;
    gfn_t gfn;

    h->on_preempt = NULL;
    assert_int_equal(context_resolve(d, 1, CONTEXT_CHANGE, &r.generation), 0);
    o->unmap_status = core_unmap(d, &r, &done);
    done = 0;
    o->map_status = core_map(d, &r, &done, &trim);
    o->lookup_status = core_lookup(d, 1, r.generation, r.dfn, &gfn);
    o->times++;
}

static void two_calls_of_one_domain_keep_out_of_each_others_way(void **state)
{
    struct host *h = *state;
    struct other o = {.h = h, .dfn = 0x400};
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 2048);
    h->arg = &o;
    h->on_preempt = meanwhile;
    assert_int_equal(map(h, 1, 0, 0, 2048, FRAME_LG2, RW, &done), 0); /* dfns 0..0x7ff */
    assert_int_equal(o.times, 1);
    assert_int_equal(o.map_status, -ERESTART);
    assert_int_equal(o.unmap_status, -ERESTART);
    assert_int_equal(o.lookup_status, -ERESTART);
    assert_int_equal(done, 2048);
}

static void a_call_beside_it_runs(void **state)
{
    struct host *h = *state;
    struct other o = {.h = h, .dfn = 0x800};
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 2048);
    h->arg = &o;
    h->on_preempt = meanwhile;
    assert_int_equal(map(h, 1, 0, 0, 2048, FRAME_LG2, RW, &done), 0);
    assert_int_equal(o.unmap_status, -ENOENT);
    assert_int_equal(o.map_status, 0);
    assert_int_equal(o.lookup_status, 0);
    assert_int_equal(nr_mapped(h, 1), 2049);
}

/* The span is held until the flush is complete: nobody maps there while the old may still be used.
 */
static void map_during_flush(struct host *h, struct fake_unit *u, const struct hw_inv *inv,
                             unsigned n)
{
    (void)u;
    (void)inv;
    (void)n;
    meanwhile(h);
}

static void nobody_works_on_a_range_whose_flush_is_under_way(void **state)
{
    struct host *h = *state;
    struct other o = {.h = h, .dfn = 5};
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 16);
    add_device(h, 8);
    attach(h, 8, 1);
    assert_int_equal(map(h, 1, 0, 0, 16, FRAME_LG2, RW, &done), 0);
    h->arg = &o;
    h->on_flush = map_during_flush;
    assert_int_equal(unmap(h, 1, 0, 16, FRAME_LG2, &done), 0);
    assert_int_equal(o.map_status, -ERESTART);
    h->on_flush = NULL;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps_are_turned_away_and_neighbours_are_not),
        cmocka_unit_test(any_span_of_the_list_can_leave),
        T(two_calls_of_one_domain_keep_out_of_each_others_way),
        T(a_call_beside_it_runs),
        T(nobody_works_on_a_range_whose_flush_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
