/* SPDX-License-Identifier: BSD-2-Clause */
/* The model must complain about each wrong outcome that it is told of. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void wrong_map_outcomes(void **state)
{
    static const struct {
        uint64_t gfn, dfn;
        uint32_t flags, nr, mapped;
        long status;
    } lies[] = {
        {8, 0x200, 3, 2, 1, 0},        {8, 0x200, 3, 2, 3, 0},
        {8, 0x200, 3, 2, 0, -EINVAL},  {8, 0x200, 3, 2, 2, -ENOENT},
        {8, 0x200, 3, 2, 1, -ENOMEM},  {8, 0x200, 3, 2, 0, -EIO},
        {8, 0x103, 3, 1, 1, 0},        {8, 0x0ff, 3, 2, 0, -EINVAL},
        {8, 0x0ff, 3, 2, 1, -ENOENT},  {15, 0x200, 3, 2, 2, 0},
        {15, 0x200, 3, 2, 0, -ENOENT}, {8, 0x200, 0, 1, 1, 0},
        {8, 0xfee00, 3, 1, 1, 0},      {8, 0xfedff, 3, 2, 1, -EADDRNOTAVAIL},
        {8, 1ull << 36, 3, 1, 1, 0},   {8, 0x200, 16, 1, 0, -EPERM},
        {8, 0x200, 3, 0, 0, 0},
    };
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct pv_iommu_map_pages in = a_map(), out;

        in.gfn = lies[i].gfn;
        in.dfn = lies[i].dfn;
        in.map_flags = lies[i].flags;
        in.nr_pages = lies[i].nr;
        out = in;
        out.mapped = lies[i].mapped;
        if (tell(f, IOMMU_map_pages, &in, &out, lies[i].status))
            fail_msg("lie %u about map_pages was accepted", i);
    }
}

static void wrong_unmap_outcomes(void **state)
{
    static const struct {
        uint64_t dfn;
        uint32_t nr, unmapped;
        long status;
    } lies[] = {
        {0x100, 4, 3, 0},    {0x100, 4, 4, -ENOENT}, {0x100, 4, 2, -ENOENT}, {0x100, 4, 0, -EINVAL},
        {0x102, 3, 3, 0},    {0x102, 3, 1, -ENOENT}, {0x0ff, 1, 1, 0},       {0x100, 0, 0, 0},
        {0x100, 4, 1, -EIO}, {1ull << 36, 1, 0, 0},  {0x100, 4, 5, 0},
    };
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct pv_iommu_unmap_pages in = an_unmap(), out;

        in.dfn = lies[i].dfn;
        in.nr_pages = lies[i].nr;
        out = in;
        out.unmapped = lies[i].unmapped;
        if (tell(f, IOMMU_unmap_pages, &in, &out, lies[i].status))
            fail_msg("lie %u about unmap_pages was accepted", i);
    }
}

static void wrong_context_outcomes(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_alloc in = {0}, out = {.ctx_no = 1};
    struct pv_iommu_free ours = {.ctx_no = 1}, unknown = {.ctx_no = 7};
    struct pv_iommu_reattach_device to = a_reattach(9), same = a_reattach(0);

    notices(tell(f, IOMMU_alloc_context, &in, &out, 0));
    out.ctx_no = 0;
    notices(tell(f, IOMMU_alloc_context, &in, &out, 0));
    out.ctx_no = 16;
    notices(tell(f, IOMMU_alloc_context, &in, &out, 0));
    notices(tell(f, IOMMU_alloc_context, &in, &in, -ENOSPC));
    notices(tell(f, IOMMU_alloc_context, &in, &in, -ENOMEM));
    notices(tell(f, IOMMU_free_context, &ours, &ours, 0));
    notices(tell(f, IOMMU_free_context, &ours, &ours, -EINVAL));
    notices(tell(f, IOMMU_free_context, &unknown, &unknown, -EBUSY));
    notices(tell(f, IOMMU_reattach_device, &to, &to, 0));
    notices(tell(f, IOMMU_reattach_device, &to, &to, -ENODEV));
    notices(tell(f, IOMMU_reattach_device, &same, &same, -EBUSY));
    same.pasid = 1;
    notices(tell(f, IOMMU_reattach_device, &same, &same, 0));
    notices(tell(f, IOMMU_noop, NULL, NULL, -EINVAL));
    notices(tell(f, 77, NULL, NULL, 0));
    notices(tell(f, IOMMU_map_pages, NULL, NULL, 0));
}

static void wrong_answers(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_lookup_page in = {.ctx_no = 1, .dfn = 0x101}, out = in;
    struct pv_iommu_capabilities caps = {0}, wrong;

    out.gfn = 4;
    notices(tell(f, IOMMU_lookup_page, &in, &out, 0));
    notices(tell(f, IOMMU_lookup_page, &in, &in, -ENOENT));
    out.gfn = 3;
    accepts(f, tell(f, IOMMU_lookup_page, &in, &out, 0));
    in.dfn = out.dfn = 0x104;
    notices(tell(f, IOMMU_lookup_page, &in, &out, 0));
    assert_int_equal(quietly(f, IOMMU_query_capabilities, &caps, sizeof(caps)), 0);
    accepts(f, tell(f, IOMMU_query_capabilities, &caps, &caps, 0));
    wrong = caps;
    wrong.max_iova_addr++;
    notices(tell(f, IOMMU_query_capabilities, &caps, &wrong, 0));
    wrong = caps;
    wrong.cap_flags ^= IOMMUCAP_default_identity;
    notices(tell(f, IOMMU_query_capabilities, &caps, &wrong, 0));
    wrong = caps;
    wrong.cap_flags ^= IOMMUCAP_cache;
    notices(tell(f, IOMMU_query_capabilities, &caps, &wrong, 0));
    wrong = caps;
    wrong.pgsize_mask = 0x2000;
    notices(tell(f, IOMMU_query_capabilities, &caps, &wrong, 0));
}

static bool tell_remote(const struct fixture *f, uint16_t caller, uint16_t domid, uint16_t cmd,
                        long status)
{
    const struct pv_iommu_remote_cmd remote = {.domid = domid, .cmd = cmd};
    const struct pv_iommu_alloc_nested zeros = {0}; /* the largest of those told of here */
    const struct ghost_call told = {.caller = caller,
                                    .subop = IOMMU_remote_cmd,
                                    .in = &remote,
                                    .out = &remote,
                                    .inner_in = &zeros,
                                    .inner_out = &zeros,
                                    .status = status};

    return ghost_called(f->g, &told);
}

