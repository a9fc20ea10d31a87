/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame service against a hypervisor that does as it is told. */
#include "fake.h"

#define RECORDS 200u
#define RW      (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable)

static struct fake f;
static struct frame_service s;
static struct frame_record records[RECORDS];
static struct emulator a, b;

static int start(uint32_t nr)
{
    assert_int_equal(frame_service_init(&s, &f.host, FAKE_FIRST, records, nr), 0);
    fake_emulator(&a, 1, 0);
    fake_emulator(&b, 1, 1);
    return frame_join(&s, &a.client) || frame_join(&s, &b.client);
}

static int choosing(void **state)
{
    (void)state;
    fake_init(&f);
    return start(RECORDS);
}

static int looking_up(void **state)
{
    (void)state;
    fake_init(&f);
    f.no_map = true;
    return start(RECORDS);
}

static struct frame_counts counts(void)
{
    struct frame_counts n;

    frame_count(&s, &n);
    return n;
}

/* Nothing is mapped, and what is free is all but the bad ones. */
static void assert_clean(void)
{
    const struct frame_counts n = counts();

    assert_int_equal(fake_mapped(&f), 0);
    assert_int_equal(n.mapped + n.invalid + n.owed + n.claimed, 0);
    assert_int_equal(n.free + n.bad, s.nr);
}

static struct frame_page map_one(struct emulator *e, uint64_t gfn)
{
    struct frame_page p = {.gfn = gfn};

    assert_int_equal(frame_map(&e->client, &p, 1, RW), 0);
    return p;
}

static void unmap_one(struct emulator *e, const struct frame_page *p)
{
    assert_int_equal(frame_unmap(&e->client, p, 1), 0);
}

static void pages_are_mapped_in_arrays(void **state)
{
    struct frame_page p[150];

    (void)state;
    f.calls = 0;
    for (unsigned i = 0; i < 150; i++)
        p[i].gfn = 3 * i;
    assert_int_equal(frame_map(&a.client, p, 150, RW | IOMMU_MAP_OP_swap_mfn), 0);
    assert_int_equal(f.calls, 3);
    assert_int_equal(f.most, FRAME_BATCH);
    for (unsigned i = 0; i < 150; i++) {
        const struct fake_entry *e = &f.at[p[i].bfn - FAKE_FIRST];

        assert_int_equal(e->gfn, 3 * i);
        assert_int_equal(e->domid, 1);
        assert_int_equal(e->server, 0);
        assert_int_equal(e->flags, RW | IOMMU_MAP_OP_swap_mfn);
    }
    assert_int_equal(frame_unmap(&a.client, p, 150), 0);
    assert_int_equal(f.calls, 6);
    assert_clean();
}

static void one_mapping_for_the_users_of_an_emulator(void **state)
{
    struct frame_page p[3] = {{.gfn = 5}, {.gfn = 5}, {.gfn = 6}}, again, ro = {.gfn = 5};

    (void)state;
    assert_int_equal(frame_map(&a.client, p, 3, RW), 0);
    again = map_one(&a, 5);
    assert_int_equal(p[0].bfn, p[1].bfn);
    assert_int_equal(p[0].bfn, again.bfn);
    assert_int_equal(fake_mapped(&f), 2);
    assert_int_equal(frame_map(&a.client, &ro, 1, IOMMU_MAP_OP_readable), 0);
    assert_int_not_equal(ro.bfn, again.bfn);
    unmap_one(&a, &ro);
    assert_int_equal(frame_unmap(&a.client, p, 3), 0);
    assert_int_equal(fake_mapped(&f), 1);
    unmap_one(&a, &again);
    assert_int_equal(frame_unmap(&a.client, &again, 1), -ENOENT);
    assert_clean();
}

static void each_emulator_has_mappings_of_its_own(void **state)
{
    struct frame_page of_a, of_b;

    (void)state;
    of_a = map_one(&a, 5);
    of_b = map_one(&b, 5);
    assert_int_not_equal(of_a.bfn, of_b.bfn);
    assert_int_equal(f.at[of_b.bfn - FAKE_FIRST].server, 1);
    assert_int_equal(frame_unmap(&b.client, &of_a, 1), -ENOENT);
    fake_tell(&a, of_b.bfn); /* that is not its own */
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(a.told, 0);
    unmap_one(&a, &of_a);
    unmap_one(&b, &of_b);
    assert_clean();
}

