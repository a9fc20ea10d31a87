/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving devices: nothing is shown before it cannot fail, nothing let go before it is flushed. */
#include "fixture.h"

static const struct sluice_region rmrr = {0x7000, 0x8fff, SLUICE_REGION_DIRECT, RW, 0};

static struct sluice_device *add_rids(struct host *h, const uint32_t *rids, unsigned nr,
                                      struct sluice_device *group)
{
    struct sluice_device_config config = {.unit = &h->unit[0].hw, .nr_rids = nr, .group = group};
    struct sluice_device *dev;
    rid_t r[64];

    for (unsigned i = 0; i < nr; i++)
        r[i].n = rids[i];
    config.rids = r;
    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    return dev;
}

static uint16_t did_seen(const struct host *h, uint32_t rid)
{
    const struct fake_unit *u = &h->unit[0];

    return u->pointed[rid] ? u->space[rid].did : 0;
}

/* When the flush of the move is asked for, the device is shown the new, and the old is whole. */
static void old_context_is_whole(struct host *h, struct fake_unit *u, const struct hw_inv *inv,
                                 unsigned n)
{
    (void)u;
    (void)inv;
    (void)n;
    assert_int_equal(did_seen(h, 8), context_of(h, 2)->did);
    assert_int_equal(goes_to(h, 1, 7, NULL), 7);
    assert_int_equal(goes_to(h, 2, 7, NULL), 7);
    assert_true(context_of(h, 1)->attached[0]); /* unmaps of the old one still flush here */
    assert_true(context_of(h, 2)->attached[0]);
    h->on_flush = NULL;
}

static void prepare_point_flush_and_only_then_let_go(void **state)
{
    struct host *h = *state;
    const struct happened *p, *s, *f;
    uint16_t old;

    (void)new_context(h);
    (void)new_context(h);
    assert_int_equal(sluice_device_assign(add_device_with(h, 8, &rmrr, 1), h->d), 0);
    attach(h, 8, 1);
    old = context_of(h, 1)->did;
    forget(h);
    h->on_flush = old_context_is_whole;
    attach(h, 8, 2);
    assert_null(h->on_flush);
    p = nth(h, PREPARED, 0);
    s = nth(h, POINTED, 0);
    f = nth(h, FLUSHED, 0);
    assert_true(place_of(h, p) < place_of(h, s));
    assert_true(place_of(h, s) < place_of(h, f));
    assert_int_equal(f->n, 2);
    assert_int_equal(f->inv[0].kind, HW_INV_DEVICE);
    assert_int_equal(f->inv[0].rid.n, 8);
    assert_int_equal(f->inv[1].kind, HW_INV_SPACE);
    assert_int_equal(f->inv[1].did, old);
    assert_int_equal(goes_to(h, 1, 7, NULL), NOWHERE);
    assert_int_equal(goes_to(h, 2, 7, NULL), 7);
    assert_false(context_of(h, 1)->attached[0]);
}

static void all_requester_ids_move(void **state)
{
    static const uint32_t rids[] = {8, 9, 0x100, 0x101};
    struct host *h = *state;
    struct sluice_device *dev = add_rids(h, rids, 4, NULL);

    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(did_seen(h, rids[i]), context_of(h, 0)->did);
    forget(h);
    attach(h, 0x100, 1); /* any of its ids names it */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(did_seen(h, rids[i]), context_of(h, 1)->did);
    assert_int_equal(context_of(h, 1)->attached[0], 4);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(nth(h, FLUSHED, 0)->n, 5);
}

static void more_ids_than_a_submission_holds_are_all_flushed(void **state)
{
    struct host *h = *state;
    uint32_t rids[64];
    unsigned n = 0;

    for (unsigned nr = 30; nr <= 64; nr += 17) { /* 30 47 64 */
        struct sluice_device *dev;

        for (unsigned i = 0; i < nr; i++)
            rids[i] = 0x200 + i;
        dev = add_rids(h, rids, nr, NULL);
        assert_int_equal(sluice_device_assign(dev, h->d), 0);
        forget(h);
        assert_int_equal(sluice_device_unassign(dev), 0);
        n = 0;
        for (unsigned i = 0; i < count(h, FLUSHED); i++) {
            assert_true(nth(h, FLUSHED, i)->n <= 32);
            n += nth(h, FLUSHED, i)->n;
        }
        assert_int_equal(n, nr + 1);
        assert_int_equal(sluice_device_remove(dev), 0);
    }
}

