/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame service on the real library: what its emulators get is where their device's DMA goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest/lib/frame_service.h"
#include "host/machine/machine.h"

#define RECORDS 300u
#define WINDOW  0x100000u
#define GUEST   2
#define RW      (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable)

struct emulator {
    struct frame_client client;
    unsigned told;
    bool done;
};

struct world {
    struct machine *m;
    struct machine_domain *driver, *guest;
    struct machine_device *dev;
    struct frame_host host;
    struct frame_service service;
    struct frame_record records[RECORDS];
    struct emulator emulator[2];
};

static long call(void *arg, struct pv_iommu_op *ops, unsigned nr)
{
    struct world *w = arg;
    const size_t size = nr * sizeof(*ops);
    long err = machine_guest_write(w->driver, MACHINE_ARG, ops, size);

    if (!err)
        err = machine_frames_call(w->driver, MACHINE_ARG, nr, 0);
    assert_int_equal(machine_guest_read(w->driver, MACHINE_ARG, ops, size), 0);
    return err;
}

static int synchronous(void *arg, uint16_t domid, uint16_t server, struct ioreq_request *out)
{
    struct sluice_ioreq request;
    int err = machine_ioreq_synchronous(((struct world *)arg)->driver, domid, server, &request);

    *out = (struct ioreq_request){.type = request.type, .data = err ? 0 : request.bfn};
    return err;
}

static bool invalidate(void *arg, uint64_t gfn, uint64_t bfn)
{
    struct emulator *e = arg;

    (void)gfn;
    (void)bfn;
    e->told++;
    return e->done;
}

static void join(struct world *w, uint16_t id, uint32_t slots)
{
    struct emulator *e = &w->emulator[id];

    assert_int_equal(machine_ioreq_server(w->driver, w->guest, id, slots), 0);
    *e = (struct emulator){.client = {.domid = GUEST,
                                      .server = id,
                                      .ring = {machine_ioreq_ring(w->driver, GUEST, id), slots},
                                      .invalidate = invalidate,
                                      .arg = e}};
    assert_int_equal(frame_join(&w->service, &e->client), 0);
}

static void open(struct world *w, const struct machine_config *mc, enum sluice_space space)
{
    const char *const controls[] = {"guest"};
    const struct machine_domain_config driver = {.name = "driver",
                                                 .domid = 1,
                                                 .mem = 1 << 20,
                                                 .trusted = mc->no_iommu,
                                                 .space = space,
                                                 .controls = controls,
                                                 .nr_controls = 1};
    const struct machine_domain_config guest = {.name = "guest", .domid = GUEST, .mem = 2 << 20};
    const struct machine_device_config dev = {
        .name = "dev", .rids = {rid_of(0, 0, 5 << 3)}, .nr_rids = 1};

    memset(w, 0, sizeof(*w));
    w->host = (struct frame_host){w, call, synchronous};
    assert_int_equal(machine_create(mc, &w->m, NULL), 0);
    assert_int_equal(machine_domain_add(w->m, &driver, &w->driver), 0);
    assert_int_equal(machine_domain_add(w->m, &guest, &w->guest), 0);
    assert_int_equal(machine_device_add(w->m, &dev, &w->dev), 0);
    assert_int_equal(machine_device_assign(w->dev, w->driver), 0);
    assert_int_equal(frame_service_init(&w->service, &w->host, WINDOW, w->records, RECORDS), 0);
    join(w, 0, 64);
    join(w, 1, 64);
}

static struct world *start(enum sluice_space space, bool no_iommu)
{
    static struct world w;
    const struct machine_config mc = {.ram = 16 << 20, .no_iommu = no_iommu};

    open(&w, &mc, space);
    return &w;
}

static int own(void **state)
{
    *state = start(SLUICE_SPACE_OWN, false);
    return 0;
}

static int relaxed(void **state)
{
    *state = start(SLUICE_SPACE_RELAXED, false);
    return 0;
}

static int passthrough(void **state)
{
    *state = start(SLUICE_SPACE_PASSTHROUGH, false);
    return 0;
}

static int no_iommu(void **state)
{
    *state = start(SLUICE_SPACE_OWN, true);
    return 0;
}

/* Emulators that the test did not end end here; then nothing is held, and nothing has leaked. */
static int finish(void **state)
{
    struct world *w = *state;
    struct frame_counts n;

    for (unsigned i = 0; i < 2; i++)
        if (w->emulator[i].client.service && frame_leave(&w->emulator[i].client))
            return -1;
    frame_count(&w->service, &n);
    return n.free != RECORDS || machine_destroy(w->m) ? -1 : 0;
}

