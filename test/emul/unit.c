/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <limits.h>

struct stub stub;

int vtd_emul_back_init(struct vtd_emul *e)
{
    assert_int_not_equal(e->cap, 0);
    return stub.init;
}

int vtd_emul_back_fini(struct vtd_emul *e)
{
    (void)e;
    if (stub.fini_restarts) {
        stub.fini_restarts--;
        return -ERESTART;
    }
    stub.gone = true;
    return 0;
}

bool vtd_emul_has_device(const struct vtd_emul *e, uint32_t sid)
{
    (void)e;
    return sid == DEVICE;
}

void vtd_emul_back_info(const struct vtd_emul *e, struct sluice_viommu_info *out)
{
    (void)e;
    out->nr_devices = 1;
}

bool vtd_emul_explain(struct vtd_emul *e, const struct sluice_fault *fault,
                      struct vtd_emul_fault *out)
{
    (void)e;
    *out = (struct vtd_emul_fault){.sid = (uint16_t)fault->rid.n,
                                   .has_pasid = fault->pasid,
                                   .pasid = fault->pasid,
                                   .info = fault->addr,
                                   .reason = stub.reason,
                                   .write = fault->write};
    return !stub.silent;
}

int vtd_emul_invalidate(struct vtd_emul *e, struct vtd_emul_inv *inv)
{
    (void)e;
    stub.calls++;
    if (stub.on_invalidate)
        stub.on_invalidate();
    if (stub.restarts) {
        stub.restarts--;
        inv->serial++;
        return -ERESTART;
    }
    if (stub.forgets_log)
        return 0;
    assert_true(stub.nr_log < sizeof(stub.log) / sizeof(stub.log[0]));
    stub.log[stub.nr_log++] = *inv;
    return 0;
}

struct unit *unit_create(uint64_t capabilities)
{
    const struct setup setup = {.no_domain = false};
    const struct sluice_viommu_config config = {
        .type = SLUICE_VIOMMU_VTD, .base = UNIT_BASE, .capabilities = capabilities};
    struct unit *u = calloc(1, sizeof(*u));

    assert_non_null(u);
    stub = (struct stub){.reason = VTD_REASON_READ};
    u->h = host_create(&setup);
    add_memory(u->h, RAM_FIRST, RAM_MFN, RAM_LAST - RAM_FIRST + 1);
    assert_int_equal(sluice_viommu_create(u->h->d, &config, &u->id), 0);
    return u;
}

int unit_set_up(void **state)
{
    *state = unit_create(ALL_CAPS);
    return 0;
}

int unit_set_up_bare(void **state)
{
    *state = unit_create(0);
    return 0;
}

int unit_tear_down(void **state)
{
    struct unit *u = *state;

    host_destroy(u->h);
    free(u);
    return 0;
}

struct vtd_emul *emul_of(struct unit *u)
{
    return (struct vtd_emul *)(void *)domain_of(u->h->d)->viommu;
}

uint64_t rd(struct unit *u, uint64_t offset, unsigned size)
{
    uint64_t value = UINT64_MAX;

    assert_int_equal(sluice_viommu_read(u->h->d, u->id, offset, size, &value), 0);
    return value;
}

uint32_t rd32(struct unit *u, uint64_t offset)
{
    return (uint32_t)rd(u, offset, 4);
}

uint64_t rd64(struct unit *u, uint64_t offset)
{
    return rd(u, offset, 8);
}

void wr(struct unit *u, uint64_t offset, unsigned size, uint64_t value)
{
    int err = sluice_viommu_write(u->h->d, u->id, offset, size, value);

    while (err == -ERESTART)
        err = sluice_viommu_run(u->h->d, u->id);
    assert_int_equal(err, 0);
}

void wr32(struct unit *u, uint64_t offset, uint64_t value)
{
    wr(u, offset, 4, value);
}

void wr64(struct unit *u, uint64_t offset, uint64_t value)
{
    wr(u, offset, 8, value);
}

#define ONE_SHOT (VTD_GCMD_SRTP | VTD_GCMD_SIRTP)

void command_on(struct unit *u, uint64_t bit)
{
    wr32(u, VTD_GCMD, (rd32(u, VTD_GSTS) & ~ONE_SHOT) | bit);
}

void command_off(struct unit *u, uint64_t bit)
{
    wr32(u, VTD_GCMD, rd32(u, VTD_GSTS) & ~(ONE_SHOT | bit));
}

void set_mode(struct unit *u, unsigned ttm)
{
    wr64(u, VTD_RTADDR, 0x101000 | FIELD_PREP(VTD_RTADDR_TTM, ttm));
    command_on(u, VTD_GCMD_SRTP);
}

void put(struct unit *u, uint64_t gpa, const void *from, size_t size)
{
    assert_int_equal(memory_write(&domain_of(u->h->d)->memory, gpa, from, size), 0);
}

uint32_t get(struct unit *u, uint64_t gpa)
{
    uint32_t value;

    assert_int_equal(memory_read(&domain_of(u->h->d)->memory, gpa, &value, sizeof(value)), 0);
    return value;
}

void queue_on(struct unit *u, bool wide)
{
    wr64(u, VTD_IQT, 0);
    wr64(u, VTD_IQA, RING | (wide ? VTD_IQA_DW : 0));
    command_on(u, VTD_GCMD_QIE);
    assert_true(rd32(u, VTD_GSTS) & VTD_GCMD_QIE);
}

void submit4(struct unit *u, const uint64_t word[4])
{
    const uint64_t iqa = rd64(u, VTD_IQA), tail = rd64(u, VTD_IQT);
    const unsigned size = iqa & VTD_IQA_DW ? 32 : 16;

    put(u, (iqa & VTD_IQA_IQA) + tail, word, size);
    wr64(u, VTD_IQT, (tail + size) % (FRAME_SIZE << (iqa & VTD_IQA_QS)));
}

void submit(struct unit *u, uint64_t lo, uint64_t hi)
{
    const uint64_t word[4] = {lo, hi, 0, 0};

    submit4(u, word);
}

unsigned iqei(struct unit *u)
{
    return rd32(u, VTD_FSTS) & VTD_FSTS_IQE ? rd32(u, VTD_IQERCD) : UINT_MAX;
}
