/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed operations on a small software machine, beside the ghost model: calls with hostile
 * arguments in memory that changes after each fetch, memory and devices that come and go, DMA,
 * preemption at any chance, allocations and flushes that fail. The model has to agree with every
 * outcome and, in the end, nothing may be left behind.
 */
#include "../host/machine/backend.h"
#include "../test/model/ghost.h"
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPS 200u
#define NR_DOMS  3u
#define NR_DEVS  2u
#define PAGES    24u

#define MOST_ELEMENTS 8u
#define MOST_FETCH    512u
#define MOST_GFNS     (PAGES * 512u) /* no more of them can be read */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An array of the frames ABI, as the library got it, and what it wrote there. */
struct array {
    uint64_t at; /* 0: no such call is being made */
    unsigned nr_seen;
    struct pv_iommu_op in[MOST_ELEMENTS], out[MOST_ELEMENTS];
};

/* One copy of the caller's memory, as the library got it; with what it wrote there since. */
struct seen {
    uint64_t at;
    size_t size;
    char in[64], out[64];
};

struct fuzz {
    struct machine *m;
    struct ghost *g;
    struct machine_domain *dom[NR_DOMS];
    struct machine_device *dev[NR_DEVS];
    struct seen seen[2]; /* the argument; the one inside a remote call */
    unsigned nr_seen;
    struct array array;
    bool remote;
    bool listing; /* a map_list is being made: what follows the arguments are gfns */
    uint64_t nr_gfns, gfn[MOST_GFNS];
    uint8_t flip;
    enum sluice_space space; /* of the first domain */
    bool adverse, flush_failed;
};

static struct fuzz *now; /* the port's callbacks have no other way to it */

static void must(bool right)
{
    if (right)
        return;
    fprintf(stderr, "the model: %s\n", ghost_error(now->g));
    abort();
}

/* ---- Memory that is another at each look -------------------------------------------------------
 */

/* Elements come one after the other, each once. */
static void saw_element(struct array *a, const void *bytes, uint64_t from, size_t size)
{
    if (size != sizeof(a->in[0]) || from != a->at + a->nr_seen * size ||
        a->nr_seen == MOST_ELEMENTS) {
        fprintf(stderr, "%zu bytes of an array are fetched at 0x%jx\n", size, (uintmax_t)from);
        abort();
    }
    memcpy(&a->in[a->nr_seen], bytes, size);
    memcpy(&a->out[a->nr_seen], bytes, size);
    a->nr_seen++;
}

static void saw_argument(const void *bytes, uint64_t from, size_t size)
{
    struct seen *s = &now->seen[now->nr_seen < 2 ? now->nr_seen : 1];

    *s = (struct seen){.at = from, .size = size};
    memcpy(s->in, bytes, size);
    memcpy(s->out, bytes, size);
    now->nr_seen++;
}

/* The same for gfns, some at a time. */
static void saw_gfns(const void *bytes, size_t size)
{
    if (now->nr_gfns + size / 8 > MOST_GFNS) {
        fprintf(stderr, "more gfns are fetched than there are\n");
        abort();
    }
    memcpy(&now->gfn[now->nr_gfns], bytes, size);
    now->nr_gfns += size / 8;
}

static void saw(const void *bytes, uint64_t from, size_t size)
{
    if (now->array.at)
        saw_element(&now->array, bytes, from, size);
    else if (now->listing && now->nr_seen > now->remote)
        saw_gfns(bytes, size);
    else
        saw_argument(bytes, from, size);
}

static int fetch(void *host, void *guest, void *to, uint64_t from, size_t size)
{
    char other[MOST_FETCH];

    (void)host;
    if (machine_guest_read(guest, from, to, size))
        return -EFAULT;
    if (size > MOST_FETCH)
        abort();
    saw(to, from, size);
    memcpy(other, to, size);
    for (size_t i = 0; i < size; i++)
        other[i] ^= (char)now->flip;
    (void)machine_guest_write(guest, from, other, size);
    return 0;
}

