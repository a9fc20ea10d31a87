/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every row of the table of docs/guest.md, decided by the DMA layer and done by devices: one that
 * is ordinary, one with 24 address bits, and one that no unit protects, with pages of the domain's
 * and of a guest that it serves. Arguments: the machine's name.
 */
#include "kernel.h"

#include <stdio.h>

#define BITS   24
#define POOL   0x200u /* within 24 bits */
#define SLOTS  8u
#define FAR    0x1200u /* not */
#define THEIRS 0x2100u
#define RANGES 64u
#define FOUND  16u
#define OFFSET 4000u
#define LENGTH 4200u /* three pages */

enum device { ORDINARY, MASKED, UNPROTECTED, DEVICES };

static const struct machine_slot slots[DEVICES] = {
    {.rids = {{5 << 3}}, .nr_rids = 1},
    {.rids = {{6 << 3}}, .nr_rids = 1, .mask = BITS},
    {.rids = {{0x4100}}, .nr_rids = 1, .unprotected = true},
};

static struct world {
    const struct machine_backend *backend;
    bool scalable;
    struct machine *m;
    struct kernel k;
    struct machine_device *dev[DEVICES];
    struct features features;
    struct dma_space s;
    struct dma_device d;
    struct iova_space iova;
    struct iova_range ranges[RANGES];
    struct iova_block blocks[IOVA_BLOCKS(RANGES)];
    struct iova_slots slots[IOVA_BLOCKS(RANGES)];
    uint32_t buckets[RANGES];
    struct dma_found found[FOUND];
    struct dma_pool pool;
    uint8_t used[SLOTS];
} w;

/* ---- The machine ------------------------------------------------------------------------------
 */

static void add_devices(void)
{
    static const char *const names[DEVICES] = {"ordinary", "masked", "unprotected"};

    for (unsigned i = 0; i < DEVICES; i++) {
        const struct machine_device_config c = {.name = names[i],
                                                .rids = {slots[i].rids[0]},
                                                .nr_rids = 1,
                                                .unprotected = slots[i].unprotected,
                                                .mask = slots[i].mask};

        assert_int_equal(machine_device_add(w.m, &c, &w.dev[i]), 0);
        assert_int_equal(machine_device_assign(w.dev[i], w.k.domain), 0);
    }
}

/* The guest's memory is behind the domain's, so that both can be direct-mapped. */
static void add_domains(bool direct, enum sluice_space space)
{
    static const struct sluice_region low = {.first = 0, .last = (32 << 20) - 1};
    const char *const controls[] = {"guest"};
    const struct machine_domain_config domain = {.name = "domain",
                                                 .mem = 32 << 20,
                                                 .hardware = true,
                                                 .direct_mapped = direct,
                                                 .scattered = !direct,
                                                 .bounce = POOL,
                                                 .nr_bounce = SLOTS,
                                                 .space = space,
                                                 .controls = controls,
                                                 .nr_controls = 1};
    const struct machine_domain_config guest = {.name = "guest",
                                                .domid = KERNEL_OTHER,
                                                .mem = 40 << 20,
                                                .direct_mapped = direct,
                                                .scattered = !direct,
                                                .holes = &low,
                                                .nr_holes = 1};

    assert_int_equal(machine_domain_add(w.m, &domain, &w.k.domain), 0);
    assert_int_equal(machine_domain_add(w.m, &guest, &w.k.other), 0);
}

static void boot(bool direct, enum sluice_space space)
{
    const struct machine_config mc = {.backend = w.backend,
                                      .scalable = w.scalable,
                                      .ram = 128 << 20,
                                      .slots = slots,
                                      .nr_slots = DEVICES};

    kernel_init(&w.k);
    assert_int_equal(machine_create(&mc, &w.m, NULL), 0);
    add_domains(direct, space);
    add_devices();
    kernel_discover(&w.k, !direct, &w.features);
    assert_false(w.features.assumed);
    assert_int_equal(w.features.direct_mapped, direct);
}

/* ---- A row ------------------------------------------------------------------------------------
 */

struct row {
    enum device device;
    enum dma_policy policy;
    domid_t domain;
    enum dma_route route;
};

