/* SPDX-License-Identifier: BSD-2-Clause */
/* The software unit's interrupt remapping, as unfriendly as the rest of it. */
#include "../../iommu/hw/soft/soft.h"
#include "../core/fixture.h"

#define RID   ((rid_t){8})
#define OTHER ((rid_t){9})

struct bench {
    struct host *h;
    struct sluice_port port;
    struct soft_config config;
    struct soft_unit u;
};

static bool hang_now;

static bool hangs(void *host)
{
    (void)host;
    return hang_now;
}

static uint64_t ticking(void *host)
{
    struct host *h = host;

    return h->preempts += 1000000; /* any counter will do */
}

static struct bench *bench_create(bool caching_mode, bool interrupts)
{
    struct bench *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    b->h = host_create(&(struct setup){.no_domain = true});
    b->port = b->h->port;
    b->port.now_ns = ticking;
    b->config = (struct soft_config){.port = &b->port,
                                     .geo = b->h->unit[0].hw.geo,
                                     .caching_mode = caching_mode,
                                     .interrupts = interrupts,
                                     .cache_lg2 = 8,
                                     .seed = 3,
                                     .memory = b->port.direct_map,
                                     .hangs = hangs};
    hang_now = false;
    assert_int_equal(soft_init(&b->u, &b->config), 0);
    return b;
}

static int set_up_bench(void **state)
{
    *state = bench_create(false, true);
    return 0;
}

static int tear_down_bench(void **state)
{
    struct bench *b = *state;

    soft_fini(&b->u);
    host_destroy(b->h);
    free(b);
    return 0;
}

static int set(struct bench *b, uint16_t index, rid_t source, uint8_t vector)
{
    const struct hw_interrupt what = {.destination = 1, .vector = vector};

    return b->u.hw.interrupts->set(&b->u.hw, index, source, &what);
}

static uint16_t take(struct bench *b, unsigned lg2)
{
    uint16_t first;

    assert_int_equal(b->u.hw.interrupts->alloc(&b->u.hw, lg2, &first), 0);
    return first;
}

static int give_back(struct bench *b, uint16_t first, unsigned lg2)
{
    return b->u.hw.interrupts->free(&b->u.hw, first, lg2);
}

/* The vector that arrives, or 0: nothing does. */
static uint8_t raise_as(struct bench *b, rid_t rid, uint64_t address, uint32_t data)
{
    struct hw_interrupt out = {.vector = 0};
    enum hw_reason reason;
    int err = soft_interrupt(&b->u, rid, address, data, &out, &reason);

    assert_true(!err == (reason == HW_REASON_NONE));
    return err ? 0 : out.vector;
}

static uint8_t send(struct bench *b, rid_t rid, uint16_t index)
{
    const struct hw_message m = b->u.hw.interrupts->message(&b->u.hw, index, false);

    return raise_as(b, rid, m.address, m.data);
}

static void only_what_was_set_up_and_only_from_its_source(void **state)
{
    struct bench *b = *state;
    struct hw_fault fault;
    uint64_t lost = 0;
    uint16_t i = take(b, 0);

    assert_int_equal(send(b, RID, i), 0); /* not present */
    assert_int_equal(set(b, i, RID, 0x41), 0);
    assert_int_equal(send(b, RID, i), 0x41);
    assert_int_equal(b->u.hw.ops->drain_faults(&b->u.hw, &fault, 1, &lost), 1);
    assert_int_equal(send(b, OTHER, i), 0);
    assert_int_equal(b->u.hw.ops->drain_faults(&b->u.hw, &fault, 1, &lost), 1);
    assert_int_equal(fault.rid.n, OTHER.n);
    assert_int_equal(fault.reason, HW_REASON_MSI);
    assert_int_equal(fault.addr, b->u.hw.interrupts->message(&b->u.hw, i, false).address);
    assert_true(fault.write);
    assert_int_equal(send(b, RID, (uint16_t)(i + 1)), 0);
    assert_int_equal(send(b, RID, 0x100), 0);
    assert_int_equal(raise_as(b, RID, 0xfee00014, 0), 0); /* 0x8000 */
}

static void messages_have_the_format_of_the_processor(void **state)
{
    struct bench *b = *state;
    uint16_t first = take(b, 2);

    assert_int_equal(first, 0);
    for (uint16_t i = 0; i < 4; i++)
        assert_int_equal(set(b, i, RID, (uint8_t)(0x50 + i)), 0);
    assert_int_equal(raise_as(b, RID, 0xfee00010, 0x77), 0x50);
    assert_int_equal(raise_as(b, RID, 0xfee00030, 0), 0x51);
    assert_int_equal(raise_as(b, RID, 0xfee00018, 3), 0x53); /* the data counts */
    assert_int_equal(b->u.hw.interrupts->message(&b->u.hw, 0, true).address, 0xfee00018);
    assert_int_equal(raise_as(b, RID, 0xfee00000, 0x50), 0); /* compatibility format */
    assert_int_equal(raise_as(b, RID, 0xfef00010, 0), 0);
    assert_int_equal(raise_as(b, RID, 0xfedffff0, 0), 0);
    assert_int_equal(raise_as(b, RID, 0xfee00012, 0), 0);
}

