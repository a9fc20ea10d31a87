/* SPDX-License-Identifier: BSD-2-Clause */
/* Bouncing: the device sees the bytes of the buffer, no others, and the buffer gets what it wrote.
 */
#include "fake_dma.h"

#define POOL  32u /* the first frame of the pool */
#define SLOTS 8u

static struct world {
    struct fake_dma f;
    struct dma_space s;
    struct dma_device d;
    struct dma_pool pool;
    uint8_t used[SLOTS];
} w;

static struct dma_space_config config(enum dma_policy policy)
{
    return (struct dma_space_config){.host = &w.f.host,
                                     .features = &w.f.features,
                                     .policy = policy,
                                     .iova = policy == DMA_DIRECT ? NULL : &w.f.iova,
                                     .pool = &w.pool};
}

static void init(enum dma_policy policy, bool direct_mapped)
{
    struct dma_space_config c;

    fake_dma_init(&w.f);
    w.f.features.direct_mapped = direct_mapped;
    w.pool = (struct dma_pool){.gfn = POOL, .nr = SLOTS, .used = w.used, .direct_mapped = true};
    memset(w.used, 7, sizeof(w.used));
    for (unsigned i = 0; i < 64; i++)
        memset(w.f.memory[i], i < POOL ? 'a' + (int)i : '#', DMA_PAGE);
    c = config(policy);
    assert_int_equal(dma_space_init(&w.s, &c), 0);
    w.d = (struct dma_device){.space = &w.s, .mask = UINT64_MAX, .protected = true};
}

/* An untrusted device in a space of its own. */
static int untrusted(void **state)
{
    (void)state;
    init(DMA_STRICT, false);
    w.d.untrusted = true;
    return 0;
}

/* A device without a unit in a domain whose memory is anywhere. */
static int unprotected(void **state)
{
    (void)state;
    init(DMA_DIRECT, false);
    w.d.protected = false;
    return 0;
}

