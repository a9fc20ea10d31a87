/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model must complain when nested contexts are not as they should be: something is kept that
 * the guest flushed or that left its memory, there are more rights than both tables have, or
 * something is in a reserved region.
 */
#include "../../host/soft/soft.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROOT   6u /* gfns of the tables: 6..9 */
#define DATA   10u
#define NESTED 2u /* its number */
#define DFN    5u
#define USED   7u /* P, RW, US */
#define READ   5u

static void write_entry(const struct fixture *f, unsigned table, unsigned index, uint64_t entry)
{
    assert_int_equal(
        machine_guest_write(f->dom1, (ROOT + table) * FRAME_SIZE + index * 8, &entry, 8), 0);
}

static void write_leaf(const struct fixture *f, uint64_t gfn, unsigned rights)
{
    write_entry(f, 3, DFN, gfn * FRAME_SIZE | rights);
}

/* The device is in a nested context, where dfn 5 goes to gfn 10; all caches have it. */
static void prepare(const struct fixture *f)
{
    struct pv_iommu_alloc_nested alloc = {.pgtable_gfn = ROOT,
                                          .nested_flags = IOMMU_NESTED_x86_4level};
    struct pv_iommu_reattach_device reattach = a_reattach(NESTED);
    unsigned char data[8] = {0};
    enum hw_reason reason;

    for (unsigned i = 0; i < 3; i++)
        write_entry(f, i, 0, (ROOT + i + 1) * FRAME_SIZE | USED);
    write_leaf(f, DATA, USED);
    call(f, IOMMU_alloc_nested, &alloc, sizeof(alloc));
    assert_int_equal(alloc.ctx_no, NESTED);
    call(f, IOMMU_reattach_device, &reattach, sizeof(reattach));
    assert_int_equal(
        machine_dma(f->nic, (rid_t){NIC}, 0, (uint64_t)DFN * FRAME_SIZE, data, 8, true, &reason),
        0);
    machine_prefetch(f->m);
    accepts(f, check_caches(f->g));
}

static struct pv_iommu_flush_nested a_flush(void)
{
    return (struct pv_iommu_flush_nested){.ctx_no = NESTED, .flags = IOMMU_FLUSH_all};
}

static bool tell_flush(const struct fixture *f)
{
    const struct pv_iommu_flush_nested flush = a_flush();

    return tell(f, IOMMU_flush_nested, &flush, &flush, 0);
}

static void flush_quietly(const struct fixture *f)
{
    struct pv_iommu_flush_nested flush = a_flush();

    assert_int_equal(quietly(f, IOMMU_flush_nested, &flush, sizeof(flush)), 0);
}

/* ---- Flushes that were not made ----------------------------------------------------------------
 */

static void a_shadow_that_keeps_an_entry(void **state)
{
    struct fixture *f = *state;

    prepare(f);
    write_leaf(f, 0, 0);
    accepts(f, tell_flush(f));
    notices(ghost_check(f->g));
    flush_quietly(f);
    accepts(f, ghost_check(f->g));
}

static void a_shadow_that_keeps_a_frame(void **state)
{
    struct fixture *f = *state;

    prepare(f);
    write_leaf(f, DATA + 1, USED);
    accepts(f, tell_flush(f));
    notices(ghost_check(f->g));
}

static void hardware_that_keeps_an_entry(void **state)
{
    struct fixture *f = *state;

    prepare(f);
    write_leaf(f, 0, 0);
    accepts(f, check_caches(f->g)); /* it may, as nothing was flushed */
    accepts(f, tell_flush(f));
    notices(check_caches(f->g));
    flush_quietly(f);
    accepts(f, check_caches(f->g));
}

/* ---- Units that forget nothing -----------------------------------------------------------------
 */

static const struct hw_ops *right;

/* All but those for contexts that are nested on another, if it is by hardware. */
static int forget_no_child(struct hw_unit *unit, const struct hw_inv *inv, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (inv[i].kind != HW_INV_SPACE && right->flush(unit, &inv[i], 1))
            return -EIO;
    return 0;
}

static int forget_nothing(struct hw_unit *unit, const struct hw_inv *inv, unsigned n)
{
    (void)unit;
    (void)inv;
    (void)n;
    return 0;
}