static void wrong_remote_outcomes(void **state)
{
    struct fixture *f = *state;

    accepts(f, tell_remote(f, 0, 9, IOMMU_noop, -ESRCH));
    accepts(f, tell_remote(f, 1, 9, IOMMU_noop, -EPERM));
    accepts(f, tell_remote(f, 1, 0, IOMMU_noop, -EPERM));
    accepts(f, tell_remote(f, 0, 1, IOMMU_remote_cmd, -EINVAL));
    notices(tell_remote(f, 1, 0, IOMMU_noop, 0));
    notices(tell_remote(f, 1, 0, IOMMU_alloc_context, 0));
    notices(tell_remote(f, 1, 9, IOMMU_noop, -ESRCH));
    notices(tell_remote(f, 0, 9, IOMMU_noop, 0));
    notices(tell_remote(f, 0, 1, IOMMU_noop, -EPERM));
    notices(tell_remote(f, 0, 1, IOMMU_remote_cmd, 0));
    notices(tell_remote(f, 0, 1, IOMMU_alloc_nested, 0));
}

static bool dma(const struct fixture *f, uint64_t addr, uint64_t size, int status,
                enum hw_reason reason)
{
    return ghost_dma(f->g, f->nic, (rid_t){NIC}, 0, addr, size, true, status, reason);
}

static void wrong_dma(void **state)
{
    struct fixture *f = *state;

    accepts(f, dma(f, 0x100000, 0x4000, 0, HW_REASON_NONE));
    accepts(f, dma(f, 0x100000, 0x4001, -EACCES, HW_REASON_NOT_PRESENT));
    notices(dma(f, 0x100000, 0x4001, 0, HW_REASON_NONE));
    notices(dma(f, 0x0fffff, 2, 0, HW_REASON_NONE));
    notices(dma(f, 0x100000, 0x4000, -EACCES, HW_REASON_NOT_PRESENT));
    notices(dma(f, 0x100000, 0x4000, -EACCES, HW_REASON_UNIT));
    notices(dma(f, 0x104000, 1, -EACCES, HW_REASON_BLOCKED));
    notices(dma(f, 0x104000, 1, -EACCES, HW_REASON_NO_WRITE));
    notices(dma(f, 0, 1, 0, HW_REASON_NONE));
    notices(ghost_dma(f->g, f->nic, (rid_t){NIC + 1}, 0, 0x100000, 8, true, 0, HW_REASON_NONE));
}

static void wrong_memory_outcomes(void **state)
{
    struct fixture *f = *state;

    notices(ghost_ballooned(f->g, 1, 3, 1, -ENOENT));
    notices(ghost_ballooned(f->g, 1, 3, 1, -EIO));
    notices(ghost_ballooned(f->g, 1, 15, 2, 0));
    notices(ghost_populated(f->g, 1, 3, 1, 0));
    notices(ghost_populated(f->g, 1, 0x100, 1, 0)); /* said so, but no frame is there */
    notices(ghost_populated(f->g, 1, 0x100, 1, -EEXIST));
    notices(ghost_populated(f->g, 1, 0xfee00, 1, 0));
}

static void wrong_device_outcomes(void **state)
{
    struct fixture *f = *state;

    notices(ghost_assigned(f->g, f->nic, 0, 0));
    notices(ghost_unassigned(f->g, f->nic, -ENODEV));
    accepts(f, ghost_unassigned(f->g, f->nic, 0));
    notices(ghost_check(f->g));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_map_outcomes),    TEST(wrong_unmap_outcomes),  TEST(wrong_context_outcomes),
        TEST(wrong_answers),         TEST(wrong_remote_outcomes), TEST(wrong_dma),
        TEST(wrong_memory_outcomes), TEST(wrong_device_outcomes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