static mfn_t frame_at(struct world *w, uint64_t gfn)
{
    mfn_t mfn;

    assert_int_equal(sluice_memory_lookup(machine_domain_sluice(w->guest), gfn_of(gfn), &mfn), 0);
    return mfn;
}

static struct sluice_frame_info info(struct world *w, mfn_t mfn)
{
    struct sluice_frame_info out;

    assert_int_equal(sluice_frame_info(machine_sluice(w->m), mfn, &out), 0);
    return out;
}

static int dma(struct world *w, uint64_t bfn, const char *text)
{
    enum hw_reason reason;
    char data[16];

    strncpy(data, text, sizeof(data));
    return machine_dma(w->dev, machine_device_rid(w->dev), 0, bfn << 12, data, sizeof(data), true,
                       &reason);
}

static void assert_reads(struct world *w, uint64_t gfn, const char *text)
{
    char data[16];

    assert_int_equal(machine_guest_read(w->guest, gfn << 12, data, sizeof(data)), 0);
    assert_string_equal(data, text);
}

static void dma_goes_to_the_guests_pages(void **state)
{
    struct world *w = *state;
    struct frame_page p[200];
    char text[16];

    for (unsigned i = 0; i < 200; i++)
        p[i].gfn = (i * 7) % 512;
    assert_int_equal(frame_map(&w->emulator[0].client, p, 200, RW), 0);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "page %u", i);
        assert_int_equal(dma(w, p[i].bfn, text), 0);
        assert_reads(w, p[i].gfn, text);
        assert_int_equal(info(w, frame_at(w, p[i].gfn)).refs, 2);
    }
    assert_int_equal(frame_unmap(&w->emulator[0].client, p, 200), 0);
    assert_int_equal(info(w, frame_at(w, 7)).refs, 1);
}

static void a_page_that_is_not_there_is_refused(void **state)
{
    struct world *w = *state;
    struct frame_page p[3] = {{.gfn = 1}, {.gfn = 512}, {.gfn = 2}};

    assert_int_equal(frame_map(&w->emulator[0].client, p, 3, RW), -ENXIO);
    assert_int_equal(p[1].status, -ENXIO);
    p[1].gfn = UINT64_MAX;
    assert_int_not_equal(frame_map(&w->emulator[0].client, p, 3, RW), 0);
    assert_int_equal(info(w, frame_at(w, 1)).refs, 1);
}

static void two_emulators_of_a_page_are_both_told(void **state)
{
    struct world *w = *state;
    struct frame_page p[2] = {{.gfn = 9}, {.gfn = 9}};
    const mfn_t mfn = frame_at(w, 9);

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(frame_map(&w->emulator[i].client, &p[i], 1, RW), 0);
    assert_int_equal(info(w, mfn).refs, 3);
    assert_int_equal(machine_balloon_out(w->guest, 9, 1), 0);
    assert_int_equal(info(w, mfn).refs, 2);
    w->emulator[0].done = true;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(frame_poll(&w->emulator[i].client), 0);
        assert_int_equal(w->emulator[i].told, 1);
    }
    assert_int_equal(info(w, mfn).refs, 1);
    assert_int_equal(dma(w, p[1].bfn, "still mine"), 0);
    assert_int_equal(frame_unmap(&w->emulator[1].client, &p[1], 1), 0);
    assert_int_equal(info(w, mfn).refs, 0);
}

static void a_page_that_came_back_is_mapped_anew(void **state)
{
    struct world *w = *state;
    struct frame_page old = {.gfn = 9}, new = {.gfn = 9};

    assert_int_equal(frame_map(&w->emulator[0].client, &old, 1, RW), 0);
    assert_int_equal(machine_balloon_out(w->guest, 9, 1), 0);
    assert_int_equal(machine_populate(w->guest, 9, 1), 0);
    assert_int_equal(frame_map(&w->emulator[0].client, &new, 1, RW), 0);
    assert_int_equal(dma(w, new.bfn, "new"), 0);
    assert_reads(w, 9, "new");
    assert_int_equal(dma(w, old.bfn, "old"), 0);
    assert_reads(w, 9, "new");
    assert_int_equal(w->emulator[0].told, 1);
    assert_int_equal(frame_unmap(&w->emulator[0].client, &old, 1), 0);
    assert_int_equal(frame_unmap(&w->emulator[0].client, &new, 1), 0);
}

