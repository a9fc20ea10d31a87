/* SPDX-License-Identifier: BSD-2-Clause */
/* Real devices behind the unit go where the guest's entries say, when it says so. */
#include "guest.h"

#define OTHER     (SID + 1)
#define NEIGHBOUR (SID + 0x100)

static bool is_blocked(const struct rig *r, struct sluice_device *dev)
{
    return rig_where(dev) == r->e->back.refuge;
}

static void start(struct rig *r)
{
    guest_enable(r->e, false);
    rig_all(r);
}

static long reattach(struct rig *r, uint32_t rid, uint16_t ctx)
{
    struct pv_iommu_reattach_device arg = {.ctx_no = ctx,
                                           .dev = {0, (uint8_t)(rid >> 8), (uint8_t)rid}};

    return hypercall(r->h, 1, IOMMU_reattach_device, &arg, sizeof(arg));
}

static long attach_pair(struct rig *r, uint32_t rid, uint32_t pasid)
{
    struct pv_iommu_attach_pasid arg = {.dev = {0, (uint8_t)(rid >> 8), (uint8_t)rid},
                                        .pasid = pasid};

    return hypercall(r->h, 1, IOMMU_attach_pasid, &arg, sizeof(arg));
}

static long detach_pair(struct rig *r, uint32_t rid, uint32_t pasid)
{
    struct pv_iommu_detach_pasid arg = {.dev = {0, (uint8_t)(rid >> 8), (uint8_t)rid},
                                        .pasid = pasid};

    return hypercall(r->h, 1, IOMMU_detach_pasid, &arg, sizeof(arg));
}

static void it_is_in_the_identity_map_until_translation_is_on(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);

    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
    start(r);
    assert_true(is_blocked(r, dev));
    assert_int_equal(rig_reaches(dev, DATA), NOWHERE);
    r->e->front.gsts = 0;
    rig_all(r);
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
}

static void calls_do_not_move_it(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    const uint16_t ctx = new_context(r->h);
    uint32_t generation;

    assert_int_equal(reattach(r, SID, ctx), -EBUSY);
    assert_int_equal(attach_pair(r, SID, 1), -EBUSY);
    start(r);
    assert_int_equal(reattach(r, SID, 0), -EBUSY);
    assert_int_equal(context_resolve(r->e->d, rig_where(dev)->no, CONTEXT_ANY, &generation),
                     -EINVAL);
    assert_int_equal(sluice_viommu_remove_device(r->h->d, r->id, SID), 0);
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
    assert_int_equal(reattach(r, SID, ctx), 0);
    assert_int_equal(attach_pair(r, SID, 1), 0);
    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, SID, dev), 0);
    assert_int_equal(domain_of(r->h->d)->nr_pasids, 0);
    assert_int_equal(sluice_viommu_remove_device(r->h->d, r->id, SID), 0);
}

static void who_may_be_behind_it(void **state)
{
    struct rig *r = *state;
    struct sluice_domain *d = r->h->d;
    struct sluice_device *dev = rig_device(r, SID), *nobodys = add_device_with(r->h, 9, NULL, 0);
    const rid_t rids[] = {{11}};
    const struct sluice_device_config config = {
        .unit = &r->h->unit[0].hw, .group = nobodys, .rids = rids, .nr_rids = 1};
    struct sluice_device *sibling;

    assert_int_equal(sluice_viommu_add_device(d, r->id, SID, NULL), -EEXIST);
    assert_int_equal(sluice_viommu_add_device(d, r->id, OTHER, dev), -EEXIST);
    assert_int_equal(sluice_viommu_add_device(d, r->id, 0x10000, NULL), -EINVAL);
    assert_int_equal(sluice_viommu_add_device(d, r->id, OTHER, nobodys), -EPERM);
    assert_int_equal(sluice_viommu_add_device(d, r->id + 1, OTHER, NULL), -ENODEV);
    assert_int_equal(sluice_viommu_remove_device(d, r->id, OTHER), -ENOENT);
    assert_int_equal(sluice_device_add(r->h->s, &config, &sibling), 0);
    assert_int_equal(sluice_device_assign(nobodys, d), 0);
    assert_int_equal(sluice_viommu_add_device(d, r->id, OTHER, nobodys), -EBUSY);
    assert_int_equal(sluice_viommu_add_device(d, r->id, OTHER, NULL), 0);
    assert_int_equal(sluice_viommu_add_device(d, r->id, OTHER, NULL), -EEXIST);
}

