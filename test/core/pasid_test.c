/* SPDX-License-Identifier: BSD-2-Clause */
/* Pairs: one context each, flushed before it is let go, and none outlives its device. */
#include "../../iommu/core/pasid.h"
#include "fixture.h"

#define DEVICE 8u

static const struct sluice_region regions[] = {{0x7000, 0x8fff, SLUICE_REGION_DIRECT, RW, 0},
                                               {0x20000, 0x20fff, SLUICE_REGION_RESERVED, 0, 0}};

static int with_pasids(void **state)
{
    *state = host_create(&(struct setup){.max_pasid = 2000});
    return 0;
}

static long attach_pair(struct host *h, uint32_t rid, uint32_t pasid, uint16_t ctx)
{
    struct pv_iommu_attach_pasid arg = {
        .ctx_no = ctx, .dev = {0, (uint8_t)(rid >> 8), (uint8_t)rid}, .pasid = pasid};

    return hypercall(h, 1, IOMMU_attach_pasid, &arg, sizeof(arg));
}

static long detach_pair(struct host *h, uint32_t rid, uint32_t pasid)
{
    struct pv_iommu_detach_pasid arg = {.dev = {0, (uint8_t)(rid >> 8), (uint8_t)rid},
                                        .pasid = pasid};

    return hypercall(h, 1, IOMMU_detach_pasid, &arg, sizeof(arg));
}

static long move_pair(struct host *h, uint32_t rid, uint32_t pasid, uint16_t ctx)
{
    struct pv_iommu_reattach_device arg = {
        .ctx_no = ctx, .dev = {0, (uint8_t)(rid >> 8), (uint8_t)rid}, .pasid = pasid};

    return hypercall(h, 1, IOMMU_reattach_device, &arg, sizeof(arg));
}

static long free_it(struct host *h, uint16_t ctx, uint32_t flags)
{
    struct pv_iommu_free arg = {.ctx_no = ctx, .free_flags = flags};

    return hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg));
}

static unsigned nr_devices(struct host *h, uint16_t ctx)
{
    return context_of(h, ctx)->nr_devices;
}

static unsigned nr_pairs(struct sluice_device *dev)
{
    struct sluice_device_info info;

    sluice_device_info(dev, &info);
    return info.nr_pasids;
}

/* Where the first pair of the device is. */
static uint16_t pair_in(struct sluice_device *dev, uint32_t pasid)
{
    uint16_t ctx_no = UINT16_MAX;
    uint32_t nr = 0;

    for (unsigned i = 0; nr != pasid && !sluice_device_pasid(dev, i, &nr, &ctx_no); i++)
        ;
    return nr == pasid ? ctx_no : UINT16_MAX;
}

/* The n-th flush was of the pair, and of the context that it left. */
static void check_flush(struct host *h, unsigned n, uint32_t pasid, uint16_t did)
{
    const struct happened *f = nth(h, FLUSHED, n);

    assert_non_null(f);
    assert_int_equal(f->n, did ? 2 : 1);
    assert_int_equal(f->inv[0].kind, HW_INV_PASID);
    assert_int_equal(f->inv[0].rid.n, DEVICE);
    assert_int_equal(f->inv[0].pasid, pasid);
    if (!did)
        return;
    assert_int_equal(f->inv[1].kind, HW_INV_SPACE);
    assert_int_equal(f->inv[1].did, did);
}

static void a_pair_is_shown_its_context(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE);
    const uint16_t ctx = new_context(h);
    const struct happened *p, *s;

    forget(h);
    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    p = nth(h, PREPARED, 0);
    s = nth(h, POINTED, 0);
    assert_int_equal(count(h, POINTED), 1);
    assert_true(place_of(h, p) < place_of(h, s));
    assert_int_equal(p->pasid, 5);
    assert_int_equal(s->pasid, 5);
    assert_int_equal(s->did, context_of(h, ctx)->did);
    assert_true(place_of(h, s) < place_of(h, nth(h, FLUSHED, 0)));
    check_flush(h, 0, 5, 0);
    assert_int_equal(nr_devices(h, ctx), 1);
    assert_int_equal(context_of(h, ctx)->attached[0], 1);
    assert_int_equal(nr_devices(h, 0), 1);
    assert_int_equal(pair_in(dev, 5), ctx);
    assert_int_equal(nr_pairs(dev), 1);
}