static void a_bogus_gfn_fails_the_whole_request(void **state)
{
    struct frame_page p[100];

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        p[i].gfn = i;
    p[70].gfn = FAKE_GFNS;
    p[80].gfn = FAKE_GFNS;
    p[90].gfn = UINT64_MAX;
    assert_int_equal(frame_map(&a.client, p, 100, RW), -ENXIO);
    assert_int_equal(p[70].status, -ENXIO);
    assert_int_equal(p[80].status, -ENXIO);
    assert_int_equal(p[90].status, -ENXIO);
    assert_int_equal(p[71].status, 0);
    assert_clean();
}

static void what_an_emulator_had_survives_a_failed_request(void **state)
{
    struct frame_page had, p[2] = {{.gfn = 5}, {.gfn = FAKE_GFNS}};

    (void)state;
    had = map_one(&a, 5);
    assert_int_equal(frame_map(&a.client, p, 2, RW), -ENXIO);
    assert_int_equal(fake_mapped(&f), 1);
    unmap_one(&a, &had);
    assert_clean();
}

static void a_place_that_is_taken_is_never_tried_again(void **state)
{
    struct frame_page p[3] = {{.gfn = 5}, {.gfn = 5}, {.gfn = 6}};

    (void)state;
    f.at[0].mapped = f.at[2].mapped = 1; /* by somebody who knows no service */
    assert_int_equal(frame_map(&a.client, p, 3, RW), 0);
    assert_int_equal(p[0].bfn, FAKE_FIRST + 3);
    assert_int_equal(p[1].bfn, FAKE_FIRST + 3);
    assert_int_equal(p[2].bfn, FAKE_FIRST + 1);
    assert_int_equal(frame_unmap(&a.client, p, 3), 0);
    assert_int_equal(counts().bad, 2);
    f.map_fails = -EACCES;
    p[0] = map_one(&a, 7);
    unmap_one(&a, p);
    assert_int_equal(counts().bad, 3);
    f.at[0].mapped = f.at[2].mapped = 0;
    assert_clean();
}

static void a_window_without_a_place_says_so(void **state)
{
    struct frame_page p = {.gfn = 1};

    (void)state;
    for (unsigned i = 0; i < FAKE_BFNS; i++)
        f.at[i].mapped = 1;
    assert_int_equal(frame_map(&a.client, &p, 1, RW), -ENOSPC);
    assert_int_equal(counts().bad, RECORDS);
}

static void too_many_pages_are_refused_and_undone(void **state)
{
    struct frame_page p[RECORDS + 1];

    (void)state;
    for (unsigned i = 0; i <= RECORDS; i++)
        p[i].gfn = i;
    assert_int_equal(frame_map(&a.client, p, RECORDS + 1, RW), -ENOSPC);
    assert_clean();
    assert_int_equal(frame_map(&a.client, p, RECORDS, RW), 0);
    assert_int_equal(frame_unmap(&a.client, p, RECORDS), 0);
    assert_clean();
}

static void errors_of_the_hypervisor_are_passed_on(void **state)
{
    static const int errors[] = {-EPERM, -ENODEV, -ENOMEM, -EINVAL, -EIO, -EFAULT};
    struct frame_page p[2] = {{.gfn = 1}, {.gfn = 2}};

    (void)state;
    for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        f.map_fails = errors[i];
        assert_int_equal(frame_map(&a.client, p, 2, RW), errors[i]);
        assert_int_equal(p[1].status, 0);
        assert_int_equal(frame_poll(&a.client), 0);
        assert_clean();
    }
}

static void flags_that_mean_something_else_are_refused(void **state)
{
    struct frame_page p = {.gfn = 1};

    (void)state;
    assert_int_equal(frame_map(&a.client, &p, 1, RW | IOMMU_page_order(1)), -EINVAL);
    assert_int_equal(frame_map(&a.client, &p, 1, RW | IOMMU_MAP_OP_add_m2b), -EINVAL);
    assert_clean();
}

static void a_call_that_stops_in_the_middle_is_undone(void **state)
{
    struct frame_page p[10];

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        p[i].gfn = i;
    f.call_fails = -EFAULT;
    f.after = 4;
    assert_int_equal(frame_map(&a.client, p, 10, RW), -EFAULT);
    assert_int_equal(p[3].status, 0);
    assert_int_equal(p[4].status, -EFAULT);
    assert_clean();
}