static void an_entry_takes_effect_with_its_invalidation(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);

    start(r);
    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    guest_context(r->e, SID, DID, TABLE, 3);
    assert_true(is_blocked(r, dev));
    rig_context(r, OTHER);
    assert_true(is_blocked(r, dev));
    rig_context(r, SID);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    assert_int_equal(rig_reaches(dev, DATA), NOWHERE);
    guest_no_context(r->e, SID);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    rig_context(r, SID);
    assert_true(is_blocked(r, dev));
}

/* What was not present is tagged with 0, what was present with its did. */
static void by_domain(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_CONTEXTS, .granularity = VTD_G_DOMAIN};

    start(r);
    guest_context(r->e, SID, DID, TABLE, 3);
    inv.did = DID;
    rig_invalidate(r, &inv);
    assert_true(is_blocked(r, dev));
    inv.did = 0;
    rig_invalidate(r, &inv);
    assert_false(is_blocked(r, dev));
    guest_no_context(r->e, SID);
    rig_invalidate(r, &inv);
    assert_false(is_blocked(r, dev));
    inv.did = DID;
    rig_invalidate(r, &inv);
    assert_true(is_blocked(r, dev));
}

static void by_functions_and_all(void **state)
{
    struct rig *r = *state;
    struct sluice_device *a = rig_device(r, SID), *b = rig_device(r, SID + 4);
    struct sluice_device *c = rig_device(r, NEIGHBOUR);
    struct vtd_emul_inv inv = {
        .kind = VTD_EMUL_INV_CONTEXTS, .granularity = VTD_G_DEVICE, .sid = SID};

    start(r);
    guest_context(r->e, SID, DID, TABLE, 3);
    guest_context(r->e, SID + 4, DID, TABLE, 3);
    guest_context(r->e, NEIGHBOUR, DID, TABLE, 3);
    rig_invalidate(r, &inv);
    assert_false(is_blocked(r, a));
    assert_true(is_blocked(r, b));
    inv.fm = 1;
    rig_invalidate(r, &inv);
    assert_false(is_blocked(r, b));
    inv.fm = 3;
    rig_invalidate(r, &inv);
    assert_true(is_blocked(r, c));
    inv.granularity = VTD_G_GLOBAL;
    rig_invalidate(r, &inv);
    assert_false(is_blocked(r, c));
}

static void pass_through_is_the_identity_map(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);

    start(r);
    guest_context(r->e, SID, DID, FIELD_PREP(VTD_CONTEXT_TT, VTD_TT_PASSTHROUGH), 4);
    rig_context(r, SID);
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
}

static void a_hidden_identity_map_where_context_0_blocks(void **state)
{
    struct rig *r = rig_create(&(struct setup){.blocked = true});
    struct sluice_device *dev = rig_device(r, SID);

    (void)state;
    assert_true(rig_where(dev)->hidden);
    assert_int_equal(rig_reaches(dev, DATA), frame_of(DATA));
    add_memory(r->h, GUEST_PAGES, 0x8000, 1);
    assert_int_equal(rig_reaches(dev, GUEST_PAGES * FRAME_SIZE), 0x8000);
    start(r);
    assert_int_equal(rig_reaches(dev, DATA), NOWHERE);
    assert_int_equal(sluice_viommu_remove_device(r->h->d, r->id, SID), 0);
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
    assert_int_equal(rig_reaches(dev, DATA), NOWHERE);
    rig_destroy(r);
}