static int finish(void **state)
{
    int err = fake_dma_end(&w.f, &w.s);

    (void)state;
    for (unsigned i = 0; i < SLOTS; i++)
        err |= w.used[i];
    return err;
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

static struct dma_mapping map(uint64_t gfn, uint32_t offset, uint64_t length,
                              enum dma_direction direction)
{
    const struct dma_buffer b = bytes(gfn, offset, length, direction);
    struct dma_mapping m;

    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    return m;
}

/* All that the device can read of the pages around the buffer is the buffer's, or zero. */
static void assert_sees_only(const struct dma_mapping *m)
{
    const uint64_t first = m->address & ~(uint64_t)(DMA_PAGE - 1);
    const uint64_t end = m->address + m->buffer.length;

    for (uint64_t at = first; at < ((end - 1) | (DMA_PAGE - 1)); at++) {
        const uint64_t page = m->buffer.gfn + ((at - first) >> DMA_PAGE_SHIFT);
        char c;

        assert_true(fake_dma_io(&w.f, at, &c, 1, false));
        assert_int_equal(c, at < m->address || at >= end ? 0 : 'a' + (int)page);
    }
}

static void the_ends_bounce_and_the_middle_does_not(void **state)
{
    struct dma_mapping m = map(3, 4000, 96 + 2 * DMA_PAGE + 10, DMA_TO_DEVICE);

    (void)state;
    assert_sees_only(&m);
    assert_int_equal(fake_dma_at(&w.f, m.address + DMA_PAGE)->gfn, 4);
    assert_int_equal(w.f.lists, 1);
    assert_int_equal(w.f.maps, 1); /* of the pool */
    assert_int_equal(w.s.stats.bounced, 106);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_int_equal(w.s.stats.bounced, 106);
    assert_null(fake_dma_at(&w.f, m.address));
}

/* Without map_list, a call a run. */
static void each_part_of_a_page_bounces(void **state)
{
    static const struct {
        uint32_t offset;
        uint64_t length, slots;
    } t[] = {{0, 1, 1},    {4095, 1, 1}, {10, 4086, 1}, {0, 4096, 0},  {0, 4097, 1},
             {4095, 2, 2}, {1, 8191, 1}, {0, 8192, 0},  {10, 4096, 2}, {10, 3 * DMA_PAGE, 2}};

    (void)state;
    w.f.features.caps.cap_flags &= ~(uint32_t)IOMMUCAP_map_list;
    for (unsigned i = 0; i < sizeof(t) / sizeof(*t); i++) {
        struct dma_mapping m = map(3, t[i].offset, t[i].length, DMA_BOTH);
        unsigned used = 0;

        for (unsigned k = 0; k < SLOTS; k++)
            used += w.used[k];
        assert_int_equal(used, t[i].slots);
        assert_sees_only(&m);
        assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    }
    assert_int_equal(w.f.lists, 0);
}

static void what_the_device_wrote_comes_back(void **state)
{
    struct dma_mapping m = map(3, 4000, 96 + DMA_PAGE + 10, DMA_FROM_DEVICE);
    char data[96 + DMA_PAGE + 10];

    (void)state;
    memset(data, '!', sizeof(data));
    assert_true(fake_dma_io(&w.f, m.address, data, sizeof(data) - 1, true));
    assert_int_equal(w.f.memory[3][4000], 'd');
    assert_int_equal(dma_sync_for_cpu(&w.d, &m, 1, 2), 0);
    assert_memory_equal(&w.f.memory[3][4000], "d!!d", 4);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_int_equal(w.f.memory[3][3999], 'd');
    assert_memory_equal(&w.f.memory[3][4000], data, 96);
    assert_memory_equal(w.f.memory[4], data, DMA_PAGE);
    /* what it did not write is as it was, and what is behind it too */
    assert_memory_equal(w.f.memory[5], "!!!!!!!!!ff", 11);
}

static void what_it_may_not_write_does_not(void **state)
{
    struct dma_mapping m = map(3, 10, 10, DMA_TO_DEVICE);
    char c = '!';

    (void)state;
    assert_false(fake_dma_io(&w.f, m.address, &c, 1, true));
    memset(&w.f.memory[3][10], '?', 10);
    assert_int_equal(dma_sync_for_cpu(&w.d, &m, 0, 10), 0);
    assert_int_equal(w.f.memory[3][10], '?');
    assert_true(fake_dma_io(&w.f, m.address, &c, 1, false));
    assert_int_equal(c, 'd');
    assert_int_equal(dma_sync_for_device(&w.d, &m, 0, 10), 0);
    assert_true(fake_dma_io(&w.f, m.address + 9, &c, 1, false));
    assert_int_equal(c, '?');
    assert_int_equal(dma_sync_for_device(&w.d, &m, 5, 6), -EINVAL);
    assert_int_equal(dma_sync_for_cpu(&w.d, &m, UINT64_MAX, 2), -EINVAL);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
}

/* What a device filled before is not told to the next one. */
static void a_slot_forgets(void **state)
{
    struct dma_mapping m;
    char data[100];

    (void)state;
    memset(data, '!', sizeof(data));
    for (unsigned i = 0; i < 2 * SLOTS; i++) {
        m = map(3, 100, 100, DMA_BOTH);
        assert_sees_only(&m);
        assert_true(fake_dma_io(&w.f, m.address, data, sizeof(data), true));
        assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
        memset(w.f.memory[3], 'd', DMA_PAGE);
    }
}

static void without_slots_or_pool_it_is_refused(void **state)
{
    const struct dma_buffer b = bytes(3, 4000, 200, DMA_TO_DEVICE);
    struct dma_mapping m, held[SLOTS / 2];

    (void)state;
    for (unsigned i = 0; i < SLOTS / 2; i++)
        held[i] = map(3, 4000, 200, DMA_TO_DEVICE);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOSPC);
    assert_int_equal(dma_unmap(&w.d, 0, &held[1]), 0);
    held[1] = map(3, 0, 20, DMA_TO_DEVICE);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOSPC);
    for (unsigned i = 0; i < SLOTS / 2; i++)
        assert_int_equal(dma_unmap(&w.d, 0, &held[i]), 0);
    w.s.config.pool = NULL;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
    assert_non_null(m.why);
    w.s.config.pool = &w.pool;
}

