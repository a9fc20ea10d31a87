/* SPDX-License-Identifier: BSD-2-Clause */
#include "soft_fixture.h"

#define RAM (((uint64_t)FIRST_TABLE + NR_TABLES) << FRAME_LG2)

static uint64_t ticking(void *host)
{
    struct host *h = host;

    return h->now_ns += 1000000;
}

static struct rig *current; /* whose the guest's port is: ports know the host only */

static int guest_alloc(void *host, mfn_t *out)
{
    const int err = current->port.alloc_page(host, out);

    out->n -= SHIFT;
    return err;
}

static void guest_free(void *host, mfn_t page)
{
    current->port.free_page(host, mfn_of(page.n + SHIFT));
}

static void start_unit(struct rig *r, bool caching_mode)
{
    const struct soft_config config = {
        .port = &r->port,
        .geo = r->h->unit[0].hw.geo,
        .caching_mode = caching_mode,
        .nests = true,
        .max_pasid = SOFT_MAX_PASID,
        .cache_lg2 = 10,
        .seed = 3,
        .memory = r->port.direct_map,
        .memory_size = RAM,
    };

    assert_int_equal(soft_init(&r->u, &config), 0);
    r->pages = (struct pt_pages){.port = &r->port, .limit = 1000};
    assert_int_equal(pt_init(&r->second, &config.geo, &r->pages), 0);
    rig_map(&r->second, 0, SHIFT, MEMORY, FRAME_LG2, RW);
    rig_map(&r->second, FIRST_TABLE - SHIFT, FIRST_TABLE, NR_TABLES, FRAME_LG2, RW);
}

static void start_guest(struct rig *r, enum pt_format_id format, uint8_t levels)
{
    const struct pt_geometry geo = {
        .format = pt_format(format),
        .levels = levels,
        .iova_bits = levels == 5 ? 56 : 47,
        .leaf_sizes = pt_format(format)->leaf_sizes,
    };

    r->guest_port = r->port;
    r->guest_port.direct_map = (char *)r->port.direct_map + ((uint64_t)SHIFT << FRAME_LG2);
    r->guest_port.alloc_page = guest_alloc;
    r->guest_port.free_page = guest_free;
    r->guest_pages = (struct pt_pages){.port = &r->guest_port, .limit = 1000};
    assert_int_equal(pt_init(&r->first, &geo, &r->guest_pages), 0);
}

struct rig *rig_create(bool caching_mode, enum pt_format_id first, uint8_t levels)
{
    const struct setup setup = {.no_domain = true};
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    current = r;
    r->h = host_create(&setup);
    r->port = r->h->port;
    r->port.now_ns = ticking;
    start_unit(r, caching_mode);
    start_guest(r, first, levels);
    return r;
}

static void drop_run(void *arg, mfn_t first, uint64_t nr)
{
    (void)arg;
    (void)first;
    (void)nr;
}

void rig_destroy(struct rig *r)
{
    while (pt_reap(&r->first, drop_run, NULL))
        ;
    pt_fini(&r->first);
    while (pt_reap(&r->second, drop_run, NULL))
        ;
    pt_fini(&r->second);
    soft_fini(&r->u);
    host_destroy(r->h);
    free(r);
}

void rig_map(struct pgtable *pt, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned lg2,
             unsigned attr)
{
    for (uint64_t done; nr; nr -= done, dfn += done, mfn += done)
        assert_int_equal(pt_map(pt, dfn_of(dfn), mfn_of(mfn), nr, lg2, attr, &done), 0);
}

void rig_unmap(struct pgtable *pt, uint64_t dfn, uint64_t nr)
{
    struct pt_freed freed = {0};
    uint64_t done;

    assert_int_equal(pt_unmap(pt, dfn_of(dfn), nr, &freed, &done), 0);
    assert_int_equal(done, nr);
}

void rig_point(struct rig *r, rid_t rid, uint32_t pasid, uint16_t did)
{
    struct hw_space space = {.root = r->second.root, .levels = r->second.geo.levels, .did = did};

    if (did == CHILD)
        space.first = (struct hw_first_stage){r->first.root.n << FRAME_LG2, r->first.geo};
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid, pasid), 0);
    r->u.hw.ops->point(&r->u.hw, rid, pasid, did ? &space : NULL);
}

void rig_flush(struct rig *r, enum hw_inv_kind kind, uint32_t pasid, uint16_t did, uint64_t dfn)
{
    const struct hw_inv inv = {
        .kind = kind,
        .rid = RID,
        .pasid = pasid,
        .did = did,
        .first = {dfn},
        .last = {dfn},
    };

    assert_int_equal(r->u.hw.ops->flush(&r->u.hw, &inv, 1), 0);
}

uint64_t rig_access(struct rig *r, rid_t rid, uint32_t pasid, uint64_t addr, bool write,
                    struct hw_fault *fault)
{
    uint64_t maddr, lost = 0;
    enum hw_reason reason;

    *fault = (struct hw_fault){.reason = HW_REASON_NONE};
    if (!soft_translate(&r->u, rid, pasid, addr, write, &maddr, &reason))
        return maddr >> FRAME_LG2;
    assert_int_equal(r->u.hw.ops->drain_faults(&r->u.hw, fault, 1, &lost), 1);
    assert_int_equal(fault->reason, reason);
    return NOWHERE;
}

uint64_t rig_seen(struct rig *r, uint32_t pasid, uint64_t dfn)
{
    struct hw_fault fault;

    return rig_access(r, RID, pasid, dfn << FRAME_LG2, false, &fault);
}