static void it_may_leave_its_domain(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct sluice_domain *other = host_domain(r->h, 2);

    start(r);
    guest_context(r->e, SID, DID, TABLE, 3);
    rig_context(r, SID);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(sluice_device_assign(dev, other), 0);
    rig_all(r);
    assert_ptr_equal(rig_where(dev), &domain_of(other)->ctx[0]);
    assert_null(r->e->back.spaces);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(sluice_device_assign(dev, r->h->d), 0);
    rig_all(r); /* back, but not behind the unit */
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
    assert_int_equal(reattach(r, SID, new_context(r->h)), 0);
    assert_int_equal(sluice_viommu_remove_device(r->h->d, r->id, SID), 0);
}

/* What is left of it does not move it, nor who has its requester id now. */
static void who_comes_back_is_there_once(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct sluice_domain *d = r->h->d;

    start(r);
    guest_context(r->e, SID, DID, TABLE, 3);
    guest_context(r->e, OTHER, DID, OTHER_TABLE, 3);
    guest_map(r->e, OTHER_TABLE, 3, 0x5000, DATA, RW);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(sluice_device_assign(dev, d), 0);
    assert_int_equal(sluice_viommu_add_device(d, r->id, OTHER, dev), -EEXIST);
    assert_int_equal(sluice_viommu_remove_device(d, r->id, SID), 0);
    assert_int_equal(sluice_viommu_add_device(d, r->id, OTHER, dev), 0);
    rig_all(r);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
}

static void its_regions_stay_and_blocking_needs_no_memory(void **state)
{
    const struct sluice_region region = {0x7000, 0x8fff, SLUICE_REGION_DIRECT, RW, 0};
    struct rig *r = *state;
    struct sluice_device *dev = add_device_with(r->h, SID, &region, 1);

    (void)sluice_memory_remove(r->h->d, gfn_of(7), 2);
    assert_int_equal(sluice_device_assign(dev, r->h->d), 0);
    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, SID, dev), 0);
    start(r);
    assert_true(is_blocked(r, dev));
    assert_int_equal(rig_reaches(dev, 0x8000), 8);
    guest_context(r->e, SID, DID, TABLE, 3);
    rig_context(r, SID);
    assert_int_equal(rig_reaches(dev, 0x8000), 8);
    guest_no_context(r->e, SID);
    r->h->fail_alloc = 1;
    rig_context(r, SID);
    assert_int_equal(r->h->fail_alloc, 1);
    r->h->fail_alloc = 0;
    assert_true(is_blocked(r, dev));
    assert_int_equal(rig_reaches(dev, 0x8000), 8);
}

static void without_contexts_it_is_blocked_and_the_host_hears_of_it(void **state)
{
    struct rig *r = rig_create(&(struct setup){.max_ctx_no = 2});
    struct sluice_device *a = rig_device(r, SID), *b = rig_device(r, OTHER);

    (void)state;
    start(r);
    guest_context(r->e, SID, DID, TABLE, 3);
    guest_context(r->e, OTHER, DID + 1, OTHER_TABLE, 3);
    guest_map(r->e, OTHER_TABLE, 3, 0x5000, DATA, RW);
    rig_context(r, SID);
    forget(r->h);
    rig_context(r, OTHER);
    assert_false(is_blocked(r, a));
    assert_true(is_blocked(r, b));
    assert_int_equal(nth(r->h, REPORTED, 0)->kind, SLUICE_EVENT_ERROR);
    guest_no_context(r->e, SID);
    rig_context(r, SID);
    rig_context(r, OTHER);
    assert_int_equal(rig_reaches(b, 0x5000), frame_of(DATA));
    /* What it leaves makes room for where it goes. */
    guest_context(r->e, OTHER, DID, TABLE, 3);
    rig_context(r, OTHER);
    assert_false(is_blocked(r, b));
    /* What is lacking is looked at again, whatever its domain id. */
    guest_context(r->e, SID, DID + 1, OTHER_TABLE, 3);
    rig_context(r, SID);
    assert_true(is_blocked(r, a));
    guest_no_context(r->e, OTHER);
    rig_context(r, OTHER);
    rig_invalidate(r, &(struct vtd_emul_inv){.kind = VTD_EMUL_INV_CONTEXTS,
                                             .granularity = VTD_G_DOMAIN,
                                             .did = DID + 7});
    assert_false(is_blocked(r, a));
    rig_destroy(r);
    (void)a;
}

