/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model must complain when the machine is not as it should be: something happened that it was
 * not told of, or it was told of something that did not happen.
 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What happens behind the model's back shows in the comparison. */
static void untold_calls(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_map_pages map = a_map();
    struct pv_iommu_unmap_pages unmap = an_unmap();
    struct pv_iommu_reattach_device reattach = a_reattach(0);
    struct pv_iommu_alloc alloc = {0};

    map.dfn = 0x200;
    assert_int_equal(quietly(f, IOMMU_map_pages, &map, sizeof(map)), 0);
    notices(ghost_check(f->g));
    unmap.dfn = 0x200;
    assert_int_equal(quietly(f, IOMMU_unmap_pages, &unmap, sizeof(unmap)), 0);
    accepts(f, ghost_check(f->g));
    assert_int_equal(quietly(f, IOMMU_reattach_device, &reattach, sizeof(reattach)), 0);
    notices(ghost_check(f->g));
    reattach.ctx_no = 1;
    assert_int_equal(quietly(f, IOMMU_reattach_device, &reattach, sizeof(reattach)), 0);
    accepts(f, ghost_check(f->g));
    assert_int_equal(quietly(f, IOMMU_alloc_context, &alloc, sizeof(alloc)), 0);
    notices(ghost_check(f->g));
}

static void untold_unmap(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_unmap_pages unmap = an_unmap();

    unmap.nr_pages = 1;
    assert_int_equal(quietly(f, IOMMU_unmap_pages, &unmap, sizeof(unmap)), 0);
    notices(ghost_check(f->g));
}

static void untold_swap(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_unmap_pages unmap = an_unmap();
    struct pv_iommu_map_pages map = a_map();

    assert_int_equal(quietly(f, IOMMU_unmap_pages, &unmap, sizeof(unmap)), 0);
    map.map_flags = IOMMU_MAP_readable;
    assert_int_equal(quietly(f, IOMMU_map_pages, &map, sizeof(map)), 0);
    notices(ghost_check(f->g)); /* other rights */
    assert_int_equal(quietly(f, IOMMU_unmap_pages, &unmap, sizeof(unmap)), 0);
    map.map_flags = 3;
    map.gfn = 6;
    assert_int_equal(quietly(f, IOMMU_map_pages, &map, sizeof(map)), 0);
    notices(ghost_check(f->g)); /* other frames */
}

static void untold_balloon(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(machine_balloon_out(f->dom1, 3, 1), 0);
    notices(ghost_check(f->g));
}

static void told_and_not_done(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_unmap_pages unmap = an_unmap(), out = unmap;

    out.unmapped = 4;
    accepts(f, tell(f, IOMMU_unmap_pages, &unmap, &out, 0));
    notices(ghost_check(f->g));
    notices(check_frames(f->g));
}

/* A translation that should be gone and still is in the unit's cache. */
static void stale_cache(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_unmap_pages unmap = an_unmap(), out = unmap;
    unsigned char data[8] = {0};
    enum hw_reason reason;

    assert_int_equal(machine_dma(f->nic, (rid_t){NIC}, 0, 0x100000, data, 8, false, &reason), 0);
    machine_prefetch(f->m);
    accepts(f, check_caches(f->g));
    out.unmapped = 4;
    accepts(f, tell(f, IOMMU_unmap_pages, &unmap, &out, 0));
    notices(check_caches(f->g));
}

static void stale_context(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_reattach_device reattach = a_reattach(0);

    machine_prefetch(f->m);
    accepts(f, check_caches(f->g));
    accepts(f, tell(f, IOMMU_reattach_device, &reattach, &reattach, 0));
    notices(check_caches(f->g));
}

/* A frame that a device still reaches is given out again. */
static void reused_frame(void **state)
{
    struct fixture *f = *state;
    mfn_t mfn;

    assert_int_equal(sluice_memory_lookup(machine_domain_sluice(f->dom1), gfn_of(3), &mfn), 0);
    accepts(f, ghost_ballooned(f->g, 1, 3, 1, 0));
    assert_int_equal(frame_at(f->g, mfn.n)->refs, 1);
    notices(ghost_populated(f->g, 1, 3, 1, 0));
}

static void destroyed_and_still_there(void **state)
{
    struct fixture *f = *state;

    accepts(f, ghost_domain_destroyed(f->g, 1, 0));
    notices(ghost_check(f->g));
}

static void wrong_references(void **state)
{
    struct fixture *f = *state;
    mfn_t mfn;

    assert_int_equal(sluice_memory_lookup(machine_domain_sluice(f->dom1), gfn_of(3), &mfn), 0);
    frame_ref(f->g, mfn.n);
    notices(ghost_check(f->g));
}