/* Every copy and every hypercall on the way fails once. */
static void what_fails_leaves_no_slot(void **state)
{
    const struct dma_buffer b = bytes(3, 4000, 200, DMA_BOTH);
    struct dma_mapping m;

    (void)state;
    for (unsigned i = 1; i <= 4; i++) {
        w.f.copies_fail = i;
        assert_int_equal(dma_map(&w.d, 0, &b, &m), -EFAULT);
        assert_int_equal(fake_dma_mapped(&w.f), SLOTS);
    }
    w.f.odd = (struct fake_odd){.subop = IOMMU_map_list, .err = -ENOMEM, .after = 1};
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOMEM);
    m = map(3, 4000, 200, DMA_BOTH);
    w.f.copies_fail = 1;
    assert_int_equal(dma_unmap(&w.d, 0, &m), -EFAULT);
    for (unsigned i = 0; i < SLOTS; i++)
        assert_int_equal(w.used[i], 0);
}

/* A slot that the device may still reach is nobody else's. */
static void a_slot_that_was_not_unmapped_stays(void **state)
{
    struct dma_mapping m = map(3, 4000, 200, DMA_BOTH);

    (void)state;
    w.f.odd = (struct fake_odd){.subop = IOMMU_unmap_pages, .err = -EIO};
    assert_int_equal(dma_unmap(&w.d, 0, &m), -EIO);
    assert_int_equal(w.used[0] + w.used[1], 2);
}

static void an_unprotected_device_bounces_all(void **state)
{
    struct dma_mapping m = map(3, 4000, 200, DMA_BOTH);

    (void)state;
    assert_int_equal(m.route, DMA_ROUTE_BOUNCE);
    assert_in_range(m.address >> 12, POOL, POOL + SLOTS - 2);
    assert_int_equal(m.address & (DMA_PAGE - 1), 4000);
    assert_memory_equal(&w.f.memory[m.address >> 12][3998], "\0\0dd", 4);
    assert_memory_equal(&w.f.memory[(m.address >> 12) + 1][102], "ee\0\0", 4);
    w.f.memory[(m.address >> 12) + 1][103] = '!';
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_memory_equal(&w.f.memory[4][102], "e!ee", 4);
    assert_int_equal(w.f.calls, 0);
}

/* Slots that follow each other, wherever there are some. */
static void the_pool_is_used_up(void **state)
{
    struct dma_mapping m[4];
    const struct dma_buffer large = bytes(3, 0, (SLOTS + 1) * DMA_PAGE, DMA_TO_DEVICE);

    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        m[0] = map(1, 0, 2 * DMA_PAGE, DMA_TO_DEVICE);
        m[1] = map(1, 0, 1 * DMA_PAGE, DMA_TO_DEVICE);
        assert_int_equal(dma_unmap(&w.d, 0, &m[0]), 0);
        m[0] = map(1, 0, 2 * DMA_PAGE, DMA_TO_DEVICE);
        assert_int_equal(dma_unmap(&w.d, 0, &m[1]), 0);
        assert_int_equal(dma_unmap(&w.d, 0, &m[0]), 0);
        m[0] = map(1, 0, SLOTS * DMA_PAGE, DMA_TO_DEVICE);
        assert_int_equal(dma_unmap(&w.d, 0, &m[0]), 0);
    }
    assert_int_equal(dma_map(&w.d, 0, &large, &m[0]), -ENOSPC);
}