static void statuses_come_in_order(void **state)
{
    struct host *h = *state;
    const uint16_t ctx = new_context(h);

    (void)add_device(h, DEVICE);
    assert_int_equal(attach_pair(h, 99, 0, 77), -EINVAL);
    assert_int_equal(attach_pair(h, DEVICE, 0, ctx), -EINVAL);
    assert_int_equal(attach_pair(h, DEVICE, 2001, ctx), -EINVAL);
    assert_int_equal(attach_pair(h, 99, 1, 77), -EINVAL);
    assert_int_equal(attach_pair(h, 99, 1, ctx), -ENOENT);
    assert_int_equal(attach_pair(h, DEVICE, 2000, ctx), 0);
    assert_int_equal(attach_pair(h, DEVICE, 2000, 77), -EINVAL);
    assert_int_equal(attach_pair(h, DEVICE, 2000, ctx), -EEXIST);
    assert_int_equal(attach_pair(h, DEVICE, 2000, 0), -EEXIST);
    assert_int_equal(move_pair(h, DEVICE, 1, ctx), -ENODEV);
    assert_int_equal(move_pair(h, 99, 2000, ctx), -ENODEV);
    assert_int_equal(move_pair(h, DEVICE, 2000, 77), -EINVAL);
    assert_int_equal(detach_pair(h, DEVICE, 0), -EINVAL);
    assert_int_equal(detach_pair(h, DEVICE, 1), -ENOENT);
    assert_int_equal(detach_pair(h, DEVICE, UINT32_MAX), -ENOENT);
    assert_int_equal(detach_pair(h, 99, 2000), -ENOENT);
    assert_int_equal(detach_pair(h, DEVICE, 2000), 0);
    assert_int_equal(detach_pair(h, DEVICE, 2000), -ENOENT);
}

static void capabilities(struct host *h, struct pv_iommu_capabilities *out)
{
    assert_int_equal(hypercall(h, 1, IOMMU_query_capabilities, out, sizeof(*out)), 0);
}

/* The least of what units can do that translate. */
static void a_unit_without_pasids_takes_them_from_all(void **state)
{
    struct host *h = *state;
    struct pv_iommu_capabilities caps = {0};

    capabilities(h, &caps);
    assert_true(caps.cap_flags & IOMMUCAP_pasid);
    assert_int_equal(caps.max_pasid, 2000);
    h->unit[1].hw.max_pasid = 7;
    capabilities(h, &caps);
    assert_int_equal(caps.max_pasid, 7);
    h->unit[1].hw.max_pasid = 0;
    capabilities(h, &caps);
    assert_false(caps.cap_flags & IOMMUCAP_pasid);
    assert_int_equal(caps.max_pasid, 0);
    (void)add_device(h, DEVICE);
    assert_int_equal(attach_pair(h, DEVICE, 1, 0), -EOPNOTSUPP);
    assert_int_equal(detach_pair(h, DEVICE, 1), -EOPNOTSUPP);
    assert_int_equal(move_pair(h, DEVICE, 1, 0), -EOPNOTSUPP);
    assert_int_equal(move_pair(h, DEVICE, 0, 0), 0);
    h->unit[1].hw.translates = false;
    capabilities(h, &caps);
    assert_int_equal(caps.max_pasid, 2000);
}

/* The old context is whole when the flush of the move is asked for, and counts the device. */
static void both_are_there(struct host *h, struct fake_unit *u, const struct hw_inv *inv,
                           unsigned n)
{
    (void)u;
    (void)inv;
    (void)n;
    assert_int_equal(context_of(h, 1)->attached[0], 1);
    assert_int_equal(context_of(h, 2)->attached[0], 1);
    assert_int_equal(context_of(h, 1)->nr_devices, 1);
    h->on_flush = NULL;
}