static void a_group_moves_together(void **state)
{
    static const uint32_t a[] = {8}, b[] = {16, 17};
    struct host *h = *state;
    struct sluice_device *first = add_rids(h, a, 1, NULL), *second = add_rids(h, b, 2, first);
    struct sluice_device_info info;

    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_device_assign(first, h->d), 0);
    sluice_device_info(second, &info);
    assert_ptr_equal(info.domain, h->d);
    assert_int_equal(sluice_device_assign(second, h->d), -EBUSY);
    attach(h, 17, 1);
    assert_int_equal(did_seen(h, 8), context_of(h, 1)->did);
    assert_int_equal(did_seen(h, 16), context_of(h, 1)->did);
    assert_int_equal(context_of(h, 1)->nr_devices, 2);
    assert_int_equal(sluice_device_remove(second), -EBUSY);
    assert_int_equal(sluice_device_unassign(second), 0);
    sluice_device_info(first, &info);
    assert_null(info.domain);
    for (unsigned i = 8; i < 18; i++)
        assert_int_equal(did_seen(h, i), 0);
}

static void where_one_id_cannot_be_prepared_none_moves(void **state)
{
    static const uint32_t rids[] = {8, 9, 0x100, 0x101};
    struct host *h = *state;

    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_device_assign(add_rids(h, rids, 4, NULL), h->d), 0);
    for (unsigned k = 1; k <= 4; k++) {
        forget(h);
        h->fail_prepare = k;
        assert_int_equal(try_attach(h, 8, 1), -ENOMEM);
        assert_int_equal(count(h, POINTED), 0);
        assert_int_equal(nth(h, PREPARED, k - 1)->rid, rids[k - 1]);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(did_seen(h, rids[i]), context_of(h, 0)->did);
        assert_int_equal(context_of(h, 1)->nr_devices, 0);
        assert_int_equal(context_of(h, 1)->attached[0], 0);
    }
}

static void of_many_devices_all_move_to_the_default_context_or_none(void **state)
{
    struct host *h = *state;
    struct pv_iommu_free arg = {.ctx_no = 1, .free_flags = IOMMU_FREE_reattach_default};

    assert_int_equal(new_context(h), 1);
    for (uint32_t rid = 8; rid < 12; rid++) {
        const struct sluice_region r = {rid << 12, (rid << 12) | 0xfff, SLUICE_REGION_DIRECT, RW,
                                        0};

        assert_int_equal(sluice_device_assign(add_device_with(h, rid, &r, 1), h->d), 0);
        attach(h, rid, 1);
    }
    for (unsigned k = 1; k <= 4; k++) {
        forget(h);
        h->fail_prepare = k;
        assert_int_equal(hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg)), -ENOMEM);
        assert_int_equal(count(h, POINTED), 0);
        assert_int_equal(context_of(h, 1)->nr_devices, 4);
        assert_int_equal(nr_mapped(h, 0), 0); /* what was claimed is dropped again */
        assert_int_equal(nr_mapped(h, 1), 4);
    }
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg)), 0);
    for (uint32_t rid = 8; rid < 12; rid++)
        assert_int_equal(did_seen(h, rid), context_of(h, 0)->did);
    assert_int_equal(nr_mapped(h, 0), 4);
}

static void a_region_on_what_is_mapped_keeps_the_device_out(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0x100, 0x1000, 4);
    assert_int_equal(sluice_device_assign(add_device_with(h, 8, &rmrr, 1), h->d), 0);
    assert_int_equal(map(h, 1, 0x100, 8, 1, FRAME_LG2, RW, &done), 0);
    forget(h);
    assert_int_equal(try_attach(h, 8, 1), -EBUSY);
    assert_int_equal(count(h, POINTED), 0);
    assert_int_equal(goes_to(h, 1, 8, NULL), 0x1000);
    assert_int_equal(goes_to(h, 1, 7, NULL), NOWHERE);
    assert_int_equal(unmap(h, 1, 8, 1, FRAME_LG2, &done), 0);
    attach(h, 8, 1);
}

static void nothing_is_done_where_it_is_already(void **state)
{
    struct host *h = *state;

    add_device(h, 8);
    forget(h);
    attach(h, 8, 0);
    assert_int_equal(h->nr_log, 0);
}

