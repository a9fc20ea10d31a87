/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does anything to an emulated VT-d: registers at any offset, tables and queues that
 * are nearly right, messages of its devices, and states that somebody has changed. What the guest
 * may not change does not change, and work that nobody adds to comes to its end.
 */
#ifndef FUZZ_VTD_EMUL_H
#define FUZZ_VTD_EMUL_H

#include "../iommu/emul/vtd/emul.h"
#include "input.h"

#include <stdlib.h>
#include <string.h>

#define EMUL_PAGES     16u      /* of guest memory, from gfn 0 on, for tables and queues */
#define EMUL_MOST_RUNS 4000000u /* the longest queue there is, each of it in a hundred steps */
#define EMUL_STATE     4096u

struct emul_guest {
    struct sluice_domain *d;
    uint32_t id, sid;
    uint64_t first; /* guest address of its memory */
    uint64_t cap, ecap;
};

static inline void emul_must(bool right)
{
    if (!right)
        abort();
}

static inline void emul_finish(struct emul_guest *g, int err)
{
    for (unsigned n = 0; err == -ERESTART; n++) {
        emul_must(n < EMUL_MOST_RUNS);
        err = sluice_viommu_run(g->d, g->id);
    }
    emul_must(!err);
}

static inline uint64_t emul_read(struct emul_guest *g, unsigned offset)
{
    uint64_t value = 0;

    emul_must(!sluice_viommu_read(g->d, g->id, offset, 8, &value));
    return value;
}

/* An address that is most often in the guest's memory, and aligned as pointers are. */
static inline uint64_t emul_address(struct emul_guest *g, struct input *in)
{
    if (take_byte(in) < 230)
        return g->first + (uint64_t)(take_byte(in) % EMUL_PAGES) * FRAME_SIZE;
    return take_number(in, 8) & ~(uint64_t)(FRAME_SIZE - 1);
}

static inline void emul_write_register(struct emul_guest *g, struct input *in)
{
    static const uint16_t known[] = {
        VTD_GCMD,       VTD_GCMD, VTD_GCMD, VTD_RTADDR, VTD_CCMD,          VTD_FSTS, VTD_FECTL,
        VTD_FEDATA,     VTD_IQT,  VTD_IQA,  VTD_ICS,    VTD_IECTL,         VTD_IRTA, VTD_EMUL_IVA,
        VTD_EMUL_IOTLB, VTD_IQT,  VTD_PMEN, VTD_CAP,    VTD_EMUL_FRCD + 8, VTD_GSTS};
    const uint8_t what = take_byte(in);
    uint64_t offset = known[what % (sizeof(known) / sizeof(known[0]))];
    unsigned size = what & 64 ? 8 : 4;
    uint64_t value = emul_address(g, in) | take_number(in, 2);

    if (what > 240) {
        offset = take_hostile(in, SLUICE_VIOMMU_SIZE);
        size = take_byte(in) % 10;
    }
    if (what & 32)
        value = take_number(in, 8);
    if (offset == VTD_GCMD)
        value = take_number(in, 1) << 23 | (uint64_t)(what & 128) << 24;
    if (offset == VTD_IQT && !(what & 32))
        value = (value & 0xff) << 4;
    if (sluice_viommu_write(g->d, g->id, offset, size, value) == -ERESTART && what & 1)
        emul_finish(g, -ERESTART);
}

/* A word of a table: present, some bits, and where it points. */
static inline void emul_write_table(struct emul_guest *g, struct input *in)
{
    const uint64_t at = g->first + take_number(in, 2) % (EMUL_PAGES * FRAME_SIZE) / 8 * 8;
    uint64_t value = emul_address(g, in) | take_number(in, 2);

    if (take_byte(in) > 200)
        value = take_number(in, 8);
    (void)memory_write(&domain_of(g->d)->memory, at, &value, sizeof(value));
}

/* A descriptor where the tail is, whatever the ring is; and the tail behind it. */
static inline void emul_submit(struct emul_guest *g, struct input *in)
{
    const uint64_t iqa = emul_read(g, VTD_IQA), tail = emul_read(g, VTD_IQT);
    const unsigned size = iqa & VTD_IQA_DW ? 32 : 16;
    uint64_t word[4] = {take_byte(in) % 12 | take_number(in, 1) << 4, 0, 0, 0};

    word[0] |= take_number(in, 2) << 16 | take_number(in, 2) << 32;
    if (take_byte(in) & 1)
        word[1] = emul_address(g, in) | take_byte(in) % 80;
    if (take_byte(in) > 250)
        word[2 + (tail & 1)] = take_number(in, 8);
    (void)memory_write(&domain_of(g->d)->memory, (iqa & VTD_IQA_IQA) + tail, word, size);
    (void)sluice_viommu_write(g->d, g->id, VTD_IQT, 4,
                              (tail + size) % (FRAME_SIZE << (iqa & VTD_IQA_QS)));
}

static inline void emul_send(struct emul_guest *g, struct input *in)
{
    const struct hw_message message = {0xfee00000 | take_number(in, 3) % 0x100000,
                                       (uint32_t)take_hostile(in, 0x10000)};
    struct hw_interrupt out = {.vector = 0};
    const int err =
        sluice_viommu_interrupt(g->d, g->id, g->sid ^ (take_byte(in) > 250), &message, &out);

    emul_must(!err || err == -EACCES || err == -ENOENT);
}

/* Of a unit in use nothing is taken; of another's, what it could have been. */
static inline void emul_migrate(struct emul_guest *g, struct input *in)
{
    uint8_t state[EMUL_STATE];
    size_t size = sizeof(state);
    int err;

    emul_must(!sluice_viommu_save(g->d, g->id, state, &size));
    for (unsigned n = take_byte(in) % 4; n; n--)
        state[take_number(in, 2) % size] = take_byte(in);
    err = sluice_viommu_restore(g->d, g->id, state, size);
    if (err != -EINVAL)
        emul_finish(g, err);
}

static inline void emul_check(struct emul_guest *g)
{
    emul_must(emul_read(g, VTD_CAP) == g->cap && emul_read(g, VTD_ECAP) == g->ecap);
    emul_must(!(emul_read(g, VTD_IQH) & ~VTD_IQ_INDEX));
    emul_must(!(emul_read(g, VTD_PMEN) & UINT32_MAX));
    emul_must(!(emul_read(g, VTD_EMUL_FRCD) & (FRAME_SIZE - 1)));
}

static inline void emul_step(struct emul_guest *g, struct input *in)
{
    const uint8_t what = take_byte(in);

    if (what < 80)
        emul_write_register(g, in);
    else if (what < 150)
        emul_write_table(g, in);
    else if (what < 215)
        emul_submit(g, in);
    else if (what < 240)
        emul_send(g, in);
    else if (what < 246)
        emul_migrate(g, in);
    else if (what < 250)
        emul_must(!sluice_viommu_poll(g->d, g->id));
    else
        emul_finish(g, -ERESTART);
    emul_check(g);
}

#endif
