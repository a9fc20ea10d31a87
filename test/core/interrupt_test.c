/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of devices: whose entries they are, and that they end with the ownership. */
#include "fixture.h"

#define ENTRIES 16u

/* A table that only writes down what it is told. */
static struct table {
    bool used[ENTRIES];
    uint32_t source[ENTRIES];
    struct hw_interrupt what[ENTRIES];
    unsigned sets, frees, fail;  /* the n-th flush from now fails */
    struct sluice_device *owned; /* has an owner whenever an entry is freed */
} table;

static int flushed(void)
{
    return table.fail && !--table.fail ? -ETIMEDOUT : 0;
}

static int table_alloc(struct hw_unit *unit, unsigned lg2, uint16_t *first)
{
    assert_int_equal(unit->lock.opaque[0], 1);
    for (unsigned i = 0; i + (1u << lg2) <= ENTRIES; i += 1u << lg2) {
        unsigned n = 0;

        while (n < 1u << lg2 && !table.used[i + n])
            n++;
        if (n < 1u << lg2)
            continue;
        memset(&table.used[i], 1, n);
        *first = (uint16_t)i;
        return 0;
    }
    return -ENOSPC;
}

static int table_set(struct hw_unit *unit, uint16_t index, rid_t source,
                     const struct hw_interrupt *what)
{
    assert_int_equal(unit->lock.opaque[0], 1);
    assert_true(table.used[index]);
    if (!what->vector)
        return -EINVAL;
    table.sets++;
    table.source[index] = source.n;
    table.what[index] = *what;
    return flushed();
}

static int table_free(struct hw_unit *unit, uint16_t first, unsigned lg2)
{
    struct sluice_device_info info;

    assert_int_equal(unit->lock.opaque[0], 1);
    assert_true(table.used[first]);
    if (table.owned) {
        sluice_device_info(table.owned, &info);
        assert_non_null(info.domain);
    }
    table.frees++;
    if (flushed())
        return -ETIMEDOUT;
    memset(&table.used[first], 0, 1u << lg2);
    return 0;
}

static struct hw_message table_message(struct hw_unit *unit, uint16_t index, bool several)
{
    (void)unit;
    return (struct hw_message){.address = 0xfee00010u + index, .data = several};
}

static const struct hw_interrupt_ops ops = {
    .alloc = table_alloc,
    .set = table_set,
    .free = table_free,
    .message = table_message,
};

static const struct hw_interrupt vector = {.destination = 1, .vector = 0x41};

static int set_up_table(void **state)
{
    struct host *h = host_create(&(struct setup){.format = PT_FORMAT_VTDSS});

    memset(&table, 0, sizeof(table));
    h->unit[0].hw.interrupts = &ops;
    *state = h;
    return 0;
}

static unsigned nr_used(void)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < ENTRIES; i++)
        nr += table.used[i];
    return nr;
}

static uint32_t nr_of(struct sluice_device *dev)
{
    struct sluice_device_info info;

    sluice_device_info(dev, &info);
    return info.nr_interrupts;
}

static void who_is_nobodys_has_none(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device_with(h, 8, NULL, 0);
    struct hw_message m;
    uint16_t i = 0;

    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), -EPERM);
    assert_int_equal(sluice_interrupt_set(dev, 0, 0, &vector), -EPERM);
    assert_int_equal(sluice_interrupt_free(dev, 0, 0), -EPERM);
    assert_int_equal(sluice_interrupt_message(dev, 0, false, &m), -EPERM);
    assert_int_equal(nr_used(), 0);
}

static void where_none_are_remapped_that_is_said(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8);
    struct sluice_unit_info info;
    struct hw_message m;
    uint16_t i;

    assert_int_equal(sluice_unit_info(h->s, 0, &info), 0);
    assert_true(info.remaps);
    h->unit[0].hw.interrupts = NULL;
    assert_int_equal(sluice_unit_info(h->s, 0, &info), 0);
    assert_false(info.remaps);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), -EOPNOTSUPP);
    assert_int_equal(sluice_interrupt_set(dev, 0, 0, &vector), -EOPNOTSUPP);
    assert_int_equal(sluice_interrupt_free(dev, 0, 0), -EOPNOTSUPP);
    assert_int_equal(sluice_interrupt_message(dev, 0, false, &m), -EOPNOTSUPP);
}

static void an_entry_is_one_devices(void **state)
{
    struct host *h = *state;
    struct sluice_device *a = add_device(h, 8), *b = add_device(h, 16);
    struct hw_message m;
    uint16_t i, k;

    assert_int_equal(sluice_interrupt_alloc(a, 2, &i), 0);
    assert_int_equal(sluice_interrupt_alloc(b, 0, &k), 0);
    assert_int_equal(nr_of(a), 4);
    assert_int_equal(nr_of(b), 1);
    assert_int_equal(sluice_interrupt_set(a, (uint16_t)(i + 3), 0, &vector), 0);
    assert_int_equal(table.source[i + 3], 8);
    assert_int_equal(table.what[i + 3].vector, 0x41);
    assert_int_equal(sluice_interrupt_message(a, i, true, &m), 0);
    assert_int_equal(m.address, 0xfee00010u + i);
    assert_int_equal(m.data, 1);

    assert_int_equal(sluice_interrupt_set(b, i, 0, &vector), -EINVAL);
    assert_int_equal(sluice_interrupt_set(a, (uint16_t)(i + 4), 0, &vector), -EINVAL);
    assert_int_equal(sluice_interrupt_message(b, i, false, &m), -EINVAL);
    assert_int_equal(sluice_interrupt_free(b, i, 2), -EINVAL);
    assert_int_equal(sluice_interrupt_free(a, i, 1), -EINVAL);
    assert_int_equal(sluice_interrupt_free(a, (uint16_t)(i + 1), 0), -EINVAL);
    assert_int_equal(table.sets, 1);
    assert_int_equal(table.frees, 0);

    assert_int_equal(sluice_interrupt_free(a, i, 2), 0);
    assert_int_equal(nr_of(a), 0);
    assert_int_equal(sluice_interrupt_set(a, i, 0, &vector), -EINVAL);
    assert_int_equal(nr_used(), 1);
}

