/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of one domain at random on the software machine, while another balloons and a device
 * translates: fixed numbers of operations, no clock. At the end everything is torn down and nothing
 * is left.
 */
#include "../../host/soft/soft.h"
#include "race.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FRAMES  256u
#define ROUNDS  3000u
#define THREADS 3u
#define RID     8u

struct world {
    struct machine *m;
    struct machine_domain *d;
    struct machine_device *dev;
    _Atomic unsigned served;
};

struct worker {
    struct world *w;
    uint64_t seed;
    uint64_t arg; /* where its arguments lie, apart from the others' */
};

static long call(struct worker *k, int subop, const void *arg, size_t size)
{
    return race_call(k->w->d, k->arg, subop, arg, size);
}

static long map(struct worker *k)
{
    const bool large = !dice(&k->seed, 8);
    const struct pv_iommu_map_pages m = {.ctx_no = (uint16_t)dice(&k->seed, 4),
                                         .gfn = dice(&k->seed, FRAMES),
                                         .dfn =
                                             large ? dice(&k->seed, 2) * 512 : dice(&k->seed, 1024),
                                         .map_flags = 1 + dice(&k->seed, 3),
                                         .pgsize = large ? 2u << 20 : 4096,
                                         .nr_pages = 1 + dice(&k->seed, large ? 1 : 64)};

    return call(k, IOMMU_map_pages, &m, sizeof(m));
}

static long unmap(struct worker *k)
{
    const struct pv_iommu_unmap_pages u = {.ctx_no = (uint16_t)dice(&k->seed, 4),
                                           .dfn = dice(&k->seed, 1024),
                                           .pgsize = 4096,
                                           .nr_pages = 1 + dice(&k->seed, 64)};

    return call(k, IOMMU_unmap_pages, &u, sizeof(u));
}

static long lookup(struct worker *k)
{
    const struct pv_iommu_lookup_page l = {.ctx_no = (uint16_t)dice(&k->seed, 4),
                                           .dfn = dice(&k->seed, 1024)};

    return call(k, IOMMU_lookup_page, &l, sizeof(l));
}

static long change(struct worker *k)
{
    const struct pv_iommu_alloc a = {.alloc_flags = dice(&k->seed, 2)};
    const struct pv_iommu_free f = {.ctx_no = (uint16_t)(1 + dice(&k->seed, 3)),
                                    .free_flags = dice(&k->seed, 2)};
    const struct pv_iommu_reattach_device r = {.ctx_no = (uint16_t)dice(&k->seed, 4),
                                               .dev = {.devfn = RID}};

    switch (dice(&k->seed, 4)) {
    case 0:
        return call(k, IOMMU_free_context, &f, sizeof(f));
    case 1:
        return call(k, IOMMU_reattach_device, &r, sizeof(r));
    default:
        return call(k, IOMMU_alloc_context, &a, sizeof(a));
    }
}

static void *guest(void *arg)
{
    struct worker *k = arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        long status;

        switch (dice(&k->seed, 8)) {
        case 0:
            status = change(k);
            break;
        case 1:
        case 2:
            status = lookup(k);
            break;
        case 3:
        case 4:
            status = unmap(k);
            break;
        default:
            status = map(k);
        }
        k->w->served += status <= 0;
    }
    return NULL;
}

/* The last page is the guest's for arguments; what is above the first half comes and goes. */
static void *balloon(void *arg)
{
    struct worker *k = arg;

    for (unsigned i = 0; i < ROUNDS / 4; i++) {
        const uint64_t gfn = FRAMES / 2 + dice(&k->seed, FRAMES / 4);
        const uint64_t nr = 1 + dice(&k->seed, 8);

        if (dice(&k->seed, 2))
            (void)machine_balloon_out(k->w->d, gfn, nr);
        else
            (void)machine_populate(k->w->d, gfn, nr);
    }
    return NULL;
}

