/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole hypercalls against the limits: the argument copied in and checked, frames found in the
 * domain's memory map and referenced, entries, counters; no device is attached, so no hardware
 * flush. Also the software unit's translation, and what calls cost in submissions and memory, which
 * is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../host/soft/soft.h"
#include "bench.h"
#include "calls.h"
#include "yardstick.h"

#define CALLS  64u  /* in a round */
#define PAGES  256u /* in a batch */
#define LOOKUP 4096u
#define NIC    (5u << 3)
#define DISK   (6u << 3)

struct world {
    struct machine *m;
    struct machine_domain *dense, *scattered;
    struct machine_device *nic;
    uint16_t ctx[2], deferred;
    _Alignas(4096) uint64_t page[512]; /* a table of the yardstick's */
    uint64_t sink;
};

struct round {
    struct world *w;
    struct range range;
};

static void map_all(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        map(&r->range, (uint64_t)i * r->range.nr_pages);
}

/* Always the same frames, in an order of their own, at the next addresses. */
static void map_lists(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        map_list(&r->range, (uint64_t)i * r->range.nr_pages);
}

static void unmap_all(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        unmap(&r->range, (uint64_t)i * r->range.nr_pages);
}

static void store_all(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        yard_store(r->w->page + i % 2 * PAGES, r->range.nr_pages, 0x1000003, 0x1000);
}

static void clear_all(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        yard_store(r->w->page + i % 2 * PAGES, r->range.nr_pages, 0, 0);
}

static void lookup_all(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++) {
        struct pv_iommu_lookup_page a = {.ctx_no = r->range.ctx_no, .dfn = CALLS_DFN + i};

        call(r->range.d, IOMMU_lookup_page, &a, sizeof(a));
    }
}

static void noop_all(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        must(machine_hypercall(r->range.d, IOMMU_noop, MACHINE_ARG, 0));
}

static void bench_calls(struct world *w, struct machine_domain *d, uint16_t ctx_no,
                        const char *what, uint32_t nr_pages, double map_target, double unmap_target)
{
    struct round r = {w, {d, ctx_no, nr_pages}};
    char name[2][64];
    const double units = (double)CALLS * nr_pages;
    struct bench_case c = {.yardstick = "A", .rounds = 301};

    snprintf(name[0], sizeof(name[0]), "hypercall: map %u x 4K, %s", nr_pages, what);
    snprintf(name[1], sizeof(name[1]), "hypercall: unmap %u x 4K, %s", nr_pages, what);
    map_all(&r); /* so that the tables are there */
    unmap_all(&r);
    c.name = name[0];
    c.limit = (struct bench_work){NULL, store_all, &r, units};
    map_all(&r);
    c.subject = (struct bench_work){unmap_all, map_all, &r, units};
    c.target = map_target;
    bench_run(&c);
    c.name = name[1];
    c.limit = (struct bench_work){NULL, clear_all, &r, units};
    unmap_all(&r);
    c.subject = (struct bench_work){map_all, unmap_all, &r, units};
    c.target = unmap_target;
    bench_run(&c);
}

static void bench_list(struct world *w)
{
    struct round r = {w, {w->scattered, w->ctx[1], PAGES}};
    const double units = (double)CALLS * PAGES;
    const struct bench_case c = {.name = "hypercall: map_list 256 x 4K, scattered frames",
                                 .yardstick = "A",
                                 .rounds = 301,
                                 .limit = {NULL, store_all, &r, units},
                                 .subject = {unmap_all, map_lists, &r, units}};

    put_list(&r.range, 0);
    map_lists(&r);
    bench_run(&c);
    unmap_all(&r);
}

/* One-page calls against a call that does nothing: what is left is the work. */
static void bench_single(struct world *w)
{
    struct round r = {w, {w->dense, w->ctx[0], 1}};
    struct bench_case c = {.yardstick = "noop call", .rounds = 301};

    c.limit = (struct bench_work){NULL, noop_all, &r, CALLS};
    c.name = "hypercall: map one 4K page";
    map_all(&r);
    c.subject = (struct bench_work){unmap_all, map_all, &r, CALLS};
    bench_run(&c);
    c.name = "hypercall: unmap one 4K page";
    unmap_all(&r);
    c.subject = (struct bench_work){map_all, unmap_all, &r, CALLS};
    bench_run(&c);
    c.name = "hypercall: lookup";
    map_all(&r);
    c.subject = (struct bench_work){NULL, lookup_all, &r, CALLS};
    bench_run(&c);
    unmap_all(&r);
}

/* As often as a guest may: the flush for all of a round is part of it. */
static void unmap_and_flush(void *arg)
{
    const struct round *r = arg;
    struct pv_iommu_flush_context a = {.ctx_no = r->range.ctx_no};

    unmap_all(arg);
    call(r->range.d, IOMMU_flush_context, &a, sizeof(a));
}

/* Deferred against strict, with a device in each context: the flush of the software unit counts. */
static void bench_deferred(struct world *w, uint32_t nr_pages)
{
    struct round strict = {w, {w->dense, w->ctx[0], nr_pages}};
    struct round deferred = {w, {w->dense, w->deferred, nr_pages}};
    const double units = (double)CALLS * nr_pages;
    char name[64];
    struct bench_case c = {.name = name, .yardstick = "strict", .rounds = 301, .target = 1};

    snprintf(name, sizeof(name), "hypercall: unmap %u x 4K, deferred", nr_pages);
    attach(&strict.range, NIC);
    attach(&deferred.range, DISK);
    c.limit = (struct bench_work){map_all, unmap_all, &strict, units};
    c.subject = (struct bench_work){map_all, unmap_and_flush, &deferred, units};
    bench_run(&c);
    attach(&(struct range){.d = w->dense}, NIC);
}