static void a_pair_moves_as_a_device_does(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE);
    uint16_t did;

    (void)new_context(h);
    (void)new_context(h);
    did = context_of(h, 1)->did;
    assert_int_equal(attach_pair(h, DEVICE, 5, 1), 0);
    forget(h);
    assert_int_equal(move_pair(h, DEVICE, 5, 1), 0);
    assert_int_equal(count(h, FLUSHED), 0);
    h->on_flush = both_are_there;
    assert_int_equal(move_pair(h, DEVICE, 5, 2), 0);
    assert_null(h->on_flush);
    check_flush(h, 0, 5, did);
    assert_false(context_of(h, 1)->attached[0]);
    assert_int_equal(nr_devices(h, 1), 0);
    assert_int_equal(nr_devices(h, 2), 1);
    assert_int_equal(pair_in(dev, 5), 2);
    assert_int_equal(free_it(h, 1, 0), 0);
}

static void detach_blocks_and_flushes(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE);
    const uint16_t ctx = new_context(h);

    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    assert_int_equal(attach_pair(h, DEVICE, 6, ctx), 0);
    forget(h);
    assert_int_equal(detach_pair(h, DEVICE, 5), 0);
    assert_true(nth(h, POINTED, 0)->blocked);
    assert_int_equal(nth(h, POINTED, 0)->pasid, 5);
    check_flush(h, 0, 5, context_of(h, ctx)->did);
    assert_int_equal(nr_devices(h, ctx), 1);
    assert_int_equal(context_of(h, ctx)->attached[0], 1);
    assert_int_equal(pair_in(dev, 6), ctx);
    assert_int_equal(free_it(h, ctx, 0), -EBUSY);
    assert_int_equal(detach_pair(h, DEVICE, 6), 0);
    assert_int_equal(free_it(h, ctx, 0), 0);
}

static void free_context_takes_pairs_along(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE), *other = add_device(h, 0x10);
    const uint16_t ctx = new_context(h), kept = new_context(h);

    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    assert_int_equal(attach_pair(h, DEVICE, 6, kept), 0);
    assert_int_equal(attach_pair(h, 0x10, 5, ctx), 0);
    attach(h, 0x10, ctx);
    assert_int_equal(free_it(h, ctx, 0), -EBUSY);
    assert_int_equal(free_it(h, ctx, IOMMU_FREE_reattach_default), 0);
    assert_int_equal(pair_in(dev, 5), 0);
    assert_int_equal(pair_in(dev, 6), kept);
    assert_int_equal(pair_in(other, 5), 0);
    assert_int_equal(nr_devices(h, 0), 4);
    assert_int_equal(nr_devices(h, kept), 1);
}

static unsigned nr_regions(struct host *h, uint16_t ctx)
{
    unsigned nr = 0;

    for (const struct region_use *u = context_of(h, ctx)->regions; u; u = u->next)
        nr++;
    return nr;
}

