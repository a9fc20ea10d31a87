/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables against their limits: the rows of the performance goals that need nothing but
 * iommu/pgtable. Four levels, coherent walker. An argument runs only the cases with it in their
 * name.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "iommu/pgtable/pgtable.h"
#include "yardstick.h"

#define ARENA_PAGES 2048u
#define GIB_FRAMES  (UINT64_C(1) << 18)
#define FIRST_MFN   UINT64_C(0x100000)
#define HOT_PAGES   2048u /* four tables: stays in the first-level cache */

struct world {
    struct sluice_port port;
    struct pt_pages pages;
    struct pgtable pt;
    struct yard_table yard;
    char *arena;
    uint64_t free[ARENA_PAGES];
    unsigned nr_free;
    uint64_t *leaf[512]; /* the lowest tables of the first GiB */
    uint64_t *big[16];   /* tables of 2M leaves: the GiBs after it */
    mfn_t *frames;       /* scattered */
    uint64_t sink;
};

static int alloc_page(void *host, mfn_t *page)
{
    struct world *w = host;

    if (!w->nr_free)
        return -ENOMEM;
    page->n = w->free[--w->nr_free];
    return 0;
}

static void free_page(void *host, mfn_t page)
{
    struct world *w = host;

    memset(w->arena + page.n * FRAME_SIZE, 0, FRAME_SIZE);
    w->free[w->nr_free++] = page.n;
}

static void writeback(void *host, const void *p, size_t size)
{
    (void)host;
    (void)p;
    (void)size;
}

static __attribute__((noreturn)) void panic(void *host, const char *what)
{
    (void)host;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void must(int r)
{
    if (r)
        panic(NULL, "a call failed");
}

static void map_range(struct world *w, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned lg2)
{
    uint64_t done;

    for (; nr; dfn += done, mfn += done, nr -= done)
        must(pt_map(&w->pt, dfn_of(dfn), mfn_of(mfn), nr, lg2, PT_READ | PT_WRITE, &done));
}

static void unmap_range(struct world *w, uint64_t dfn, uint64_t nr)
{
    uint64_t done;

    for (; nr; dfn += done, nr -= done) {
        struct pt_freed freed;

        freed.nr_runs = 0;
        freed.retired = false;
        must(pt_unmap(&w->pt, dfn_of(dfn), nr, &freed, &done));
    }
}

static uint64_t table_of(struct world *w, unsigned level, uint64_t dfn)
{
    uint64_t *table = w->yard.root;

    for (unsigned at = 3; at > level; at--)
        table = (uint64_t *)(void *)(w->arena + (table[dfn >> 9 * at & 511] & 0xffffffffff000));
    return (uint64_t)((char *)table - w->arena);
}

static void find_tables(struct world *w)
{
    for (unsigned i = 0; i < 512; i++)
        w->leaf[i] = (uint64_t *)(void *)(w->arena + table_of(w, 0, i * 512u));
    for (unsigned i = 0; i < 16; i++)
        w->big[i] = (uint64_t *)(void *)(w->arena + table_of(w, 1, (1 + i) * GIB_FRAMES));
}

static void world_init(struct world *w, enum pt_format_id id)
{
    struct pt_geometry geo = {.format = pt_format(id), .levels = 4, .iova_bits = 48};
    uint64_t seed = 1;

    memset(w, 0, sizeof(*w));
    geo.leaf_sizes = geo.format->leaf_sizes;
    w->arena = aligned_alloc(1 << 21, ARENA_PAGES * (size_t)FRAME_SIZE);
    memset(w->arena, 0, ARENA_PAGES * (size_t)FRAME_SIZE);
    for (unsigned i = ARENA_PAGES; i-- > 1;)
        w->free[w->nr_free++] = i;
    w->port = (struct sluice_port){.host = w,
                                   .direct_map = w->arena,
                                   .alloc_page = alloc_page,
                                   .free_page = free_page,
                                   .writeback = writeback,
                                   .panic = panic};
    w->pages.port = &w->port;
    w->pages.limit = ARENA_PAGES;
    must(pt_init(&w->pt, &geo, &w->pages));
    w->yard =
        (struct yard_table){.map = w->arena, .root = w->pt.root_va, .end = pt_nr_dfns(&w->pt)};
    w->yard.table_mask = id == PT_FORMAT_VTDSS ? 0x83 : id == PT_FORMAT_X86 ? 0x81 : 1;
    w->yard.table_bits = w->yard.table_mask & 3;
    map_range(w, 0, FIRST_MFN, GIB_FRAMES, 12);
    unmap_range(w, 0, GIB_FRAMES);
    map_range(w, GIB_FRAMES, FIRST_MFN, 16 * GIB_FRAMES, 21);
    unmap_range(w, GIB_FRAMES, 16 * GIB_FRAMES);
    find_tables(w);
    w->frames = calloc(GIB_FRAMES, sizeof(*w->frames));
    for (uint64_t i = 0; i < GIB_FRAMES; i++) {
        uint64_t k = (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33;

        k %= i + 1;
        w->frames[i] = w->frames[k];
        w->frames[k] = mfn_of(FIRST_MFN + 2 * i);
    }
}

static void world_fini(struct world *w)
{
    free(w->arena);
    free(w->frames);
}

/* What must be there, or not, before a round. */
static void hot_empty(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < HOT_PAGES / 512; i++)
        yard_store(w->leaf[i], 512, 0, 0);
}

static void hot_mapped(void *arg)
{
    hot_empty(arg);
    map_range(arg, 0, FIRST_MFN, HOT_PAGES, 12);
}

static void gib_empty(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < 512; i++)
        yard_store(w->leaf[i], 512, 0, 0);
}

