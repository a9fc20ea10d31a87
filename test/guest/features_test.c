/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest runs on: every answer of a hypervisor made of three functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/lib/features.h"

#define DIRECT     (UINT32_C(1) << 17)
#define NOT_DIRECT (UINT32_C(1) << 16)

struct hypervisor {
    uint32_t submap;
    struct pv_iommu_capabilities caps;
    uint16_t flags;
    int32_t status;
    bool silent; /* the frames call writes nothing */
    long version_fails, contexts_fail, frames_fail;
};

static struct hypervisor hv;

static long version(void *arg, int cmd, struct xen_feature_info *info)
{
    assert_ptr_equal(arg, &hv);
    assert_int_equal(cmd, 6);
    assert_int_equal(info->submap_idx, 0);
    info->submap = hv.submap;
    return hv.version_fails;
}

static long contexts(void *arg, int subop, struct pv_iommu_capabilities *caps)
{
    assert_ptr_equal(arg, &hv);
    assert_int_equal(subop, 1);
    *caps = hv.caps;
    return hv.contexts_fail;
}

static long frames(void *arg, struct pv_iommu_op *op)
{
    assert_ptr_equal(arg, &hv);
    assert_int_equal(op->subop_id, 1);
    assert_int_equal(op->flags, 0);
    op->flags = hv.flags;
    if (!hv.silent)
        op->status = hv.status;
    return hv.frames_fail;
}

static const struct features_host host = {&hv, version, contexts, frames};

static int fresh(void **state)
{
    (void)state;
    hv = (struct hypervisor){.submap = NOT_DIRECT | 0xffff,
                             .caps = {.max_iova_addr = (UINT64_C(1) << 39) - 1,
                                      .cap_flags = IOMMUCAP_identity,
                                      .pgsize_mask = 0x1000,
                                      .max_ctx_no = 9},
                             .flags = 18u << 10 | 3};
    return 0;
}

static void expect_nothing(int expected)
{
    const struct features nothing = {.assumed = false};
    struct features got;

    memset(&got, 0xff, sizeof(got));
    assert_int_equal(features_discover(&host, true, &got), expected);
    assert_false(got.direct_mapped || got.assumed || got.contexts || got.frames || got.choose);
    assert_false(got.all || got.order);
    assert_memory_equal(&got.caps, &nothing.caps, sizeof(got.caps));
}

static struct features expect_some(bool hardware)
{
    struct features got;

    memset(&got, 0xff, sizeof(got));
    assert_int_equal(features_discover(&host, hardware, &got), 0);
    return got;
}

static void the_bits_are_read(void **state)
{
    (void)state;
    for (unsigned hardware = 0; hardware < 2; hardware++) {
        struct features f = {.frames = true};

        assert_int_equal(features_read(DIRECT, hardware, &f), 0);
        assert_true(f.direct_mapped && !f.assumed);
        assert_int_equal(features_read(NOT_DIRECT, hardware, &f), 0);
        assert_false(f.direct_mapped || f.assumed);
        assert_true(f.frames);
    }
}

static void without_the_bits_the_hardware_domain_is_direct(void **state)
{
    struct features f;

    (void)state;
    assert_int_equal(features_read(~(DIRECT | NOT_DIRECT), true, &f), 0);
    assert_true(f.direct_mapped && f.assumed);
    assert_int_equal(features_read(~(DIRECT | NOT_DIRECT), false, &f), 0);
    assert_true(!f.direct_mapped && f.assumed);
}

static void both_bits_are_an_error(void **state)
{
    struct features f = {.direct_mapped = true};

    (void)state;
    assert_int_equal(features_read(DIRECT | NOT_DIRECT, false, &f), -EINVAL);
    assert_true(f.direct_mapped && !f.assumed);
    hv.submap = DIRECT | NOT_DIRECT;
    expect_nothing(-EINVAL);
}

static void everything_is_asked(void **state)
{
    struct features f = expect_some(true);

    (void)state;
    assert_false(f.direct_mapped || f.assumed);
    assert_true(f.contexts && f.frames && f.choose && f.all);
    assert_int_equal(f.caps.max_ctx_no, 9);
    assert_int_equal(f.caps.pgsize_mask, 0x1000);
    assert_int_equal(f.order, 18);
    hv.flags = 1;
    f = expect_some(true);
    assert_true(f.choose && !f.all && !f.order);
    hv.flags = 63u << 10 | 2;
    f = expect_some(true);
    assert_true(!f.choose && f.all && f.order == 63);
}

static void a_hypercall_that_is_not_there_is_an_answer(void **state)
{
    static const long absent[] = {-ENOSYS, -EOPNOTSUPP};
    struct features f;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        hv.version_fails = hv.contexts_fail = hv.frames_fail = absent[i];
        f = expect_some(true);
        assert_true(f.direct_mapped && f.assumed && !f.contexts && !f.frames);
        f = expect_some(false);
        assert_true(!f.direct_mapped && f.assumed && !f.contexts && !f.frames);
        assert_false(f.caps.pgsize_mask || f.choose || f.all || f.order);
    }
}

static void a_hypercall_that_the_guest_does_not_make_is_not_there(void **state)
{
    const struct features_host none = {.arg = NULL};
    struct features f;

    (void)state;
    assert_int_equal(features_discover(&none, true, &f), 0);
    assert_true(f.direct_mapped && f.assumed && !f.contexts && !f.frames);
}

static void without_an_iommu_there_are_frames_but_no_contexts(void **state)
{
    struct features f;

    (void)state;
    hv.contexts_fail = -ENODEV;
    hv.flags = 0;
    f = expect_some(false);
    assert_true(!f.contexts && f.frames && !f.choose);
    assert_int_equal(f.caps.pgsize_mask, 0);
}

static void an_unknown_element_means_no_frames_abi(void **state)
{
    struct features f;

    (void)state;
    hv.status = -ENODEV;
    f = expect_some(false);
    assert_true(f.contexts && !f.frames && !f.choose && !f.all && !f.order);
}

static void every_other_error_is_the_result(void **state)
{
    (void)state;
    hv.version_fails = -EFAULT;
    expect_nothing(-EFAULT);
    hv.version_fails = -ENODEV;
    expect_nothing(-ENODEV);
    fresh(NULL);
    hv.contexts_fail = -EIO;
    expect_nothing(-EIO);
    fresh(NULL);
    hv.frames_fail = -ENODEV; /* the domain is about to end */
    expect_nothing(-ENODEV);
    fresh(NULL);
    hv.status = -EPERM;
    expect_nothing(-EPERM);
}

static void success_without_an_answer_is_an_error(void **state)
{
    (void)state;
    hv.caps.pgsize_mask = 0;
    expect_nothing(-EIO);
    fresh(NULL);
    hv.silent = true;
    expect_nothing(-EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_bits_are_read, fresh),
        cmocka_unit_test_setup(without_the_bits_the_hardware_domain_is_direct, fresh),
        cmocka_unit_test_setup(both_bits_are_an_error, fresh),
        cmocka_unit_test_setup(everything_is_asked, fresh),
        cmocka_unit_test_setup(a_hypercall_that_is_not_there_is_an_answer, fresh),
        cmocka_unit_test_setup(a_hypercall_that_the_guest_does_not_make_is_not_there, fresh),
        cmocka_unit_test_setup(without_an_iommu_there_are_frames_but_no_contexts, fresh),
        cmocka_unit_test_setup(an_unknown_element_means_no_frames_abi, fresh),
        cmocka_unit_test_setup(every_other_error_is_the_result, fresh),
        cmocka_unit_test_setup(success_without_an_answer_is_an_error, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