static int store(void *host, void *guest, uint64_t to, const void *from, size_t size)
{
    (void)host;
    if (machine_guest_write(guest, to, from, size))
        return -EFAULT;
    if (now->array.at) {
        memcpy((char *)now->array.out + (to - now->array.at), from, size);
        return 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct seen *s = &now->seen[i];

        if (to >= s->at && to - s->at + size <= sizeof(s->out))
            memcpy(s->out + (to - s->at), from, size);
    }
    return 0;
}

/* ---- Arguments ---------------------------------------------------------------------------------
 */

static uint32_t hostile_size(struct input *in)
{
    static const uint32_t size[] = {4096, 4096, 4096, 4096, 4096, 2u << 20, 1u << 30, 0};
    const uint8_t kind = take_byte(in);

    return kind < 250 ? size[kind % 8] : (uint32_t)take_number(in, 4);
}

static uint64_t hostile_array(struct input *in)
{
    const uint8_t what = take_byte(in);

    if (what > 250)
        return take_hostile(in, 8);
    return MACHINE_ARG + (what > 240 ? FRAME_SIZE - 24 : FRAME_SIZE / 2);
}

/* The list of a map_list. */
static void put_gfns(struct machine_domain *d, const struct pv_iommu_map_list *m, struct input *in)
{
    for (uint64_t i = 0; i < m->nr_pages && i < 20; i++) {
        const uint64_t gfn = take_hostile(in, PAGES + 4);

        (void)machine_guest_write(d, m->gfns.q + i * sizeof(gfn), &gfn, sizeof(gfn));
    }
}