/* Where each access goes, but no data: to a checker of races, DMA beside the owner's CPU is one. */
static void *device(void *arg)
{
    struct worker *k = arg;
    struct soft_unit *u = soft_machine_unit(k->w->m, 0);
    struct sluice_fault faults[8];
    enum hw_reason reason;
    uint64_t lost, maddr;

    for (unsigned i = 0; i < ROUNDS; i++) {
        soft_hold(u);
        (void)soft_translate(u, (rid_t){RID}, 0, (uint64_t)dice(&k->seed, 1024) << 12,
                             dice(&k->seed, 2), &maddr, &reason);
        soft_let_go(u);
        if (dice(&k->seed, 16))
            continue;
        sluice_faults_collect(machine_sluice(k->w->m));
        (void)sluice_faults_read(machine_domain_sluice(k->w->d), faults, 8, &lost);
    }
    return NULL;
}

static void build(struct world *w, enum pt_format_id format, bool caching_mode)
{
    const struct machine_config config = {
        .ram = 16 << 20, .format = format, .caching_mode = caching_mode};
    const struct machine_domain_config dom = {
        .name = "d", .domid = 1, .mem = FRAMES << 12, .max_ctx_no = 3};
    const struct machine_device_config dev = {.name = "dev", .rids = {{RID}}, .nr_rids = 1};

    assert_int_equal(machine_create(&config, &w->m, NULL), 0);
    assert_int_equal(machine_domain_add(w->m, &dom, &w->d), 0);
    assert_int_equal(machine_device_add(w->m, &dev, &w->dev), 0);
    assert_int_equal(machine_device_assign(w->dev, w->d), 0);
}

static void run(enum pt_format_id format, bool caching_mode, uint64_t seed)
{
    static void *(*const part[])(void *) = {balloon, device, guest, guest, guest};
    struct worker k[sizeof(part) / sizeof(part[0])];
    pthread_t thread[sizeof(part) / sizeof(part[0])];
    struct world w = {0};

    build(&w, format, caching_mode);
    for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        k[i] = (struct worker){&w, seed + i, MACHINE_ARG + 256 * i};
        assert_int_equal(pthread_create(&thread[i], NULL, part[i], &k[i]), 0);
    }
    for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(w.served, THREADS * ROUNDS);
    assert_int_equal(machine_destroy(w.m), 0);
}

static void everything_at_once_leaves_nothing_behind(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        run(PT_FORMAT_VTDSS, false, seed * 100);
    run(PT_FORMAT_AMDV1, false, 1000);
    run(PT_FORMAT_VTDSS, true, 2000);
}

/* A domain ends while others try to act on it: it is theirs while they do, and then gone. */
static void *end_and_begin(void *arg)
{
    struct worker *k = arg;
    const struct machine_domain_config dom = {.name = "x", .domid = 7, .mem = 16 << 12};

    for (unsigned i = 0; i < ROUNDS / 3; i++) {
        struct machine_domain *d;

        if (!machine_domain_add(k->w->m, &dom, &d))
            (void)machine_domain_destroy(k->w->m, d);
    }
    return NULL;
}

static bool anybody(void *host, uint16_t caller, uint16_t target, unsigned subop)
{
    (void)host;
    (void)caller;
    (void)target;
    (void)subop;
    return true;
}

static void *act_on_it(void *arg)
{
    struct worker *k = arg;
    struct pv_iommu_remote_cmd c = {.domid = 7, .cmd = IOMMU_alloc_context};

    c.arg.q = k->arg + 64;
    for (unsigned i = 0; i < ROUNDS; i++)
        (void)call(k, IOMMU_remote_cmd, &c, sizeof(c));
    return NULL;
}

static void a_domain_ends_beside_those_who_act_on_it(void **state)
{
    struct world w = {0};
    struct worker k[3];
    pthread_t thread[3];

    (void)state;
    build(&w, PT_FORMAT_VTDSS, false);
    /* The machine's own policy looks into its list of domains, which is not for several threads. */
    w.m->port.may_control = anybody;
    for (unsigned i = 0; i < 3; i++) {
        k[i] = (struct worker){&w, i, MACHINE_ARG + 256 * i};
        assert_int_equal(pthread_create(&thread[i], NULL, i ? act_on_it : end_and_begin, &k[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(machine_destroy(w.m), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_at_once_leaves_nothing_behind),
        cmocka_unit_test(a_domain_ends_beside_those_who_act_on_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
