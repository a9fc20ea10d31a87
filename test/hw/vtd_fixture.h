/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver on a fake unit, with two address spaces. */
#ifndef SLUICE_TEST_HW_VTD_FIXTURE_H
#define SLUICE_TEST_HW_VTD_FIXTURE_H

#include "vtd_fake.h"

#define SID_A ((uint16_t)0x0030) /* 00:06.0 */
#define SID_B ((uint16_t)0x01ff) /* 01:1f.7 */
#define DID_A 5
#define DID_B 6

struct rig {
    struct fake *f;
    struct vtd_unit u;
    struct pt_pages pages;
    struct pgtable a, b;
};

static inline rid_t rid(uint16_t sid)
{
    return (rid_t){sid};
}

static inline struct hw_space space(const struct pgtable *pt, uint16_t did)
{
    return (struct hw_space){.root = pt->root, .levels = pt->geo.levels, .did = did};
}

static inline struct vtd_config rig_config(struct fake *f)
{
    return (struct vtd_config){.port = &f->port, .base = FAKE_BASE, .scalable = f->ecap >> 43 & 1};
}

static inline struct rig *rig_create(uint64_t cap, uint64_t ecap)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct vtd_config config;

    assert_non_null(r);
    r->f = fake_create(cap, ecap);
    config = rig_config(r->f);
    assert_int_equal(vtd_init(&r->u, &config), 0);
    r->pages = (struct pt_pages){.port = &r->f->port, .limit = 1000};
    assert_int_equal(pt_init(&r->a, &r->u.hw.geo, &r->pages), 0);
    assert_int_equal(pt_init(&r->b, &r->u.hw.geo, &r->pages), 0);
    return r;
}

static inline void drop_run(void *arg, mfn_t first, uint64_t nr)
{
    (void)arg;
    (void)first;
    (void)nr;
}

static inline void rig_destroy(struct rig *r)
{
    vtd_fini(&r->u);
    while (pt_reap(&r->a, drop_run, NULL) || pt_reap(&r->b, drop_run, NULL))
        ;
    pt_fini(&r->a);
    pt_fini(&r->b);
    fake_destroy(r->f);
    free(r);
}

static inline void map(struct pgtable *pt, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned lg2)
{
    uint64_t done;

    for (; nr; nr -= done, dfn += done, mfn += done)
        assert_int_equal(pt_map(pt, dfn_of(dfn), mfn_of(mfn), nr, lg2, PT_READ | PT_WRITE, &done),
                         0);
}

static inline void unmap(struct pgtable *pt, uint64_t dfn, uint64_t nr)
{
    struct pt_freed freed = {0};
    uint64_t done;

    for (; nr; nr -= done, dfn += done)
        assert_int_equal(pt_unmap(pt, dfn_of(dfn), nr, &freed, &done), 0);
}

static inline void point(struct rig *r, uint16_t sid, const struct pgtable *pt, uint16_t did)
{
    const struct hw_space s = pt ? space(pt, did) : (struct hw_space){.did = 0};

    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(sid), 0), 0);
    r->u.hw.ops->point(&r->u.hw, rid(sid), 0, pt ? &s : NULL);
}

static inline int flush_device(struct rig *r, uint16_t sid, uint16_t left)
{
    const struct hw_inv inv[] = {{.kind = HW_INV_DEVICE, .rid = rid(sid)},
                                 {.kind = HW_INV_SPACE, .did = left}};

    return r->u.hw.ops->flush(&r->u.hw, inv, left ? 2 : 1);
}

static inline int flush_range(struct rig *r, uint16_t did, uint64_t first, uint64_t last,
                              bool leaf_only)
{
    const struct hw_inv inv = {.kind = HW_INV_RANGE,
                               .did = did,
                               .first = dfn_of(first),
                               .last = dfn_of(last),
                               .leaf_only = leaf_only};

    return r->u.hw.ops->flush(&r->u.hw, &inv, 1);
}

static inline void attach(struct rig *r, uint16_t sid, const struct pgtable *pt, uint16_t did,
                          uint16_t left)
{
    point(r, sid, pt, did);
    assert_int_equal(flush_device(r, sid, left), 0);
}

static inline bool reaches(struct rig *r, uint16_t sid, uint64_t addr, uint64_t want)
{
    uint64_t maddr;
    const bool ok = !fake_dma(r->f, sid, addr, false, &maddr);

    if (ok)
        assert_int_equal(maddr, want);
    return ok;
}

#endif
