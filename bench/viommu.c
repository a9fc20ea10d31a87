/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidations of a guest's emulated VT-d: by its queue, each with a wait descriptor, complete
 * when the tail has been written. In legacy mode that brings a shadow up to date: the limit is a
 * loop that reads as many entries of the guest's table. In scalable mode with first-stage tables
 * the hardware walks those, and there is nothing to bring up to date.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../guest/vtd/driver.h"
#include "bench.h"
#include "calls.h"
#include "yardstick.h"

#define PAGES  (UINT64_C(1) << 18) /* 1 GiB */
#define SHIFT  512u                /* what changes, changes by so many frames */
#define TABLES 1024u               /* pages for the guest's tables */
#define IOVA   (UINT64_C(1) << 32)
#define NIC    (5u << 3)
#define DID    2u

struct world {
    struct machine *m;
    struct machine_domain *d;
    struct machine_device *nic;
    struct gvtd_port port;
    struct gvtd_memory memory;
    struct gvtd unit;
    struct gvtd_table table;
    bool scattered; /* neighbouring pages have frames anywhere */
    uint64_t shift;
    uint64_t sink;
};

/* One round: so many invalidations, of neighbouring ranges. */
struct round {
    struct world *w;
    uint64_t nr_pages; /* in each */
    unsigned nr;
};

/* ---- The guest ---------------------------------------------------------------------------------
 */

static int store(void *arg, uint64_t gpa, const void *from, size_t size)
{
    const struct world *w = arg;

    return machine_guest_write(w->d, gpa, from, size);
}

static int load(void *arg, uint64_t gpa, void *to, size_t size)
{
    const struct world *w = arg;

    return machine_guest_read(w->d, gpa, to, size);
}

static int reg_read(void *arg, uint64_t reg, unsigned size, uint64_t *value)
{
    const struct world *w = arg;

    return machine_viommu_read(w->d, reg, size, value);
}

static int reg_write(void *arg, uint64_t reg, unsigned size, uint64_t value)
{
    const struct world *w = arg;

    return machine_viommu_write(w->d, reg, size, value, 0);
}

static uint64_t gpa_of(const struct world *w, uint64_t page)
{
    const uint64_t at = w->scattered ? page * 37 % PAGES : page;

    return (at + w->shift) * FRAME_SIZE;
}

static void map_pages(struct world *w, uint64_t nr)
{
    bool replaced;

    for (uint64_t i = 0; i < nr; i++)
        must(gvtd_map(&w->table, IOVA + i * FRAME_SIZE, gpa_of(w, i), FRAME_SIZE,
                      GVTD_READ | GVTD_WRITE, &replaced));
}

static void change_pages(struct world *w, uint64_t nr)
{
    w->shift ^= SHIFT;
    must(gvtd_unmap(&w->table, IOVA, nr * FRAME_SIZE));
    map_pages(w, nr);
}

/* ---- Rounds ------------------------------------------------------------------------------------
 */

static void change(void *arg)
{
    const struct round *r = arg;

    change_pages(r->w, r->nr_pages * r->nr);
}

static void invalidate(void *arg)
{
    const struct round *r = arg;
    const uint64_t size = r->nr_pages * FRAME_SIZE;

    for (unsigned i = 0; i < r->nr; i++)
        must(gvtd_flush_range(&r->w->unit, DID, IOVA + i * size, size, true));
}

static void invalidate_domain(void *arg)
{
    const struct round *r = arg;

    must(gvtd_flush_domain(&r->w->unit, DID));
}

/* The lowest tables came one after the other, behind those on the way to them. */
static const uint64_t *entries(const struct world *w, uint64_t page)
{
    const uint64_t *top = w->memory.page[w->table.root];
    const uint64_t mask = ~(uint64_t)(FRAME_SIZE - 1) & ((UINT64_C(1) << 52) - 1);
    uint64_t iova = IOVA + page * FRAME_SIZE;

    for (unsigned level = w->table.levels - 1; level; level--) {
        const uint64_t e = top[iova >> (12 + 9 * level) & 511];

        top = w->memory.page[gvtd_page_at(&w->memory, e & mask)];
    }
    return top + page % 512;
}

static void read_entries(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < r->nr; i++)
        for (uint64_t at = 0, nr; at < r->nr_pages; at += nr) {
            nr = r->nr_pages - at < 512 ? r->nr_pages - at : 512;
            r->w->sink += yard_load(entries(r->w, i * r->nr_pages + at), nr);
        }
}

/* ---- Cases -------------------------------------------------------------------------------------
 */

