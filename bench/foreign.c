/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of others: 1 GiB mapped and unmapped by arrays of the frames ABI, beside one store for
 * each frame; what it costs in submissions and in the reverse map, where the first implementation
 * of this interface took 32 MiB per GiB; and how long a guest that balloons waits for emulators'
 * mappings, beside ballooning without any.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "calls.h"
#include "yardstick.h"

#define FRAMES      (UINT64_C(1) << 18)
#define ARRAY       256u
#define ARRAY_BYTES (ARRAY * (uint64_t)sizeof(struct pv_iommu_op))
#define MAPS_AT     UINT64_C(0x100000) /* guest addresses of the elements, made before */
#define UNMAPS_AT   UINT64_C(0x1000000)
#define WINDOW      UINT64_C(0x100000) /* bus frames */
#define PREDECESSOR (UINT64_C(32) << 20)
#define EMULATORS   8u
#define LEAVING     256u /* pages */

struct emulator {
    struct machine_domain *d;
    char name[8];
};

struct world {
    struct machine *m;
    struct emulator emulator[EMULATORS];
    struct machine_domain *dense, *scattered, *leaver;
    uint64_t page[512]; /* the yardstick's */
};

/* One round: a domain's pages, mapped in elements of one order. */
struct round {
    struct world *w;
    uint16_t target;
    unsigned order;
    uint32_t nr; /* elements */
};

enum { DENSE = 10, SCATTERED, LEAVER };

/* ---- Elements ----------------------------------------------------------------------------------
 */

static struct pv_iommu_op map_op(uint16_t target, uint16_t flags, uint64_t at)
{
    return (struct pv_iommu_op){
        .subop_id = IOMMUOP_map_foreign_page,
        .flags = (uint16_t)(flags | IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable),
        .u.map_foreign_page = {
            .bfn = WINDOW + at, .gfn = at, .domid = target, .ioserver = IOSERVID_any}};
}

static struct pv_iommu_op unmap_op(uint16_t flags, uint64_t at)
{
    return (struct pv_iommu_op){
        .subop_id = IOMMUOP_unmap_foreign_page,
        .flags = flags,
        .u.unmap_foreign_page = {.bfn = WINDOW + at, .ioserver = IOSERVID_any}};
}

static void write_ops(const struct emulator *e, uint16_t target, uint16_t flags, unsigned order,
                      uint32_t nr)
{
    struct pv_iommu_op op;

    for (uint32_t i = 0; i < nr; i++) {
        const uint64_t at = (uint64_t)i << order;

        op = map_op(target, (uint16_t)(flags | IOMMU_page_order(order)), at);
        must(machine_guest_write(e->d, MAPS_AT + i * sizeof(op), &op, sizeof(op)));
        op = unmap_op(IOMMU_page_order(order), at);
        must(machine_guest_write(e->d, UNMAPS_AT + i * sizeof(op), &op, sizeof(op)));
    }
}

static void run_ops(const struct emulator *e, uint64_t at, uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i += ARRAY)
        must(machine_frames_call(e->d, at + i * sizeof(struct pv_iommu_op),
                                 nr - i < ARRAY ? nr - i : ARRAY, 0));
}

static void check_ops(const struct emulator *e, uint64_t at, uint32_t nr)
{
    struct pv_iommu_op op;

    for (uint32_t i = 0; i < nr; i++) {
        must(machine_guest_read(e->d, at + i * sizeof(op), &op, sizeof(op)));
        must(op.status);
    }
}

/* ---- 1 GiB -------------------------------------------------------------------------------------
 */

static void map_all(void *arg)
{
    const struct round *r = arg;

    run_ops(&r->w->emulator[0], MAPS_AT, r->nr);
}

static void unmap_all(void *arg)
{
    const struct round *r = arg;

    run_ops(&r->w->emulator[0], UNMAPS_AT, r->nr);
}

