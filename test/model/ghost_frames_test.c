/* SPDX-License-Identifier: BSD-2-Clause */
/* The model must complain about each wrong outcome of the frames ABI that it is told of. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool ballooned(const struct fixture *f, uint64_t gfn)
{
    return ghost_ballooned(f->g, 1, gfn, 1, 0);
}

static bool asked(const struct fixture *f, uint64_t bfn)
{
    return ghost_ioreq(f->g, 0, 1, 1, 0, IOREQ_TYPE_SLUICE_INVALIDATE, bfn);
}

static bool nothing_more(const struct fixture *f)
{
    return ghost_ioreq(f->g, 0, 1, 1, -ENODATA, 0, 0);
}

static void wrong_local_outcomes(void **state)
{
    static const struct {
        uint64_t bfn, gfn;
        unsigned flags;
        int right, wrong;
    } lies[] = {
        {0x900, 3, RW, 0, -EPERM},
        {0x900, 3, 0, -EINVAL, 0},
        {0x900, 3, RW | 1 << 4, -EINVAL, 0},
        {0x902, 3, RW | IOMMU_MAP_OP_no_ref_cnt, -EPERM, 0},
        {0x900, 3, RW | IOMMU_page_order(10), -ENOSPC, -EINVAL},
        {0x900, 3, RW | IOMMU_page_order(9), -EINVAL, -ENXIO},
        {0xa00, 0, RW | IOMMU_page_order(9), -ENXIO, -EPERM},
        {0xfee00, 3, RW, -EACCES, 0},
        {1ull << 36, 3, RW, -EINVAL, -EACCES},
        {UINT64_MAX, 3, RW, -EINVAL, -EACCES},
        {0x900, 3, RW, -EEXIST, 0}, /* after the first line */
        {0x900, 99, RW, -EEXIST, -ENXIO},
        {0x901, 99, RW, -ENXIO, -EPERM},
        {3, 4, RW, 0, -EEXIST}, /* in the place of the identity map */
    };
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct pv_iommu_op op = a_local_map(lies[i].bfn, lies[i].gfn, lies[i].flags);

        if (told(f, op, lies[i].wrong))
            fail_msg("lie %u about map_page was accepted", i);
        accepts(f, told(f, op, lies[i].right));
    }
    notices(told(f, a_local_unmap(0x901), 0));
    notices(told(f, a_local_unmap(5), 0)); /* of the identity map */
    notices(told(f, a_foreign_unmap(0x900, 1), 0));
    accepts(f, told(f, a_local_unmap(0x900), 0));
    notices(told(f, a_local_unmap(0x900), 0));
    accepts(f, told(f, a_local_unmap(3), 0));
    accepts(f, told(f, a_local_unmap(3), -ENOENT)); /* it is not in the identity map again */
}

static void wrong_foreign_outcomes(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_op self = a_foreign_map(0x900, 3, RW, 1), gone = self;

    self.u.map_foreign_page.domid = DOMID_SELF;
    gone.u.map_foreign_page.domid = 9;
    notices(told(f, self, 0));
    accepts(f, told(f, self, -EPERM));
    notices(told(f, gone, -EPERM));
    accepts(f, told(f, gone, -ENXIO));
    notices(told(f, a_foreign_map(0x900, 3, RW, 2), 0));
    accepts(f, told(f, a_foreign_map(0x900, 3, RW, 2), -ENODEV));
    notices(told(f, a_foreign_map(0x900, 99, RW, 1), 0));
    accepts(f, told(f, a_foreign_map(0x900, 3, RW, 1), 0));
    notices(told(f, a_foreign_map(0x900, 4, RW, 1), 0));
    notices(told(f, a_local_map(0x900, 4, RW), 0));
    notices(told(f, a_local_unmap(0x900), 0));
    notices(told(f, a_foreign_unmap(0x900, 2), 0));
    accepts(f, told(f, a_foreign_unmap(0x900, 2), -EPERM));
    accepts(f, told(f, a_foreign_unmap(0x900, IOSERVID_any), 0));
    accepts(f, told(f, a_foreign_map(0x900, 3, RW, IOSERVID_any), 0));
    accepts(f, told(f, a_foreign_unmap(0x900, 2), 0));
}

static void wrong_call_outcomes(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_op op = a_local_map(0x900, 3, RW), after = op;

    notices(ghost_frames(f->g, 0, &op, &after, 1, -ENODEV));
    notices(ghost_frames(f->g, 0, NULL, NULL, 1, 0));
    accepts(f, ghost_frames(f->g, 0, NULL, NULL, 1, -EFAULT));
    accepts(f, ghost_frames(f->g, 0, &op, &after, 0, 0));
    after.u.map_page.gfn++;
    notices(ghost_frames(f->g, 0, &op, &after, 1, 0));
    op = after = (struct pv_iommu_op){.subop_id = 8};
    notices(told(f, op, 0));
    accepts(f, told(f, op, -ENODEV));
    op = after = (struct pv_iommu_op){.subop_id = IOMMUOP_query_caps};
    after.flags = IOMMU_QUERY_map_all_mfns | IOMMU_page_order(9);
    notices(ghost_frames(f->g, 0, &op, &after, 1, 0));
    after.flags = IOMMU_QUERY_map_cap | IOMMU_page_order(9);
    accepts(f, ghost_frames(f->g, 0, &op, &after, 1, 0));
}

