/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames: owner, type, references. */
#include "frame.h"

_Static_assert(sizeof(uint32_t) + sizeof(struct frame_owner) + sizeof(uint64_t) == 16,
               "a frame's record is 16 bytes");

int frames_init(struct frames *f, const struct sluice_port *port, uint64_t nr)
{
    char *memory;

    if (!nr || nr > SIZE_MAX / 16)
        return -EINVAL;
    memory = port->alloc(port->host, (size_t)nr * 16);
    if (!memory)
        return -ENOMEM;
    *f = (struct frames){
        .port = port,
        .nr = nr,
        .gfn = (uint64_t *)(void *)memory,
        .refs = (uint32_t *)(void *)(memory + nr * 8),
        .owner = (struct frame_owner *)(void *)(memory + nr * 12),
        .memory = memory,
    };
    return 0;
}

void frames_fini(struct frames *f)
{
    f->port->free(f->port->host, f->memory, (size_t)f->nr * 16);
}

static int check_free(const struct frames *f, mfn_t mfn, uint64_t nr)
{
    if (!nr || mfn.n >= f->nr || nr > f->nr - mfn.n)
        return -EINVAL;
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++)
        if (f->refs[i] || f->owner[i].owned)
            return -EBUSY;
    return 0;
}

int frames_give(struct frames *f, mfn_t mfn, uint64_t nr, uint16_t domid, gfn_t gfn,
                enum sluice_frame_type type)
{
    int err = check_free(f, mfn, nr);

    for (uint64_t i = 0; !err && i < nr; i++) {
        f->owner[mfn.n + i] =
            (struct frame_owner){.domid = domid, .type = (uint8_t)type, .owned = true};
        f->gfn[mfn.n + i] = gfn.n + i;
        f->refs[mfn.n + i] = 1;
    }
    return err;
}

void frames_take_back(struct frames *f, mfn_t mfn, uint64_t nr)
{
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++) {
        f->owner[i] = (struct frame_owner){.type = SLUICE_FRAME_HOST};
        f->refs[i] = 0;
    }
}

void frames_get(struct frames *f, mfn_t mfn, uint64_t nr)
{
    uint32_t *refs = f->refs + mfn.n;

    for (uint64_t i = 0; i < nr; i++)
        refs[i]++;
}

/* Far below the limit, so that the references of the owner's own calls, checked by its budget, have
 * room. */
#define MOST_REFS (UINT32_MAX / 2)

int frames_get_checked(struct frames *f, mfn_t mfn, uint64_t nr)
{
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++)
        if (f->refs[i] > MOST_REFS)
            return -ENOMEM;
    frames_get(f, mfn, nr);
    return 0;
}

static void release(struct frames *f, uint64_t n)
{
    f->owner[n] = (struct frame_owner){.type = SLUICE_FRAME_HOST};
    f->port->release_frame(f->port->host, mfn_of(n));
}

void frames_put(struct frames *f, mfn_t mfn, uint64_t nr)
{
    uint32_t *refs = f->refs + mfn.n;
    unsigned last = 0, none = 0;

    /* One pass without branches, so that it is vectorised; a last reference is rare. */
    for (uint64_t i = 0; i < nr; i++) {
        none |= refs[i] == 0;
        refs[i]--;
        last |= refs[i] == 0;
    }
    CHECK(f->port, !none);
    if (!last)
        return;
    for (uint64_t i = 0; i < nr; i++)
        if (!refs[i])
            release(f, mfn.n + i);
}

void frames_disown(struct frames *f, mfn_t mfn, uint64_t nr)
{
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++)
        f->owner[i].owned = f->owner[i].leaving = false;
    frames_put(f, mfn, nr);
}

void frames_lose(struct frames *f, mfn_t mfn, uint64_t nr)
{
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++) {
        f->owner[i].owned = false;
        if (!f->refs[i])
            f->refs[i] = 1;
    }
}