#define SECOND                                                   \
    (VTD_PASID_P | FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_SECOND) | \
     FIELD_PREP(VTD_PASID_AW, VTD_AW(3)))

static struct context *pair_where(const struct rig *r, struct sluice_device *dev, uint32_t pasid)
{
    const struct pasid *p = r->e->d->pasids;

    while (p && (p->group != device_of(dev)->group || p->nr != pasid))
        p = p->next;
    return p ? p->ctx : NULL;
}

static struct sluice_device *start_scalable(struct rig *r)
{
    struct sluice_device *dev = rig_device(r, SID);

    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    guest_enable(r->e, true);
    guest_pasid(r->e, SID, 0, SECOND | OTHER_TABLE, DID, 0);
    rig_all(r);
    assert_int_equal(rig_where(dev)->nr_devices, 1);
    return dev;
}

/* It may be anywhere, but where it should be is what is counted. */
static void a_unit_that_fails_is_no_obstacle(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);

    start(r);
    guest_context(r->e, SID, DID, TABLE, 3);
    rig_context(r, SID);
    guest_context(r->e, SID, DID + 1, TABLE, 3);
    r->h->lossy = true;
    r->h->fail_flush = 1;
    rig_context(r, SID);
    assert_int_equal(r->e->back.spaces->did, DID + 1);
    assert_int_equal(r->e->back.spaces->users, 1);
    assert_null(r->e->back.spaces->next);
    assert_ptr_equal(rig_where(dev), r->e->back.spaces->c);
}

static void pasids_come_and_go_with_their_entries(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start_scalable(r);

    guest_pasid(r->e, SID, 70, SECOND | TABLE, DID + 1, 0);
    assert_null(pair_where(r, dev, 70));
    rig_pasid(r, DID + 1, 71);
    assert_null(pair_where(r, dev, 70));
    rig_pasid(r, DID + 1, 70);
    assert_non_null(pair_where(r, dev, 70));
    assert_int_equal(detach_pair(r, SID, 70), -EBUSY);
    guest_pasid(r->e, SID, 70, SECOND | OTHER_TABLE, DID, 0);
    rig_pasid(r, DID + 1, 70);
    assert_ptr_equal(pair_where(r, dev, 70), rig_where(dev));
    guest_pasid(r->e, SID, 70, FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_PASSTHROUGH) | VTD_PASID_P, DID,
                0);
    rig_pasid(r, DID, 70);
    assert_ptr_equal(pair_where(r, dev, 70), context_of(r->h, 0));
    guest_pasid(r->e, SID, 70, 0, 0, 0);
    rig_pasid(r, DID, 70);
    assert_null(pair_where(r, dev, 70));
    assert_null(r->e->back.devices->pasids);
}

/* A unit may have fewer PASIDs than a table. */
static void few_pasids_are_found_too(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start_scalable(r);

    r->e->ecap &= ~VTD_ECAP_PSS;
    r->e->ecap |= FIELD_PREP(VTD_ECAP_PSS, 4);
    guest_pasid(r->e, SID, 31, SECOND | TABLE, DID + 1, 0);
    guest_pasid(r->e, SID, 32, SECOND | TABLE, DID + 1, 0);
    rig_all(r);
    assert_non_null(pair_where(r, dev, 31));
    assert_null(pair_where(r, dev, 32));
}

static void pasids_are_found_by_walking(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start_scalable(r);
    const struct vtd_emul_inv all = {.kind = VTD_EMUL_INV_PASIDS,
                                     .granularity = VTD_G_PASID_GLOBAL};
    const struct vtd_emul_inv domain = {
        .kind = VTD_EMUL_INV_PASIDS, .granularity = VTD_G_PASID_DOMAIN, .did = DID + 1};

    guest_pasid(r->e, SID, 3, SECOND | TABLE, DID + 1, 0);
    guest_pasid(r->e, SID, 64 * 5 + 3, SECOND | TABLE, DID + 1, 0); /* the same entry */
    rig_invalidate(r, &domain);
    assert_non_null(pair_where(r, dev, 3));
    assert_ptr_equal(pair_where(r, dev, 3), pair_where(r, dev, 64 * 5 + 3));
    guest_store(r->e, DIRECTORY + 5 * 8, 0);
    rig_invalidate(r, &all);
    assert_non_null(pair_where(r, dev, 3));
    assert_null(pair_where(r, dev, 64 * 5 + 3));
    guest_store(r->e, CONTEXTS + SID % 128 * 32, DIRECTORY | VTD_SM_CONTEXT_P);
    rig_context(r, SID);
    assert_null(pair_where(r, dev, 3));
    assert_false(is_blocked(r, dev));
}

