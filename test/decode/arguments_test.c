/* SPDX-License-Identifier: BSD-2-Clause */
/* Every argument of every call, at its boundaries: one error each, and nothing changed. */
#include "../core/fixture.h"

#define IOVA_BITS 48u
#define END       BIT64(IOVA_BITS - FRAME_LG2)

static struct host *ready(const struct setup *setup)
{
    struct host *h = host_create(setup);

    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(new_context(h), 1);
    add_device(h, 8);
    return h;
}

static int set_up_ready(void **state)
{
    *state = ready(&(struct setup){0});
    return 0;
}

static void numbers_without_a_call_are_not_supported(void **state)
{
    static const int numbers[] = {11, 12, 13, 14, 15, 20,  22,      43,        255,       256,
                                  -1, -2, -8, 32, 64, 128, 0x10000, INT32_MAX, INT32_MIN, 0x10005};
    struct host *h = *state;
    uint8_t arg[64] = {0};

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_int_equal(hypercall(h, 1, numbers[i], arg, sizeof(arg)), -EOPNOTSUPP);
    assert_int_equal(h->guest[1].nr_writes, 2); /* those of alloc_context, before */
}

static void nothing_and_capabilities(void **state)
{
    struct host *h = *state;
    struct pv_iommu_capabilities caps;

    assert_int_equal(hypercall_at(h, 1, IOMMU_noop, UINT64_MAX), 0);
    memset(&caps, 0xff, sizeof(caps));
    assert_int_equal(hypercall(h, 1, IOMMU_query_capabilities, &caps, sizeof(caps)), 0);
    assert_int_equal(caps.max_iova_addr, BIT64(IOVA_BITS) - 1);
    assert_int_equal(caps.cap_flags, IOMMUCAP_default_identity | IOMMUCAP_identity |
                                         IOMMUCAP_cache | IOMMUCAP_query_reserved |
                                         IOMMUCAP_map_list | IOMMUCAP_deferred | IOMMUCAP_batch |
                                         IOMMUCAP_read_faults | IOMMUCAP_nested);
    assert_int_equal(caps.pgsize_mask, BIT64(12) | BIT64(21) | BIT64(30));
    assert_int_equal(caps.max_pasid, 0);
    assert_int_equal(caps.max_ctx_no, 7);
    assert_int_equal(((uint8_t *)&caps)[22], 0); /* all of it is OUT: padding too is written */
    assert_int_equal(((uint8_t *)&caps)[23], 0);
}

static void capabilities_are_only_what_there_is(void **state)
{
    struct host *h = host_create(&(struct setup){
        .format = PT_FORMAT_X86, .blocked = true, .iova_bits = 39, .leaf_sizes = BIT64(12)});
    struct pv_iommu_capabilities caps;

    (void)state;
    assert_int_equal(hypercall(h, 1, IOMMU_query_capabilities, &caps, sizeof(caps)), 0);
    assert_int_equal(caps.cap_flags, IOMMUCAP_identity | IOMMUCAP_query_reserved |
                                         IOMMUCAP_map_list | IOMMUCAP_deferred | IOMMUCAP_batch |
                                         IOMMUCAP_read_faults | IOMMUCAP_nested);
    assert_int_equal(caps.pgsize_mask, 4096);
    assert_int_equal(caps.max_iova_addr, BIT64(39) - 1);
    host_destroy(h);
}

static void flags_of_alloc(void **state)
{
    struct host *h = *state;

    struct pv_iommu_alloc both = {.alloc_flags = IOMMU_ALLOC_identity | IOMMU_ALLOC_deferred};

    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &both, sizeof(both)), -EINVAL);
    for (unsigned bit = 0; bit < 32; bit++) {
        struct pv_iommu_alloc arg = {.alloc_flags = 1u << bit};
        const long want = bit < 2 ? 0 : -EINVAL;

        assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), want);
    }
    assert_int_equal(domain_of(h->d)->nr_contexts, 3);
}

static void arguments_of_flush(void **state)
{
    static const struct {
        uint16_t ctx, pad;
        long want;
    } row[] = {{0, 0, 0},       {1, 0, 0},       {2, 0, -EINVAL},      {7, 0, -EINVAL},
               {8, 0, -EINVAL}, {1, 1, -EINVAL}, {1, 0xff00, -EINVAL}, {0xffff, 0, -EINVAL}};
    struct host *h = *state;

    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pv_iommu_flush_context arg = {.ctx_no = row[i].ctx, .pad = row[i].pad};

        assert_int_equal(hypercall(h, 1, IOMMU_flush_context, &arg, sizeof(arg)), row[i].want);
    }
}

static void arguments_of_free(void **state)
{
    static const struct {
        uint16_t ctx;
        uint32_t flags;
        long want;
    } row[] = {{0, 0, -EINVAL}, {0, 1, -EINVAL},          {2, 0, -EINVAL},
               {7, 0, -EINVAL}, {8, 0, -EINVAL},          {0xffff, 0, -EINVAL},
               {1, 2, -EINVAL}, {1, 0x80000000, -EINVAL}, {1, 3, -EINVAL},
               {1, 1, 0},       {1, 0, -EINVAL}};
    struct host *h = *state;

    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pv_iommu_free arg = {.ctx_no = row[i].ctx, .free_flags = row[i].flags};

        assert_int_equal(hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg)), row[i].want);
    }
}

