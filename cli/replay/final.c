/* SPDX-License-Identifier: BSD-2-Clause */
/* The end: what is mapped is what the trace implies; then all of it goes. */
#include "replay.h"

#include <stdlib.h>

static int look_up(struct replay *r, uint16_t space, uint64_t address, uint64_t *gfn)
{
    struct pv_iommu_lookup_page data = {.ctx_no = r->spaces[space].dma.ctx_no,
                                        .dfn = address / LINE_PAGE};
    const struct hypercall_host *call = &r->guest.host.call;
    const long err = call->contexts(call->arg, IOMMU_lookup_page, &data);

    *gfn = data.gfn;
    return (int)err;
}

static bool is_mapped(struct replay *r, const struct trace_final *f, uint64_t offset,
                      uint64_t address)
{
    const struct trace_map *m = &r->t->maps[f->map];
    const uint64_t iova = f->iova + offset, at = address + offset;
    const uint64_t right = frames_gfn(&r->frames, m->paddr + (iova - m->iova));
    uint64_t gfn;
    const int err = look_up(r, f->space, at, &gfn);

    r->counts.finals++;
    if (!err && gfn == right)
        return true;
    guest_wrong(&r->guest,
                "what line %u mapped, 0x%llx, is to be mapped at the end, to guest frame 0x%llx: "
                "there is %s 0x%llx",
                m->line, (unsigned long long)iova, (unsigned long long)right,
                err ? "nothing at" : "guest frame", (unsigned long long)(err ? at : gfn));
    return false;
}

static bool piece_is_mapped(struct replay *r, const struct trace_final *f)
{
    const struct trace_map *m = &r->t->maps[f->map];
    const uint64_t address = m->fixed ? f->iova : r->live[f->map]->address;

    for (uint64_t offset = 0; offset < f->size; offset += LINE_PAGE)
        if (!is_mapped(r, f, offset, address))
            return false;
    return true;
}

/* Pages that the hypervisor has mapped in the space, beside standing ones that may be more. */
static bool no_more(struct replay *r, uint32_t space, uint64_t pages)
{
    struct replay_space *s = &r->spaces[space];
    struct sluice_context_info info;
    struct dma_stats stats;

    if (!s->open)
        return true;
    if (sluice_context_info(machine_domain_sluice(r->guest.d), s->dma.ctx_no, &info))
        info.nr_mapped = 0;
    dma_stats(&s->dma, &stats);
    if (info.nr_mapped == pages || (stats.standing && info.nr_mapped <= pages + stats.standing))
        return true;
    guest_wrong(&r->guest, "domain %u has %llu pages mapped at the end; right is %llu",
                r->t->spaces[space].number, (unsigned long long)info.nr_mapped,
                (unsigned long long)pages);
    return false;
}

int replay_final(struct replay *r)
{
    uint64_t pages[TRACE_SPACES] = {0};

    for (uint32_t i = 0; i < r->t->nr_finals; i++) {
        const struct trace_final *f = &r->t->finals[i];

        pages[f->space] += f->size / LINE_PAGE;
        if (!piece_is_mapped(r, f))
            return 0;
    }
    for (uint32_t i = 0; i < r->t->nr_spaces; i++)
        if (!no_more(r, i, pages[i]))
            return 0;
    return 0;
}

static int unmap_final(struct replay *r, const struct trace_final *f)
{
    struct replay_space *s = &r->spaces[f->space];
    int err;

    if (r->t->maps[f->map].fixed)
        return replay_space_unmap_at(s, f->iova, f->size);
    err = dma_unmap(&s->device, 0, r->live[f->map]);
    free(r->live[f->map]);
    r->live[f->map] = NULL;
    return err;
}

int replay_finish(struct replay *r)
{
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_finals && !err; i++)
        err = unmap_final(r, &r->t->finals[i]);
    for (uint32_t i = 0; i < r->t->nr_devices && !err; i++)
        if (r->devices[i].space)
            err = dma_detach(&r->devices[i]);
    for (uint32_t i = 0; i < r->t->nr_spaces && !err; i++)
        if (r->spaces[i].open)
            err = replay_space_end(&r->spaces[i]);
    return err;
}
