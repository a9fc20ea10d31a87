/* SPDX-License-Identifier: BSD-2-Clause */
/* What calls cost on hardware: submissions to the queue, counted. */
#include "rig.h"

#define MANY 2048u /* pages: several tables */

static uint64_t submissions(const struct rig *r)
{
    struct machine_stats stats;

    machine_stats(r->m, &stats);
    return stats.submissions;
}

/* A tail write each: what is counted is what hardware sees. */
static unsigned tail_writes;

static void counting_write(struct machine *m, uint64_t maddr, unsigned size, uint64_t value)
{
    if (maddr == QEMU_VTD_REGISTERS + VTD_IQT)
        tail_writes++;
    vtd_backend.mmio_write(m, maddr, size, value);
}

static void expect(const struct rig *r, uint64_t *before, uint64_t nr)
{
    assert_int_equal(submissions(r) - *before, nr);
    assert_int_equal(tail_writes, nr);
    *before = submissions(r);
    tail_writes = 0;
}

static void calls(bool scalable, bool caching_mode)
{
    struct machine_backend backend = vtd_backend;
    const struct machine_config config = {
        .backend = &backend, .scalable = scalable, .caching_mode = caching_mode};
    struct rig r;
    uint64_t before;
    uint16_t c;

    backend.mmio_write = counting_write;
    rig_open(&r, &config);
    before = submissions(&r);
    tail_writes = 0;
    c = rig_context(&r);
    expect(&r, &before, 0);
    rig_ok(&r, rig_map(&r, c, 0, 1)); /* no device is there */
    expect(&r, &before, 0);
    rig_ok(&r, rig_unmap(&r, c, 0, 1));
    expect(&r, &before, 0);
    rig_ok(&r, rig_reattach(&r, 0, c));
    expect(&r, &before, 1);
    for (uint32_t nr = 1; nr <= MANY; nr *= MANY) {
        rig_ok(&r, rig_map(&r, c, 0, nr));
        expect(&r, &before, caching_mode);
        assert_int_equal(rig_dma(&r, 0, nr - 1, nr), 0);
        rig_ok(&r, rig_unmap(&r, c, 0, nr));
        expect(&r, &before, 1);
        assert_int_equal(rig_dma(&r, 0, nr - 1, 7), -EACCES);
    }
    rig_ok(&r, rig_reattach(&r, 1, c)); /* two devices of one unit are no more than one */
    expect(&r, &before, 1);
    rig_ok(&r, rig_map(&r, c, 0, 1));
    expect(&r, &before, caching_mode);
    rig_ok(&r, rig_unmap(&r, c, 0, 1));
    expect(&r, &before, 1);
    rig_ok(&r, rig_reattach(&r, 1, c)); /* to where it is */
    expect(&r, &before, 0);
    rig_ok(&r, rig_reattach(&r, 0, 0));
    expect(&r, &before, 1);
    assert_int_equal(machine_destroy(r.m), 0);
}

static void legacy(void **state)
{
    (void)state;
    calls(false, false);
}

static void scalable(void **state)
{
    (void)state;
    calls(true, false);
}

static void caching(void **state)
{
    (void)state;
    calls(false, true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(legacy),
        cmocka_unit_test(scalable),
        cmocka_unit_test(caching),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