static void bench_one(struct round *r, const char *what, bool changed, double target)
{
    const bool all = r->nr_pages == PAGES;
    char name[96];
    struct bench_case c = {.name = name,
                           .yardstick = "A",
                           .limit = {NULL, read_entries, r, (double)r->nr_pages * r->nr},
                           .subject = {changed ? change : NULL,
                                       all ? invalidate_domain : invalidate, r,
                                       (double)r->nr_pages * r->nr},
                           .rounds = all ? 11 : 51,
                           .target = target};

    snprintf(name, sizeof(name), "viommu/%s, %s: a page", what, changed ? "changed" : "unchanged");
    bench_run(&c);
}

struct targets {
    double unchanged, changed;
};

static void bench_range(struct world *w, const char *how, const char *what, uint64_t nr_pages,
                        unsigned nr, struct targets targets)
{
    struct round r = {w, nr_pages, nr};
    char name[80];

    snprintf(name, sizeof(name), "%s/%s", how, what);
    bench_one(&r, name, false, targets.unchanged);
    bench_one(&r, name, true, targets.changed);
}

static void bench_all(struct world *w, const char *how, const struct targets targets[3])
{
    bench_range(w, how, "1 page", 1, 512, targets[0]);
    bench_range(w, how, "256 pages", 256, 64, targets[1]);
    bench_range(w, how, "domain of 1 GiB", PAGES, 1, targets[2]);
}

/* ---- The machine -------------------------------------------------------------------------------
 */

static void add_device(struct world *w)
{
    const struct machine_device_config config = {.name = "nic", .rids = {{NIC}}, .nr_rids = 1};

    must(machine_device_add(w->m, &config, &w->nic));
    must(machine_device_assign(w->nic, w->d));
}

static void add_unit(struct world *w, bool nested)
{
    const struct machine_viommu_config config = {
        .capabilities = SLUICE_VIOMMU_SECOND_STAGE |
                        (nested ? SLUICE_VIOMMU_SCALABLE | SLUICE_VIOMMU_FIRST_STAGE : 0)};

    must(machine_viommu_create(w->d, &config));
    w->port = (struct gvtd_port){w, store, load, reg_read, reg_write};
    w->memory = (struct gvtd_memory){.port = &w->port,
                                     .base = (PAGES + SHIFT) * FRAME_SIZE,
                                     .nr = TABLES,
                                     .page = calloc(TABLES, sizeof(*w->memory.page)),
                                     .idle = calloc(TABLES, sizeof(uint32_t)),
                                     .leaving = calloc(TABLES, sizeof(uint32_t))};
    must(gvtd_open(&w->unit, &w->memory, nested));
}

/* 1 GiB, in leaves of 4K whatever would fit. */
static void map_all(struct world *w)
{
    w->table.memory = &w->memory;
    gvtd_shape(&w->unit, &w->table);
    w->table.leaf_level = 0;
    must(gvtd_table_init(&w->table));
    map_pages(w, PAGES);
    must(gvtd_attach(&w->unit, NIC, DID, &w->table));
}

static void build(struct world *w, bool nested, bool scattered)
{
    const struct machine_slot slot = {.rids = {{NIC}}, .nr_rids = 1};
    const struct machine_config config = {
        .ram = UINT64_C(2) << 30, .friendly = true, .blocked = true, .slots = &slot, .nr_slots = 1};
    const struct machine_domain_config domain = {
        .name = "guest", .domid = 1, .mem = (PAGES + SHIFT + TABLES) * FRAME_SIZE};
    char error[MACHINE_ERROR_SIZE];

    *w = (struct world){.scattered = scattered};
    must(machine_create(&config, &w->m, error));
    must(machine_domain_add(w->m, &domain, &w->d));
    add_device(w);
    add_unit(w, nested);
    map_all(w);
}

static void destroy(struct world *w)
{
    must((long)machine_destroy(w->m));
    free(w->memory.page);
    free(w->memory.idle);
    free(w->memory.leaving);
}

int main(int argc, char **argv)
{
    static const struct targets none[3], runs[3] = {{0, 0}, {20, 30}, {10, 15}};
    static struct world w;

    if (argc > 1)
        bench_only(argv[1]);
    bench_heading();
    build(&w, false, false);
    bench_all(&w, "neighbouring frames", runs);
    destroy(&w);
    build(&w, false, true);
    bench_all(&w, "scattered frames", none);
    destroy(&w);
    build(&w, true, true);
    bench_all(&w, "nested", none);
    destroy(&w);
    return 0;
}