/* What does not fit does not take away what another is waiting for. */
static void pairs_that_do_not_fit_keep_nobody_waiting(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    unsigned alone;

    guest_map(r->e, OTHER_TABLE, 3, 0x5000, DATA, RW);
    guest_enable(r->e, true);
    guest_pasid(r->e, SID, 9, SECOND | OTHER_TABLE, DID, 0);
    r->h->preempt_every = 1;
    alone = rig_all(r);
    guest_pasid(r->e, SID, 9, 0, 0, 0);
    rig_all(r);
    for (uint64_t i = 0; i < 40; i++)
        guest_map(r->e, TABLE, 3, (0x80 + 2 * i) * FRAME_SIZE, DATA, RW);
    for (uint32_t pasid = 1; pasid < 9; pasid++)
        guest_pasid(r->e, SID, pasid, SECOND | TABLE, DID, 0);
    guest_pasid(r->e, SID, 9, SECOND | OTHER_TABLE, DID, 0);
    r->e->d->memory.refs_limit = r->e->d->memory.refs + 20;
    forget(r->h);
    assert_true(rig_all(r) < 8 * 8 * alone);
    assert_int_equal(count(r->h, REPORTED), 1);
    assert_non_null(pair_where(r, dev, 9));
    assert_null(pair_where(r, dev, 8));
}

static void removal_takes_pasids_too(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start_scalable(r);

    guest_pasid(r->e, SID, 3, SECOND | TABLE, DID + 1, 0);
    rig_pasid(r, DID + 1, 3);
    assert_int_equal(sluice_viommu_remove_device(r->h->d, r->id, SID), 0);
    assert_int_equal(r->e->d->nr_pasids, 0);
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
    assert_null(r->e->back.spaces);
}

static void a_directory_is_walked_in_steps(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = start_scalable(r);

    for (unsigned i = 0; i < 128; i++)
        guest_store(r->e, DIRECTORY + i * 8, (i % 40 ? 0 : PASIDS | VTD_PASID_DIR_P));
    guest_pasid(r->e, SID, 40, SECOND | TABLE, DID + 1, 0);
    r->h->preempt_every = 1;
    assert_true(rig_context(r, SID) > 50);
    r->h->preempt_every = 0;
    assert_non_null(pair_where(r, dev, 40));
    assert_null(pair_where(r, dev, 80 * 64 + 40)); /* beyond what the unit can do: it is blocked */
    assert_int_equal(count(r->h, REPORTED) > 0, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_in_the_identity_map_until_translation_is_on),
        TEST(calls_do_not_move_it),
        TEST(who_may_be_behind_it),
        TEST(an_entry_takes_effect_with_its_invalidation),
        TEST(by_domain),
        TEST(by_functions_and_all),
        TEST(pass_through_is_the_identity_map),
        cmocka_unit_test(a_hidden_identity_map_where_context_0_blocks),
        TEST(it_may_leave_its_domain),
        TEST(who_comes_back_is_there_once),
        TEST(its_regions_stay_and_blocking_needs_no_memory),
        cmocka_unit_test(without_contexts_it_is_blocked_and_the_host_hears_of_it),
        TEST(a_unit_that_fails_is_no_obstacle),
        TEST(pasids_come_and_go_with_their_entries),
        TEST(few_pasids_are_found_too),
        TEST(pasids_are_found_by_walking),
        TEST(pairs_that_do_not_fit_keep_nobody_waiting),
        TEST(removal_takes_pasids_too),
        TEST(a_directory_is_walked_in_steps),
    };

    return cmocka_run_group_tests_name("emul/device", tests, NULL, NULL);
}