static void a_pool_that_does_not_serve_is_not_used(void **state)
{
    const struct dma_buffer b = bytes(3, 0, 20, DMA_TO_DEVICE);
    struct dma_mapping m;

    (void)state;
    w.d.mask = ((POOL + SLOTS) << 12) - 1;
    m = map(3, 0, 20, DMA_TO_DEVICE);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    w.d.mask--;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
    assert_non_null(m.why);
    w.d.mask = UINT64_MAX;
    w.pool.direct_mapped = false;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
    /* in a domain that is direct-mapped, a narrow device */
    w.pool.direct_mapped = true;
    w.f.features.direct_mapped = true;
    m = map(3, 0, 20, DMA_TO_DEVICE);
    assert_int_equal(m.route, DMA_ROUTE_AS_IS);
    assert_int_equal(m.address, 0x3000);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    w.d.mask = ((POOL + SLOTS) << 12) - 1;
    m = map(POOL + SLOTS, 0, 20, DMA_TO_DEVICE);
    assert_int_equal(m.route, DMA_ROUTE_BOUNCE);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
}

/* Before any transfer: what the guest had in the pool's pages is not for the device. */
static void a_pool_begins_empty(void **state)
{
    char byte = 1;

    (void)state;
    for (uint64_t i = 0; i < (uint64_t)SLOTS * DMA_PAGE; i++) {
        assert_true(fake_dma_io(&w.f, (w.pool.range.first << 12) + i, &byte, 1, false));
        assert_int_equal(byte, 0);
    }
}

static void a_pool_that_cannot_be_emptied_is_not_mapped(void **state)
{
    struct dma_space_config c = config(DMA_STRICT);

    (void)state;
    assert_int_equal(dma_space_end(&w.s), 0);
    w.f.copies_fail = 3;
    assert_int_equal(dma_space_init(&w.s, &c), -EFAULT);
    assert_int_equal(fake_dma_mapped(&w.f), 0);
    assert_false(w.f.alive);
    assert_int_equal(dma_space_init(&w.s, &c), 0);
}

/* Where pages of others cannot be asked for, they are copied. */
static void a_foreign_page_bounces_without_lookups(void **state)
{
    struct dma_buffer b = {
        .gfn = 3, .domain = FAKE_OTHER, .direction = DMA_TO_DEVICE, .length = DMA_PAGE};
    struct dma_mapping m;

    (void)state;
    w.f.features.direct_mapped = true;
    w.f.features.frames = false;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(m.route, DMA_ROUTE_BOUNCE);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
}

static void a_pool_without_sense_is_refused(void **state)
{
    struct dma_space_config c = config(DMA_STRICT);
    struct dma_space s;

    (void)state;
    w.pool.nr = 0;
    assert_int_equal(dma_space_init(&s, &c), -EINVAL);
    w.pool.nr = SLOTS;
    w.pool.gfn = FAKE_PAGES;
    assert_int_equal(dma_space_init(&s, &c), -ENOENT);
    assert_false(w.f.alive);
    w.pool.gfn = POOL;
}

int main(void)
{
#define TEST(t, start) cmocka_unit_test_setup_teardown(t, start, finish)
    const struct CMUnitTest tests[] = {
        TEST(the_ends_bounce_and_the_middle_does_not, untrusted),
        TEST(each_part_of_a_page_bounces, untrusted),
        TEST(what_the_device_wrote_comes_back, untrusted),
        TEST(what_it_may_not_write_does_not, untrusted),
        TEST(a_slot_forgets, untrusted),
        TEST(without_slots_or_pool_it_is_refused, untrusted),
        TEST(what_fails_leaves_no_slot, untrusted),
        cmocka_unit_test_setup(a_slot_that_was_not_unmapped_stays, untrusted),
        TEST(an_unprotected_device_bounces_all, unprotected),
        TEST(the_pool_is_used_up, unprotected),
        TEST(a_pool_that_does_not_serve_is_not_used, unprotected),
        TEST(a_pool_begins_empty, untrusted),
        TEST(a_pool_that_cannot_be_emptied_is_not_mapped, untrusted),
        TEST(a_foreign_page_bounces_without_lookups, unprotected),
        TEST(a_pool_without_sense_is_refused, unprotected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