static void only_the_domains_own_devices_move(void **state)
{
    struct host *h = *state;
    struct sluice_domain *other = host_domain(h, 2);
    struct sluice_device *dev = add_device_with(h, 8, NULL, 0);

    assert_int_equal(new_context(h), 1);
    assert_int_equal(try_attach(h, 8, 1), -ENODEV);
    assert_int_equal(try_attach(h, 9, 1), -ENODEV);
    assert_int_equal(sluice_device_assign(dev, other), 0);
    assert_int_equal(try_attach(h, 8, 1), -ENODEV);
    assert_int_equal(sluice_device_assign(dev, h->d), -EBUSY);
}

static void quarantine_blocks_all_but_direct_regions(void **state)
{
    struct host *h = *state;
    const struct fake_unit *u = &h->unit[0];
    struct sluice_device *plain = add_device(h, 8), *direct = add_device_with(h, 9, &rmrr, 1);
    struct context *quarantine = device_of(direct)->group->quarantine;
    struct pt_leaf leaf;

    add_memory(h, 0, 0x1000, 4);
    assert_int_equal(sluice_device_unassign(plain), 0);
    assert_false(u->pointed[8]);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(did_seen(h, 9), quarantine->did);
        assert_int_equal(pt_lookup(&quarantine->pt, dfn_of(7), 1, &leaf), 0);
        assert_int_equal(leaf.mfn.n, 7);
        assert_int_equal(pt_lookup(&quarantine->pt, dfn_of(0), 1, &leaf), -ENOENT);
        assert_int_equal(sluice_device_assign(direct, h->d), 0);
        assert_int_not_equal(did_seen(h, 9), quarantine->did);
        h->fail_alloc = 1; /* going back needs no memory */
        assert_int_equal(sluice_device_unassign(direct), 0);
        assert_int_equal(h->fail_alloc, 1);
        h->fail_alloc = 0;
    }
    assert_int_equal(sluice_device_unassign(direct), -ENODEV);
}

static void a_failed_unit_takes_no_devices(void **state)
{
    struct host *h = *state;

    h->lossy = true;
    assert_int_equal(new_context(h), 1);
    add_device(h, 8);
    h->fail_flush = 1;
    assert_int_equal(try_attach(h, 8, 1), -EIO);
    assert_int_equal(did_seen(h, 8), context_of(h, 1)->did); /* it is there, and blocked */
    assert_true(h->unit[0].quiet);
    assert_int_equal(try_attach(h, 8, 0), -EIO);
    assert_true(context_of(h, 0)->attached[0]); /* it counts as reachable for ever */
    assert_int_equal(context_of(h, 0)->nr_devices, 0);
}

/* No step of adding a device leaves anything behind when it fails. */
static void a_device_that_cannot_be_added_leaves_nothing(void **state)
{
    const rid_t rid = {8};
    const struct sluice_device_config config = {
        .rids = &rid, .nr_rids = 1, .regions = &rmrr, .nr_regions = 1};
    int err = -ENOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        struct host *h = host_create(&(struct setup){0});
        struct sluice_device_config c = config;
        const unsigned pages = h->pages, objects = h->objects;
        struct sluice_device *dev;

        c.unit = &h->unit[0].hw;
        h->fail_alloc = n;
        err = sluice_device_add(h->s, &c, &dev);
        h->fail_alloc = 0;
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(h->pages, pages);
            assert_int_equal(h->objects, objects);
            assert_false(h->unit[0].pointed[8]);
        }
        host_destroy(h);
    }
}

/* With the unit failed nothing is released, but nothing may be forgotten either. */
static void a_device_whose_unit_fails_while_it_is_added_is_gone(void **state)
{
    struct host *h = *state;
    const rid_t rid = {8};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = &rid, .nr_rids = 1, .regions = &rmrr, .nr_regions = 1};
    const unsigned objects = h->objects;
    struct sluice_device *dev;

    h->lossy = true;
    h->fail_flush = 1;
    assert_int_equal(sluice_device_add(h->s, &config, &dev), -EIO);
    assert_int_equal(h->objects, objects);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(prepare_point_flush_and_only_then_let_go),
        T(all_requester_ids_move),
        T(more_ids_than_a_submission_holds_are_all_flushed),
        T(a_group_moves_together),
        T(where_one_id_cannot_be_prepared_none_moves),
        T(of_many_devices_all_move_to_the_default_context_or_none),
        T(a_region_on_what_is_mapped_keeps_the_device_out),
        T(nothing_is_done_where_it_is_already),
        T(only_the_domains_own_devices_move),
        T(quarantine_blocks_all_but_direct_regions),
        T(a_failed_unit_takes_no_devices),
        cmocka_unit_test(a_device_that_cannot_be_added_leaves_nothing),
        T(a_device_whose_unit_fails_while_it_is_added_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