static void the_source_is_one_of_the_device(void **state)
{
    struct host *h = *state;
    const rid_t rids[] = {{8}, {9}};
    const struct sluice_device_config config = {.unit = &h->unit[0].hw, .rids = rids, .nr_rids = 2};
    struct sluice_device *dev;
    uint16_t i;

    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), 0);
    assert_int_equal(sluice_interrupt_set(dev, i, 1, &vector), 0);
    assert_int_equal(table.source[i], 9);
    assert_int_equal(sluice_interrupt_set(dev, i, 2, &vector), -EINVAL);
}

/* The whole group's, while it still has its owner, and before what it maps is out of reach. */
static void they_end_with_the_ownership(void **state)
{
    struct host *h = *state;
    struct sluice_device *a = add_device_with(h, 8, NULL, 0), *b;
    const rid_t rid = {9};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = &rid, .nr_rids = 1, .group = a};
    uint16_t i;

    assert_int_equal(sluice_device_add(h->s, &config, &b), 0);
    assert_int_equal(sluice_device_assign(a, h->d), 0);
    assert_int_equal(sluice_interrupt_alloc(a, 0, &i), 0);
    assert_int_equal(sluice_interrupt_alloc(b, 1, &i), 0);
    assert_int_equal(sluice_interrupt_alloc(b, 0, &i), 0);
    table.owned = a;
    assert_int_equal(sluice_device_unassign(b), 0);
    assert_int_equal(table.frees, 3);
    assert_int_equal(nr_used(), 0);
    assert_int_equal(nr_of(b), 0);
    assert_int_equal(sluice_interrupt_alloc(a, 0, &i), -EPERM);
    assert_int_equal(sluice_device_assign(a, h->d), 0);
    assert_int_equal(sluice_interrupt_alloc(b, 0, &i), 0);
}

static void they_end_with_the_domain(void **state)
{
    struct host *h = *state;
    struct sluice_domain *other = host_domain(h, 2);
    struct sluice_device *dev = add_device_with(h, 8, NULL, 0);
    uint16_t i;

    assert_int_equal(sluice_device_assign(dev, other), 0);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), 0);
    destroy_domain(other);
    assert_int_equal(nr_used(), 0);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), -EPERM);
}

/* Another processor asks for an entry when those that were there are gone. */
static void ask(struct host *h, const struct sluice_lock *lock)
{
    struct sluice_device *dev = h->arg;
    uint16_t i;

    if (lock != &h->unit[0].hw.lock)
        return;
    h->on_unlock = NULL;
    assert_int_equal(nr_used(), 0);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), -EPERM);
    h->arg = NULL;
}

static void none_comes_while_it_leaves(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8);
    uint16_t i;

    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), 0);
    h->arg = dev;
    h->on_unlock = ask;
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_null(h->arg);
    assert_int_equal(nr_used(), 0);
}

static void a_failed_flush_is_the_units_end(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8);
    uint16_t i, k;

    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), 0);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &k), 0);
    assert_int_equal(sluice_interrupt_set(dev, i, 0, &(struct hw_interrupt){.vector = 0}), -EINVAL);
    assert_false(h->unit[0].hw.failed);
    h->lossy = true;
    table.fail = 1;
    assert_int_equal(sluice_interrupt_free(dev, i, 0), -EIO);
    assert_true(h->unit[0].hw.failed);
    assert_true(h->unit[0].quiet);
    assert_true(table.used[i]);
    assert_int_equal(nr_of(dev), 1);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), -EIO);
    assert_int_equal(sluice_interrupt_set(dev, k, 0, &vector), -EIO);
    assert_int_equal(sluice_device_unassign(dev), -EIO);
    assert_int_equal(table.frees, 1); /* nothing that it says would mean anything */
    assert_int_equal(nr_of(dev), 0);
}

static void a_failed_change_too(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8);
    uint16_t i;

    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), 0);
    h->lossy = true;
    table.fail = 1;
    assert_int_equal(sluice_interrupt_set(dev, i, 0, &vector), -EIO);
    assert_true(h->unit[0].hw.failed);
}

static void what_cannot_be_had_leaves_nothing(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8);
    uint16_t i;

    h->fail_alloc = 1;
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &i), -ENOMEM);
    assert_int_equal(sluice_interrupt_alloc(dev, 5, &i), -ENOSPC);
    assert_int_equal(sluice_interrupt_alloc(dev, 16, &i), -EINVAL);
    assert_int_equal(nr_of(dev), 0);
    assert_int_equal(nr_used(), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_table, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_is_nobodys_has_none),     T(where_none_are_remapped_that_is_said),
        T(an_entry_is_one_devices),     T(the_source_is_one_of_the_device),
        T(they_end_with_the_ownership), T(they_end_with_the_domain),
        T(none_comes_while_it_leaves),  T(a_failed_flush_is_the_units_end),
        T(a_failed_change_too),         T(what_cannot_be_had_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
