/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#define SIZE_8 3

static struct fake_entry *at(struct fake *f, uint64_t bfn)
{
    return bfn - FAKE_FIRST < FAKE_BFNS ? &f->at[bfn - FAKE_FIRST] : NULL;
}

static int map(struct fake *f, const struct pv_iommu_op *op)
{
    struct fake_entry *e = at(f, op->u.map_foreign_page.bfn);
    const int err = f->map_fails;

    f->map_fails = 0;
    if (err)
        return err;
    if (!e || f->no_map)
        return -EPERM;
    if (e->mapped)
        return -EEXIST;
    if (op->u.map_foreign_page.gfn >= FAKE_GFNS)
        return -ENXIO;
    *e = (struct fake_entry){.mapped = 1,
                             .domid = op->u.map_foreign_page.domid,
                             .server = op->u.map_foreign_page.ioserver,
                             .flags = op->flags,
                             .gfn = op->u.map_foreign_page.gfn};
    return 0;
}

static int lookup(struct fake *f, struct pv_iommu_op *op)
{
    const uint64_t gfn = op->u.lookup_foreign_page.gfn;

    if (!f->no_map)
        return -ENOENT;
    if (gfn >= FAKE_GFNS)
        return -ENXIO;
    op->u.lookup_foreign_page.bfn = FAKE_FIRST + gfn % FAKE_BFNS;
    f->at[gfn % FAKE_BFNS].mapped++;
    f->at[gfn % FAKE_BFNS].server = IOSERVID_any;
    return 0;
}

static int unmap(struct fake *f, const struct pv_iommu_op *op)
{
    struct fake_entry *e = at(f, op->u.unmap_foreign_page.bfn);
    const int err = f->unmap_fails;

    f->unmap_fails = 0;
    if (err)
        return err;
    if (!e || !e->mapped)
        return -ENOENT;
    if (e->server != IOSERVID_any && e->server != op->u.unmap_foreign_page.ioserver)
        return -EPERM;
    e->mapped--;
    return 0;
}

static int run(struct fake *f, struct pv_iommu_op *op)
{
    switch (op->subop_id) {
    case IOMMUOP_query_caps:
        op->flags = f->no_map ? 0 : IOMMU_QUERY_map_cap;
        return 0;
    case IOMMUOP_map_foreign_page:
        return map(f, op);
    case IOMMUOP_lookup_foreign_page:
        return lookup(f, op);
    case IOMMUOP_unmap_foreign_page:
        return unmap(f, op);
    default:
        return -ENODEV;
    }
}

static long call(void *arg, struct pv_iommu_op *ops, unsigned nr)
{
    struct fake *f = arg;
    const long err = f->call_fails;

    assert_in_range(nr, 1, FRAME_BATCH);
    f->calls++;
    if (nr > f->most)
        f->most = nr;
    f->call_fails = 0;
    for (unsigned i = 0; i < nr; i++) {
        if (err && i == f->after) {
            if (f->unwritten)
                (void)run(f, &ops[i]);
            return err;
        }
        ops[i].status = run(f, &ops[i]);
        f->elements++;
    }
    return err;
}

static int synchronous(void *arg, uint16_t domid, uint16_t server, struct ioreq_request *out)
{
    struct fake *f = arg;

    (void)domid;
    (void)server;
    if (!f->has_synchronous)
        return -ENODATA;
    f->has_synchronous = false;
    *out = f->synchronous;
    return 0;
}

void fake_init(struct fake *f)
{
    memset(f, 0, sizeof(*f));
    f->host = (struct frame_host){f, call, synchronous};
}

unsigned fake_mapped(const struct fake *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < FAKE_BFNS; i++)
        n += f->at[i].mapped;
    return n;
}

static bool invalidate(void *arg, uint64_t gfn, uint64_t bfn)
{
    struct emulator *e = arg;

    e->told++;
    e->told_gfn = gfn;
    e->told_bfn = bfn;
    if (e->unmap)
        assert_int_equal(frame_unmap(&e->client, e->unmap, 1), 0);
    return e->done;
}

static void other(void *arg, const struct ioreq_request *request)
{
    struct emulator *e = arg;

    (void)request;
    e->others++;
    if (e->noisy)
        e->page.write_pointer++;
}

void fake_emulator(struct emulator *e, uint16_t domid, uint16_t server)
{
    memset(e, 0, sizeof(*e));
    e->client = (struct frame_client){.domid = domid,
                                      .server = server,
                                      .ring = {&e->page, IOREQ_BUFFER_SLOT_NUM},
                                      .invalidate = invalidate,
                                      .other = other,
                                      .arg = e};
}

static void put(struct emulator *e, uint64_t data, unsigned size)
{
    struct buffered_iopage *page = e->client.ring.page;

    page->buf_ioreq[page->write_pointer++ % e->client.ring.nr_slots] = (struct buf_ioreq){
        .type = IOREQ_TYPE_SLUICE_INVALIDATE, .size = size & 3, .data = (uint32_t)data};
}

void fake_tell(struct emulator *e, uint64_t bfn)
{
    put(e, bfn, bfn >> 32 ? SIZE_8 : 2);
    if (bfn >> 32)
        put(e, bfn >> 32, SIZE_8);
}