static void big_empty(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < 16; i++)
        yard_store(w->big[i], 512, 0, 0);
}

/* No lowest tables at all, and what they will be made of in no cache. */
static void gib_cold(void *arg)
{
    struct world *w = arg;
    dfn_t cursor = dfn_of(0);
    mfn_t pages[64];

    gib_empty(w);
    while (cursor.n < GIB_FRAMES) {
        unsigned n = pt_prune(&w->pt, &cursor, dfn_of(GIB_FRAMES - 1), pages, 64);

        pt_free_pages(&w->pt, pages, n);
    }
    bench_evict();
}

static void gib_pages_cold(void *arg)
{
    struct world *w = arg;

    if (!w->pt.root_va)
        return;
    gib_empty(w);
    map_range(w, 0, FIRST_MFN, GIB_FRAMES, 12); /* tables are there again */
    find_tables(w);
    gib_empty(w);
    bench_evict();
}

/* Limit A. */
static void a_256(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < HOT_PAGES; i += 256)
        yard_store(w->leaf[i / 512] + i % 512, 256, (FIRST_MFN + i) << 12 | 3, 0x1000);
}

static void a_256_empty(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < HOT_PAGES; i += 256)
        yard_store(w->leaf[i / 512] + i % 512, 256, 0, 0);
}

static void a_gib(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < 512; i++)
        yard_store(w->leaf[i], 512, (FIRST_MFN + i * 512u) << 12 | 3, 0x1000);
}

static void a_gib_list(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < 512; i++)
        yard_store_list(w->leaf[i], 512, &w->frames[i * 512u].n, 3);
}

static void a_big(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < 16; i++)
        yard_store(w->big[i], 512, (FIRST_MFN + i * GIB_FRAMES) << 12 | 0x83, 0x200000);
}

/* Limit B. */
static void b_map(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < HOT_PAGES; i++)
        must(yard_map(&w->yard, i, (FIRST_MFN + i) << 12 | 3));
}

static void b_unmap(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < HOT_PAGES; i++)
        must(yard_unmap(&w->yard, i));
}

static void b_lookup(void *arg)
{
    struct world *w = arg;
    uint64_t e;

    for (unsigned i = 0; i < HOT_PAGES; i++) {
        must(yard_lookup(&w->yard, i, &e));
        w->sink += e >> 12;
    }
}

/* Subjects. */
static void map_1(void *arg)
{
    struct world *w = arg;
    uint64_t done;

    for (unsigned i = 0; i < HOT_PAGES; i++)
        must(pt_map(&w->pt, dfn_of(i), mfn_of(FIRST_MFN + i), 1, 63, PT_READ | PT_WRITE, &done));
}

static void unmap_1(void *arg)
{
    struct world *w = arg;
    struct pt_freed freed;
    uint64_t done;

    for (unsigned i = 0; i < HOT_PAGES; i++) {
        freed.nr_runs = 0;
        freed.retired = false;
        must(pt_unmap(&w->pt, dfn_of(i), 1, &freed, &done));
    }
}

static void map_256(void *arg)
{
    struct world *w = arg;
    uint64_t done;

    for (unsigned i = 0; i < HOT_PAGES; i += 256)
        must(pt_map(&w->pt, dfn_of(i), mfn_of(FIRST_MFN + i), 256, 12, PT_READ | PT_WRITE, &done));
}

static void unmap_256(void *arg)
{
    for (unsigned i = 0; i < HOT_PAGES; i += 256)
        unmap_range(arg, i, 256);
}

static void map_gib(void *arg)
{
    map_range(arg, 0, FIRST_MFN, GIB_FRAMES, 12);
}

static void unmap_gib(void *arg)
{
    unmap_range(arg, 0, GIB_FRAMES);
}

static void gib_mapped(void *arg)
{
    gib_empty(arg);
    map_gib(arg);
}

static void a_gib_empty(void *arg)
{
    gib_empty(arg);
}

static void map_scattered(void *arg)
{
    struct world *w = arg;
    uint64_t done;

    for (uint64_t i = 0; i < GIB_FRAMES; i++)
        must(pt_map(&w->pt, dfn_of(i), w->frames[i], 1, 12, PT_READ | PT_WRITE, &done));
}

static void map_listed(void *arg)
{
    struct world *w = arg;
    uint64_t done;

    for (uint64_t i = 0; i < GIB_FRAMES; i += done)
        must(pt_map_list(&w->pt, dfn_of(i), w->frames + i, GIB_FRAMES - i, PT_READ | PT_WRITE,
                         &done));
}