static void only_what_is_never_mapped_is_reserved(void **state)
{
    struct host *h = *state;
    const uint16_t ctx = new_context(h), other = new_context(h);
    uint32_t done;

    add_memory(h, 0x100, 0x100, 4);
    assert_int_equal(sluice_device_assign(add_device_with(h, DEVICE, regions, 2), h->d), 0);
    assert_int_equal(map(h, ctx, 0x100, 0x20, 1, 12, RW, &done), 0);
    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), -EBUSY);
    assert_int_equal(nr_devices(h, ctx), 0);
    assert_int_equal(unmap(h, ctx, 0x20, 1, 12, &done), 0);
    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    assert_int_equal(nr_regions(h, ctx), 1);
    assert_int_equal(goes_to(h, ctx, 7, NULL), NOWHERE);
    assert_int_equal(map(h, ctx, 0x100, 7, 1, 12, RW, &done), 0);
    assert_int_equal(map(h, ctx, 0x101, 0x20, 1, 12, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(attach_pair(h, DEVICE, 6, ctx), 0); /* counted twice */
    assert_int_equal(move_pair(h, DEVICE, 5, other), 0);
    assert_int_equal(nr_regions(h, ctx), 1);
    assert_int_equal(nr_regions(h, other), 1);
    assert_int_equal(detach_pair(h, DEVICE, 6), 0);
    assert_int_equal(nr_regions(h, ctx), 0);
}

/* What was unmapped and is pending is settled, once, as for devices. */
static void what_is_pending_in_the_way_is_settled(void **state)
{
    struct host *h = *state;
    struct pv_iommu_alloc arg = {.alloc_flags = IOMMU_ALLOC_deferred};
    uint32_t done;

    add_memory(h, 0x100, 0x100, 4);
    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), 0);
    assert_int_equal(sluice_device_assign(add_device_with(h, DEVICE, regions, 2), h->d), 0);
    assert_int_equal(map(h, arg.ctx_no, 0x100, 0x20, 1, 12, RW, &done), 0);
    assert_int_equal(unmap(h, arg.ctx_no, 0x20, 1, 12, &done), 0);
    assert_int_equal(attach_pair(h, DEVICE, 5, arg.ctx_no), 0);
}

/* Nothing has moved: neither devices nor pairs. */
static void free_context_moves_all_or_none(void **state)
{
    struct host *h = *state;
    const struct sluice_region elsewhere = {0x30000, 0x30fff, SLUICE_REGION_RESERVED, 0, 0};
    struct sluice_device *dev = add_device_with(h, DEVICE, regions + 1, 1);
    struct sluice_device *other = add_device_with(h, 0x10, &elsewhere, 1);
    const uint16_t ctx = new_context(h), own = new_context(h);

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(sluice_device_assign(other, h->d), 0);
    (void)add_device(h, 0x18);
    attach(h, DEVICE, own);
    attach(h, 0x10, own);
    attach(h, 0x18, ctx);
    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    assert_int_equal(attach_pair(h, 0x10, 6, ctx), 0);
    add_memory(h, 0x20, 0x20, 1); /* where the region is: nobody's in context 0 now */
    assert_int_equal(free_it(h, ctx, IOMMU_FREE_reattach_default), -EBUSY);
    assert_int_equal(pair_in(dev, 5), ctx);
    assert_int_equal(pair_in(other, 6), ctx);
    assert_int_equal(nr_devices(h, ctx), 3);
    assert_int_equal(nr_devices(h, 0), 0);
    assert_int_equal(nr_regions(h, 0), 0);
}

static void a_device_that_leaves_loses_its_pairs(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE), *other = add_device(h, 0x10);
    const uint16_t ctx = new_context(h);

    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    assert_int_equal(attach_pair(h, 0x10, 5, ctx), 0);
    assert_int_equal(attach_pair(h, DEVICE, 6, ctx), 0);
    forget(h);
    assert_int_equal(sluice_device_unassign(dev), 0);
    check_flush(h, 0, 6, context_of(h, ctx)->did);
    check_flush(h, 1, 5, context_of(h, ctx)->did);
    assert_int_equal(nr_pairs(dev), 0);
    assert_int_equal(nr_devices(h, ctx), 1);
    assert_int_equal(pair_in(other, 5), ctx);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(detach_pair(h, DEVICE, 5), -ENOENT);
    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
}

static void a_domain_ends_with_its_pairs(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE);

    assert_int_equal(attach_pair(h, DEVICE, 5, new_context(h)), 0);
    destroy_domain(h->d);
    assert_int_equal(nr_pairs(dev), 0);
    h->d = host_domain(h, 1);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(attach_pair(h, DEVICE, 5, 0), 0);
}