static void init_iova(void)
{
    static const struct iova_host locks = {.lock = kernel_nothing, .unlock = kernel_nothing};
    const struct iova_config c = {.host = &locks,
                                  .first = w.s.config.policy == DMA_PREMAPPED ? 0x80000 : 1,
                                  .last = 0xfffff,
                                  .last_low = (1u << (BITS - 12)) - 1,
                                  .ranges = w.ranges,
                                  .nr_ranges = RANGES,
                                  .blocks = w.blocks,
                                  .slots = w.slots,
                                  .buckets = w.buckets,
                                  .nr_buckets = RANGES};

    assert_int_equal(iova_init(&w.iova, &c), 0);
}

static bool has_context(const struct row *r)
{
    return r->policy == DMA_STRICT;
}

static void begin(const struct row *r, bool pool)
{
    const rid_t rid = slots[r->device].rids[0];
    const struct dma_space_config c = {.host = &w.k.host,
                                       .features = &w.features,
                                       .policy = r->policy,
                                       .iova = r->policy == DMA_DIRECT ? NULL : &w.iova,
                                       .pool = pool ? &w.pool : NULL,
                                       .server = IOSERVID_any,
                                       .found = w.found,
                                       .nr_found = FOUND};

    w.pool = (struct dma_pool){.gfn = POOL, .nr = SLOTS, .used = w.used, .direct_mapped = true};
    w.s.config.policy = r->policy;
    init_iova();
    assert_int_equal(dma_space_init(&w.s, &c), 0);
    w.d = (struct dma_device){.space = &w.s,
                              .dev = {.bus = (uint8_t)(rid.n >> 8), .devfn = (uint8_t)rid.n},
                              .mask = r->device == MASKED ? (UINT64_C(1) << BITS) - 1 : UINT64_MAX,
                              .protected = r->device != UNPROTECTED};
    if (has_context(r))
        assert_int_equal(dma_attach(&w.d), 0);
}

static void end(const struct row *r)
{
    if (has_context(r))
        assert_int_equal(dma_detach(&w.d), 0);
    assert_int_equal(dma_space_end(&w.s), 0);
}

static struct dma_buffer buffer_of(const struct row *r)
{
    return (struct dma_buffer){.gfn = r->domain == KERNEL_OTHER ? THEIRS : FAR,
                               .offset = OFFSET,
                               .domain = r->domain,
                               .direction = DMA_BOTH,
                               .length = LENGTH};
}

static void fill(uint8_t *data, unsigned seed)
{
    for (unsigned i = 0; i < LENGTH; i++)
        data[i] = (uint8_t)(seed + i * 7 + (i >> 8));
}

static uint64_t place(const struct dma_buffer *b)
{
    return (b->gfn << 12) + b->offset;
}

static void put(const struct dma_buffer *b, unsigned seed)
{
    uint8_t data[LENGTH];

    fill(data, seed);
    assert_int_equal(machine_guest_write(kernel_domain(&w.k, b->domain), place(b), data, LENGTH),
                     0);
}

static void assert_is(const struct dma_buffer *b, unsigned seed)
{
    uint8_t data[LENGTH], expected[LENGTH];

    fill(expected, seed);
    assert_int_equal(machine_guest_read(kernel_domain(&w.k, b->domain), place(b), data, LENGTH), 0);
    assert_memory_equal(data, expected, LENGTH);
}

static int dma(const struct row *r, uint64_t address, uint8_t *data, bool write)
{
    struct machine_device *dev = w.dev[r->device];
    enum hw_reason reason;

    return machine_dma(dev, machine_device_rid(dev), 0, address, data, LENGTH, write, &reason);
}

static void device_reads(const struct row *r, const struct dma_mapping *m, unsigned seed)
{
    uint8_t data[LENGTH], expected[LENGTH];

    fill(expected, seed);
    assert_int_equal(dma(r, m->address, data, false), 0);
    assert_memory_equal(data, expected, LENGTH);
}

static void device_writes(const struct row *r, const struct dma_mapping *m, unsigned seed)
{
    uint8_t data[LENGTH];

    fill(data, seed);
    assert_int_equal(dma(r, m->address, data, true), 0);
}

static void assert_out_of_reach(const struct row *r, const struct dma_mapping *m)
{
    uint8_t data[LENGTH];

    if (m->route == DMA_ROUTE_MAP)
        assert_int_equal(dma(r, m->address, data, false), -EACCES);
}

static void play(const struct row *r)
{
    const struct dma_buffer b = buffer_of(r);
    struct dma_mapping m;

    begin(r, true);
    put(&b, 1);
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
    assert_int_equal(m.route, r->route);
    device_reads(r, &m, 1);
    device_writes(r, &m, 2);
    assert_int_equal(dma_sync_for_cpu(&w.d, &m, 0, LENGTH), 0);
    assert_is(&b, 2);
    device_writes(r, &m, 3);
    assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    assert_is(&b, 3);
    assert_out_of_reach(r, &m);
    end(r);
}

