/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed operations on a small software machine, beside the ghost model: calls with hostile
 * arguments in memory that changes after each fetch, memory and devices that come and go, DMA,
 * preemption at any chance, allocations and flushes that fail. The model has to agree with every
 * outcome and, in the end, nothing may be left behind.
 */
#include "../host/soft/internal.h"
#include "../test/model/ghost.h"
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPS 200u
#define NR_DOMS  2u
#define NR_DEVS  2u
#define PAGES    24u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    uint8_t flip;
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

static int fetch(void *host, void *guest, void *to, uint64_t from, size_t size)
{
    struct seen *s = &now->seen[now->nr_seen < 2 ? now->nr_seen : 1];
    char other[64];

    (void)host;
    if (machine_guest_read(guest, from, to, size))
        return -EFAULT;
    *s = (struct seen){.at = from, .size = size};
    memcpy(s->in, to, size);
    memcpy(s->out, to, size);
    now->nr_seen++;
    for (size_t i = 0; i < size; i++)
        other[i] = (char)(s->in[i] ^ now->flip);
    (void)machine_guest_write(guest, from, other, size);
    return 0;
}

static int store(void *host, void *guest, uint64_t to, const void *from, size_t size)
{
    (void)host;
    if (machine_guest_write(guest, to, from, size))
        return -EFAULT;
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

static size_t argument(struct input *in, int subop, void *at)
{
    struct pv_iommu_map_pages *m = at;
    struct pv_iommu_unmap_pages *u = at;
    struct pv_iommu_lookup_page *l = at;
    struct pv_iommu_reattach_device *r = at;
    struct pv_iommu_alloc *a = at;

    switch (subop) {
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
            .pasid = take_byte(in) > 250};
        return sizeof(*r);
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
    struct ghost_call call = {.caller = (uint16_t)caller, .subop = subop, .status = status};

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
    int subop = what & 15;
    uint64_t at = MACHINE_ARG;
    char arg[64] = {0};
    size_t size = argument(in, subop, arg);
    long status;

    if (!f->dom[caller])
        return;
    f->flip = take_byte(in);
    f->nr_seen = 0;
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
    tell_call(f, caller, subop, status);
}

static void memory(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    const unsigned d = what & 1;
    /* Within the width of every memory map: what lies beyond has no status of its own. */
    const uint64_t gfn = take_hostile(in, PAGES + 4) % BIT64(35), nr = 1 + take_byte(in) % 8;

    if (!f->dom[d])
        return;
    if (what & 2)
        must(ghost_ballooned(f->g, (uint16_t)d, gfn, nr, machine_balloon_out(f->dom[d], gfn, nr)));
    else
        must(ghost_populated(f->g, (uint16_t)d, gfn, nr, machine_populate(f->dom[d], gfn, nr)));
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
    enum hw_reason reason;
    char data[64] = {0};
    const int status = machine_dma(dev, rid, addr, data, sizeof(data), what & 2, &reason);

    must(ghost_dma(f->g, dev, rid, addr, sizeof(data), what & 2, status, reason));
}

static const struct sluice_region region = {0x20000, 0x22fff, SLUICE_REGION_DIRECT,
                                            PT_READ | PT_WRITE};

static void add_domain(struct fuzz *f, unsigned d)
{
    static const char *const controls[] = {"d1"};
    const struct machine_domain_config config = {.name = d ? "d1" : "d0",
                                                 .domid = (uint16_t)d,
                                                 .mem = (uint64_t)PAGES << FRAME_LG2,
                                                 .max_ctx_no = 3,
                                                 .budget_tables = d ? 24 : 0,
                                                 .budget_refs = d ? 60 : 0,
                                                 .controls = controls,
                                                 .nr_controls = d ? 0 : 1};
    const int status = machine_domain_add(f->m, &config, &f->dom[d]);

    if (status)
        f->dom[d] = NULL;
    must(ghost_domain_added(f->g, &config, status));
}

static void domain(struct fuzz *f, struct input *in)
{
    const unsigned d = take_byte(in) & 1;

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

    if (what < 160)
        hypercall(f, in);
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
                                          .seed = what};

    now = f;
    f->adverse = what & 64;
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
