/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMA layer on the real library: what it says is the device's address is where DMA goes, and
 * what was unmapped is out of reach, at once or after the flush.
 */
#include "kernel.h"

#include <stdio.h>

#define POOL   200u
#define SLOTS  8u
#define RANGES 512u

static struct world {
    struct machine *m;
    struct kernel k;
    struct machine_device *dev;
    struct features features;
    struct dma_space s;
    struct dma_device d;
    struct iova_space iova;
    struct iova_range ranges[RANGES];
    struct iova_block blocks[IOVA_BLOCKS(RANGES)];
    struct iova_slots slots[IOVA_BLOCKS(RANGES)];
    uint32_t iova_buckets[RANGES];
    struct dma_range queue[32];
    struct dma_stander standers[32];
    uint32_t buckets[32];
    struct dma_pool pool;
    uint8_t used[SLOTS];
} w;

static bool may_stand(void *arg, uint64_t gfn, uint64_t nr)
{
    (void)arg;
    return gfn + nr <= POOL;
}

static void boot(const struct machine_config *mc)
{
    const char *const controls[] = {"guest"};
    const struct machine_domain_config domain = {
        .name = "driver", .domid = 1, .mem = 8 << 20, .controls = controls, .nr_controls = 1};
    const struct machine_domain_config guest = {
        .name = "guest", .domid = KERNEL_OTHER, .mem = 1 << 20};
    const struct machine_device_config dev = {
        .name = "dev", .rids = {rid_of(0, 0, 5 << 3)}, .nr_rids = 1};

    memset(&w, 0, sizeof(w));
    kernel_init(&w.k);
    w.k.continue_every = 3;
    w.k.host.may_stand = may_stand;
    assert_int_equal(machine_create(mc, &w.m, NULL), 0);
    assert_int_equal(machine_domain_add(w.m, &domain, &w.k.domain), 0);
    assert_int_equal(machine_domain_add(w.m, &guest, &w.k.other), 0);
    assert_int_equal(machine_device_add(w.m, &dev, &w.dev), 0);
    assert_int_equal(machine_device_assign(w.dev, w.k.domain), 0);
    kernel_discover(&w.k, false, &w.features);
}

static void init_iova(uint64_t first)
{
    static const struct iova_host host = {.lock = kernel_nothing, .unlock = kernel_nothing};
    const struct iova_config c = {.host = &host,
                                  .first = first,
                                  .last = 0xfffff,
                                  .ranges = w.ranges,
                                  .nr_ranges = RANGES,
                                  .blocks = w.blocks,
                                  .slots = w.slots,
                                  .buckets = w.iova_buckets,
                                  .nr_buckets = RANGES};

    assert_int_equal(iova_init(&w.iova, &c), 0);
}

static struct dma_space_config config(enum dma_policy policy)
{
    w.pool = (struct dma_pool){.gfn = POOL, .nr = SLOTS, .used = w.used};
    return (struct dma_space_config){
        .host = &w.k.host,
        .features = &w.features,
        .policy = policy,
        .iova = &w.iova,
        .pool = &w.pool,
        .server = IOSERVID_any,
        .queue = {.ranges = w.queue, .nr_ranges = 32, .max_pages = 1000, .max_us = 1000}};
}

static int start(const struct dma_space_config *c)
{
    int err = dma_space_init(&w.s, c);

    w.d = (struct dma_device){
        .space = &w.s, .dev = {.devfn = 5 << 3}, .mask = UINT64_MAX, .protected = true};
    if (!err && c->policy != DMA_PREMAPPED)
        assert_int_equal(dma_attach(&w.d), 0);
    return err;
}

static int in_context(enum dma_policy policy)
{
    const struct machine_config mc = {.ram = 16 << 20};
    struct dma_space_config c;

    boot(&mc);
    init_iova(1);
    c = config(policy);
    return start(&c);
}

/* Everything ends, and the machine says whether anything leaked. */
static void finish(void)
{
    if (w.s.config.policy != DMA_PREMAPPED)
        assert_int_equal(dma_detach(&w.d), 0);
    assert_int_equal(dma_space_end(&w.s), 0);
    assert_int_equal(machine_destroy(w.m), 0);
}

static struct dma_buffer bytes(uint64_t gfn, uint32_t offset, uint64_t length,
                               enum dma_direction direction)
{
    return (struct dma_buffer){.gfn = gfn,
                               .offset = offset,
                               .domain = DOMID_SELF,
                               .direction = direction,
                               .length = length};
}