static size_t argument(struct input *in, int subop, void *at)
{
    struct pv_iommu_map_pages *m = at;
    struct pv_iommu_unmap_pages *u = at;
    struct pv_iommu_lookup_page *l = at;
    struct pv_iommu_reattach_device *r = at;
    struct pv_iommu_alloc *a = at;
    struct pv_iommu_query_reserved *q = at;
    struct pv_iommu_flush_context *fl = at;
    struct pv_iommu_map_list *list = at;
    struct pv_iommu_batch *b = at;
    struct pv_iommu_read_faults *faults = at;
    struct pv_iommu_attach_pasid *attach = at;
    struct pv_iommu_detach_pasid *detach = at;

    struct pv_iommu_alloc_nested *nested = at;
    struct pv_iommu_flush_nested *walks = at;

    switch (subop) {
    case IOMMU_alloc_nested:
        *nested = (struct pv_iommu_alloc_nested){.pgtable_gfn = take_hostile(in, PAGES),
                                                 .nested_flags = take_hostile(in, 4)};
        return sizeof(*nested);
    case IOMMU_flush_nested:
        *walks = (struct pv_iommu_flush_nested){.ctx_no = (uint16_t)take_hostile(in, 4),
                                                .flags = take_byte(in) > 128 ? IOMMU_FLUSH_all : 0,
                                                .dfn = take_hostile(in, 1100),
                                                .nr_pages = take_hostile(in, 600)};
        return sizeof(*walks);
    case IOMMU_read_faults:
        *faults = (struct pv_iommu_read_faults){.nr = (uint32_t)take_hostile(in, 4)};
        faults->faults.q = hostile_array(in);
        return sizeof(*faults);
    case IOMMU_batch: /* of none, or of what cannot be read */
        *b = (struct pv_iommu_batch){.nr = (uint32_t)take_hostile(in, 2)};
        b->elements.q = UINT64_MAX - 8;
        return sizeof(*b);
    case IOMMU_map_list:
        *list = (struct pv_iommu_map_list){.ctx_no = (uint16_t)take_hostile(in, 4),
                                           .dfn = take_hostile(in, 1100),
                                           .map_flags = (uint32_t)take_hostile(in, 8),
                                           .pgsize = hostile_size(in),
                                           .nr_pages = (uint32_t)take_hostile(in, 20)};
        list->gfns.q = hostile_array(in);
        return sizeof(*list);
    case IOMMU_map_pages:
        *m = (struct pv_iommu_map_pages){.ctx_no = (uint16_t)take_hostile(in, 4),
                                         .gfn = take_hostile(in, PAGES + 4),
                                         .dfn = take_hostile(in, 1100),
                                         .map_flags = (uint32_t)take_hostile(in, 8),
                                         .pgsize = hostile_size(in),
                                         .nr_pages = (uint32_t)take_hostile(in, 20)};
        return sizeof(*m);
    case IOMMU_unmap_pages:
        *u = (struct pv_iommu_unmap_pages){.ctx_no = (uint16_t)take_hostile(in, 4),
                                           .dfn = take_hostile(in, 1100),
                                           .pgsize = hostile_size(in),
                                           .nr_pages = (uint32_t)take_hostile(in, 20)};
        return sizeof(*u);
    case IOMMU_lookup_page:
        *l = (struct pv_iommu_lookup_page){.ctx_no = (uint16_t)take_hostile(in, 4),
                                           .dfn = take_hostile(in, 1100)};
        return sizeof(*l);
    case IOMMU_reattach_device:
        *r = (struct pv_iommu_reattach_device){
            .ctx_no = (uint16_t)take_hostile(in, 4),
            .dev = {.devfn = (uint8_t)(8 + 8 * (take_byte(in) % (NR_DEVS + 1)))},
            .pasid = take_byte(in) > 200 ? (uint32_t)take_hostile(in, 4) : 0};
        return sizeof(*r);
    case IOMMU_attach_pasid:
        *attach = (struct pv_iommu_attach_pasid){
            .ctx_no = (uint16_t)take_hostile(in, 4),
            .dev = {.devfn = (uint8_t)(8 + 8 * (take_byte(in) % (NR_DEVS + 1)))},
            .pasid = (uint32_t)take_hostile(in, 4)};
        return sizeof(*attach);
    case IOMMU_detach_pasid:
        *detach = (struct pv_iommu_detach_pasid){
            .dev = {.devfn = (uint8_t)(8 + 8 * (take_byte(in) % (NR_DEVS + 1)))},
            .pasid = (uint32_t)take_hostile(in, 4)};
        return sizeof(*detach);
    case IOMMU_query_reserved:
        *q = (struct pv_iommu_query_reserved){
            .ctx_no = (uint16_t)take_hostile(in, 4),
            .dev = {.devfn = (uint8_t)(8 + 8 * (take_byte(in) % (NR_DEVS + 1)))},
            .flags = (uint32_t)take_hostile(in, 5),
            .nr_ranges = (uint32_t)take_hostile(in, 4)};
        q->ranges.q = hostile_array(in);
        return sizeof(*q);
    case IOMMU_flush_context:
        *fl = (struct pv_iommu_flush_context){.ctx_no = (uint16_t)take_hostile(in, 4),
                                              .pad = take_byte(in) > 250};
        return sizeof(*fl);
    default: /* alloc and free: a number and flags */
        *a = (struct pv_iommu_alloc){.ctx_no = (uint16_t)take_hostile(in, 4),
                                     .alloc_flags = (uint32_t)take_hostile(in, 3)};
        return sizeof(*a);
    }
}

/* ---- Operations --------------------------------------------------------------------------------
 */

static void tell_call(struct fuzz *f, unsigned caller, int subop, long status)
{
    const bool remote = subop == IOMMU_remote_cmd;
    struct ghost_call call = {.caller = (uint16_t)caller,
                              .subop = subop,
                              .status = status,
                              .gfns = f->gfn,
                              .nr_gfns = f->nr_gfns};

    call.in = f->nr_seen > 0 || subop == IOMMU_query_capabilities ? f->seen[0].in : NULL;
    call.out = call.in ? f->seen[0].out : NULL;
    if (remote && f->nr_seen) {
        const struct pv_iommu_remote_cmd *c = call.in;

        call.inner_in = f->nr_seen > 1 || c->cmd == IOMMU_query_capabilities ? f->seen[1].in : NULL;
        call.inner_out = call.inner_in ? f->seen[1].out : NULL;
    }
    must(ghost_called(f->g, &call));
}