static void store_all(void *arg)
{
    const struct round *r = arg;

    for (uint64_t i = 0; i < FRAMES; i += 512)
        yard_store(r->w->page, 512, 0x1000003, 0x1000);
}

static void count_submissions(const struct round *r, const char *what)
{
    const uint32_t nr = r->nr < ARRAY ? r->nr : ARRAY;
    uint64_t before = submissions(r->w->m);
    char name[96];

    run_ops(&r->w->emulator[0], MAPS_AT, nr);
    snprintf(name, sizeof(name), "foreign/%s: submissions, array of %u maps", what, nr);
    bench_count(name, submissions(r->w->m) - before, 0);
    before = submissions(r->w->m);
    run_ops(&r->w->emulator[0], UNMAPS_AT, nr);
    snprintf(name, sizeof(name), "foreign/%s: submissions, array of %u unmaps", what, nr);
    bench_count(name, submissions(r->w->m) - before, 1);
}

static void count_bytes(const struct round *r, const char *what, uint64_t limit)
{
    uint64_t nodes, bytes;
    char name[96];

    map_all((void *)(uintptr_t)r);
    sluice_reverse_map(machine_sluice(r->w->m), &nodes, &bytes);
    snprintf(name, sizeof(name), "foreign/%s: reverse map, bytes for 1 GiB", what);
    bench_count(name, bytes, limit);
    unmap_all((void *)(uintptr_t)r);
}

static void bench_gib(struct world *w, const char *what, uint16_t target, unsigned order,
                      uint64_t limit)
{
    struct round r = {w, target, order, (uint32_t)(FRAMES >> order)};
    char name[96], where[32];
    struct bench_case c = {
        .name = name, .yardstick = "store", .limit = {NULL, store_all, &r, FRAMES}, .rounds = 5};

    write_ops(&w->emulator[0], target, 0, order, r.nr);
    map_all(&r); /* so that tables are there, and to see that it works */
    check_ops(&w->emulator[0], MAPS_AT, r.nr);
    c.subject = (struct bench_work){unmap_all, map_all, &r, FRAMES};
    snprintf(name, sizeof(name), "foreign/%s/order %u: map a frame", what, order);
    bench_run(&c);
    unmap_all(&r);
    check_ops(&w->emulator[0], UNMAPS_AT, r.nr);
    c.subject = (struct bench_work){map_all, unmap_all, &r, FRAMES};
    snprintf(name, sizeof(name), "foreign/%s/order %u: unmap a frame", what, order);
    bench_run(&c);
    snprintf(where, sizeof(where), "%s/order %u", what, order);
    count_submissions(&r, where);
    count_bytes(&r, where, limit);
}

/* ---- Ballooning --------------------------------------------------------------------------------
 */

struct balloon {
    struct world *w;
    unsigned nr; /* emulators */
};

/* Takes what it was told: nothing, or of all pages, which it unmaps. */
static void forget(const struct emulator *e, uint16_t server)
{
    struct sluice_ioreq request;
    uint16_t target;
    unsigned told = 0;

    while (!machine_ioreq_next(e->d, server, &request, &target))
        told++;
    if (told == LEAVING)
        run_ops(e, UNMAPS_AT, LEAVING);
    else
        must(told ? -EIO : 0);
}

/* The pages are there, and nobody but the first nr emulators has them. */
static void prepare(struct world *w, unsigned nr)
{
    mfn_t mfn;

    for (unsigned i = 0; i < EMULATORS; i++)
        forget(&w->emulator[i], (uint16_t)i);
    if (sluice_memory_lookup(machine_domain_sluice(w->leaver), gfn_of(0), &mfn))
        must(machine_populate(w->leaver, 0, LEAVING));
    for (unsigned i = 0; i < nr; i++)
        run_ops(&w->emulator[i], MAPS_AT, LEAVING);
}

static void prepare_none(void *arg)
{
    prepare(((struct balloon *)arg)->w, 0);
}