static void map_big(void *arg)
{
    map_range(arg, GIB_FRAMES, FIRST_MFN, 16 * GIB_FRAMES, 21);
}

static void lookup_1(void *arg)
{
    struct world *w = arg;
    struct pt_leaf leaf;

    for (unsigned i = 0; i < HOT_PAGES; i++) {
        must(pt_lookup(&w->pt, dfn_of(i), 1, &leaf));
        w->sink += leaf.mfn.n;
    }
}

static void lookup_runs(void *arg)
{
    struct world *w = arg;
    struct pt_leaf leaf;

    for (uint64_t i = 0; i < HOT_PAGES; i += leaf.nr) {
        must(pt_lookup(&w->pt, dfn_of(i), HOT_PAGES, &leaf));
        w->sink += leaf.nr;
    }
}

static void a_load(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < HOT_PAGES / 512; i++)
        w->sink += yard_load(w->leaf[i], 512);
}

/* Threads: each maps and unmaps its own GiB quarter of one table. */
#define THREAD_FRAMES (GIB_FRAMES / 4)

struct worker {
    struct world *w;
    uint64_t first;
};

static void *worker_main(void *arg)
{
    struct worker *k = arg;

    for (unsigned i = 0; i < 32; i++) {
        map_range(k->w, k->first, FIRST_MFN, THREAD_FRAMES, 12);
        unmap_range(k->w, k->first, THREAD_FRAMES);
    }
    return NULL;
}

static void run_threads(struct world *w, unsigned n)
{
    struct worker worker[2];
    pthread_t thread[2];

    for (unsigned i = 0; i < n; i++) {
        worker[i] = (struct worker){.w = w, .first = i * THREAD_FRAMES};
        must(pthread_create(&thread[i], NULL, worker_main, &worker[i]));
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
}

static void one_thread(void *arg)
{
    run_threads(arg, 1);
}

static void two_threads(void *arg)
{
    run_threads(arg, 2);
}

static void run_case(struct world *w, const char *what, const char *yardstick, double target,
                     double units, unsigned rounds, void (*limit_prepare)(void *),
                     void (*limit)(void *), void (*prepare)(void *), void (*subject)(void *))
{
    char name[80];
    struct bench_case c = {
        .name = name,
        .yardstick = yardstick,
        .limit = {.prepare = limit_prepare, .run = limit, .arg = w, .units = units},
        .subject = {.prepare = prepare, .run = subject, .arg = w, .units = units},
        .rounds = rounds,
        .target = target,
    };

    snprintf(name, sizeof(name), "pgtable/%s/%s", w->pt.geo.format->name, what);
    bench_run(&c);
}

static void run_format(enum pt_format_id id)
{
    static struct world world;
    struct world *w = &world;
    double hot = HOT_PAGES, gib = GIB_FRAMES;

    world_init(w, id);
    run_case(w, "map-1", "B", 2, hot, 501, hot_empty, b_map, hot_empty, map_1);
    run_case(w, "unmap-1", "B", 2, hot, 501, hot_mapped, b_unmap, hot_mapped, unmap_1);
    run_case(w, "map-256", "A", 1.5, hot, 1001, hot_empty, a_256, hot_empty, map_256);
    run_case(w, "unmap-256", "A", 2, hot, 1001, hot_mapped, a_256_empty, hot_mapped, unmap_256);
    run_case(w, "map-1g-warm", "A", 1.4, gib, 101, gib_empty, a_gib, gib_empty, map_gib);
    run_case(w, "unmap-1g-warm", "A", 0, gib, 101, gib_mapped, a_gib_empty, gib_mapped, unmap_gib);
    run_case(w, "map-1g-cold", "A", 2, gib, 31, gib_pages_cold, a_gib, gib_cold, map_gib);
    find_tables(w);
    run_case(w, "map-1g-scattered", "A", 0, gib, 51, gib_empty, a_gib_list, gib_empty,
             map_scattered);
    run_case(w, "map-1g-list", "A", 2.5, gib, 51, gib_empty, a_gib_list, gib_empty, map_listed);
    run_case(w, "map-2m", "A", 1.5, 16 * 512, 501, big_empty, a_big, big_empty, map_big);
    run_case(w, "lookup-1", "B", 1.3, hot, 501, hot_mapped, b_lookup, hot_mapped, lookup_1);
    run_case(w, "lookup-run", "A", 0, hot, 501, hot_mapped, a_load, hot_mapped, lookup_runs);
    run_case(w, "two-threads", "one", 1, 64 * THREAD_FRAMES, 31, gib_empty, one_thread, gib_empty,
             two_threads);
    world_fini(w);
}

int main(int argc, char **argv)
{
    bench_only(argc > 1 ? argv[1] : NULL);
    bench_heading();
    run_format(PT_FORMAT_VTDSS);
    run_format(PT_FORMAT_X86);
    run_format(PT_FORMAT_AMDV1);
    return 0;
}