static void hypercall(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    const unsigned caller = what >> 7;
    const bool remote = what >> 4 & 1 && take_byte(in) & 1;
    int subop = (what & 15) | (what >> 1 & 16); /* bit 5: an extension */
    uint64_t at = MACHINE_ARG;
    _Alignas(8) char arg[64] = {0};
    size_t size = argument(in, subop, arg);
    long status;

    if (!f->dom[caller])
        return;
    f->flip = take_byte(in);
    f->nr_seen = 0;
    f->nr_gfns = 0;
    f->remote = remote;
    f->listing = subop == IOMMU_map_list;
    if (f->listing)
        put_gfns(f->dom[caller], (const struct pv_iommu_map_list *)(const void *)arg, in);
    memset(f->seen, 0, sizeof(f->seen));
    f->seen[0].at = at;
    (void)machine_guest_write(f->dom[caller], at, arg, size);
    if (remote) {
        struct pv_iommu_remote_cmd c = {.domid = (uint16_t)take_hostile(in, NR_DOMS + 1),
                                        .cmd = (uint16_t)subop};

        c.arg.q = at;
        f->seen[1].at = at;
        f->seen[0].at = at += 128;
        (void)machine_guest_write(f->dom[caller], at, &c, sizeof(c));
        subop = IOMMU_remote_cmd;
    }
    status = machine_hypercall(f->dom[caller], subop, at, take_byte(in) & 1 ? 1 : 0);
    f->listing = false;
    tell_call(f, caller, subop, status);
}

static uint16_t hostile_server(struct input *in)
{
    const uint8_t what = take_byte(in);

    return what < 100 ? IOSERVID_any : what < 250 ? 1 + what % 2 : what;
}

static uint16_t hostile_flags(struct input *in)
{
    const uint8_t what = take_byte(in);
    const unsigned order = what < 224 ? 0 : what < 250 ? 9 : take_byte(in) & 63;

    return (uint16_t)(take_hostile(in, 16) & 0x3ff) | IOMMU_page_order(order);
}

static struct pv_iommu_op element(struct input *in)
{
    struct pv_iommu_op op = {.subop_id = take_byte(in) % 9, .status = 77};
    const uint64_t bfn = take_hostile(in, 1100), gfn = take_hostile(in, PAGES + 4);

    if (op.subop_id != IOMMUOP_lookup_foreign_page || take_byte(in) > 250)
        op.flags = hostile_flags(in);
    op.u.map_foreign_page.bfn = bfn;
    if (op.subop_id == IOMMUOP_unmap_foreign_page) {
        op.u.unmap_foreign_page.ioserver = hostile_server(in);
        return op;
    }
    op.u.map_foreign_page.gfn = gfn;
    op.u.map_foreign_page.domid = (uint16_t)take_hostile(in, NR_DOMS + 1);
    op.u.map_foreign_page.ioserver = hostile_server(in);
    return op;
}

/* Sometimes the array sticks out of the memory that there is. */
static void frames(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    const unsigned caller = what % NR_DOMS, nr = 1 + what / NR_DOMS % MOST_ELEMENTS;
    const uint64_t at =
        MACHINE_ARG + (what > 240 ? FRAME_SIZE - 3 * sizeof(struct pv_iommu_op) : 0);
    long result;

    if (!f->dom[caller])
        return;
    for (unsigned i = 0; i < nr; i++) {
        const struct pv_iommu_op op = element(in);

        (void)machine_guest_write(f->dom[caller], at + i * sizeof(op), &op, sizeof(op));
    }
    f->flip = take_byte(in);
    f->array = (struct array){.at = at};
    result = machine_frames_call(f->dom[caller], at, nr, take_byte(in) & 1);
    f->array.at = 0;
    must(ghost_frames(f->g, (uint16_t)caller, f->array.in, f->array.out, f->array.nr_seen, result));
    if (!result && f->array.nr_seen != nr)
        abort();
}

/* ---- Emulators ---------------------------------------------------------------------------------
 */

static void add_server(struct fuzz *f, unsigned emulator, uint32_t slots)
{
    const uint16_t id = emulator ? 2 : 1;

    if (f->dom[emulator] && f->dom[1])
        must(ghost_ioreq_server(f->g, (uint16_t)emulator, 1, id, slots,
                                machine_ioreq_server(f->dom[emulator], f->dom[1], id, slots)));
}

