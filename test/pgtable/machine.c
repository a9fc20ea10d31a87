/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for tables under test. */
#include "machine.h"

static int alloc_page(void *host, mfn_t *page)
{
    struct machine *m = host;
    int r = -ENOMEM;

    pthread_mutex_lock(&m->lock);
    if (m->fail_in && m->nr_free) {
        uint32_t n = m->free[--m->nr_free];

        if (m->fail_in > 0)
            m->fail_in--;
        assert_false(m->live[n]);
        m->live[n] = true;
        memset(m->arena[n], 0, FRAME_SIZE);
        memset(m->seen[n], 0xa5, FRAME_SIZE); /* nonsense until it is written back */
        page->n = n;
        r = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return r;
}

/* A page that is used after this reads as nonsense, to walkers as well. */
static void free_page(void *host, mfn_t page)
{
    struct machine *m = host;

    pthread_mutex_lock(&m->lock);
    assert_true(page.n < MACHINE_PAGES && m->live[page.n]);
    m->live[page.n] = false;
    memset(m->arena[page.n], 0xa5, FRAME_SIZE);
    memset(m->seen[page.n], 0xa5, FRAME_SIZE);
    m->free[m->nr_free++] = (uint32_t)page.n;
    pthread_mutex_unlock(&m->lock);
}

static void writeback(void *host, const void *p, size_t size)
{
    struct machine *m = host;
    const uint64_t *from = p;
    size_t at = (size_t)(from - &m->arena[0][0]), n = size / 8;
    unsigned turn = __atomic_fetch_add(&m->nr_writebacks, 1, __ATOMIC_RELAXED);

    assert_true(size && size % 8 == 0 && at + n <= MACHINE_PAGES * 512u);
    for (size_t i = 0; i < n; i++) {
        size_t k = (turn * 37u + i) % n; /* rotated: no order inside one is promised */

        __atomic_store_n(&m->seen[0][0] + at + k, __atomic_load_n(from + k, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
        if (m->between && (i % 61 == 0 || i + 1 == n))
            m->between(m->between_arg);
    }
}

static __attribute__((noreturn)) void panic(void *host, const char *what)
{
    (void)host;
    fprintf(stderr, "panic: %s\n", what);
    abort();
}

void machine_init(struct machine *m)
{
    *m = (struct machine){.fail_in = -1, .seed = 88172645463325252u};
    m->arena = aligned_alloc(FRAME_SIZE, MACHINE_PAGES * (size_t)FRAME_SIZE);
    m->seen = aligned_alloc(FRAME_SIZE, MACHINE_PAGES * (size_t)FRAME_SIZE);
    assert_non_null(m->arena);
    assert_non_null(m->seen);
    pthread_mutex_init(&m->lock, NULL);
    for (uint32_t i = 0; i < MACHINE_PAGES; i++)
        m->free[m->nr_free++] = i;
    m->port = (struct sluice_port){.host = m,
                                   .direct_map = m->arena,
                                   .alloc_page = alloc_page,
                                   .free_page = free_page,
                                   .writeback = writeback,
                                   .panic = panic};
    m->pages.port = &m->port;
    m->pages.limit = MACHINE_PAGES;
}

void machine_fini(struct machine *m)
{
    assert_int_equal(m->nr_free, MACHINE_PAGES);
    assert_int_equal(m->pages.used, 0);
    pthread_mutex_destroy(&m->lock);
    free(m->arena);
    free(m->seen);
}

uint64_t machine_random(struct machine *m)
{
    m->seed ^= m->seed << 13;
    m->seed ^= m->seed >> 7;
    m->seed ^= m->seed << 17;
    return m->seed * 0x2545f4914f6cdd1du >> 13;
}

uint64_t machine_read_arena(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    struct machine *m = arg;

    (void)level;
    assert_true(table.n < MACHINE_PAGES && m->live[table.n]);
    return __atomic_load_n(&m->arena[table.n][offset / 8], __ATOMIC_ACQUIRE);
}

uint64_t machine_read_seen(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    struct machine *m = arg;

    (void)level;
    assert_true(table.n < MACHINE_PAGES && m->live[table.n]);
    return __atomic_load_n(&m->seen[table.n][offset / 8], __ATOMIC_ACQUIRE);
}

struct pt_geometry machine_geometry(enum pt_format_id id, unsigned levels)
{
    const struct pt_format *format = pt_format(id);
    unsigned bits = FRAME_LG2;

    for (unsigned i = 0; i < levels; i++)
        bits += format->level_bits[i];
    return (struct pt_geometry){.format = format,
                                .levels = (uint8_t)levels,
                                .iova_bits = (uint8_t)bits,
                                .leaf_sizes = format->leaf_sizes};
}

struct slot_reader {
    struct machine *m;
    uint64_t *slot;
};

static uint64_t read_slot(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    struct slot_reader *r = arg;

    r->slot = &r->m->arena[table.n][offset / 8];
    return machine_read_arena(r->m, table, offset, level);
}

uint64_t *machine_slot(struct machine *m, const struct pgtable *pt, uint64_t dfn)
{
    struct slot_reader reader = {.m = m};
    struct pt_leaf leaf;

    if (pt_trace(&pt->geo, pt->root, dfn << FRAME_LG2, read_slot, &reader, &leaf))
        return NULL;
    return reader.slot;
}

void machine_touch(struct machine *m, const struct pgtable *pt, uint64_t dfn)
{
    uint64_t *slot = machine_slot(m, pt, dfn);

    if (!slot)
        return;
    switch (pt->geo.format->id) {
    case PT_FORMAT_VTDSS:
        *slot |= 0x300;
        break;
    case PT_FORMAT_X86:
    case PT_FORMAT_AMDV1:
        *slot |= 0x60;
        break;
    case PT_FORMAT_FAKE:
        *slot &= ~(UINT64_C(1) << 62);
        break;
    default:
        fail();
    }
    (&m->seen[0][0])[slot - &m->arena[0][0]] = *slot;
}

int machine_map(struct pgtable *pt, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned max_lg2,
                unsigned attr, uint64_t *done)
{
    uint64_t step;
    int r = 0;

    for (*done = 0; *done < nr && !r; *done += step) {
        step = 99;
        r = pt_map(pt, dfn_of(dfn + *done), mfn_of(mfn + *done), nr - *done, max_lg2, attr, &step);
        assert_true(r ? step == 0 : step > 0 && step <= nr - *done);
    }
    return r;
}

int machine_unmap(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed,
                  uint64_t *done)
{
    uint64_t step;
    int r = 0;

    for (*done = 0; *done < nr && !r; *done += step) {
        step = 99;
        r = pt_unmap(pt, dfn_of(dfn + *done), nr - *done, freed, &step);
        assert_true(r ? step == 0 : step > 0 && step <= nr - *done);
    }
    return r;
}

void machine_release(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed)
{
    while (nr && freed->nr_runs < PT_FREED_RUNS) {
        uint64_t step = 0;

        pt_release(pt, dfn_of(dfn), nr, freed, &step);
        assert_true(step > 0 && step <= nr);
        dfn += step;
        nr -= step;
    }
}

static void count(void *arg, mfn_t first, uint64_t nr)
{
    uint64_t *total = arg;

    (void)first;
    *total += nr;
}

uint64_t machine_reap(struct pgtable *pt)
{
    uint64_t total = 0;

    while (pt_reap(pt, count, &total))
        ;
    pt_fini(pt);
    return total;
}

unsigned machine_attr(enum pt_format_id id, unsigned attr)
{
    return id == PT_FORMAT_X86 || id == PT_FORMAT_LPAE1 ? attr | PT_READ : attr;
}