/* Without a pool what would bounce is refused, in words. */
static void refuse(const struct row *r)
{
    const struct dma_buffer b = buffer_of(r);
    struct dma_mapping m;

    begin(r, false);
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), -EOPNOTSUPP);
    assert_int_equal(m.route, DMA_ROUTE_NONE);
    assert_non_null(m.why);
    assert_non_null(strstr(m.why, "bounce region"));
    end(r);
}

static void play_all(bool direct, enum sluice_space space, const struct row *rows, size_t nr)
{
    boot(direct, space);
    for (size_t i = 0; i < nr; i++) {
        play(&rows[i]);
        if (rows[i].route == DMA_ROUTE_BOUNCE)
            refuse(&rows[i]);
    }
    assert_int_equal(machine_destroy(w.m), 0);
}

static void direct_mapped(void **state)
{
    static const struct row rows[] = {
        {ORDINARY, DMA_STRICT, DOMID_SELF, DMA_ROUTE_MAP},
        {ORDINARY, DMA_DIRECT, DOMID_SELF, DMA_ROUTE_STANDING},
        {MASKED, DMA_STRICT, DOMID_SELF, DMA_ROUTE_MAP},
        {MASKED, DMA_STRICT, KERNEL_OTHER, DMA_ROUTE_BOUNCE},
        {MASKED, DMA_DIRECT, DOMID_SELF, DMA_ROUTE_BOUNCE},
        {UNPROTECTED, DMA_DIRECT, DOMID_SELF, DMA_ROUTE_AS_IS},
        {ORDINARY, DMA_PREMAPPED, KERNEL_OTHER, DMA_ROUTE_MAP},
    };

    (void)state;
    play_all(true, SLUICE_SPACE_OWN, rows, sizeof(rows) / sizeof(*rows));
}

/* A machine frame is a bus frame: pages of the guest's are looked up. */
static void passthrough(void **state)
{
    static const struct row rows[] = {
        {ORDINARY, DMA_DIRECT, DOMID_SELF, DMA_ROUTE_STANDING},
        {ORDINARY, DMA_DIRECT, KERNEL_OTHER, DMA_ROUTE_LOOKUP},
        {MASKED, DMA_STRICT, KERNEL_OTHER, DMA_ROUTE_BOUNCE},
        {MASKED, DMA_DIRECT, DOMID_SELF, DMA_ROUTE_BOUNCE},
        {UNPROTECTED, DMA_DIRECT, DOMID_SELF, DMA_ROUTE_AS_IS},
        {UNPROTECTED, DMA_DIRECT, KERNEL_OTHER, DMA_ROUTE_LOOKUP},
    };

    (void)state;
    play_all(true, SLUICE_SPACE_PASSTHROUGH, rows, sizeof(rows) / sizeof(*rows));
}

static void scattered(void **state)
{
    static const struct row rows[] = {
        {ORDINARY, DMA_STRICT, DOMID_SELF, DMA_ROUTE_MAP},
        {ORDINARY, DMA_PREMAPPED, KERNEL_OTHER, DMA_ROUTE_MAP},
        {MASKED, DMA_STRICT, DOMID_SELF, DMA_ROUTE_MAP},
        {MASKED, DMA_STRICT, KERNEL_OTHER, DMA_ROUTE_BOUNCE},
        {UNPROTECTED, DMA_DIRECT, DOMID_SELF, DMA_ROUTE_BOUNCE},
        {UNPROTECTED, DMA_DIRECT, KERNEL_OTHER, DMA_ROUTE_BOUNCE},
    };

    (void)state;
    play_all(false, SLUICE_SPACE_OWN, rows, sizeof(rows) / sizeof(*rows));
}

static int choose(const char *name)
{
    w.backend = strcmp(name, "soft") ? &vtd_backend : &soft_backend;
    w.scalable = !strcmp(name, "vtd-scalable");
    return w.backend == &soft_backend || w.scalable || !strcmp(name, "vtd") ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_mapped),
        cmocka_unit_test(passthrough),
        cmocka_unit_test(scattered),
    };

    if (argc != 2 || choose(argv[1])) {
        fprintf(stderr, "usage: guest-routes soft|vtd|vtd-scalable\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