static void take_request(struct fuzz *f, unsigned emulator)
{
    const uint16_t id = emulator ? 2 : 1;
    struct sluice_ioreq request = {0};
    uint16_t target = 1;
    int status;

    if (!f->dom[emulator])
        return;
    status = machine_ioreq_next(f->dom[emulator], id, &request, &target);
    if (status != -ENODEV)
        must(ghost_ioreq(f->g, (uint16_t)emulator, target, id, status, request.type, request.bfn));
}

/* An emulator that harms nobody but itself. */
static void spoil_ring(struct fuzz *f, unsigned emulator, struct input *in)
{
    const uint16_t id = emulator ? 2 : 1;

    for (struct machine_server *s = f->m->servers; s; s = s->next) {
        if (s->emulator != f->dom[emulator])
            continue;
        s->ring->read_pointer = (uint32_t)take_hostile(in, 8);
        s->ring->write_pointer = (uint32_t)take_hostile(in, 8);
        ghost_ioreq_spoiled(f->g, (uint16_t)emulator, id);
    }
}

static void emulator(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    const unsigned emulator = what & 1 ? 2 : 0;

    if (what < 200)
        take_request(f, emulator);
    else if (what < 250)
        add_server(f, emulator, 1 + take_byte(in) % 4);
    else
        spoil_ring(f, emulator, in);
}

/* ---- Memory and devices ------------------------------------------------------------------------
 */

static void memory(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    const unsigned d = (what >> 2) % NR_DOMS;
    /* Within the width of every memory map: what lies beyond has no status of its own. */
    const uint64_t gfn = take_hostile(in, PAGES + 4) % BIT64(35), nr = 1 + take_byte(in) % 8;

    if (!f->dom[d])
        return;
    if (what & 2)
        must(ghost_ballooned(f->g, (uint16_t)d, gfn, nr, machine_balloon_out(f->dom[d], gfn, nr)));
    else
        must(ghost_populated(f->g, (uint16_t)d, gfn, nr, machine_populate(f->dom[d], gfn, nr)));
}

/* A guest writes into a table of its own: a table, a page or a larger one, of each format. */
static void guest_table(struct fuzz *f, struct input *in)
{
    static const uint64_t bits[] = {7, 7, 3, 5, 1, 0x87, 0x403, 0x483, 0x401, 0, 7, 0x403};
    const uint8_t what = take_byte(in);
    struct machine_domain *d = f->dom[what & 1];
    const uint64_t table = take_byte(in) % PAGES, index = (what >> 1) % 4;
    const uint64_t entry = take_hostile(in, PAGES + 4) << FRAME_LG2 |
                           bits[(what >> 3) % (sizeof(bits) / sizeof(bits[0]))];

    if (d)
        (void)machine_guest_write(d, (table << FRAME_LG2) + 8 * index, &entry, sizeof(entry));
}

static void device(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    struct machine_device *dev = f->dev[what & 1];
    const unsigned d = what >> 1 & 1;

    if (what & 4)
        must(ghost_unassigned(f->g, dev, machine_device_unassign(dev)));
    else if (f->dom[d])
        must(ghost_assigned(f->g, dev, (uint16_t)d, machine_device_assign(dev, f->dom[d])));
}

static void dma(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    struct machine_device *dev = f->dev[what & 1];
    const uint64_t addr = take_hostile(in, 1100) << FRAME_LG2;
    const rid_t rid = machine_device_rid(dev);
    const uint32_t pasid = what >> 6; /* 0 to 3 */
    enum hw_reason reason;
    char data[64] = {0};
    const int status = machine_dma(dev, rid, pasid, addr, data, sizeof(data), what & 2, &reason);

    must(ghost_dma(f->g, dev, rid, pasid, addr, sizeof(data), what & 2, status, reason));
}

static const struct sluice_region region = {0x20000, 0x22fff, SLUICE_REGION_DIRECT,
                                            PT_READ | PT_WRITE, 0};