/* An element that ran, but whose status could not be written, must not stay. */
static void what_may_be_mapped_is_unmapped(void **state)
{
    struct frame_page p[2] = {{.gfn = 1}, {.gfn = 2}};

    (void)state;
    f.call_fails = -EFAULT;
    f.after = 1;
    f.unwritten = true;
    assert_int_equal(frame_map(&a.client, p, 2, RW), -EFAULT);
    assert_int_equal(frame_poll(&a.client), 0);
    assert_clean();
}

static void an_unmap_that_fails_is_tried_again(void **state)
{
    struct frame_page p[10];

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        p[i].gfn = i;
    assert_int_equal(frame_map(&a.client, p, 10, RW), 0);
    f.call_fails = -EFAULT;
    f.after = 4;
    assert_int_equal(frame_unmap(&a.client, p, 10), -EFAULT);
    assert_int_equal(counts().owed, 6);
    assert_int_equal(frame_poll(&a.client), 0);
    assert_clean();
    p[0] = map_one(&a, 1);
    f.unmap_fails = -ENOMEM;
    assert_int_equal(frame_unmap(&a.client, p, 1), -ENOMEM);
    assert_int_equal(counts().owed, 1);
    p[0] = map_one(&a, 1);
    unmap_one(&a, p);
    assert_clean();
}

static void what_is_owed_is_unmapped_before_a_request_is_refused(void **state)
{
    struct frame_page p[RECORDS];

    (void)state;
    for (unsigned i = 0; i < RECORDS; i++)
        p[i].gfn = i;
    assert_int_equal(frame_map(&a.client, p, RECORDS, RW), 0);
    f.unmap_fails = -ENOMEM;
    assert_int_equal(frame_unmap(&a.client, p, RECORDS), -ENOMEM);
    assert_true(counts().owed > 0);
    assert_int_equal(frame_map(&a.client, p, RECORDS, RW), 0);
    assert_int_equal(frame_unmap(&a.client, p, RECORDS), 0);
    assert_clean();
}

static void what_is_owed_is_not_the_emulators_any_more(void **state)
{
    struct frame_page p;

    (void)state;
    p = map_one(&a, 1);
    f.unmap_fails = -ENOMEM;
    assert_int_equal(frame_unmap(&a.client, &p, 1), -ENOMEM);
    assert_int_equal(frame_unmap(&a.client, &p, 1), -ENOENT);
    assert_int_equal(frame_leave(&a.client), 0);
    assert_clean();
}

static void an_old_page_does_not_unmap_a_new_one(void **state)
{
    struct frame_page old, new;

    (void)state;
    old = map_one(&a, 1);
    unmap_one(&a, &old);
    new = map_one(&a, 2);
    assert_int_equal(old.record, new.record);
    assert_int_equal(frame_unmap(&a.client, &old, 1), -ENOENT);
    unmap_one(&a, &new);
    assert_clean();
}

static void a_bus_frame_of_a_failed_unit_is_not_used_again(void **state)
{
    struct frame_page p;

    (void)state;
    p = map_one(&a, 1);
    f.unmap_fails = -EIO;
    assert_int_equal(frame_unmap(&a.client, &p, 1), -EIO);
    assert_int_equal(counts().bad, 1);
    p = map_one(&a, 1);
    f.unmap_fails = -EPERM;
    assert_int_equal(frame_unmap(&a.client, &p, 1), -EPERM);
    assert_int_equal(counts().bad, 2);
    assert_int_equal(counts().owed, 0);
}

static void an_emulator_is_told_once_and_unmaps_at_once(void **state)
{
    struct frame_page p[2];

    (void)state;
    p[0] = map_one(&a, 5);
    p[1] = map_one(&a, 5);
    a.done = true;
    fake_tell(&a, p[0].bfn);
    fake_tell(&a, p[0].bfn + 1); /* nobody's */
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.told_gfn, 5);
    assert_int_equal(a.told_bfn, p[0].bfn);
    assert_int_equal(frame_unmap(&a.client, p, 2), -ENOENT);
    assert_clean();
}

static void an_emulator_may_unmap_later_but_not_share(void **state)
{
    struct frame_page old, new;

    (void)state;
    old = map_one(&a, 5);
    fake_tell(&a, old.bfn);
    fake_tell(&a, old.bfn);
    new = map_one(&a, 5); /* the guest has another frame there: mapping it looks at the ring */
    assert_int_equal(a.told, 1);
    assert_int_not_equal(old.bfn, new.bfn);
    assert_int_equal(counts().invalid, 1);
    unmap_one(&a, &old);
    unmap_one(&a, &new);
    assert_clean();
}

