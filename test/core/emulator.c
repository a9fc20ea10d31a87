/* SPDX-License-Identifier: BSD-2-Clause */
/* An emulator and a guest on the small host. */
#include "emulator.h"

static struct {
    _Alignas(FRAME_SIZE) struct buffered_iopage ring;
    struct sluice_ioreq_server *server;
    uint32_t nr_slots;
    unsigned kicks;
} of[NR_RINGS];

static void note_kick(void *host, void *cookie)
{
    const unsigned number = (unsigned)(uintptr_t)cookie;

    (void)host;
    assert_in_range(number, 0, NR_RINGS - 1);
    of[number].kicks++;
}

struct domain *domain_number(struct host *h, uint16_t domid)
{
    struct domain *d = instance_of(h->s)->domains;

    while (d && d->domid != domid)
        d = d->next;
    assert_non_null(d);
    return d;
}

struct sluice_domain *guest_of(struct host *h)
{
    return (struct sluice_domain *)(void *)domain_number(h, GUEST);
}

static void furnish(struct host *h)
{
    memset(of, 0, sizeof(of));
    h->port.ioreq = note_kick;
    (void)host_domain(h, GUEST);
    assert_int_equal(sluice_memory_add(guest_of(h), gfn_of(0), mfn_of(GUEST_FRAME), GUEST_GFNS,
                                       SLUICE_FRAME_RAM),
                     0);
    (void)add_device(h, 8);
    assert_int_equal(add_server(h, 0, 1, GUEST, SERVER, 8), 0);
    forget(h);
}

struct host *emulator_host(const struct setup *setup)
{
    struct host *h = host_create(setup);

    furnish(h);
    return h;
}

struct host *window_host(const struct setup *setup, enum sluice_space space, uint64_t window)
{
    const struct sluice_domain_config config = {.domid = 1,
                                                .max_ctx_no = 3,
                                                .space = space,
                                                .window = window,
                                                .budget_contexts = SLUICE_NO_LIMIT,
                                                .budget_tables = SLUICE_NO_LIMIT,
                                                .budget_refs = SLUICE_NO_LIMIT};
    struct sluice_domain_config with = config;
    struct setup none = *setup;
    struct host *h;

    none.no_domain = true;
    h = host_create(&none);
    with.guest = &h->guest[1];
    assert_int_equal(sluice_domain_create(h->s, &with, &h->d), 0);
    furnish(h);
    return h;
}

void emulator_host_destroy(struct host *h)
{
    host_destroy(h);
}

int set_up_emulator(void **state)
{
    *state = emulator_host(&(struct setup){.blocked = true});
    return 0;
}

int tear_down_emulator(void **state)
{
    emulator_host_destroy(*state);
    return 0;
}

/* ---- Calls -------------------------------------------------------------------------------------
 */

long frames_call_at(struct host *h, uint16_t domid, uint64_t at, uint32_t nr)
{
    struct sluice_call call;
    unsigned times = 0;
    long status;

    memset(h->guest[domid].reads, 0, sizeof(h->guest[domid].reads));
    sluice_frames_start(&call, (struct sluice_domain *)(void *)domain_number(h, domid), at, nr);
    do
        status = sluice_call_run(&call);
    while (status == -ERESTART && ++times < 100000);
    return status;
}

long frames_call(struct host *h, uint16_t domid, struct pv_iommu_op *ops, unsigned nr)
{
    long status;

    memcpy(h->guest[domid].bytes, ops, nr * sizeof(*ops));
    status = frames_call_at(h, domid, GUEST_ADDRESS, nr);
    memcpy(ops, h->guest[domid].bytes, nr * sizeof(*ops));
    return status;
}

int frames_op(struct host *h, uint16_t domid, struct pv_iommu_op *op)
{
    op->status = 12345;
    assert_int_equal(frames_call(h, domid, op, 1), 0);
    return op->status;
}

/* Of the guest's frames. */
struct pv_iommu_op map_op(unsigned flags, uint64_t bfn, uint64_t gfn, uint16_t id)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_map_foreign_page, .flags = (uint16_t)flags};

    op.u.map_foreign_page.bfn = bfn;
    op.u.map_foreign_page.gfn = gfn;
    op.u.map_foreign_page.domid = GUEST;
    op.u.map_foreign_page.ioserver = id;
    return op;
}

struct pv_iommu_op unmap_op(unsigned flags, uint64_t bfn, uint16_t id)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_unmap_foreign_page, .flags = (uint16_t)flags};

    op.u.unmap_foreign_page.bfn = bfn;
    op.u.unmap_foreign_page.ioserver = id;
    return op;
}