static void arguments_of_reattach(void **state)
{
    static const struct {
        uint16_t ctx, seg;
        uint8_t bus, devfn;
        uint32_t pasid;
        long want;
    } row[] = {{1, 0, 0, 8, 0, 0},
               {1, 0, 0, 9, 0, -ENODEV},
               {1, 0, 1, 8, 0, -ENODEV},
               {1, 1, 0, 8, 0, -ENODEV},
               {2, 0, 0, 8, 0, -EINVAL},
               {0xffff, 0, 0, 8, 0, -EINVAL},
               {1, 0, 0, 8, 1, -EOPNOTSUPP},
               {1, 0, 0, 8, UINT32_MAX, -EOPNOTSUPP},
               {0, 0, 0, 8, 0, 0}};
    struct host *h = *state;

    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pv_iommu_reattach_device arg = {
            .ctx_no = row[i].ctx,
            .dev = {.seg = row[i].seg, .bus = row[i].bus, .devfn = row[i].devfn},
            .pasid = row[i].pasid};

        assert_int_equal(hypercall(h, 1, IOMMU_reattach_device, &arg, sizeof(arg)), row[i].want);
    }
}

struct map_row {
    uint16_t ctx;
    uint64_t gfn, dfn;
    uint32_t flags, pgsize, nr;
    long want;
};

#define R 1u
#define W 2u
#define C 4u
#define K 4096u
#define M (2u << 20)
#define G (1u << 30)

static void check_map(struct host *h, const struct map_row *row, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        struct pv_iommu_map_pages arg = {.ctx_no = row[i].ctx,
                                         .gfn = row[i].gfn,
                                         .dfn = row[i].dfn,
                                         .map_flags = row[i].flags,
                                         .pgsize = row[i].pgsize,
                                         .nr_pages = row[i].nr,
                                         .mapped = 77};
        const long status = hypercall(h, 1, IOMMU_map_pages, &arg, sizeof(arg));

        if (status != row[i].want)
            fail_msg("map row %u: %ld, not %ld", i, status, row[i].want);
        assert_int_equal(arg.mapped, status ? 0 : row[i].nr);
        assert_int_equal(arg.gfn, row[i].gfn);
        if (status)
            assert_int_equal(domain_of(h->d)->memory.refs, 0);
        else {
            uint32_t done;

            assert_int_equal(
                unmap(h, 1, arg.dfn, arg.nr_pages, (unsigned)__builtin_ctz(arg.pgsize), &done), 0);
        }
    }
}

static void arguments_of_map(void **state)
{
    static const struct map_row rows[] = {
        {1, 0, 0, R | W, K, 1, 0},
        {1, 0, 0, R, K, 1024, 0},
        {1, 0, 0, W | C, M, 2, 0},
        {1, 1023, END - 1, R | W, K, 1, 0},
        {0, 0, 0, R, K, 1, -EINVAL},
        {2, 0, 0, R, K, 1, -EINVAL},
        {8, 0, 0, R, K, 1, -EINVAL},
        {0xffff, 0, 0, R, K, 1, -EINVAL},
        {1, 0, 0, 0, K, 1, -EINVAL},
        {1, 0, 0, C, K, 1, -EINVAL},
        {1, 0, 0, R | 8, K, 1, -EINVAL},
        {1, 0, 0, R | 0x80000000, K, 1, -EINVAL},
        {1, 0, 0, R, 0, 1, -EINVAL},
        {1, 0, 0, R, 1, 1, -EINVAL},
        {1, 0, 0, R, 2048, 1, -EINVAL},
        {1, 0, 0, R, K + 1, 1, -EINVAL},
        {1, 0, 0, R, 2 * K, 1, -EINVAL},
        {1, 0, 0, R, 3 * K, 1, -EINVAL},
        {1, 0, 0, R, K | M, 1, -EINVAL},
        {1, 0, 0, R, 0x80000000, 1, -EINVAL},
        {1, 0, 0, R, UINT32_MAX, 1, -EINVAL},
        {1, 0, 0, R, K, 0, -EINVAL},
        {1, 0, 1, R, M, 1, -EINVAL},
        {1, 1, 0, R, M, 1, -EINVAL},
        {1, 0, 511, R, M, 1, -EINVAL},
        {1, 0, M, R, G, 1, -ENOENT},
        {1, 0, 512, R, G, 1, -EINVAL},
        {1, 0, END, R, K, 1, -ERANGE},
        {1, 0, END - 1, R, K, 2, -ERANGE},
        {1, 0, END, R, G, UINT32_MAX, -ERANGE},
        {1, 0, UINT64_MAX, R, K, 1, -ERANGE},
        {1, 0, UINT64_MAX, R, K, 2, -EINVAL},
        {1, 0, UINT64_MAX - 1, R, K, 2, -ERANGE},
        {1, 0, UINT64_MAX - 511, R, M, 2, -EINVAL},
        {1, UINT64_MAX, 0, R, K, 2, -EINVAL},
        {1, UINT64_MAX, 0, R, K, 1, -ENOENT},
        {1, UINT64_MAX - 511, 0, R, M, 1, -ENOENT},
        {1, 1024, 0, R, K, 1, -ENOENT},
        {1, BIT64(52), 0, R, K, 1, -ENOENT},
        {1, BIT64(63), 0, R, K, 1, -ENOENT},
        {1, 0, 0xfee00, R, K, 1, -EADDRNOTAVAIL},
        {1, 0, 0xfee00, R, M, 1, -EADDRNOTAVAIL},
        {1, 0, 0xfee00, R | 8, K, 1, -EINVAL},
    };

    check_map(*state, rows, sizeof(rows) / sizeof(rows[0]));
}