static void add_domain(struct fuzz *f, unsigned d)
{
    static const char *const controls[] = {"d1"}, *const names[] = {"d0", "d1", "d2"};
    const struct machine_domain_config config = {.name = names[d],
                                                 .domid = (uint16_t)d,
                                                 .hardware = !d,
                                                 .space = d ? SLUICE_SPACE_OWN : f->space,
                                                 .window = 0x800,
                                                 .mem = (uint64_t)PAGES << FRAME_LG2,
                                                 .max_ctx_no = 3,
                                                 .budget_tables = d ? 24 : 0,
                                                 .budget_refs = d ? 60 : 0,
                                                 .controls = controls,
                                                 .nr_controls = d == 1 ? 0 : 1};
    const int status = machine_domain_add(f->m, &config, &f->dom[d]);

    if (status)
        f->dom[d] = NULL;
    must(ghost_domain_added(f->g, &config, status));
}

static void domain(struct fuzz *f, struct input *in)
{
    const unsigned d = take_byte(in) % NR_DOMS;

    if (!f->dom[d]) {
        add_domain(f, d);
        return;
    }
    must(ghost_domain_destroyed(f->g, (uint16_t)d, machine_domain_destroy(f->m, f->dom[d])));
    f->dom[d] = NULL;
}

static void adversity(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);

    if (!f->adverse)
        return;
    if (what & 1) {
        machine_fail_flush(f->m, what >> 4);
        f->flush_failed |= what >> 4;
    } else {
        machine_fail_alloc(f->m, what >> 4);
    }
}

static void step(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);

    if (what < 90)
        hypercall(f, in);
    else if (what < 145)
        frames(f, in);
    else if (what < 155)
        emulator(f, in);
    else if (what < 170)
        guest_table(f, in);
    else if (what < 190)
        memory(f, in);
    else if (what < 205)
        device(f, in);
    else if (what < 240)
        dma(f, in);
    else if (what < 245)
        domain(f, in);
    else if (what < 250)
        machine_prefetch(f->m);
    else
        adversity(f, in);
}

/* ---- The machine -------------------------------------------------------------------------------
 */

static void add_device(struct fuzz *f, unsigned k)
{
    const struct machine_device_config config = {.name = k ? "v1" : "v0",
                                                 .rids = {{8 + 8 * k}},
                                                 .nr_rids = 1,
                                                 .regions = &region,
                                                 .nr_regions = k};
    const int status = machine_device_add(f->m, &config, &f->dev[k]);

    must(ghost_device_added(f->g, &config, f->dev[k], status));
}

static void begin(struct fuzz *f, struct input *in)
{
    static const enum pt_format_id format[] = {PT_FORMAT_VTDSS, PT_FORMAT_X86, PT_FORMAT_AMDV1,
                                               PT_FORMAT_LPAE2};
    const uint8_t what = take_byte(in);
    const struct machine_config config = {.ram = 4 << 20,
                                          .format = format[what & 3],
                                          .blocked = what & 4,
                                          .caching_mode = what & 8,
                                          .noncoherent = what & 16,
                                          .nr_units = 1 + (what >> 5 & 1),
                                          .stages = what & 16 ? 1 : 1 + (what >> 7),
                                          .seed = what};

    now = f;
    f->adverse = what & 64;
    f->space = (enum sluice_space)(take_byte(in) % 3);
    if (machine_create(&config, &f->m, NULL))
        abort();
    f->g = ghost_create(f->m, &config);
    if (f->adverse)
        ghost_allow_failure(f->g);
    f->m->port.copy_from_guest = fetch;
    f->m->port.copy_to_guest = store;
    for (unsigned i = 0; i < NR_DOMS; i++)
        add_domain(f, i);
    for (unsigned i = 0; i < NR_DEVS; i++)
        add_device(f, i);
    add_server(f, 0, 2);
    add_server(f, 2, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct fuzz f = {0};
    unsigned leaks;

    begin(&f, &in);
    for (unsigned i = 0; i < MOST_OPS && in.left; i++) {
        step(&f, &in);
        must(ghost_check(f.g));
    }
    ghost_destroy(f.g);
    leaks = machine_destroy(f.m);
    if (leaks && !f.flush_failed) {
        fprintf(stderr, "%u frames or objects leaked\n", leaks);
        abort();
    }
    return 0;
}