static void an_emulator_may_unmap_while_it_is_told(void **state)
{
    struct frame_page p;

    (void)state;
    p = map_one(&a, 5);
    a.unmap = &p;
    a.done = true;
    fake_tell(&a, p.bfn);
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(a.told, 1);
    assert_clean();
}

static void it_is_told_of_large_bus_frames_and_synchronously(void **state)
{
    const uint64_t first = UINT64_C(1) << 40;
    struct frame_page p = {.gfn = 5};

    (void)state;
    f.no_map = true; /* so that a lookup answers; then it is moved */
    assert_int_equal(frame_leave(&a.client), 0);
    assert_int_equal(frame_service_init(&s, &f.host, first, records, 8), 0);
    assert_int_equal(frame_join(&s, &a.client), 0);
    assert_int_equal(frame_map(&a.client, &p, 1, 0), 0);
    f.has_synchronous = true;
    f.synchronous = (struct ioreq_request){.type = IOREQ_TYPE_SLUICE_INVALIDATE, .data = p.bfn};
    fake_tell(&a, first); /* two slots, nobody's */
    a.done = true;
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.page.read_pointer, 2);
    assert_clean();
}

static void other_requests_are_the_emulators(void **state)
{
    (void)state;
    a.page.buf_ioreq[0].type = 1;
    a.page.write_pointer = 1;
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(a.others, 1);
    a.client.other = NULL;
    a.page.buf_ioreq[1].type = 1;
    a.page.write_pointer = 2;
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(a.page.read_pointer, 2);
}

static void a_ring_that_never_ends_is_left_for_later(void **state)
{
    (void)state;
    a.noisy = true;
    a.page.write_pointer = 1;
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(a.others, IOREQ_BUFFER_SLOT_NUM);
}

static void a_broken_ring_stops_new_mappings(void **state)
{
    struct frame_page p = {.gfn = 1};

    (void)state;
    a.page.write_pointer = 600;
    assert_int_equal(frame_poll(&a.client), -EIO);
    assert_int_equal(frame_map(&a.client, &p, 1, RW), -EIO);
    assert_clean();
}

static void a_dead_emulator_leaves_nothing(void **state)
{
    struct frame_page p[100], of_b;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        p[i].gfn = i;
    of_b = map_one(&b, 7);
    assert_int_equal(frame_map(&a.client, p, 100, RW), 0);
    fake_tell(&a, p[3].bfn);
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(counts().invalid, 1);
    f.call_fails = -EFAULT;
    f.after = 0;
    assert_int_equal(frame_leave(&a.client), -EFAULT);
    memset(&a, 0xee, sizeof(a)); /* it is the caller's again */
    assert_int_equal(frame_poll(&b.client), 0);
    assert_int_equal(fake_mapped(&f), 1);
    unmap_one(&b, &of_b);
    assert_clean();
}

static void lookups_are_each_emulators_own_too(void **state)
{
    struct frame_page of_a, of_b, again;

    (void)state;
    of_a = map_one(&a, 5);
    again = map_one(&a, 5);
    of_b = map_one(&b, 5);
    assert_int_equal(of_a.bfn, FAKE_FIRST + 5);
    assert_int_equal(of_b.bfn, FAKE_FIRST + 5);
    assert_int_equal(fake_mapped(&f), 2);
    unmap_one(&a, &of_a);
    unmap_one(&a, &again);
    assert_int_equal(fake_mapped(&f), 1);
    b.done = true;
    fake_tell(&a, of_a.bfn);
    fake_tell(&b, of_b.bfn);
    assert_int_equal(frame_poll(&a.client), 0);
    assert_int_equal(frame_poll(&b.client), 0);
    assert_int_equal(a.told, 0);
    assert_int_equal(b.told, 1);
    assert_clean();
}

/* Its flags mean nothing then: two mappings would be told of once. */
static void a_page_is_looked_up_once(void **state)
{
    struct frame_page p[2] = {{.gfn = 5}, {.gfn = 5}};

    (void)state;
    assert_int_equal(frame_map(&a.client, &p[0], 1, RW), 0);
    assert_int_equal(frame_map(&a.client, &p[1], 1, IOMMU_MAP_OP_readable), 0);
    assert_int_equal(fake_mapped(&f), 1);
    assert_int_equal(frame_unmap(&a.client, p, 2), 0);
    assert_clean();
}