static void wrong_lookup_outcomes(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_op op = {.subop_id = IOMMUOP_lookup_foreign_page}, after;

    op.u.lookup_foreign_page.gfn = 3;
    op.u.lookup_foreign_page.domid = 1;
    op.u.lookup_foreign_page.ioserver = 1;
    after = op;
    accepts(f, told(f, op, -ENOENT));
    notices(told(f, op, 0));
    accepts(f, told(f, a_foreign_map(0x901, 3, RW, 1), 0));
    accepts(f, told(f, a_foreign_map(0x900, 3, RW, 1), 0));
    notices(told(f, op, -ENOENT));
    after.u.lookup_foreign_page.bfn = 0x901;
    notices(ghost_frames(f->g, 0, &op, &after, 1, 0));
    after.u.lookup_foreign_page.bfn = 0x900;
    accepts(f, ghost_frames(f->g, 0, &op, &after, 1, 0));
}

/* Two mappings of one frame: two requests, in their order, once each. */
static void wrong_requests(void **state)
{
    struct fixture *f = *state;

    notices(asked(f, 0x900));
    accepts(f, nothing_more(f));
    accepts(f, told(f, a_foreign_map(0x900, 8, RW, 1), 0));
    accepts(f, told(f, a_foreign_map(0x901, 8, RW, IOSERVID_any), 0));
    accepts(f, ballooned(f, 8));
    notices(nothing_more(f)); /* lost */
    notices(asked(f, 0x902));
    notices(asked(f, 0x901)); /* not its turn */
    notices(ghost_ioreq(f->g, 0, 1, 1, 0, 8, 0x900));
    accepts(f, asked(f, 0x900));
    notices(asked(f, 0x900)); /* twice */
    accepts(f, asked(f, 0x901));
    accepts(f, nothing_more(f));
}

/* A full ring: what does not fit comes synchronously, beside it. */
static void full_ring(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 0; i < 4; i++)
        accepts(f, told(f, a_foreign_map(0x900 + i, 8 + i, RW, 1), 0));
    for (uint64_t i = 0; i < 4; i++)
        accepts(f, ballooned(f, 8 + i));
    notices(asked(f, 0x903));
    accepts(f, asked(f, 0x902));
    accepts(f, asked(f, 0x900));
    accepts(f, asked(f, 0x903));
    notices(nothing_more(f));
    accepts(f, asked(f, 0x901));
    accepts(f, nothing_more(f));
}

/* The frame stays held, and cannot be given out again, until it is unmapped. */
static void held_frames(void **state)
{
    struct fixture *f = *state;
    mfn_t mfn;

    assert_int_equal(sluice_memory_lookup(machine_domain_sluice(f->dom1), gfn_of(8), &mfn), 0);
    accepts(f, told(f, a_foreign_map(0x900, 8, RW, 1), 0));
    assert_int_equal(frame_at(f->g, mfn.n)->refs, 2);
    accepts(f, ballooned(f, 8));
    assert_int_equal(frame_at(f->g, mfn.n)->refs, 1);
    notices(ghost_populated(f->g, 1, 8, 1, 0));
    accepts(f, told(f, a_foreign_unmap(0x900, 1), 0));
    assert_int_equal(frame_at(f->g, mfn.n)->refs, 0);
}

static void ends(void **state)
{
    struct fixture *f = *state;
    mfn_t mfn;

    assert_int_equal(sluice_memory_lookup(machine_domain_sluice(f->dom1), gfn_of(8), &mfn), 0);
    for (uint64_t i = 0; i < 4; i++)
        accepts(f, told(f, a_foreign_map(0x900 + i, 8 + i, RW, 1), 0));
    accepts(f, ghost_domain_destroyed(f->g, 1, 0));
    assert_int_equal(frame_at(f->g, mfn.n)->refs, 1);
    notices(nothing_more(f));
    accepts(f, asked(f, 0x900));
    accepts(f, asked(f, 0x901));
    accepts(f, nothing_more(f)); /* there was no room for the others */
    accepts(f, ghost_domain_destroyed(f->g, 0, 0));
    assert_int_equal(frame_at(f->g, mfn.n)->refs, 0);
    assert_int_equal(f->g->nr_tuples, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_server, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_local_outcomes), TEST(wrong_foreign_outcomes),
        TEST(wrong_call_outcomes),  TEST(wrong_lookup_outcomes),
        TEST(wrong_requests),       TEST(full_ring),
        TEST(held_frames),          TEST(ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
