/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest balloons, two emulators map, look up and unmap the same frames, and a third comes and
 * goes, each in a thread of its own. The guest does a number of operations, and more until both
 * emulators were told of a frame, however late they get to run; the emulators go on until it is
 * through. At the end nothing is left.
 */
#include "../../host/soft/soft.h"

#include "../../iommu/abi/frames.h"
#include "../../iommu/abi/ioreq.h"
#include "race.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GFNS      64u /* that come and go; the guest has no others */
#define BFNS      128u
#define BALLOONS  500u
#define EMULATORS 3u /* the last is the mortal one */
#define SLOTS     8u
#define GUEST     9u

struct emulator {
    struct world *w;
    uint64_t seed, arg;
    uint16_t domid;
    struct sluice_domain *d;
    struct machine_domain *memory; /* where its arguments lie */
    struct sluice_ioreq_server *server;
    _Alignas(8) struct buffered_iopage ring;
    _Atomic uint64_t told;
};

struct world {
    struct machine *m;
    struct machine_domain *guest;
    struct emulator e[EMULATORS];
    _Atomic bool done;
};

static bool anybody(void *host, uint16_t caller, uint16_t target, unsigned subop)
{
    (void)host;
    (void)caller;
    (void)target;
    (void)subop;
    return true;
}

static void nobody_waits(void *host, void *cookie)
{
    (void)host;
    (void)cookie;
}

/* ---- An emulator -------------------------------------------------------------------------------
 */

static void make_map(struct emulator *e, struct pv_iommu_op *op)
{
    const unsigned order = dice(&e->seed, 4) ? 0 : 2;
    const unsigned swap = dice(&e->seed, 2) ? IOMMU_MAP_OP_swap_mfn : 0;

    op->subop_id = IOMMUOP_map_foreign_page;
    op->flags = (uint16_t)(IOMMU_MAP_OP_readable | swap | IOMMU_page_order(order));
    op->u.map_foreign_page.bfn = dice(&e->seed, BFNS) & ~((1u << order) - 1);
    op->u.map_foreign_page.gfn = dice(&e->seed, GFNS) & ~((1u << order) - 1);
    op->u.map_foreign_page.domid = GUEST;
    op->u.map_foreign_page.ioserver = dice(&e->seed, 2) ? e->domid : IOSERVID_any;
}

static void make_one(struct emulator *e, struct pv_iommu_op *op)
{
    memset(op, 0, sizeof(*op));
    switch (dice(&e->seed, 8)) {
    case 0:
        op->subop_id = IOMMUOP_lookup_foreign_page;
        op->u.lookup_foreign_page.gfn = dice(&e->seed, GFNS);
        op->u.lookup_foreign_page.domid = GUEST;
        op->u.lookup_foreign_page.ioserver = IOSERVID_any;
        break;
    case 1:
    case 2:
    case 3:
        op->subop_id = IOMMUOP_unmap_foreign_page;
        op->u.unmap_foreign_page.bfn = dice(&e->seed, BFNS);
        op->u.unmap_foreign_page.ioserver = IOSERVID_any;
        break;
    default:
        make_map(e, op);
    }
}

static void call(struct emulator *e)
{
    struct pv_iommu_op op[4];
    struct sluice_call c;
    long status;

    for (unsigned i = 0; i < 4; i++)
        make_one(e, &op[i]);
    (void)machine_guest_write(e->memory, e->arg, op, sizeof(op));
    sluice_frames_start(&c, e->d, e->arg, 4);
    while ((status = sluice_call_run(&c)) == -ERESTART)
        ;
    assert_int_equal(status, 0);
}

typedef uint64_t __attribute__((__may_alias__)) both_pointers;

static void look(struct emulator *e)
{
    struct sluice_ioreq out;
    uint32_t pointer[2];
    uint64_t both;

    for (;;) {
        both = __atomic_load_n((both_pointers *)&e->ring, __ATOMIC_ACQUIRE);
        memcpy(pointer, &both, sizeof(both));
        if (pointer[0] == pointer[1])
            break;
        /* The checker of races knows what is released at an address by that address alone. */
        (void)__atomic_load_n(&e->ring.write_pointer, __ATOMIC_ACQUIRE);
        assert_in_range(e->ring.buf_ioreq[pointer[0] % SLOTS].data, 0, BFNS - 1);
        e->told++;
        __atomic_fetch_add(&e->ring.read_pointer, 1, __ATOMIC_ACQ_REL);
    }
    while (!sluice_ioreq_take(e->server, &out)) {
        assert_in_range(out.bfn, 0, BFNS - 1);
        e->told++;
    }
}

static void make_server(struct emulator *e)
{
    const struct sluice_ioreq_config config = {.emulator = e->d,
                                               .target = machine_domain_sluice(e->w->guest),
                                               .id = e->domid,
                                               .ring = &e->ring,
                                               .nr_slots = SLOTS};

    assert_int_equal(sluice_ioreq_create(&config, &e->server), 0);
}

static void *emulate(void *arg)
{
    struct emulator *e = arg;

    while (!e->w->done) {
        call(e);
        look(e);
    }
    return NULL;
}

