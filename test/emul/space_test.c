/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts that mirror guests' tables: equal to table o memory map where the guest has flushed. */
#include "guest.h"

#define OTHER (SID + 1)

static struct sluice_device *start(struct rig *r)
{
    struct sluice_device *dev = rig_device(r, SID);

    guest_enable(r->e, false);
    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    guest_context(r->e, SID, DID, TABLE, 3);
    rig_all(r);
    return dev;
}

static unsigned nr_spaces(const struct rig *r)
{
    struct sluice_viommu_info info;

    assert_int_equal(sluice_viommu_info(r->h->d, r->id, &info), 0);
    return info.nr_spaces;
}

static void devices_share_one_of_the_same_name(void **state)
{
    struct rig *r = *state;
    struct sluice_device *a = start(r), *b = rig_device(r, OTHER);

    guest_context(r->e, OTHER, DID, TABLE, 3);
    rig_context(r, OTHER);
    assert_ptr_equal(rig_where(a), rig_where(b));
    assert_int_equal(nr_spaces(r), 1);
    guest_context(r->e, OTHER, DID + 1, TABLE, 3);
    rig_context(r, OTHER);
    assert_ptr_not_equal(rig_where(a), rig_where(b));
    assert_int_equal(rig_reaches(b, 0x5000), frame_of(DATA));
    guest_context(r->e, OTHER, DID, OTHER_TABLE, 3);
    rig_context(r, OTHER);
    assert_int_equal(rig_reaches(b, 0x5000), NOWHERE);
    assert_int_equal(nr_spaces(r), 2);
}

static void the_last_that_leaves_ends_it(void **state)
{
    struct rig *r = *state;
    const uint32_t before = refs_of(r->h, frame_of(DATA));
    struct sluice_device *dev = start(r);

    assert_int_equal(refs_of(r->h, frame_of(DATA)), before + 1);
    guest_no_context(r->e, SID);
    rig_context(r, SID);
    assert_ptr_equal(rig_where(dev), r->e->back.refuge);
    assert_int_equal(refs_of(r->h, frame_of(DATA)), before);
    assert_int_equal(nr_spaces(r), 0);
    assert_int_equal(domain_of(r->h->d)->nr_contexts, 1);
}

static void pages_follow_their_invalidation_and_no_others(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);

    guest_map(r->e, TABLE, 3, 0x6000, DATA + 0x1000, PT_READ);
    guest_map(r->e, TABLE, 3, 0x7000, DATA + 0x2000, RW);
    guest_unmap(r->e, TABLE, 3, 0x5000);
    assert_int_equal(rig_reaches(dev, 0x6000), NOWHERE);
    rig_page(r, DID + 1, 0x6000, 1);
    assert_int_equal(rig_reaches(dev, 0x6000), NOWHERE);
    rig_page(r, DID, 0x6000, 1);
    assert_int_equal(rig_reaches(dev, 0x6000), frame_of(DATA + 0x1000));
    assert_int_equal(rig_reaches(dev, 0x7000), NOWHERE);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    rig_page(r, DID, 0x4000, 4);
    assert_int_equal(rig_reaches(dev, 0x7000), frame_of(DATA + 0x2000));
    assert_int_equal(rig_reaches(dev, 0x5000), NOWHERE);
}

static void whole_domains_and_everything(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);
    const struct vtd_emul_inv all = {.kind = VTD_EMUL_INV_IOTLB, .granularity = VTD_G_GLOBAL};
    const struct vtd_emul_inv first = {.kind = VTD_EMUL_INV_FIRST, .did = DID};

    guest_unmap(r->e, TABLE, 3, 0x5000);
    rig_domain(r, DID + 1);
    rig_invalidate(r, &first); /* it is no first stage */
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    rig_domain(r, DID);
    assert_int_equal(rig_reaches(dev, 0x5000), NOWHERE);
    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    rig_invalidate(r, &all);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    guest_unmap(r->e, TABLE, 3, 0x5000);
    rig_all(r);
    assert_int_equal(rig_reaches(dev, 0x5000), NOWHERE);
}

static void first_stages_follow_theirs(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_FIRST, .did = DID, .paged = true};

    guest_map_first(r->e, OTHER_TABLE, 0x5000, DATA, X86_PT_P | X86_PT_US);
    guest_enable(r->e, true);
    guest_pasid(r->e, SID, 0, VTD_PASID_P | FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_FIRST), DID,
                OTHER_TABLE);
    rig_all(r);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    guest_map_first(r->e, OTHER_TABLE, 0x5000, DATA + 0x1000, X86_PT_P | X86_PT_US);
    inv.first = inv.last = dfn_of(6);
    rig_invalidate(r, &inv);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    inv.first = inv.last = dfn_of(5);
    rig_invalidate(r, &inv);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA + 0x1000));
    guest_map_first(r->e, OTHER_TABLE, 0x5000, DATA, X86_PT_P | X86_PT_US);
    inv.paged = false;
    rig_invalidate(r, &inv);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
}

static void ranges_beyond_its_width_are_nothing(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);

    rig_page(r, DID, BIT64(39), 1);
    guest_unmap(r->e, TABLE, 3, 0x5000);
    rig_page(r, DID, 0, BIT64(50));
    assert_int_equal(rig_reaches(dev, 0x5000), NOWHERE);
}