static void balloon_with(const struct fixture *f,
                         int (*flush)(struct hw_unit *, const struct hw_inv *, unsigned))
{
    struct hw_unit *unit = &soft_machine_unit(f->m, 0)->hw;
    struct hw_ops wrong = *unit->ops;

    right = unit->ops;
    wrong.flush = flush;
    unit->ops = &wrong;
    assert_int_equal(machine_balloon_out(f->dom1, DATA, 1), 0);
    unit->ops = right;
    accepts(f, ghost_ballooned(f->g, 1, DATA, 1, 0));
}

/* Both by hardware and by shadow. */
static void what_left_memory_and_was_not_flushed(void **state)
{
    struct fixture *f = *state;

    prepare(f);
    balloon_with(f, forget_nothing);
    notices(check_caches(f->g));
}

static void a_child_that_is_not_flushed_with_its_parent(void **state)
{
    struct fixture *f = *state;

    prepare(f);
    balloon_with(f, forget_no_child);
    notices(check_caches(f->g));
}

/* ---- What should not be there ------------------------------------------------------------------
 */

/* The shadow took what the table said before: more than it says now. */
static void a_shadow_with_more_rights(void **state)
{
    struct fixture *f = *state;

    prepare(f);
    write_leaf(f, DATA, READ);
    accepts(f, tell_flush(f));
    notices(ghost_check(f->g));
    flush_quietly(f);
    accepts(f, ghost_check(f->g));
    write_leaf(f, DATA, USED);
    flush_quietly(f);
    notices(ghost_check(f->g));
}

/* A frame that devices may only read. */
static void a_shadow_with_more_rights_than_the_memory(void **state)
{
    struct fixture *f = *state;
    struct ghost_domain *d;

    prepare(f);
    d = f->g->devices[0]->domain;
    d->memory.at[pages_from(&d->memory, DATA)].attr = PT_READ;
    accepts(f, tell_flush(f));
    notices(ghost_check(f->g));
    d->memory.at[pages_from(&d->memory, DATA)].attr = PT_READ | PT_WRITE;
    accepts(f, tell_flush(f));
}

static void an_entry_in_a_reserved_region(void **state)
{
    struct fixture *f = *state;
    struct sluice_region region = {.first = (uint64_t)DFN * FRAME_SIZE,
                                   .last = (uint64_t)DFN * FRAME_SIZE + FRAME_SIZE - 1,
                                   .type = SLUICE_REGION_RESERVED};
    struct sluice_region *before;
    struct ghost_device *dev;

    prepare(f);
    dev = f->g->devices[0];
    before = dev->regions;
    dev->regions = &region;
    dev->nr_regions = 1;
    accepts(f, tell_flush(f));
    notices(ghost_check(f->g));
    dev->regions = before;
    dev->nr_regions = 0;
    accepts(f, tell_flush(f));
    accepts(f, ghost_check(f->g));
}

static void a_reference_too_few(void **state)
{
    struct fixture *f = *state;
    mfn_t mfn;

    prepare(f);
    assert_int_equal(sluice_memory_lookup(machine_domain_sluice(f->dom1), gfn_of(DATA), &mfn), 0);
    frame_unref(f->g, mfn.n);
    notices(ghost_check(f->g));
    frame_ref(f->g, mfn.n);
    accepts(f, ghost_check(f->g));
}

static void lies_about_results(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_flush_nested flush = a_flush();
    struct pv_iommu_alloc_nested in = {.pgtable_gfn = ROOT, .nested_flags = 1}, out = in;

    prepare(f);
    notices(tell(f, IOMMU_flush_nested, &flush, &flush, -EINVAL));
    flush.ctx_no = 1;
    notices(tell(f, IOMMU_flush_nested, &flush, &flush, 0));
    out.ctx_no = 1;
    notices(tell(f, IOMMU_alloc_nested, &in, &out, 0));
    in.nested_flags = 0;
    notices(tell(f, IOMMU_alloc_nested, &in, &out, 0));
}

#define HARDWARE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SHADOW(name)   cmocka_unit_test_setup_teardown(name, with_one_stage, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHADOW(a_shadow_that_keeps_an_entry),
        SHADOW(a_shadow_that_keeps_a_frame),
        HARDWARE(hardware_that_keeps_an_entry),
        HARDWARE(what_left_memory_and_was_not_flushed),
        SHADOW(what_left_memory_and_was_not_flushed),
        HARDWARE(a_child_that_is_not_flushed_with_its_parent),
        SHADOW(a_shadow_with_more_rights),
        SHADOW(a_shadow_with_more_rights_than_the_memory),
        SHADOW(an_entry_in_a_reserved_region),
        SHADOW(a_reference_too_few),
        HARDWARE(lies_about_results),
        SHADOW(lies_about_results),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