static void prepare_mapped(void *arg)
{
    const struct balloon *b = arg;

    prepare(b->w, b->nr);
}

static void balloon_out(void *arg)
{
    must(machine_balloon_out(((struct balloon *)arg)->w->leaver, 0, LEAVING));
}

static void bench_balloon(struct world *w, unsigned nr, bool swap)
{
    struct balloon b = {w, nr};
    char name[96];
    const struct bench_case c = {.name = name,
                                 .yardstick = "no mapping",
                                 .limit = {prepare_none, balloon_out, &b, LEAVING},
                                 .subject = {prepare_mapped, balloon_out, &b, LEAVING},
                                 .rounds = 101};

    for (unsigned i = 0; i < nr; i++)
        write_ops(&w->emulator[i], LEAVER, swap ? IOMMU_MAP_OP_swap_mfn : 0, 0, LEAVING);
    snprintf(name, sizeof(name), "foreign/balloon out a page of %u emulators, %s", nr,
             swap ? "swapped" : "held");
    bench_run(&c);
    prepare(w, 0);
}

/* ---- The machine -------------------------------------------------------------------------------
 */

static struct machine_domain *add_target(struct world *w, const char *name, uint16_t domid,
                                         uint64_t mem, bool contiguous)
{
    const struct machine_domain_config config = {.name = name,
                                                 .domid = domid,
                                                 .mem = mem,
                                                 .contiguous = contiguous,
                                                 .scattered = !contiguous};
    struct machine_domain *d;

    must(machine_domain_add(w->m, &config, &d));
    return d;
}

/* With a device each, so that flushes are real. */
static void add_emulator(struct world *w, unsigned i)
{
    static const char *const controls[] = {"dense", "scattered", "leaver"};
    struct emulator *e = &w->emulator[i];
    const struct machine_domain_config config = {.name = e->name,
                                                 .domid = (uint16_t)(1 + i),
                                                 .mem = 32 << 20,
                                                 .controls = controls,
                                                 .nr_controls = 3};
    char name[8];
    const struct machine_device_config nic = {
        .name = name, .rids = {rid_of(0, 0, (uint8_t)((1 + i) << 3))}, .nr_rids = 1};
    struct machine_device *dev;

    snprintf(e->name, sizeof(e->name), "e%u", i);
    snprintf(name, sizeof(name), "nic%u", i);
    must(machine_domain_add(w->m, &config, &e->d));
    must(machine_device_add(w->m, &nic, &dev));
    must(machine_device_assign(dev, e->d));
    must(machine_ioreq_server(e->d, w->leaver, (uint16_t)i, IOREQ_BUFFER_SLOT_NUM));
}

static void build(struct world *w)
{
    const struct machine_config config = {.ram = UINT64_C(8) << 30};

    must(machine_create(&config, &w->m, NULL));
    w->dense = add_target(w, "dense", DENSE, FRAMES << 12, true);
    w->scattered = add_target(w, "scattered", SCATTERED, FRAMES << 12, false);
    w->leaver = add_target(w, "leaver", LEAVER, LEAVING << 12, false);
    for (unsigned i = 0; i < EMULATORS; i++)
        add_emulator(w, i);
}

int main(int argc, char **argv)
{
    static struct world w;

    if (argc > 1)
        bench_only(argv[1]);
    build(&w);
    bench_heading();
    bench_gib(&w, "neighbours", DENSE, 0, 16 * FRAMES);
    bench_gib(&w, "neighbours", DENSE, 9, 16 * FRAMES);
    bench_gib(&w, "scattered", SCATTERED, 0, PREDECESSOR);
    for (unsigned swap = 0; swap < 2; swap++) {
        bench_balloon(&w, 1, swap);
        bench_balloon(&w, 2, swap);
        bench_balloon(&w, EMULATORS, swap);
    }
    return machine_destroy(w.m) ? 1 : 0;
}