/* Every dfn of the table, by a walk of its own, and what is in the context. */
static uint64_t expected(struct rig *r, uint64_t iova)
{
    struct sluice_viommu_translation t;
    const struct sluice_viommu_request request = {.sid = OTHER + 1, .iova = iova, .quiet = true};
    uint64_t nr;
    unsigned rights;
    mfn_t mfn;
    struct memory_locked l;
    int err;

    vtd_emul_forget_device(r->e, OTHER + 1);
    if (vtd_emul_translate(r->e, &request, &t))
        return NOWHERE;
    l = memory_lock(&r->e->d->memory);
    err = memory_find(l, gfn_of(t.gpa >> FRAME_LG2), 1, &mfn, &nr, &rights);
    memory_unlock(l);
    return err || !(rights & t.rights) ? NOWHERE : mfn.n;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Tables in the pages of one another, outside of memory, large leaves, whatever it is. */
static void hostile_tables(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);
    uint64_t seed = 6;

    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, OTHER + 1, NULL), 0);
    guest_context(r->e, OTHER + 1, DID, TABLE, 3);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 30; i++) {
            const uint64_t page = TABLE + next_random(&seed) % 4 * FRAME_SIZE;
            const uint64_t to =
                next_random(&seed) % 5 ? TABLE + next_random(&seed) % 4 * FRAME_SIZE : BEYOND;

            guest_store(r->e, page + next_random(&seed) % 4 * 8,
                        to | next_random(&seed) % 4 | (next_random(&seed) % 8 ? 0 : VTD_SS_SNP));
        }
        rig_domain(r, DID);
        for (uint64_t at = 0; at < 64; at++) {
            const uint64_t iova = (at / 16 << 30) + (at / 4 % 4 << 21) + (at % 4 << 12);

            assert_int_equal(rig_reaches(dev, iova), expected(r, iova));
        }
    }
}

static void steps_lead_to_the_same_end(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r), *other = rig_device(r, OTHER);

    for (uint64_t i = 0; i < 8; i++)
        guest_map(r->e, TABLE, 3, 0x8000 + i * FRAME_SIZE, DATA + i * FRAME_SIZE, RW);
    guest_context(r->e, OTHER, DID + 1, TABLE, 3);
    r->h->preempt_every = 1;
    assert_true(rig_all(r) > 1);
    r->h->preempt_every = 0;
    for (uint64_t i = 0; i < 8; i++) {
        const uint64_t at = 0x8000 + i * FRAME_SIZE;

        assert_int_equal(rig_reaches(dev, at), frame_of(DATA + i * FRAME_SIZE));
        assert_int_equal(rig_reaches(other, at), frame_of(DATA + i * FRAME_SIZE));
    }
}

static void what_leaves_memory_leaves_it(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);

    assert_int_equal(sluice_memory_remove(r->h->d, gfn_of(DATA >> FRAME_LG2), 1), 0);
    assert_int_equal(rig_reaches(dev, 0x5000), NOWHERE);
}

static void memory_may_lack_at_any_time(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);

    for (unsigned n = 1; n < 12; n++) {
        guest_context(r->e, SID, (uint16_t)(DID + n), TABLE, 3);
        r->h->fail_alloc = n;
        rig_context(r, SID);
        r->h->fail_alloc = 0;
        assert_true(rig_where(dev) == r->e->back.refuge ||
                    rig_reaches(dev, 0x5000) == frame_of(DATA));
        rig_context(r, SID);
        assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
        assert_int_equal(nr_spaces(r), 1);
    }
}

/* It is tried once more without what it leaves, and then it is over. */
static void what_does_not_fit_is_blocked_in_the_end(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);

    for (uint64_t i = 0; i < 40; i++)
        guest_map(r->e, TABLE, 3, (0x80 + 2 * i) * FRAME_SIZE, DATA, RW);
    r->e->d->memory.refs_limit = r->e->d->memory.refs + 20;
    r->h->preempt_every = 1;
    guest_context(r->e, SID, DID + 1, TABLE, 3);
    rig_context(r, SID);
    assert_ptr_equal(rig_where(dev), r->e->back.refuge);
    r->e->d->memory.refs_limit += 30;
    rig_context(r, SID);
    assert_int_equal(rig_reaches(dev, 0x80 * FRAME_SIZE), frame_of(DATA));
    assert_int_equal(nr_spaces(r), 1);
}

static void the_end_of_the_unit(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start(r);

    r->h->preempt_every = 1;
    while (sluice_viommu_destroy(r->h->d, r->id) == -ERESTART)
        ;
    r->h->preempt_every = 0;
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
    assert_int_equal(domain_of(r->h->d)->nr_contexts, 0);
    assert_null(domain_of(r->h->d)->viommu);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(devices_share_one_of_the_same_name),
        TEST(the_last_that_leaves_ends_it),
        TEST(pages_follow_their_invalidation_and_no_others),
        TEST(whole_domains_and_everything),
        TEST(first_stages_follow_theirs),
        TEST(ranges_beyond_its_width_are_nothing),
        TEST(hostile_tables),
        TEST(steps_lead_to_the_same_end),
        TEST(what_leaves_memory_leaves_it),
        TEST(memory_may_lack_at_any_time),
        TEST(what_does_not_fit_is_blocked_in_the_end),
        TEST(the_end_of_the_unit),
    };

    return cmocka_run_group_tests_name("emul/space", tests, NULL, NULL);
}