static void the_window_is_the_operating_systems_too(void **state)
{
    struct frame_page p;
    uint64_t bfn;

    (void)state;
    assert_int_equal(frame_claim(&s, &bfn), 0);
    p = map_one(&a, 1);
    assert_int_not_equal(p.bfn, bfn);
    assert_int_equal(frame_release(&s, p.bfn), -ENOENT);
    assert_int_equal(frame_release(&s, bfn - 1), -ENOENT);
    assert_int_equal(frame_release(&s, bfn), 0);
    assert_int_equal(frame_release(&s, bfn), -ENOENT);
    unmap_one(&a, &p);
    assert_clean();
}

static void without_a_choice_there_is_nothing_to_claim(void **state)
{
    uint64_t bfn;

    (void)state;
    assert_int_equal(frame_claim(&s, &bfn), -EPERM);
}

static void a_service_that_cannot_be_does_not_start(void **state)
{
    struct frame_client c = a.client;

    (void)state;
    assert_int_equal(frame_service_init(&s, &f.host, 0, records, 0), -EINVAL);
    assert_int_equal(frame_service_init(&s, &f.host, UINT64_MAX, records, 1), -EINVAL);
    f.call_fails = -ENODEV;
    f.after = 0;
    assert_int_equal(frame_service_init(&s, &f.host, 0, records, 1), -ENODEV);
    assert_int_equal(frame_join(&s, &a.client), -EINVAL);
    c.service = NULL;
    c.server = IOSERVID_any;
    assert_int_equal(frame_join(&s, &c), -EINVAL);
    c.server = 0;
    c.ring.page = NULL;
    assert_int_equal(frame_join(&s, &c), -EINVAL);
}

#define CHOOSING(test)   cmocka_unit_test_setup(test, choosing)
#define LOOKING_UP(test) cmocka_unit_test_setup(test, looking_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHOOSING(pages_are_mapped_in_arrays),
        CHOOSING(one_mapping_for_the_users_of_an_emulator),
        CHOOSING(each_emulator_has_mappings_of_its_own),
        CHOOSING(a_bogus_gfn_fails_the_whole_request),
        LOOKING_UP(a_bogus_gfn_fails_the_whole_request),
        CHOOSING(what_an_emulator_had_survives_a_failed_request),
        LOOKING_UP(what_an_emulator_had_survives_a_failed_request),
        CHOOSING(a_place_that_is_taken_is_never_tried_again),
        CHOOSING(a_window_without_a_place_says_so),
        CHOOSING(too_many_pages_are_refused_and_undone),
        LOOKING_UP(too_many_pages_are_refused_and_undone),
        CHOOSING(errors_of_the_hypervisor_are_passed_on),
        CHOOSING(flags_that_mean_something_else_are_refused),
        CHOOSING(a_call_that_stops_in_the_middle_is_undone),
        CHOOSING(an_unmap_that_fails_is_tried_again),
        LOOKING_UP(an_unmap_that_fails_is_tried_again),
        CHOOSING(what_is_owed_is_unmapped_before_a_request_is_refused),
        CHOOSING(a_bus_frame_of_a_failed_unit_is_not_used_again),
        CHOOSING(an_emulator_is_told_once_and_unmaps_at_once),
        LOOKING_UP(an_emulator_is_told_once_and_unmaps_at_once),
        CHOOSING(an_emulator_may_unmap_later_but_not_share),
        CHOOSING(an_emulator_may_unmap_while_it_is_told),
        LOOKING_UP(an_emulator_may_unmap_while_it_is_told),
        LOOKING_UP(it_is_told_of_large_bus_frames_and_synchronously),
        CHOOSING(other_requests_are_the_emulators),
        CHOOSING(a_broken_ring_stops_new_mappings),
        CHOOSING(a_dead_emulator_leaves_nothing),
        LOOKING_UP(a_dead_emulator_leaves_nothing),
        LOOKING_UP(lookups_are_each_emulators_own_too),
        CHOOSING(the_window_is_the_operating_systems_too),
        LOOKING_UP(without_a_choice_there_is_nothing_to_claim),
        CHOOSING(what_may_be_mapped_is_unmapped),
        CHOOSING(what_is_owed_is_not_the_emulators_any_more),
        LOOKING_UP(what_is_owed_is_not_the_emulators_any_more),
        CHOOSING(an_old_page_does_not_unmap_a_new_one),
        LOOKING_UP(an_old_page_does_not_unmap_a_new_one),
        CHOOSING(a_ring_that_never_ends_is_left_for_later),
        LOOKING_UP(a_page_is_looked_up_once),
        CHOOSING(a_service_that_cannot_be_does_not_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
