/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's memory map and the references that its mappings hold. */
#include "memory.h"

unsigned memory_attr(enum sluice_frame_type type)
{
    static const unsigned attr_of_type[] = {
        [SLUICE_FRAME_RAM] = PT_READ | PT_WRITE,
        [SLUICE_FRAME_READONLY] = PT_READ,
        [SLUICE_FRAME_PRIVATE] = MEMORY_PRIVATE,
    };

    return attr_of_type[type];
}

unsigned memory_rights(unsigned attr)
{
    const unsigned rights = attr & (PT_READ | PT_WRITE);

    return rights == MEMORY_PRIVATE ? 0 : rights;
}

int memory_init(struct memory *m, struct frames *frames, uint32_t refs_limit)
{
    const struct pt_format *format = pt_format(PT_FORMAT_VTDSS);
    const struct pt_geometry geo = {
        .format = format, .levels = 4, .iova_bits = 48, .leaf_sizes = format->leaf_sizes};

    m->frames = frames;
    m->refs = 0;
    m->nr_leaving = 0;
    /* A frame's count has 32 bits and holds the owner's reference too: it must not overflow. */
    m->refs_limit = refs_limit < UINT32_MAX ? refs_limit : UINT32_MAX - 1;
    m->pages = (struct pt_pages){.port = frames->port, .limit = UINT32_MAX};
    return pt_init(&m->map, &geo, &m->pages);
}

static void disown_run(void *arg, mfn_t first, uint64_t nr)
{
    frames_disown(arg, first, nr);
}

static void lose_run(void *arg, mfn_t first, uint64_t nr)
{
    frames_lose(arg, first, nr);
}

bool memory_reap(struct memory *m, bool lost)
{
    struct memory_locked l = memory_lock(m);
    bool more = pt_reap(&m->map, lost ? lose_run : disown_run, m->frames);

    memory_unlock(l);
    return more;
}

void memory_fini(struct memory *m)
{
    pt_fini(&m->map);
}

int memory_find(struct memory_locked l, gfn_t gfn, uint64_t max, mfn_t *mfn, uint64_t *nr,
                unsigned *rights)
{
    struct pt_leaf leaf;
    uint64_t hole;

    *nr = max;
    if (gfn.n >= pt_nr_dfns(&l.m->map))
        return -ENOENT;
    if (pt_lookup(&l.m->map, dfn_of(gfn.n), max, &leaf)) {
        hole = pt_entry_span(&l.m->map.geo, leaf.level);
        hole -= gfn.n & (hole - 1);
        *nr = hole < max ? hole : max;
        return -ENOENT;
    }
    *mfn = leaf.mfn;
    *nr = leaf.nr;
    *rights = memory_rights(leaf.attr);
    return 0;
}

struct list {
    gfn_t next;
    uint64_t left;
    unsigned rights;
    mfn_t *mfn;
};

static int list_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct list *list = arg;
    const uint64_t from = list->next.n - leaf->dfn.n;
    uint64_t nr = BIT64(leaf->lg2 - FRAME_LG2);

    if (leaf->dfn.n > list->next.n || (list->rights & ~memory_rights(leaf->attr)))
        return 1;
    nr = nr - from < list->left ? nr - from : list->left;
    for (uint64_t i = 0; i < nr; i++)
        *list->mfn++ = mfn_add(leaf->mfn, from + i);
    list->next = gfn_add(list->next, nr);
    list->left -= nr;
    return !list->left;
}

uint64_t memory_list(struct memory_locked l, gfn_t gfn, uint64_t max, unsigned rights, mfn_t *mfn)
{
    const uint64_t end = pt_nr_dfns(&l.m->map);
    struct list list = {.next = gfn, .left = max, .rights = rights, .mfn = mfn};

    if (gfn.n >= end)
        return 0;
    if (max > end - gfn.n)
        list.left = max = end - gfn.n;
    (void)pt_walk(&l.m->map, dfn_of(gfn.n), dfn_of(gfn.n + max - 1), list_leaf, &list);
    return max - list.left;
}

uint64_t memory_afford(struct memory_locked l, uint64_t nr)
{
    const uint64_t left = l.m->refs_limit - l.m->refs;

    return left < nr ? left : nr;
}

int memory_get(struct memory_locked l, mfn_t mfn, uint64_t nr)
{
    if (memory_afford(l, nr) < nr)
        return -ENOMEM;
    l.m->refs += (uint32_t)nr;
    frames_get(l.m->frames, mfn, nr);
    return 0;
}

void memory_put(struct memory_locked l, mfn_t mfn, uint64_t nr)
{
    l.m->refs -= (uint32_t)nr;
    frames_put(l.m->frames, mfn, nr);
}

void memory_mark(struct memory_locked l, mfn_t mfn, uint64_t nr, bool leaving)
{
    struct frame_owner *owner = l.m->frames->owner;

    for (uint64_t i = mfn.n; i < mfn.n + nr; i++) {
        l.m->nr_leaving += (uint64_t)leaving - owner[i].leaving;
        owner[i].leaving = leaving;
    }
}

void memory_put_run(void *arg, mfn_t first, uint64_t nr)
{
    memory_put(*(struct memory_locked *)arg, first, nr);
}

void memory_pass_run(void *arg, mfn_t first, uint64_t nr)
{
    (void)arg;
    (void)first;
    (void)nr;
}

int memory_charge(struct memory *m, uint64_t nr)
{
    struct memory_locked l = memory_lock(m);
    int err = memory_afford(l, nr) < nr ? -ENOMEM : 0;

    if (!err)
        m->refs += (uint32_t)nr;
    memory_unlock(l);
    return err;
}

void memory_uncharge(struct memory *m, uint64_t nr)
{
    struct memory_locked l = memory_lock(m);

    m->refs -= (uint32_t)nr;
    memory_unlock(l);
}

/* Where the next piece is, in one frame. -ENOENT. */
static int piece(struct memory_locked l, uint64_t gpa, unsigned right, mfn_t *mfn)
{
    unsigned rights;
    uint64_t nr;
    int err = memory_find(l, gfn_of(gpa >> FRAME_LG2), 1, mfn, &nr, &rights);

    return err || rights & right ? err : -ENOENT;
}

static size_t length(uint64_t gpa, size_t size)
{
    const size_t rest = FRAME_SIZE - gpa % FRAME_SIZE;

    return size < rest ? size : rest;
}

/* To `to`, or if that is NULL, from `from`. */
static int access(struct memory *m, uint64_t gpa, char *to, const char *from, size_t size)
{
    const struct sluice_port *port = m->frames->port;
    struct memory_locked l = memory_lock(m);
    int err = 0;
    mfn_t mfn;

    for (size_t at = 0, n; at < size && !err; at += n) {
        const unsigned offset = (gpa + at) % FRAME_SIZE;

        n = length(gpa + at, size - at);
        err = piece(l, gpa + at, to ? PT_READ : PT_WRITE, &mfn);
        if (!err && to)
            port->read_frame(port->host, mfn, offset, to + at, n);
        else if (!err)
            port->write_frame(port->host, mfn, offset, from + at, n);
    }
    memory_unlock(l);
    return err;
}

int memory_read(struct memory *m, uint64_t gpa, void *to, size_t size)
{
    return access(m, gpa, to, NULL, size);
}

int memory_write(struct memory *m, uint64_t gpa, const void *from, size_t size)
{
    return access(m, gpa, NULL, from, size);
}