/* Its end is in the middle of what the others do. */
static void *live_and_die(void *arg)
{
    struct emulator *e = arg;
    const struct sluice_domain_config config = {.domid = e->domid,
                                                .guest = e->memory,
                                                .blocked = true,
                                                .budget_contexts = SLUICE_NO_LIMIT,
                                                .budget_tables = SLUICE_NO_LIMIT,
                                                .budget_refs = SLUICE_NO_LIMIT};

    while (!e->w->done) {
        assert_int_equal(sluice_domain_create(machine_sluice(e->w->m), &config, &e->d), 0);
        make_server(e);
        for (unsigned i = dice(&e->seed, 20); i; i--) {
            call(e);
            look(e);
        }
        while (sluice_domain_destroy(e->d) == -ERESTART)
            ;
    }
    return NULL;
}

/* ---- The guest ---------------------------------------------------------------------------------
 */

static bool both_told(struct world *w)
{
    return w->e[0].told && w->e[1].told;
}

static void *balloon(void *arg)
{
    struct world *w = arg;
    uint64_t seed = 77;

    for (unsigned i = 0; i < BALLOONS || !both_told(w); i++) {
        const uint64_t gfn = dice(&seed, GFNS), nr = 1 + dice(&seed, 4);
        int err;

        do
            err = sluice_memory_remove(machine_domain_sluice(w->guest), gfn_of(gfn), nr);
        while (err == -ERESTART);
        assert_true(!err || err == -ENOENT);
        for (unsigned k = 0; k < nr; k++)
            (void)machine_populate(w->guest, gfn + k, 1);
    }
    w->done = true;
    return NULL;
}

/* ---- Both --------------------------------------------------------------------------------------
 */

static void build(struct world *w, const struct machine_config *config)
{
    const struct machine_domain_config guest = {
        .name = "guest", .domid = GUEST, .mem = GFNS << 12, .max_ctx_no = 0};
    static const struct machine_device_config dev[2] = {
        {.name = "a", .rids = {{8}}, .nr_rids = 1}, {.name = "b", .rids = {{16}}, .nr_rids = 1}};
    struct machine_device *device;

    assert_int_equal(machine_create(config, &w->m, NULL), 0);
    w->m->port.may_control = anybody;
    w->m->port.ioreq = nobody_waits;
    assert_int_equal(machine_domain_add(w->m, &guest, &w->guest), 0);
    for (unsigned i = 0; i < EMULATORS; i++) {
        struct emulator *e = &w->e[i];
        const struct machine_domain_config emu = {
            .name = i ? i > 1 ? "x" : "b" : "a", .domid = (uint16_t)(1 + i), .mem = 16 << 12};

        *e = (struct emulator){
            .w = w, .seed = i + 1, .arg = MACHINE_ARG + 256 * i, .domid = (uint16_t)(1 + i)};
        if (i == EMULATORS - 1) {
            e->memory = w->e[0].memory;
            continue;
        }
        assert_int_equal(machine_domain_add(w->m, &emu, &e->memory), 0);
        e->d = machine_domain_sluice(e->memory);
        assert_int_equal(machine_device_add(w->m, &dev[i], &device), 0);
        assert_int_equal(machine_device_assign(device, e->memory), 0);
        make_server(e);
    }
}

static void unmap_all(struct emulator *e)
{
    for (unsigned bfn = 0; bfn < BFNS; bfn++) {
        struct pv_iommu_op op = {.subop_id = IOMMUOP_unmap_foreign_page};
        struct sluice_call c;

        op.u.unmap_foreign_page.bfn = bfn;
        op.u.unmap_foreign_page.ioserver = IOSERVID_any;
        (void)machine_guest_write(e->memory, e->arg, &op, sizeof(op));
        sluice_frames_start(&c, e->d, e->arg, 1);
        assert_int_equal(sluice_call_run(&c), 0);
    }
}

/* The guest holds what it has, once, and nobody anything else. */
static void check_end(struct world *w)
{
    struct sluice_frame_info info;
    uint64_t nodes, bytes;
    mfn_t mfn;

    for (unsigned i = 0; i < 2; i++) {
        struct sluice_domain_stats stats;

        unmap_all(&w->e[i]);
        sluice_domain_stats(w->e[i].d, &stats);
        assert_int_equal(stats.foreign, 0);
        assert_int_equal(stats.refs, 0);
        assert_true(w->e[i].told > 0);
    }
    sluice_reverse_map(machine_sluice(w->m), &nodes, &bytes);
    assert_int_equal(nodes, 0);
    for (uint64_t gfn = 0; gfn < GFNS; gfn++)
        if (!sluice_memory_lookup(machine_domain_sluice(w->guest), gfn_of(gfn), &mfn)) {
            assert_int_equal(sluice_frame_info(machine_sluice(w->m), mfn, &info), 0);
            assert_int_equal(info.refs, 1);
        }
}

static void run(const struct machine_config *config)
{
    static void *(*const part[])(void *) = {emulate, emulate, live_and_die};
    static struct world w;
    pthread_t thread[EMULATORS + 1];

    memset(&w, 0, sizeof(w));
    build(&w, config);
    for (unsigned i = 0; i < EMULATORS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, part[i], &w.e[i]), 0);
    assert_int_equal(pthread_create(&thread[EMULATORS], NULL, balloon, &w), 0);
    for (unsigned i = 0; i <= EMULATORS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    check_end(&w);
    assert_int_equal(machine_destroy(w.m), 0);
}

static void emulators_and_a_balloon(void **state)
{
    (void)state;
    run(&(struct machine_config){.ram = 16 << 20, .format = PT_FORMAT_VTDSS});
    run(&(struct machine_config){.ram = 16 << 20, .format = PT_FORMAT_AMDV1, .caching_mode = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(emulators_and_a_balloon)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
