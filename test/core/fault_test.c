/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records: to the domain that owns the device, and never more than there is room for. */
#include "fixture.h"

static void raise(struct host *h, uint32_t rid, uint64_t addr)
{
    struct fake_unit *u = &h->unit[0];

    u->fault[u->nr_faults++] =
        (struct hw_fault){.rid = {rid}, .addr = addr, .write = true, .reason = HW_REASON_NO_WRITE};
}

static void they_are_the_owners(void **state)
{
    struct host *h = *state;
    struct sluice_domain *other = host_domain(h, 2);
    struct sluice_device *dev = add_device(h, 8);
    struct sluice_fault f[4];
    uint64_t lost;

    assert_int_equal(new_context(h), 1);
    attach(h, 8, 1);
    raise(h, 8, 0x1234);
    sluice_faults_collect(h->s);
    assert_int_equal(sluice_faults_read(other, f, 4, &lost), 0);
    assert_int_equal(sluice_faults_read(h->d, f, 4, &lost), 1);
    assert_ptr_equal(f[0].device, dev);
    assert_int_equal(f[0].rid.n, 8);
    assert_int_equal(f[0].addr, 0x1234);
    assert_true(f[0].write);
    assert_int_equal(f[0].reason, HW_REASON_NO_WRITE);
    assert_int_equal(f[0].ctx_no, 1);
    assert_int_equal(lost, 0);
    assert_int_equal(sluice_faults_read(h->d, f, 4, &lost), 0);
}

static void those_of_nobodys_devices_have_no_reader(void **state)
{
    struct host *h = *state;
    struct sluice_fault f;
    uint64_t lost;

    (void)add_device_with(h, 8, NULL, 0); /* quarantined */
    raise(h, 8, 1);
    raise(h, 99, 2); /* unknown */
    sluice_faults_collect(h->s);
    assert_int_equal(sluice_faults_read(h->d, &f, 1, &lost), 0);
    assert_int_equal(lost, 0);
}

static void the_oldest_make_room_and_are_counted(void **state)
{
    struct host *h = *state;
    struct sluice_fault f[DOMAIN_FAULTS + 1];
    struct sluice_domain_stats stats;
    uint64_t lost;

    add_device(h, 8);
    for (uint64_t i = 0; i < DOMAIN_FAULTS + 5; i++)
        raise(h, 8, i);
    sluice_faults_collect(h->s);
    assert_int_equal(sluice_faults_read(h->d, f, 3, &lost), 3);
    assert_int_equal(lost, 5);
    assert_int_equal(f[0].addr, 5);
    raise(h, 8, 1000);
    sluice_faults_collect(h->s);
    assert_int_equal(sluice_faults_read(h->d, f, DOMAIN_FAULTS + 1, &lost), DOMAIN_FAULTS - 2);
    assert_int_equal(lost, 0);
    assert_int_equal(f[0].addr, 8);
    assert_int_equal(f[DOMAIN_FAULTS - 3].addr, 1000);
    sluice_domain_stats(h->d, &stats);
    assert_int_equal(stats.faults, DOMAIN_FAULTS + 6);
    assert_int_equal(stats.faults_lost, 5);
}

static void looking_at_them_leaves_them(void **state)
{
    struct host *h = *state;
    struct sluice_fault f;
    uint64_t lost;

    add_device(h, 8);
    assert_int_equal(sluice_fault_peek(h->d, 0, &f), -ENOENT);
    for (uint64_t i = 0; i < DOMAIN_FAULTS + 2; i++)
        raise(h, 8, i);
    sluice_faults_collect(h->s);
    assert_int_equal(sluice_fault_peek(h->d, 0, &f), 0);
    assert_int_equal(f.addr, 2);
    assert_int_equal(sluice_fault_peek(h->d, DOMAIN_FAULTS - 1, &f), 0);
    assert_int_equal(f.addr, DOMAIN_FAULTS + 1);
    assert_int_equal(sluice_fault_peek(h->d, DOMAIN_FAULTS, &f), -ENOENT);
    assert_int_equal(sluice_faults_read(h->d, &f, 1, &lost), 1);
    assert_int_equal(f.addr, 2);
    assert_int_equal(lost, 2);
}

static void units_count_theirs(void **state)
{
    struct host *h = *state;
    struct sluice_unit_info info;

    add_device(h, 8);
    for (unsigned i = 0; i < 3; i++)
        raise(h, i ? 8 : 99, i); /* also those that nobody reads */
    h->unit[0].faults_lost = 7;
    sluice_faults_collect(h->s);
    sluice_faults_collect(h->s);
    assert_int_equal(sluice_unit_info(h->s, 0, &info), 0);
    assert_int_equal(info.faults, 3);
    assert_int_equal(info.faults_lost, 7);
}

static void a_flood_is_taken_in_bounded_portions(void **state)
{
    struct host *h = *state;

    add_device(h, 8);
    for (unsigned i = 0; i < 300; i++)
        raise(h, 8, i);
    sluice_faults_collect(h->s);
    assert_int_equal(h->unit[0].nr_faults, 300 - 256);
    sluice_faults_collect(h->s);
    assert_int_equal(h->unit[0].nr_faults, 0);
}

static void every_reason_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < HW_NR_REASONS; i++) {
        assert_non_null(sluice_reason_name((enum hw_reason)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(sluice_reason_name((enum hw_reason)i),
                                    sluice_reason_name((enum hw_reason)k));
    }
    assert_string_equal(sluice_reason_name(HW_NR_REASONS), "unknown");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(they_are_the_owners),
        T(those_of_nobodys_devices_have_no_reader),
        T(the_oldest_make_room_and_are_counted),
        T(looking_at_them_leaves_them),
        T(units_count_theirs),
        T(a_flood_is_taken_in_bounded_portions),
        cmocka_unit_test(every_reason_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