static void a_change_counts_when_it_is_flushed(void **state)
{
    struct bench *b = *state;
    uint16_t i = take(b, 0);
    uint64_t *entry = port_page(&b->port, b->u.interrupts);

    assert_int_equal(set(b, i, RID, 0x41), 0);
    assert_int_equal(send(b, RID, i), 0x41);
    entry[2 * i] = 0; /* behind the driver's back */
    assert_int_equal(send(b, RID, i), 0x41);
    assert_int_equal(set(b, i, RID, 0x42), 0);
    assert_int_equal(send(b, RID, i), 0x42);
    assert_int_equal(give_back(b, i, 0), 0);
    assert_int_equal(send(b, RID, i), 0);
    assert_int_equal(set(b, i, RID, 0x42), -EINVAL);
    assert_int_equal(give_back(b, i, 0), -EINVAL);
}

static void neighbours_are_prefetched(void **state)
{
    struct bench *b = *state;
    uint16_t i = take(b, 1);
    uint64_t *entry = port_page(&b->port, b->u.interrupts);

    assert_int_equal(set(b, i, RID, 0x41), 0);
    assert_int_equal(set(b, (uint16_t)(i + 1), RID, 0x42), 0);
    assert_int_equal(send(b, RID, i), 0x41);
    entry[2 * i + 2] = 0;
    assert_int_equal(send(b, RID, (uint16_t)(i + 1)), 0x42);
    assert_int_equal(give_back(b, i, 1), 0);
    assert_int_equal(send(b, RID, (uint16_t)(i + 1)), 0);
}

static void absence_is_remembered_in_caching_mode_only(void **state)
{
    (void)state;
    for (unsigned caching = 0; caching < 2; caching++) {
        struct bench *b = bench_create(caching, true);
        uint16_t i = take(b, 0);
        uint64_t *entry = port_page(&b->port, b->u.interrupts);

        assert_int_equal(send(b, RID, i), 0);
        entry[2 * i + 1] = RID.n;
        entry[2 * i] = 0x4101;
        assert_int_equal(send(b, RID, i), caching ? 0 : 0x41);
        assert_int_equal(set(b, i, RID, 0x42), 0);
        assert_int_equal(send(b, RID, i), 0x42);
        tear_down_bench((void **)&b);
    }
}

static void a_failed_flush_keeps_the_entry(void **state)
{
    struct bench *b = *state;
    uint16_t i = take(b, 0), next;

    assert_int_equal(set(b, i, RID, 0x41), 0);
    assert_int_equal(send(b, RID, i), 0x41);
    hang_now = true;
    assert_int_equal(give_back(b, i, 0), -ETIMEDOUT);
    assert_int_equal(send(b, RID, i), 0x41);
    assert_int_equal(b->u.hw.interrupts->alloc(&b->u.hw, 0, &next), 0);
    assert_int_not_equal(next, i);
    b->u.hw.ops->quiesce(&b->u.hw);
    assert_int_equal(send(b, RID, i), 0);
}

static void bad_wishes_are_refused(void **state)
{
    struct bench *b = *state;
    const struct hw_interrupt what = {.delivery = (enum hw_delivery)8};
    uint16_t i = take(b, 3), all;

    assert_int_equal(b->u.hw.interrupts->alloc(&b->u.hw, 8, &all), -ENOSPC);
    assert_int_equal(b->u.hw.interrupts->alloc(&b->u.hw, 9, &all), -EINVAL);
    assert_int_equal(give_back(b, (uint16_t)(i + 4), 3), -EINVAL);
    assert_int_equal(give_back(b, i, 9), -EINVAL);
    assert_int_equal(give_back(b, 0xff, 1), -EINVAL);
    assert_int_equal(set(b, 0x100, RID, 0x41), -EINVAL);
    assert_int_equal(set(b, i, (rid_t){1u << 16}, 0x41), -EINVAL);
    assert_int_equal(b->u.hw.interrupts->set(&b->u.hw, i, RID, &what), -EINVAL);
}

static void without_remapping_messages_arrive_as_they_are(void **state)
{
    struct bench *b = bench_create(false, false);
    struct hw_interrupt out;
    enum hw_reason reason;

    (void)state;
    assert_null(b->u.hw.interrupts);
    assert_int_equal(b->u.hw.ops->isolation(&b->u.hw), HW_ISOLATION_NOT_REMAPPING);
    assert_int_equal(soft_interrupt(&b->u, RID, 0xfee5a00c, 0x8441, &out, &reason), 0);
    assert_int_equal(out.vector, 0x41);
    assert_int_equal(out.delivery, HW_DELIVER_NMI);
    assert_int_equal(out.destination, 0x5a);
    assert_true(out.logical && out.level);
    tear_down_bench((void **)&b);
}

static void setting_up_fails_without_a_trace(void **state)
{
    struct bench *b = *state;
    const unsigned objects = b->h->objects, pages = b->h->pages;
    struct soft_unit u;

    for (unsigned n = 1; n <= 8; n++) {
        b->h->fail_alloc = n;
        assert_int_equal(soft_init(&u, &b->config), -ENOMEM);
        assert_int_equal(b->h->objects, objects);
        assert_int_equal(b->h->pages, pages);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_bench, tear_down_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(only_what_was_set_up_and_only_from_its_source),
        T(messages_have_the_format_of_the_processor),
        T(a_change_counts_when_it_is_flushed),
        T(neighbours_are_prefetched),
        cmocka_unit_test(absence_is_remembered_in_caching_mode_only),
        T(a_failed_flush_keeps_the_entry),
        T(bad_wishes_are_refused),
        cmocka_unit_test(without_remapping_messages_arrive_as_they_are),
        T(setting_up_fails_without_a_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