static int dma(uint64_t address, void *data, size_t size, bool write)
{
    enum hw_reason reason;

    return machine_dma(w.dev, machine_device_rid(w.dev), 0, address, data, size, write, &reason);
}

/* The device writes a text there, and the guest finds it in its buffer. */
static void assert_arrives(struct machine_domain *domain, const struct dma_mapping *m)
{
    const uint64_t gpa = (m->buffer.gfn << 12) + m->buffer.offset;
    char text[16] = {0}, found[16];

    snprintf(text, sizeof(text), "to %llx", (unsigned long long)gpa);
    assert_int_equal(dma(m->address, text, sizeof(text), true), 0);
    assert_int_equal(machine_guest_read(domain, gpa, found, sizeof(found)), 0);
    assert_string_equal(found, text);
}

static void strict(void **state)
{
    const struct dma_buffer b = bytes(17, 40, 3 * DMA_PAGE, DMA_BOTH);
    const struct dma_buffer large = bytes(512, 0, 513 * DMA_PAGE, DMA_BOTH);
    struct dma_mapping m;
    char c = 0;

    (void)state;
    assert_int_equal(in_context(DMA_STRICT), 0);
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
    assert_arrives(w.k.domain, &m);
    assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    assert_int_equal(dma(m.address, &c, 1, false), -EACCES);
    w.k.calls = 0;
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &large, &m), 0);
    assert_arrives(w.k.domain, &m);
    assert_int_equal(dma(m.address + large.length - 1, &c, 1, true), 0);
    assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    assert_int_equal(dma(m.address, &c, 1, false), -EACCES);
    assert_int_equal(dma(m.address + large.length - 1, &c, 1, false), -EACCES);
    assert_in_range(w.k.calls, 2, 3);
    finish();
}

static void rights(void **state)
{
    const struct dma_buffer b = bytes(17, 0, 16, DMA_TO_DEVICE);
    struct dma_mapping m;
    char c = 0;

    (void)state;
    assert_int_equal(in_context(DMA_STRICT), 0);
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
    assert_int_equal(dma(m.address, &c, 1, false), 0);
    assert_int_equal(dma(m.address, &c, 1, true), -EACCES);
    assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    finish();
}

/* With or without map_list. */
static void list(void **state)
{
    struct dma_buffer b[40];
    struct dma_mapping m[40];
    char c = 0;

    (void)state;
    assert_int_equal(in_context(DMA_STRICT), 0);
    for (unsigned i = 0; i < 40; i++)
        b[i] = bytes(1 + 4 * i, 0, (1 + i % 3) * DMA_PAGE, DMA_BOTH);
    w.k.calls = 0;
    assert_int_equal(dma_map_list(&w.d, DMA_NO_CPU, b, m, 40), 0);
    assert_int_equal(w.k.calls, 1);
    for (unsigned i = 0; i < 40; i++)
        assert_arrives(w.k.domain, &m[i]);
    assert_int_equal(dma_unmap_list(&w.d, DMA_NO_CPU, m, 40), 0);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(dma(m[i].address, &c, 1, false), -EACCES);
    b[30].gfn = 1 << 20;
    assert_int_equal(dma_map_list(&w.d, DMA_NO_CPU, b, m, 40), -ENOENT);
    finish();
}

static void an_untrusted_device_sees_only_the_buffer(void **state)
{
    const struct dma_buffer b = bytes(17, 4000, 96 + DMA_PAGE + 20, DMA_BOTH);
    struct dma_mapping m;
    char c[4] = "abc", text[16];

    (void)state;
    assert_int_equal(in_context(DMA_STRICT), 0);
    w.d.untrusted = true;
    assert_int_equal(machine_guest_write(w.k.domain, 17 << 12, "secret", 7), 0);
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
    assert_int_equal(dma(m.address & ~(uint64_t)(DMA_PAGE - 1), text, 7, false), 0);
    assert_memory_equal(text, "\0\0\0\0\0\0", 7);
    assert_int_equal(dma(m.address, c, 3, true), 0);
    assert_int_equal(dma(m.address + 96 + DMA_PAGE, c, 3, true), 0);
    assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    assert_int_equal(machine_guest_read(w.k.domain, (17 << 12) + 4000, text, 3), 0);
    assert_memory_equal(text, "abc", 3);
    assert_int_equal(machine_guest_read(w.k.domain, 19 << 12, text, 3), 0);
    assert_memory_equal(text, "abc", 3);
    finish();
}

