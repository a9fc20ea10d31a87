/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested contexts with several at work on them: guests' threads flush what others change in the
 * table, begin contexts and end them, memory comes and goes, and a device translates all the while.
 * No frame is let go that the device's unit has cached; at the end nothing is left.
 */
#include "../../host/soft/soft.h"
#include "race.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FRAMES 256u
#define ROUNDS 1500u
#define RID    8u
#define ROOT   0x10u /* of 4 levels, the lowest of which is for dfns 0..511 */
#define LEAVES (ROOT + 3)
#define STABLE 0x40u /* gfns below do not leave; the last page, of arguments, neither */
#define LEAVE  128u
#define CTXS   2u

struct world {
    struct machine *m;
    struct machine_domain *d;
    struct machine_device *dev;
    mfn_t table[4];
    _Atomic unsigned flushed, hits, released;
};

struct worker {
    struct world *w;
    uint64_t seed;
    uint64_t arg;
};

static long call(struct worker *k, int subop, const void *arg, size_t size)
{
    return race_call(k->w->d, k->arg, subop, arg, size);
}

/* One access, beside those who read it. */
static void write_entry(const struct world *w, unsigned table, unsigned index, uint64_t entry)
{
    w->m->port.write_frame(w->m, w->table[table], index * 8, &entry, 8);
}

/* ---- Frames that are let go --------------------------------------------------------------------
 */

static struct world *now; /* the port's callbacks have no other way to it */
static void (*release)(void *host, mfn_t frame);

static void is_another(void *arg, const struct soft_cached *c)
{
    const mfn_t *frame = arg;

    if (c->attr && frame->n - c->mfn.n < c->nr)
        fail_msg("a frame is let go that a device reaches");
}

/* Whatever others do: no cache has it any more. */
static void check_release(void *host, mfn_t frame)
{
    struct soft_unit *u = soft_machine_unit(host, 0);

    soft_hold(u);
    soft_visit_cached(u, (rid_t){RID}, 0, is_another, &frame);
    soft_let_go(u);
    now->released++;
    release(host, frame);
}

/* ---- Threads -----------------------------------------------------------------------------------
 */

/* The device's; every thread makes some, so that there are some whenever anybody is at work. */
static void access_some(struct worker *k)
{
    struct soft_unit *u = soft_machine_unit(k->w->m, 0);
    enum hw_reason reason;
    uint64_t maddr;

    for (unsigned i = 0; i < 8; i++) {
        soft_hold(u);
        k->w->hits += !soft_translate(u, (rid_t){RID}, 0, (uint64_t)dice(&k->seed, 512) << 12,
                                      dice(&k->seed, 2), &maddr, &reason);
        soft_let_go(u);
    }
}

static long flush_some(struct worker *k)
{
    const struct pv_iommu_flush_nested f = {.ctx_no = (uint16_t)(1 + dice(&k->seed, CTXS)),
                                            .flags = dice(&k->seed, 8) ? 0 : IOMMU_FLUSH_all,
                                            .dfn = dice(&k->seed, 512),
                                            .nr_pages = 1 + dice(&k->seed, 64)};

    return call(k, IOMMU_flush_nested, &f, sizeof(f));
}

static void change(struct worker *k)
{
    const struct pv_iommu_alloc_nested a = {.pgtable_gfn = ROOT,
                                            .nested_flags = IOMMU_NESTED_x86_4level};
    const struct pv_iommu_free f = {.ctx_no = (uint16_t)(1 + dice(&k->seed, CTXS)),
                                    .free_flags = IOMMU_FREE_reattach_default};
    const struct pv_iommu_reattach_device r = {.ctx_no = (uint16_t)(1 + dice(&k->seed, CTXS)),
                                               .dev = {.devfn = RID}};

    if (!dice(&k->seed, 4))
        (void)call(k, IOMMU_free_context, &f, sizeof(f));
    (void)call(k, IOMMU_alloc_nested, &a, sizeof(a));
    (void)call(k, IOMMU_reattach_device, &r, sizeof(r));
}

static void *guest(void *arg)
{
    struct worker *k = arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        write_entry(k->w, 3, dice(&k->seed, 512),
                    dice(&k->seed, 4) ? (uint64_t)dice(&k->seed, FRAMES) << 12 | 7 : 0);
        if (!dice(&k->seed, 50))
            write_entry(k->w, 2, 0, dice(&k->seed, 2) ? (uint64_t)LEAVES << 12 | 7 : 0);
        if (!dice(&k->seed, 16))
            change(k);
        access_some(k);
        k->w->flushed += !flush_some(k);
    }
    return NULL;
}

static void *balloon(void *arg)
{
    struct worker *k = arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        const uint64_t gfn = STABLE + dice(&k->seed, LEAVE), nr = 1 + dice(&k->seed, 8);

        access_some(k);
        if (dice(&k->seed, 2))
            (void)machine_balloon_out(k->w->d, gfn, nr);
        else
            (void)machine_populate(k->w->d, gfn, nr);
    }
    return NULL;
}

static void *device(void *arg)
{
    struct worker *k = arg;
    struct sluice_fault faults[8];
    uint64_t lost;

    for (unsigned i = 0; i < ROUNDS; i++) {
        access_some(k);
        if (dice(&k->seed, 16))
            continue;
        sluice_faults_collect(machine_sluice(k->w->m));
        (void)sluice_faults_read(machine_domain_sluice(k->w->d), faults, 8, &lost);
    }
    return NULL;
}

/* ---- The world ---------------------------------------------------------------------------------
 */

static void build(struct world *w, unsigned stages, bool caching_mode)
{
    const struct machine_config config = {
        .ram = 16 << 20, .iova_bits = 39, .stages = stages, .caching_mode = caching_mode};
    const struct machine_domain_config dom = {
        .name = "d", .domid = 1, .mem = FRAMES << 12, .max_ctx_no = CTXS};
    const struct machine_device_config dev = {.name = "dev", .rids = {{RID}}, .nr_rids = 1};

    assert_int_equal(machine_create(&config, &w->m, NULL), 0);
    assert_int_equal(machine_domain_add(w->m, &dom, &w->d), 0);
    assert_int_equal(machine_device_add(w->m, &dev, &w->dev), 0);
    assert_int_equal(machine_device_assign(w->dev, w->d), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(
            sluice_memory_lookup(machine_domain_sluice(w->d), gfn_of(ROOT + i), &w->table[i]), 0);
    for (unsigned i = 0; i < 3; i++)
        write_entry(w, i, 0, (uint64_t)(ROOT + i + 1) << 12 | 7);
}

static void run(unsigned stages, bool caching_mode, uint64_t seed)
{
    static void *(*const part[])(void *) = {balloon, device, guest, guest};
    struct worker k[sizeof(part) / sizeof(part[0])];
    pthread_t thread[sizeof(part) / sizeof(part[0])];
    struct world w = {0};

    build(&w, stages, caching_mode);
    now = &w;
    release = w.m->port.release_frame;
    w.m->port.release_frame = check_release;
    for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        k[i] = (struct worker){&w, seed + i, MACHINE_ARG + (uint64_t)256 * i};
        assert_int_equal(pthread_create(&thread[i], NULL, part[i], &k[i]), 0);
    }
    for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_true(w.flushed > ROUNDS / 4);
    assert_true(w.hits > 0);
    assert_true(w.released > 0);
    w.m->port.release_frame = release;
    assert_int_equal(machine_destroy(w.m), 0);
}

static void shadows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        run(1, seed == 2, seed * 100);
}

static void by_hardware(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        run(2, seed == 2, seed * 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shadows),
        cmocka_unit_test(by_hardware),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