static void a_swapped_page_is_free_at_once(void **state)
{
    struct world *w = *state;
    struct frame_page p = {.gfn = 9};
    const mfn_t mfn = frame_at(w, 9);

    assert_int_equal(frame_map(&w->emulator[0].client, &p, 1, RW | IOMMU_MAP_OP_swap_mfn), 0);
    assert_int_equal(machine_balloon_out(w->guest, 9, 1), 0);
    assert_int_equal(info(w, mfn).refs, 0);
    assert_int_equal(dma(w, p.bfn, "nowhere"), 0);
    w->emulator[0].done = true;
    assert_int_equal(frame_poll(&w->emulator[0].client), 0);
    assert_int_equal(dma(w, p.bfn, "nowhere"), -EACCES);
}

/* A ring of 64 slots, and 100 pages: the rest comes synchronously. */
static void a_full_ring_loses_nothing(void **state)
{
    struct world *w = *state;
    struct frame_page p[100];

    for (unsigned i = 0; i < 100; i++)
        p[i].gfn = i;
    assert_int_equal(frame_map(&w->emulator[0].client, p, 100, RW), 0);
    assert_int_equal(machine_balloon_out(w->guest, 0, 100), 0);
    w->emulator[0].done = true;
    for (unsigned i = 0; i < 100 && w->emulator[0].told < 100; i++)
        assert_int_equal(frame_poll(&w->emulator[0].client), 0);
    assert_int_equal(w->emulator[0].told, 100);
}

static void a_dead_emulator_holds_nothing(void **state)
{
    struct world *w = *state;
    struct frame_page p[100];

    for (unsigned i = 0; i < 100; i++)
        p[i].gfn = i;
    assert_int_equal(frame_map(&w->emulator[0].client, p, 100, RW), 0);
    assert_int_equal(machine_balloon_out(w->guest, 3, 1), 0);
    assert_int_equal(frame_leave(&w->emulator[0].client), 0);
    assert_int_equal(machine_ioreq_server_end(w->driver, w->guest, 0), 0);
    for (unsigned i = 4; i < 100; i++)
        assert_int_equal(info(w, frame_at(w, i)).refs, 1);
}

static void a_guest_that_ends_is_let_go(void **state)
{
    struct world *w = *state;
    struct frame_page p = {.gfn = 1};
    const mfn_t mfn = frame_at(w, 1);

    assert_int_equal(frame_map(&w->emulator[0].client, &p, 1, RW), 0);
    assert_int_equal(machine_domain_destroy(w->m, w->guest), 0);
    assert_int_equal(info(w, mfn).refs, 1);
    assert_int_equal(frame_map(&w->emulator[1].client, &p, 1, RW), -ENXIO);
    assert_int_equal(frame_leave(&w->emulator[0].client), 0);
    assert_int_equal(info(w, mfn).refs, 0);
}

/* Tables and the reverse map want pages. */
static void memory_that_runs_out_is_not_the_end(void **state)
{
    struct world *w = *state;
    struct frame_page p[11];

    for (unsigned i = 0; i < 11; i++)
        p[i].gfn = i;
    machine_fail_alloc(w->m, 1);
    assert_int_equal(frame_map(&w->emulator[0].client, p, 11, RW), -ENOMEM);
    machine_fail_alloc(w->m, 0);
    assert_int_equal(frame_map(&w->emulator[0].client, p, 11, RW), 0);
    assert_int_equal(frame_unmap(&w->emulator[0].client, p, 11), 0);
}

#define IN(mode, test)                            \
    {                                             \
#test "/" #mode, test, mode, finish, NULL \
    }
#define EVERYWHERE(test)   IN(own, test), IN(relaxed, test), IN(passthrough, test), IN(no_iommu, test)
#define WHERE_CHOSEN(test) IN(own, test), IN(relaxed, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVERYWHERE(dma_goes_to_the_guests_pages),
        EVERYWHERE(a_page_that_is_not_there_is_refused),
        EVERYWHERE(two_emulators_of_a_page_are_both_told),
        EVERYWHERE(a_page_that_came_back_is_mapped_anew),
        WHERE_CHOSEN(a_swapped_page_is_free_at_once),
        EVERYWHERE(a_full_ring_loses_nothing),
        EVERYWHERE(a_dead_emulator_holds_nothing),
        EVERYWHERE(a_guest_that_ends_is_let_go),
        WHERE_CHOSEN(memory_that_runs_out_is_not_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