static void standing(void **state)
{
    const struct machine_config mc = {.ram = 16 << 20};
    struct dma_space_config c;
    struct dma_mapping m;
    char byte = 0;

    (void)state;
    boot(&mc);
    init_iova(1);
    c = config(DMA_STRICT);
    c.standing = (struct dma_standing_config){.standers = w.standers,
                                              .nr = 32,
                                              .buckets = w.buckets,
                                              .nr_buckets = 32,
                                              .max_pages = 256,
                                              .order = 4,
                                              .both = true};
    assert_int_equal(start(&c), 0);
    w.k.calls = 0;
    for (unsigned i = 0; i < 1000; i++) {
        const struct dma_buffer b = bytes(1 + i * 7 % 190, 0, DMA_PAGE, DMA_FROM_DEVICE);

        assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
        assert_arrives(w.k.domain, &m);
        assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    }
    assert_in_range(w.k.calls, 12, 100);
    assert_int_equal(dma(m.address, &byte, 1, false), 0);
    assert_int_equal(dma_forget(&w.s, m.buffer.gfn, 1), 0);
    assert_int_equal(dma(m.address, &byte, 1, false), -EACCES);
    finish();
}

/* Few flushes; after one, what was unmapped is out of reach. */
static void deferred(void **state)
{
    struct dma_mapping m;
    struct dma_stats n;
    char byte = 0;

    (void)state;
    assert_int_equal(in_context(DMA_DEFERRED), 0);
    for (unsigned i = 0; i < 1000; i++) {
        const struct dma_buffer b = bytes(1 + i * 7 % 190, 0, DMA_PAGE, DMA_FROM_DEVICE);

        assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
        assert_arrives(w.k.domain, &m);
        assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    }
    dma_stats(&w.s, &n);
    assert_in_range(n.flushes, 1, 50);
    assert_int_equal(dma_flush(&w.s), 0);
    assert_int_equal(dma(m.address, &byte, 1, false), -EACCES);
    finish();
}

static void premapped(void **state)
{
    const struct machine_config mc = {.ram = 16 << 20};
    const struct dma_memory all = {.first = 0, .nr = 2048};
    struct dma_space_config c;
    struct dma_buffer b = bytes(17, 40, 3 * DMA_PAGE, DMA_BOTH);
    struct dma_mapping m;
    char byte = 0;

    (void)state;
    boot(&mc);
    init_iova(0x80000);
    c = config(DMA_PREMAPPED);
    assert_int_equal(start(&c), 0);
    assert_int_equal(dma_premap(&w.s, &all, 1), 0);
    w.k.calls = 0;
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
    assert_int_equal(m.address, (17 << 12) + 40);
    assert_arrives(w.k.domain, &m);
    assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    assert_int_equal(w.k.calls, 0);
    b.domain = KERNEL_OTHER;
    assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
    assert_in_range(m.address >> 12, 0x80000, 0xfffff);
    assert_arrives(w.k.other, &m);
    assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
    assert_int_equal(dma(m.address, &byte, 1, false), -EACCES);
    assert_int_equal(dma_unpremap(&w.s, &all, 1), 0);
    assert_int_equal(dma(17 << 12, &byte, 1, false), -EACCES);
    finish();
}

/* The library has no memory, once at each point: a map fails, or it does not, and nothing leaks. */
static void memory_that_runs_out_is_not_the_end(void **state)
{
    const struct dma_buffer b = bytes(17, 0, 3 * DMA_PAGE, DMA_BOTH);
    struct dma_mapping m;
    int err;

    (void)state;
    for (unsigned n = 1; n < 6; n++) {
        assert_int_equal(in_context(DMA_STRICT), 0);
        machine_fail_alloc(w.m, n);
        err = dma_map(&w.d, DMA_NO_CPU, &b, &m);
        machine_fail_alloc(w.m, 0);
        assert_true(!err || err == -ENOMEM);
        if (err)
            assert_int_equal(dma_map(&w.d, DMA_NO_CPU, &b, &m), 0);
        assert_arrives(w.k.domain, &m);
        assert_int_equal(dma_unmap(&w.d, DMA_NO_CPU, &m), 0);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict),    cmocka_unit_test(rights),
        cmocka_unit_test(list),      cmocka_unit_test(an_untrusted_device_sees_only_the_buffer),
        cmocka_unit_test(standing),  cmocka_unit_test(deferred),
        cmocka_unit_test(premapped), cmocka_unit_test(memory_that_runs_out_is_not_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
