/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames: who owns them, how often they are mapped, and which memory a domain has. */
#include "state.h"

#include <string.h>

struct ghost_frame *frame_at(struct ghost *g, uint64_t mfn)
{
    if (mfn >= g->nr_frames) {
        uint64_t nr = (mfn + 1) * 2;

        g->frames = must_alloc(g->frames, nr, sizeof(*g->frames));
        memset(g->frames + g->nr_frames, 0, (nr - g->nr_frames) * sizeof(*g->frames));
        g->nr_frames = nr;
    }
    return &g->frames[mfn];
}

struct ghost_frame *frame_touch(struct ghost *g, uint64_t mfn)
{
    struct ghost_frame *f = frame_at(g, mfn);

    if (f->touched)
        return f;
    f->touched = true;
    if (g->nr_touched == g->room_touched) {
        g->room_touched = g->room_touched * 2 + 64;
        g->touched = must_alloc(g->touched, g->room_touched, sizeof(*g->touched));
    }
    g->touched[g->nr_touched++] = mfn;
    return f;
}

void frame_ref(struct ghost *g, uint64_t mfn)
{
    frame_touch(g, mfn)->refs++;
}

void frame_unref(struct ghost *g, uint64_t mfn)
{
    struct ghost_frame *f = frame_touch(g, mfn);

    f->refs--;
    f->loose |= g->failed;
}

void frame_loosen(struct ghost *g, uint64_t mfn)
{
    frame_touch(g, mfn)->loose = true;
}

unsigned type_rights(unsigned type)
{
    if (type == SLUICE_FRAME_RAM)
        return PT_READ | PT_WRITE;
    return type == SLUICE_FRAME_READONLY ? PT_READ : 0;
}

/* The frame was nobody's, and no device could reach it. */
static bool frame_take(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t mfn)
{
    struct ghost_frame *f = frame_touch(g, mfn);
    struct sluice_frame_info info;

    if (f->owned)
        return complain(g, "%s: gfn 0x%jx got mfn 0x%jx, which domain %u owns", d->name,
                        (uintmax_t)gfn, (uintmax_t)mfn, f->owner);
    if (f->refs)
        return complain(g, "%s: gfn 0x%jx got mfn 0x%jx, which devices still reach (%u references)",
                        d->name, (uintmax_t)gfn, (uintmax_t)mfn, f->refs);
    if (sluice_frame_info(g->sluice, mfn_of(mfn), &info))
        return complain(g, "%s: gfn 0x%jx got mfn 0x%jx, which is no frame", d->name,
                        (uintmax_t)gfn, (uintmax_t)mfn);
    if (info.refs != 1)
        return complain(g, "%s: gfn 0x%jx got mfn 0x%jx, which has %u references", d->name,
                        (uintmax_t)gfn, (uintmax_t)mfn, info.refs);
    *f = (struct ghost_frame){.gfn = gfn,
                              .refs = 1,
                              .owner = d->domid,
                              .type = (uint8_t)info.type,
                              .known = true,
                              .owned = true,
                              .touched = true};
    return true;
}

bool memory_learn(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t nr)
{
    for (uint64_t i = 0; i < nr; i++) {
        struct page page = {.dfn = gfn + i, .gfn = gfn + i, .span = FRAME_LG2};
        mfn_t mfn;

        if (sluice_memory_lookup(d->real, gfn_of(gfn + i), &mfn))
            return complain(g, "%s: gfn 0x%jx was populated and has no frame", d->name,
                            (uintmax_t)(gfn + i));
        if (d->direct_mapped && mfn.n != gfn + i)
            return complain(g, "%s: gfn 0x%jx is not direct-mapped", d->name, (uintmax_t)(gfn + i));
        if (!frame_take(g, d, gfn + i, mfn.n))
            return false;
        page.mfn = mfn.n;
        page.attr = (uint8_t)type_rights(frame_at(g, mfn.n)->type);
        pages_insert(&d->memory, &page, 1);
        spaces_get(g, d, gfn + i, mfn.n);
    }
    return true;
}

bool memory_forget(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t nr, bool ends)
{
    size_t i = pages_from(&d->memory, gfn);
    bool right = true;

    if (!ends)
        nested_leaves(g, d, gfn, nr);
    for (; i < d->memory.nr && d->memory.at[i].dfn - gfn < nr; i++) {
        uint64_t mfn = d->memory.at[i].mfn;

        right &= tuples_left(g, d, mfn, ends);
        frame_unref(g, mfn);
        frame_at(g, mfn)->owned = false;
        frame_at(g, mfn)->leaving = false;
    }
    pages_remove(&d->memory, gfn, gfn + nr - 1);
    return right;
}
