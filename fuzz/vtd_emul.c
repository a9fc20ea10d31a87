/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest behind an emulated VT-d, on the software machine: see vtd_emul.h. Requests of an
 * emulated device go by its tables too, DMA of an assigned one by what they became, and its memory
 * comes and goes.
 */
#include "vtd_emul.h"

#include "../host/machine/backend.h"

#include <stdio.h>

#define MOST_STEPS 300u
#define RAM_PAGES  64u
#define EMULATED   0x20u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct machine *m;
    struct machine_domain *d;
    struct machine_device *dev;
    struct emul_guest guest;
    unsigned every; /* preempted after so many chances; 0: never */
};

/* What an emulated device is told it may reach is the guest's, with what the tables say at most. */
static void request(struct fuzz *f, struct input *in)
{
    const struct sluice_viommu_request r = {.sid = EMULATED,
                                            .has_pasid = take_byte(in) > 240,
                                            .pasid = take_byte(in),
                                            .iova = take_hostile(in, 1 << 16) << FRAME_LG2,
                                            .access = take_byte(in) & (PT_READ | PT_WRITE)};
    struct sluice_viommu_translation t = {.rights = 0};
    const int err = sluice_viommu_translate(f->guest.d, f->guest.id, &r, &t);

    emul_must(!err || err == -EACCES);
    emul_must(err || ((t.rights & r.access) == r.access && !(t.mask & (t.mask + 1))));
}

static void dma(struct fuzz *f, struct input *in)
{
    char bytes[64] = {0};
    enum hw_reason reason;

    (void)machine_dma(f->dev, machine_device_rid(f->dev), 0, take_hostile(in, 128) << FRAME_LG2,
                      bytes, sizeof(bytes), take_byte(in) & 1, &reason);
}

static void memory(struct fuzz *f, struct input *in)
{
    const uint64_t gfn = take_byte(in) % RAM_PAGES;

    if (take_byte(in) & 1)
        (void)machine_balloon_out(f->d, gfn, 1);
    else
        (void)machine_populate(f->d, gfn, 1);
}

static void step(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);

    f->m->preempt_every = f->every;
    if (what < 200)
        emul_step(&f->guest, in);
    else if (what < 220)
        request(f, in);
    else if (what < 245)
        dma(f, in);
    else
        memory(f, in);
}

static void begin(struct fuzz *f, struct input *in)
{
    const uint8_t what = take_byte(in);
    const struct machine_config config = {
        .ram = 4 << 20, .caching_mode = what & 1, .nr_units = 1, .seed = what};
    const struct machine_domain_config domain = {.name = "guest",
                                                 .domid = 1,
                                                 .mem = (uint64_t)RAM_PAGES << FRAME_LG2,
                                                 .max_ctx_no = what & 2 ? 15 : 4,
                                                 .budget_refs = what & 4 ? 0 : RAM_PAGES};
    const struct machine_device_config device = {.name = "nic", .rids = {{8}}, .nr_rids = 1};
    struct sluice_viommu_config unit = {.type = SLUICE_VIOMMU_VTD, .base = 0xfed90000};
    struct emul_guest *g = &f->guest;

    emul_must(!machine_create(&config, &f->m, NULL));
    emul_must(!machine_domain_add(f->m, &domain, &f->d));
    emul_must(!machine_device_add(f->m, &device, &f->dev));
    emul_must(!machine_device_assign(f->dev, f->d));
    *g = (struct emul_guest){.d = f->d->sluice, .sid = 8};
    emul_must(!sluice_viommu_query_caps(f->m->sluice, unit.type, &unit.capabilities));
    emul_must(!sluice_viommu_create(g->d, &unit, &g->id));
    emul_must(!sluice_viommu_add_device(g->d, g->id, 8, f->dev->sluice));
    emul_must(!sluice_viommu_add_device(g->d, g->id, EMULATED, NULL));
    f->every = what >> 3 & 7;
    g->cap = emul_read(g, VTD_CAP);
    g->ecap = emul_read(g, VTD_ECAP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct fuzz f = {0};
    unsigned leaks;

    begin(&f, &in);
    for (unsigned i = 0; i < MOST_STEPS && in.left; i++)
        step(&f, &in);
    f.m->preempt_every = 0;
    leaks = machine_destroy(f.m);
    if (leaks) {
        fprintf(stderr, "%u frames or objects leaked\n", leaks);
        abort();
    }
    return 0;
}