static void coherence_is_offered_only_where_it_is(void **state)
{
    static const struct map_row rows[] = {{1, 0, 0, R | C, K, 1, -EOPNOTSUPP},
                                          {1, 0, 0, C, K, 1, -EINVAL}};
    struct host *h = ready(&(struct setup){.format = PT_FORMAT_X86});

    (void)state;
    check_map(h, rows, 2);
    host_destroy(h);
}

static void arguments_of_unmap(void **state)
{
    static const struct map_row rows[] = {
        {0, 0, 0, 0, K, 1, -EINVAL},          {2, 0, 0, 0, K, 1, -EINVAL},
        {0xffff, 0, 0, 0, K, 1, -EINVAL},     {1, 0, 0, 0, 0, 1, -EINVAL},
        {1, 0, 0, 0, 2 * K, 1, -EINVAL},      {1, 0, 0, 0, K, 0, -EINVAL},
        {1, 0, 1, 0, M, 1, -EINVAL},          {1, 0, END, 0, K, 1, -ENOENT},
        {1, 0, END - 1, 0, K, 2, -ENOENT},    {1, 0, UINT64_MAX, 0, K, 2, -EINVAL},
        {1, 0, UINT64_MAX, 0, K, 1, -ENOENT}, {1, 0, 0, 0, K, 1, -ENOENT},
        {1, 0, 0, 0, K, UINT32_MAX, -ENOENT}, {1, 0, END - 1, 0, K, 1, -ENOENT},
        {1, 0, 0xfee00, 0, K, 1, -ENOENT},    {1, 0, 0, 0, G, UINT32_MAX, -ENOENT}};
    struct host *h = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pv_iommu_unmap_pages arg = {.ctx_no = rows[i].ctx,
                                           .dfn = rows[i].dfn,
                                           .pgsize = rows[i].pgsize,
                                           .nr_pages = rows[i].nr,
                                           .unmapped = 77};
        const long status = hypercall(h, 1, IOMMU_unmap_pages, &arg, sizeof(arg));

        if (status != rows[i].want)
            fail_msg("unmap row %u: %ld, not %ld", i, status, rows[i].want);
        assert_int_equal(arg.unmapped, 0);
    }
}

static void arguments_of_lookup(void **state)
{
    static const struct {
        uint16_t ctx;
        uint64_t dfn;
        long want;
    } row[] = {{0, 1023, 0},
               {0, 1024, -ENOENT},
               {1, 0, -ENOENT},
               {2, 0, -EINVAL},
               {8, 0, -EINVAL},
               {0xffff, 0, -EINVAL},
               {0, END, -ENOENT},
               {0, END - 1, -ENOENT},
               {0, UINT64_MAX, -ENOENT},
               {2, UINT64_MAX, -EINVAL}};
    struct host *h = *state;

    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pv_iommu_lookup_page arg = {.ctx_no = row[i].ctx, .dfn = row[i].dfn, .gfn = 77};

        assert_int_equal(hypercall(h, 1, IOMMU_lookup_page, &arg, sizeof(arg)), row[i].want);
        assert_int_equal(arg.gfn, row[i].want ? 77 : row[i].dfn);
    }
}

static void without_a_unit_there_is_no_device(void **state)
{
    struct host *h = host_create(&(struct setup){.no_domain = true});

    (void)state;
    instance_of(h->s)->translates = false;
    h->d = host_domain(h, 1);
    for (int subop = -1; subop < 23; subop++)
        assert_int_equal(hypercall_at(h, 1, subop, GUEST_ADDRESS), -ENODEV);
    host_destroy(h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_ready, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(numbers_without_a_call_are_not_supported),
        T(nothing_and_capabilities),
        cmocka_unit_test(capabilities_are_only_what_there_is),
        T(flags_of_alloc),
        T(arguments_of_flush),
        T(arguments_of_free),
        T(arguments_of_reattach),
        T(arguments_of_map),
        cmocka_unit_test(coherence_is_offered_only_where_it_is),
        T(arguments_of_unmap),
        T(arguments_of_lookup),
        cmocka_unit_test(without_a_unit_there_is_no_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