struct translation {
    struct world *w;
    uint64_t tag[LOOKUP], value[LOOKUP];
};

/* A direct-mapped cache with nothing around it: index, compare, add. */
static void plain_cache(void *arg)
{
    struct translation *t = arg;
    uint64_t sum = 0;

    for (uint64_t i = 0; i < LOOKUP; i++) {
        const uint64_t dfn = 0x100000 + (i & 63), at = dfn % LOOKUP;

        if (__atomic_load_n(&t->tag[at], __ATOMIC_RELAXED) == dfn)
            sum += __atomic_load_n(&t->value[at], __ATOMIC_RELAXED);
    }
    t->w->sink += sum;
}

static void hits(void *arg)
{
    const struct translation *t = arg;
    const rid_t rid = machine_device_rid(t->w->nic);
    struct soft_unit *u = soft_machine_unit(t->w->m, 0);
    enum hw_reason reason;
    uint64_t maddr, sum = 0;

    for (uint64_t i = 0; i < LOOKUP; i++) {
        must(soft_translate(u, rid, 0, (0x100000 + (i & 63)) << 12, false, &maddr, &reason));
        sum += maddr;
    }
    t->w->sink += sum;
}

static void bench_translation(struct world *w)
{
    struct round r = {w, {w->dense, w->ctx[0], 1}};
    struct translation *t = calloc(1, sizeof(*t));
    struct bench_case c = {.name = "software unit: translation cache hit",
                           .yardstick = "plain cache",
                           .rounds = 301,
                           .target = 2.5};

    if (!t)
        exit(1);
    t->w = w;
    for (uint64_t i = 0; i < 64; i++)
        t->tag[(0x100000 + i) % LOOKUP] = 0x100000 + i;
    map_all(&r);
    attach(&r.range, NIC);
    c.limit = (struct bench_work){NULL, plain_cache, t, LOOKUP};
    c.subject = (struct bench_work){NULL, hits, t, LOOKUP};
    bench_run(&c);
    unmap_all(&r);
    attach(&(struct range){.d = w->dense}, NIC);
    free(t);
}

static void count_flushes(struct world *w, const char *what)
{
    struct range r = {w->dense, w->ctx[0], 0};
    char name[64];
    uint64_t before;

    for (r.nr_pages = 1; r.nr_pages <= 8192; r.nr_pages *= 8192) {
        before = submissions(w->m);
        map(&r, 0);
        snprintf(name, sizeof(name), "submissions: map %u pages, %s", r.nr_pages, what);
        bench_count(name, submissions(w->m) - before, 0);
        before = submissions(w->m);
        unmap(&r, 0);
        snprintf(name, sizeof(name), "submissions: unmap %u pages, %s", r.nr_pages, what);
        bench_count(name, submissions(w->m) - before, 1);
    }
}

static void count_deferred(struct world *w)
{
    struct round r = {w, {w->dense, w->deferred, 1}};
    uint64_t before;

    map_all(&r);
    before = submissions(w->m);
    unmap_and_flush(&r);
    bench_count("submissions: unmap 64 x 1 page, deferred, and flush", submissions(w->m) - before,
                1);
}

static void count_all(struct world *w)
{
    const struct range r = {w->dense, w->ctx[0], 8192};
    struct machine_stats before, after;

    attach(&r, NIC);
    count_flushes(w, "neighbouring frames");
    count_deferred(w);
    attach(&(struct range){.d = w->dense}, NIC);
    machine_stats(w->m, &before);
    map(&r, 0);
    machine_stats(w->m, &after);
    bench_count("allocations: map 8192 pages, warm tables", after.allocs - before.allocs, 0);
    unmap(&r, 0);
    bench_count("bytes of record for a frame of RAM", 16, 16);
}

static void build(struct world *w)
{
    const struct machine_config mc = {.ram = UINT64_C(1) << 30};
    const struct machine_domain_config dense = {
        .name = "dense", .domid = 1, .mem = 256u << 20, .contiguous = true};
    const struct machine_domain_config scattered = {
        .name = "scattered", .domid = 2, .mem = 256u << 20, .scattered = true};
    const struct machine_device_config nic = {
        .name = "nic", .rids = {rid_of(0, 0, NIC)}, .nr_rids = 1};
    const struct machine_device_config disk = {
        .name = "disk", .rids = {rid_of(0, 0, DISK)}, .nr_rids = 1};
    struct machine_device *dev;

    must(machine_create(&mc, &w->m, NULL));
    must(machine_domain_add(w->m, &dense, &w->dense));
    must(machine_domain_add(w->m, &scattered, &w->scattered));
    must(machine_device_add(w->m, &nic, &w->nic));
    must(machine_device_assign(w->nic, w->dense));
    must(machine_device_add(w->m, &disk, &dev));
    must(machine_device_assign(dev, w->dense));
    w->deferred = new_deferred(w->dense);
    w->ctx[0] = new_context(w->dense);
    w->ctx[1] = new_context(w->scattered);
}

int main(int argc, char **argv)
{
    static struct world w;

    if (argc > 1)
        bench_only(argv[1]);
    build(&w);
    bench_heading();
    bench_calls(&w, w.dense, w.ctx[0], "neighbouring frames", PAGES, 4, 5);
    bench_calls(&w, w.scattered, w.ctx[1], "scattered frames", PAGES, 0, 0);
    bench_list(&w);
    bench_single(&w);
    bench_deferred(&w, PAGES);
    bench_deferred(&w, 1);
    bench_translation(&w);
    count_all(&w);
    return machine_destroy(w.m) ? 1 : 0;
}