static void digests(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_unmap_pages unmap = an_unmap();
    struct pv_iommu_map_pages map = a_map();
    uint64_t before = ghost_digest(f->g);

    call(f, IOMMU_unmap_pages, &unmap, sizeof(unmap));
    assert_true(ghost_digest(f->g) != before);
    call(f, IOMMU_map_pages, &map, sizeof(map));
    assert_true(ghost_digest(f->g) == before);
}

static void untold_interrupts(void **state)
{
    struct fixture *f = *state;
    struct machine_delivery out;
    uint16_t index;

    assert_int_equal(machine_msi(f->nic, (rid_t){NIC}, 0xfee00000, 0x41, &out), 0);
    notices(ghost_check(f->g));
    accepts(f, ghost_msi(f->g, f->nic, (rid_t){NIC}, 0xfee00000, 0x41, 0, &out));
    accepts(f, ghost_check(f->g));
    assert_int_equal(sluice_interrupt_alloc(machine_device_sluice(f->nic), 0, &index), 0);
    notices(ghost_check(f->g));
    assert_int_equal(sluice_interrupt_free(machine_device_sluice(f->nic), index, 0), 0);
    accepts(f, ghost_check(f->g));
}

static void lies_about_interrupts(void **state)
{
    struct fixture *f = *state;
    const rid_t nic = {NIC};
    struct machine_delivery out, other;
    uint64_t message;

    assert_int_equal(machine_msi(f->nic, nic, 0xfee00000, 0x41, &out), 0);
    message = out.message;
    notices(ghost_msi(f->g, f->nic, nic, 0xfee00000, 0x42, 0, &out)); /* another vector */
    other = out;
    other.domain = f->dom0;
    notices(ghost_msi(f->g, f->nic, nic, 0xfee00000, 0x41, 0, &other));
    other = out;
    other.message = 0xfee00000;
    notices(ghost_msi(f->g, f->nic, nic, 0xfee00000, 0x41, 0, &other));
    notices(ghost_msi(f->g, f->nic, nic, 0xfee00000, 0x441, 0, &out));
    accepts(f, ghost_msi(f->g, f->nic, nic, 0xfee00000, 0x41, 0, &out));
    notices(ghost_msi(f->g, f->nic, nic, message + 0x20, 0, 0, &out)); /* not its own */
    other = (struct machine_delivery){.reason = HW_REASON_MSI};
    notices(ghost_msi(f->g, f->nic, nic, message, 0, -EACCES, &other));
    accepts(f, ghost_msi(f->g, f->nic, nic, message + 0x20, 0, -EACCES, &other));
    notices(ghost_dma(f->g, f->nic, nic, 0, message + 0x20, 4, true, 0, HW_REASON_NONE));
    accepts(f, ghost_dma(f->g, f->nic, nic, 0, message, 4, true, 0, HW_REASON_NONE));
}

/* The entry goes with the owner; a unit that keeps it is seen without any message. */
static void a_stale_interrupt(void **state)
{
    struct fixture *f = *state;
    struct machine_delivery out;

    assert_int_equal(machine_msi(f->nic, (rid_t){NIC}, 0xfee00000, 0x41, &out), 0);
    accepts(f, ghost_msi(f->g, f->nic, (rid_t){NIC}, 0xfee00000, 0x41, 0, &out));
    accepts(f, ghost_unassigned(f->g, f->nic, 0));
    notices(ghost_msi(f->g, f->nic, (rid_t){NIC}, out.message, 0, 0, &out));
    notices(ghost_check(f->g));
}

/* Refused where it is isolated, given away where it is not; and what is said of it is not true. */
static void lies_about_isolation(void **state)
{
    struct fixture *f = *state;

    f->g->no_intremap = true;
    notices(ghost_check(f->g));
    f->g->allow_unsafe = true;
    notices(ghost_check(f->g));
    f->g->no_intremap = f->g->allow_unsafe = false;
    accepts(f, ghost_check(f->g));
    assert_int_equal(machine_device_unassign(f->nic), 0);
    accepts(f, ghost_unassigned(f->g, f->nic, 0));
    notices(ghost_assigned(f->g, f->nic, 1, -EPERM));
    f->g->no_intremap = true;
    accepts(f, ghost_assigned(f->g, f->nic, 1, -EPERM));
    assert_int_equal(machine_device_assign(f->nic, f->dom1), 0);
    notices(ghost_assigned(f->g, f->nic, 1, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(untold_calls),          TEST(untold_unmap),      TEST(untold_swap),
        TEST(untold_balloon),        TEST(told_and_not_done), TEST(stale_cache),
        TEST(stale_context),         TEST(reused_frame),      TEST(destroyed_and_still_there),
        TEST(wrong_references),      TEST(digests),           TEST(untold_interrupts),
        TEST(lies_about_interrupts), TEST(a_stale_interrupt), TEST(lies_about_isolation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