static void a_device_with_company_has_none(void **state)
{
    struct host *h = *state;
    struct sluice_device *first = add_device_with(h, DEVICE, NULL, 0), *second;
    const rid_t rids[] = {{0x10}, {0x11}};
    struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = rids, .nr_rids = 2, .group = first};

    assert_int_equal(sluice_device_add(h->s, &config, &second), 0);
    assert_int_equal(sluice_device_assign(first, h->d), 0);
    forget(h);
    assert_int_equal(attach_pair(h, DEVICE, 5, 0), -EBUSY);
    assert_int_equal(attach_pair(h, 0x11, 5, 0), -EBUSY);
    assert_int_equal(count(h, PREPARED), 0);
}

static void all_requester_ids_have_the_pasid(void **state)
{
    struct host *h = *state;
    const rid_t rids[] = {{0x10}, {0x11}};
    struct sluice_device_config config = {.unit = &h->unit[0].hw, .rids = rids, .nr_rids = 2};
    struct sluice_device *dev;

    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    forget(h);
    assert_int_equal(attach_pair(h, 0x11, 5, new_context(h)), 0);
    assert_int_equal(count(h, POINTED), 2);
    assert_int_equal(attach_pair(h, 0x10, 5, 0), -EEXIST);
    assert_int_equal(context_of(h, 1)->attached[0], 2);
    assert_int_equal(nr_devices(h, 1), 1);
    assert_int_equal(detach_pair(h, 0x10, 5), 0);
    assert_int_equal(context_of(h, 1)->attached[0], 0);
}

static void too_many_are_refused(void **state)
{
    struct host *h = *state;
    const uint16_t ctx = new_context(h);

    (void)add_device(h, DEVICE);
    for (uint32_t n = 1; n <= MOST_PASIDS; n++)
        assert_int_equal(attach_pair(h, DEVICE, n, ctx), 0);
    assert_int_equal(attach_pair(h, DEVICE, 1999, ctx), -ENOMEM);
    assert_int_equal(detach_pair(h, DEVICE, 7), 0);
    assert_int_equal(attach_pair(h, DEVICE, 1999, ctx), 0);
}

/* Each allocation and each prepare fails in turn: nothing has changed. */
static void what_fails_leaves_nothing(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device_with(h, DEVICE, regions, 2);
    const uint16_t ctx = new_context(h);
    unsigned objects, n = 0;
    long status = -ENOMEM;

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    objects = h->objects;
    for (unsigned which = 0; which < 2; which++) {
        for (n = 1; n < 9; n++) {
            forget(h);
            h->fail_alloc = which ? 0 : n;
            h->fail_prepare = which ? n : 0;
            status = attach_pair(h, DEVICE, 5, ctx);
            if (!status)
                break;
            assert_int_equal(status, -ENOMEM);
            assert_int_equal(nr_pairs(dev), 0);
            assert_int_equal(nr_devices(h, ctx), 0);
            assert_int_equal(nr_regions(h, ctx), 0);
            assert_int_equal(h->objects, objects);
            assert_int_equal(count(h, POINTED), 0);
        }
        assert_int_equal(status, 0);
        assert_true(n > 1);
        h->fail_alloc = h->fail_prepare = 0;
        assert_int_equal(detach_pair(h, DEVICE, 5), 0);
    }
}

static void fail_flush(struct host *h)
{
    h->lossy = true;
    h->fail_flush = 1;
}

static void a_failed_flush_of_a_detach_keeps_the_context(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE);
    const uint16_t ctx = new_context(h);
    uint32_t done;

    add_memory(h, 0x100, 0x100, 1);
    assert_int_equal(map(h, ctx, 0x100, 0x10, 1, 12, RW, &done), 0);
    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    fail_flush(h);
    assert_int_equal(detach_pair(h, DEVICE, 5), -EIO);
    assert_true(h->unit[0].hw.failed);
    assert_int_equal(nr_pairs(dev), 0);
    assert_int_equal(nr_devices(h, ctx), 0);
    assert_true(context_is_reachable(context_of(h, ctx)));
    assert_int_equal(free_it(h, ctx, 0), 0);
    assert_true(refs_of(h, 0x100)); /* for ever */
    assert_int_equal(attach_pair(h, DEVICE, 5, 0), -EIO);
    assert_int_equal(nr_pairs(dev), 0);
}