int map_foreign(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn, uint64_t gfn,
                uint16_t id)
{
    struct pv_iommu_op op = map_op(flags, bfn, gfn, id);

    return frames_op(h, domid, &op);
}

int unmap_foreign(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn, uint16_t id)
{
    struct pv_iommu_op op = unmap_op(flags, bfn, id);

    return frames_op(h, domid, &op);
}

int lookup_foreign(struct host *h, uint16_t domid, uint64_t gfn, uint16_t id, uint64_t *bfn)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_lookup_foreign_page};
    int status;

    op.u.lookup_foreign_page.bfn = NOWHERE;
    op.u.lookup_foreign_page.gfn = gfn;
    op.u.lookup_foreign_page.domid = GUEST;
    op.u.lookup_foreign_page.ioserver = id;
    status = frames_op(h, domid, &op);
    *bfn = op.u.lookup_foreign_page.bfn;
    return status;
}

int map_page(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn, uint64_t gfn)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_map_page, .flags = (uint16_t)flags};

    op.u.map_page.bfn = bfn;
    op.u.map_page.gfn = gfn;
    return frames_op(h, domid, &op);
}

int unmap_page(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_unmap_page, .flags = (uint16_t)flags};

    op.u.unmap_page.bfn = bfn;
    return frames_op(h, domid, &op);
}

int give_up(struct host *h, uint16_t domid, uint64_t gfn, uint64_t nr)
{
    struct sluice_domain *d = (struct sluice_domain *)(void *)domain_number(h, domid);
    unsigned times = 0;
    int err;

    do
        err = sluice_memory_remove(d, gfn_of(gfn), nr);
    while (err == -ERESTART && ++times < 5000);
    return err;
}

/* ---- What there is -----------------------------------------------------------------------------
 */

uint64_t bus(struct host *h, uint64_t bfn)
{
    return goes_to(h, 0, bfn, NULL);
}

static int count_tuple(void *arg, const struct sluice_tuple *t)
{
    (void)t;
    ++*(unsigned *)arg;
    return 0;
}

unsigned nr_tuples_of(struct host *h, uint64_t mfn)
{
    unsigned n = 0;

    (void)sluice_frame_tuples(h->s, mfn_of(mfn), count_tuple, &n);
    return n;
}

/* ---- Rings -------------------------------------------------------------------------------------
 */

struct buffered_iopage *ring(unsigned number)
{
    return &of[number].ring;
}

struct sluice_ioreq_server *server(unsigned number)
{
    return of[number].server;
}

unsigned kicks(unsigned number)
{
    return of[number].kicks;
}

int add_server(struct host *h, unsigned number, uint16_t emulator, uint16_t target, uint16_t id,
               uint32_t nr_slots)
{
    const struct sluice_ioreq_config config = {
        .emulator = (struct sluice_domain *)(void *)domain_number(h, emulator),
        .target = (struct sluice_domain *)(void *)domain_number(h, target),
        .id = id,
        .ring = &of[number].ring,
        .nr_slots = nr_slots,
        .cookie = (void *)(uintptr_t)number};

    of[number].nr_slots = nr_slots;
    of[number].kicks = 0;
    return sluice_ioreq_create(&config, &of[number].server);
}

static const struct buf_ioreq *next_slot(unsigned number, uint32_t ahead)
{
    const struct buffered_iopage *r = &of[number].ring;

    return &r->buf_ioreq[(r->read_pointer + ahead) % of[number].nr_slots];
}

/* One request: how many slots it took. */
static uint32_t read_one(unsigned number, uint64_t *bfn)
{
    const struct buf_ioreq *slot = next_slot(number, 0);

    assert_int_equal(slot->type, IOREQ_TYPE_SLUICE_INVALIDATE);
    assert_int_equal(slot->dir, 0);
    *bfn = slot->data;
    if (slot->size == 2)
        return 1;
    assert_int_equal(slot->size, 3);
    *bfn |= (uint64_t)next_slot(number, 1)->data << 32;
    return 2;
}

unsigned drain(unsigned number, uint64_t *bfn, unsigned max)
{
    struct buffered_iopage *r = &of[number].ring;
    unsigned n = 0;

    for (; n < max && r->read_pointer != r->write_pointer; n++)
        r->read_pointer += read_one(number, &bfn[n]);
    return n;
}

uint64_t take(unsigned number)
{
    struct sluice_ioreq out;

    return sluice_ioreq_take(of[number].server, &out) ? NOWHERE : out.bfn;
}
