/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reverse map: 1 GiB of frames, one by one, beside one store for each. In order and in random
 * order they end up as one run; scattered, none has a neighbour. What the most of them cost in
 * memory is counted. An argument runs only the cases with it in their name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "iommu/core/m2b.h"
#include "yardstick.h"

#define FRAMES      (UINT64_C(1) << 18)
#define FIRST_MFN   UINT64_C(0x100000)
#define ARENA_PAGES 5000u

struct world {
    struct sluice_port port;
    struct m2b m;
    char *arena;
    uint64_t free[ARENA_PAGES];
    unsigned nr_free;
    struct domain *user;
    uint64_t order[FRAMES], step, peak;
    uint64_t array[FRAMES];
};

static int alloc_page(void *host, mfn_t *page)
{
    struct world *w = host;

    if (!w->nr_free)
        return -ENOMEM;
    page->n = w->free[--w->nr_free];
    memset(port_page(&w->port, *page), 0, FRAME_SIZE);
    return 0;
}

static void free_page(void *host, mfn_t page)
{
    struct world *w = host;

    w->free[w->nr_free++] = page.n;
}

static void lock(void *host, struct sluice_lock *l)
{
    (void)host;
    l->opaque[0] = 1;
}

static void unlock(void *host, struct sluice_lock *l)
{
    (void)host;
    l->opaque[0] = 0;
}

static __attribute__((noreturn)) void panic(void *host, const char *what)
{
    (void)host;
    fprintf(stderr, "%s\n", what);
    abort();
}

static struct m2b_tuple tuple(const struct world *w, uint64_t i)
{
    const uint64_t at = w->order[i] * w->step;

    return (struct m2b_tuple){
        .mfn = mfn_of(FIRST_MFN + at), .bfn = dfn_of(w->order[i]), .nr = 1, .user = w->user};
}

static struct m2b_locked begin(struct world *w)
{
    struct m2b_locked l = m2b_lock(&w->m);

    if (m2b_reserve(l, 2))
        panic(NULL, "no memory");
    return l;
}

static void add_all(void *arg)
{
    struct world *w = arg;

    for (uint64_t i = 0; i < FRAMES; i++) {
        const struct m2b_tuple t = tuple(w, i);
        struct m2b_locked l = begin(w);

        m2b_add(l, &t);
        if (m2b_bytes(&w->m) > w->peak)
            w->peak = m2b_bytes(&w->m);
        m2b_unlock(l);
    }
}

static void find_all(void *arg)
{
    struct world *w = arg;

    for (uint64_t i = 0; i < FRAMES; i++) {
        const struct m2b_tuple t = tuple(w, i);
        struct m2b_locked l = m2b_lock(&w->m);
        struct m2b_tuple out;

        if (!m2b_next(l, t.mfn, NULL, &out))
            panic(NULL, "it is not there");
        m2b_unlock(l);
    }
}

static void remove_all(void *arg)
{
    struct world *w = arg;

    for (uint64_t i = 0; i < FRAMES; i++) {
        const struct m2b_tuple t = tuple(w, i);
        struct m2b_locked l = begin(w);

        m2b_remove(l, &t);
        m2b_unlock(l);
    }
}

static void empty(void *arg)
{
    struct world *w = arg;

    if (w->m.root)
        remove_all(w);
}

static void full(void *arg)
{
    struct world *w = arg;

    if (!w->m.root)
        add_all(w);
}

static void store_all(void *arg)
{
    struct world *w = arg;

    for (uint64_t i = 0; i < FRAMES; i++)
        yard_store(&w->array[w->order[i]], 1, i, 0);
}

static void run_case(struct world *w, const char *how, const char *what, void (*prepare)(void *),
                     void (*run)(void *))
{
    char name[80];
    const struct bench_case c = {
        .name = name,
        .yardstick = "store",
        .limit = {.run = store_all, .arg = w, .units = FRAMES},
        .subject = {.prepare = prepare, .run = run, .arg = w, .units = FRAMES},
        .rounds = 5,
    };

    snprintf(name, sizeof(name), "m2b/%s/%s", how, what);
    bench_run(&c);
}

static void run_cases(struct world *w, const char *how, uint64_t limit)
{
    char name[80];

    w->peak = 0;
    run_case(w, how, "add-1", empty, add_all);
    run_case(w, how, "next-1", full, find_all);
    run_case(w, how, "remove-1", full, remove_all);
    empty(w);
    snprintf(name, sizeof(name), "m2b/%s: bytes at most for 1 GiB", how);
    if (w->peak)
        bench_count(name, w->peak, limit);
}

static void shuffle(struct world *w)
{
    uint64_t seed = 1, k, swap;

    for (uint64_t i = FRAMES; i-- > 1;) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        k = (seed >> 33) % (i + 1);
        swap = w->order[i];
        w->order[i] = w->order[k];
        w->order[k] = swap;
    }
}

static void world_init(struct world *w)
{
    w->arena = aligned_alloc(FRAME_SIZE, ARENA_PAGES * (size_t)FRAME_SIZE);
    for (unsigned i = 0; i < ARENA_PAGES; i++)
        w->free[w->nr_free++] = i;
    w->port = (struct sluice_port){.host = w,
                                   .direct_map = w->arena,
                                   .alloc_page = alloc_page,
                                   .free_page = free_page,
                                   .lock = lock,
                                   .unlock = unlock,
                                   .panic = panic};
    w->user = (struct domain *)(void *)w;
    w->step = 1;
    for (uint64_t i = 0; i < FRAMES; i++)
        w->order[i] = i;
    m2b_init(&w->m, &w->port);
}

int main(int argc, char **argv)
{
    static struct world world;

    bench_only(argc > 1 ? argv[1] : NULL);
    bench_heading();
    world_init(&world);
    run_cases(&world, "in-order", 16 * FRAMES);
    shuffle(&world);
    run_cases(&world, "random-order", 17 * FRAMES);
    world.step = 2;
    run_cases(&world, "scattered", 66 * FRAMES);
    m2b_fini(&world.m);
    free(world.arena);
    return 0;
}