static void a_failed_flush_of_a_move(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE);

    (void)new_context(h);
    (void)new_context(h);
    assert_int_equal(attach_pair(h, DEVICE, 5, 1), 0);
    fail_flush(h);
    assert_int_equal(move_pair(h, DEVICE, 5, 2), -EIO);
    assert_int_equal(pair_in(dev, 5), 2);
    assert_int_equal(nr_devices(h, 1), 0);
    assert_true(context_is_reachable(context_of(h, 1)));
    assert_int_equal(move_pair(h, DEVICE, 5, 0), -EIO);
    assert_int_equal(pair_in(dev, 5), 2);
    assert_int_equal(free_it(h, 2, IOMMU_FREE_reattach_default), -EIO);
    assert_int_equal(sluice_device_unassign(dev), -EIO);
    assert_int_equal(nr_pairs(dev), 0);
    assert_int_equal(free_it(h, 2, 0), 0);
}

static void a_failed_flush_of_an_attach(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, DEVICE);

    fail_flush(h);
    assert_int_equal(attach_pair(h, DEVICE, 5, new_context(h)), -EIO);
    assert_int_equal(pair_in(dev, 5), 1);
    assert_int_equal(detach_pair(h, DEVICE, 5), -EIO);
    assert_int_equal(nr_pairs(dev), 0);
}

/* A fault is told with the context of its pair. */
static void faults_name_the_pairs_context(void **state)
{
    struct host *h = *state;
    const uint16_t ctx = new_context(h), own = new_context(h);
    const uint32_t pasids[] = {0, 5, 6};
    const uint16_t expected[] = {own, ctx, 0};
    struct sluice_explanation why;
    struct sluice_fault fault;
    uint64_t lost;

    (void)add_device(h, DEVICE);
    attach(h, DEVICE, own);
    assert_int_equal(attach_pair(h, DEVICE, 5, ctx), 0);
    for (unsigned i = 0; i < 3; i++) {
        h->unit[0].fault[h->unit[0].nr_faults++] = (struct hw_fault){
            .rid = {DEVICE}, .pasid = pasids[i], .addr = 0x5000, .reason = HW_REASON_NOT_PRESENT};
        sluice_faults_collect(h->s);
        assert_int_equal(sluice_faults_read(h->d, &fault, 1, &lost), 1);
        assert_int_equal(fault.pasid, pasids[i]);
        assert_int_equal(fault.ctx_no, expected[i]);
        assert_int_equal(sluice_fault_explain(h->d, &fault, &why), 0);
        assert_int_equal(why.ctx_no, expected[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_pasids, tear_down)

static int two_units(void **state)
{
    *state = host_create(&(struct setup){.max_pasid = 2000, .nr_units = 2});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pair_is_shown_its_context),
        TEST(statuses_come_in_order),
        cmocka_unit_test_setup_teardown(a_unit_without_pasids_takes_them_from_all, two_units,
                                        tear_down),
        TEST(a_pair_moves_as_a_device_does),
        TEST(detach_blocks_and_flushes),
        TEST(free_context_takes_pairs_along),
        TEST(only_what_is_never_mapped_is_reserved),
        TEST(what_is_pending_in_the_way_is_settled),
        TEST(free_context_moves_all_or_none),
        TEST(a_device_that_leaves_loses_its_pairs),
        TEST(a_domain_ends_with_its_pairs),
        TEST(a_device_with_company_has_none),
        TEST(all_requester_ids_have_the_pasid),
        TEST(too_many_are_refused),
        TEST(what_fails_leaves_nothing),
        TEST(a_failed_flush_of_a_detach_keeps_the_context),
        TEST(a_failed_flush_of_a_move),
        TEST(a_failed_flush_of_an_attach),
        TEST(faults_name_the_pairs_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
