/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests: what a processor keeps first, without the lock, and the space after that. */
#include "iova_cache.h"

#define LAST_OF_32_BITS UINT64_C(0xfffff)

static void lock(const struct iova_space *s)
{
    s->config.host->lock(s->config.host->arg);
}

static void unlock(const struct iova_space *s)
{
    s->config.host->unlock(s->config.host->arg);
}

static bool has_sense(const struct iova_config *c)
{
    return c->first <= c->last && c->last < IOVA_FRAMES && c->nr_ranges &&
           c->nr_ranges != IOVA_NONE && c->nr_buckets && !(c->nr_buckets & (c->nr_buckets - 1));
}

int iova_init(struct iova_space *s, const struct iova_config *config)
{
    *s = (struct iova_space){.config = *config, .free = IOVA_NONE, .free_block = IOVA_NONE};
    if (!s->config.first && !s->config.use_zero)
        s->config.first = 1;
    if (!s->config.last_low)
        s->config.last_low = LAST_OF_32_BITS;
    /* All of it is low, so a limit that is not says nothing: the quick way is the right one. */
    if (s->config.last <= s->config.last_low)
        s->config.last_low = UINT64_MAX;
    if (!has_sense(&s->config))
        return -EINVAL;
    s->bucket_shift = 63 - (unsigned)__builtin_ctz(config->nr_buckets);
    for (uint32_t b = 0; b < config->nr_buckets; b++)
        config->buckets[b] = IOVA_NONE;
    iova_tree_init(s);
    return 0;
}

/* ---- What the processor keeps ------------------------------------------------------------------
 */

/* NULL: it keeps no such ranges. */
static inline struct iova_cpu *keeper(const struct iova_space *s, uint32_t cpu, uint64_t nr)
{
    return cpu < s->config.nr_cpus && nr - 1 < IOVA_KEPT ? &s->config.cpus[cpu] : NULL;
}

static inline struct iova_magazine *magazine(const struct iova_space *s, struct iova_cpu *c,
                                             uint64_t last, uint64_t nr)
{
    return &c->kept[nr - 1][iova_zone(s, last)];
}

static struct iova_depot *depot(struct iova_space *s, uint64_t last, uint64_t nr)
{
    return &s->depot[iova_zone(s, last)][nr - 1];
}

static inline bool suits(const struct iova_range *r, const struct iova_want *want)
{
    return iova_last(r) <= want->limit && (!want->aligned || !(iova_first(r) & (want->nr - 1)));
}

/* Either way, the entry is gone if what it names suits: it was reclaimed if it was not taken. */
static inline bool take_entry(const struct iova_space *s, struct iova_magazine *m, uint32_t k,
                              const struct iova_want *want, uint64_t *first)
{
    const uint32_t top = m->nr - 1;
    const uint64_t entry = m->entry[k];
    struct iova_range *r = iova_entry_range(s, entry);
    bool taken;

    if (!suits(r, want))
        return false;
    taken = iova_turn(r, iova_entry_word(entry), IOVA_LIVE);
    if (k != top)
        iova_set_entry(m, k, m->entry[top]);
    iova_set_nr(m, top);
    *first = iova_first(r);
    return taken;
}

/* The youngest that suits. On the way, what was reclaimed is forgotten. */
static bool take_kept(const struct iova_space *s, struct iova_magazine *m,
                      const struct iova_want *want, uint64_t *first)
{
    for (uint32_t k = m->nr; k-- > 0;)
        if (take_entry(s, m, k, want, first))
            return true;
    return false;
}

/* False: range i, if there is one, is not live, or not this one, or there is no room for it. */
static inline bool keep(const struct iova_space *s, struct iova_cpu *c, uint32_t i, uint64_t first,
                        uint64_t nr)
{
    const uint64_t last = first + nr - 1;
    struct iova_magazine *m = magazine(s, c, last, nr);
    const uint32_t top = m->nr;
    struct iova_range *r;
    uint32_t word;

    if (i == IOVA_NONE || top == IOVA_MAGAZINE)
        return false;
    r = &s->config.ranges[i];
    word = iova_word(r);
    if ((word & IOVA_STATE) != IOVA_LIVE || iova_first(r) != first || iova_last(r) != last ||
        !iova_turn(r, word, IOVA_KEPT_CPU))
        return false;
    iova_set_entry(m, top, iova_entry(i, iova_next_word(word, IOVA_KEPT_CPU)));
    iova_set_nr(m, top + 1);
    return true;
}

/* ---- The space ---------------------------------------------------------------------------------
 */

static int take_new(struct iova_space *s, const struct iova_want *want, uint64_t *first)
{
    uint32_t i;

    if (!iova_tree_place(s, want, first))
        return -ENOSPC;
    i = iova_range_take(s, *first, *first + want->nr - 1);
    if (i == IOVA_NONE)
        return -ENOMEM;
    iova_tree_insert(s, *first, *first + want->nr - 1);
    iova_range_enter(s, i);
    s->frames += want->nr;
    if (++s->taken > s->peak)
        s->peak = s->taken;
    return 0;
}

static int take(struct iova_space *s, struct iova_cpu *c, const struct iova_want *want,
                uint64_t *first)
{
    struct iova_magazine *m = c ? magazine(s, c, want->limit, want->nr) : NULL;
    int err;

    if (m && !m->nr) {
        iova_refill(s, m, depot(s, want->limit, want->nr));
        if (take_kept(s, m, want, first))
            return 0;
    }
    err = take_new(s, want, first);
    if (err && iova_reclaim(s))
        err = take_new(s, want, first);
    return err;
}

/* nr is 1 or more. */
static inline unsigned order_of(uint64_t nr)
{
    return 63 - (unsigned)__builtin_clzll(2 * nr - 1);
}

uint64_t iova_frames(uint64_t nr, unsigned flags)
{
    if (!nr || nr > IOVA_FRAMES)
        return 0;
    return flags & IOVA_ALIGNED ? UINT64_C(1) << order_of(nr) : nr;
}

/* -ENOSPC: there cannot be room. */
static int check(const struct iova_space *s, const struct iova_request *request,
                 struct iova_want *want)
{
    const uint64_t last = s->config.last;

    if (!request->nr || request->flags & ~IOVA_ALIGNED)
        return -EINVAL;
    *want = (struct iova_want){.nr = iova_frames(request->nr, request->flags),
                               .limit = request->limit < last ? request->limit : last,
                               .aligned = request->flags == IOVA_ALIGNED};
    if (!want->nr || want->limit < s->config.first || want->nr > want->limit - s->config.first + 1)
        return -ENOSPC;
    return 0;
}

static __attribute__((noinline)) int alloc_slow(struct iova_space *s, uint32_t cpu,
                                                const struct iova_request *request, uint64_t *first)
{
    struct iova_want want;
    struct iova_cpu *c;
    int err = check(s, request, &want);

    if (err)
        return err;
    c = keeper(s, cpu, want.nr);
    if (c && take_kept(s, magazine(s, c, want.limit, want.nr), &want, first))
        return 0;
    lock(s);
    err = take(s, c, &want, first);
    unlock(s);
    return err;
}

/* The youngest of its size is what most requests get. */
int iova_alloc(struct iova_space *s, uint32_t cpu, const struct iova_request *request,
               uint64_t *first)
{
    struct iova_want want = {
        .nr = request->nr, .limit = request->limit, .aligned = request->flags == IOVA_ALIGNED};
    struct iova_cpu *c = keeper(s, cpu, want.nr);
    struct iova_magazine *m;

    if (!c || request->flags & ~IOVA_ALIGNED)
        return alloc_slow(s, cpu, request, first);
    if (want.aligned)
        want.nr = UINT64_C(1) << order_of(want.nr);
    m = magazine(s, c, want.limit, want.nr);
    if (m->nr && take_entry(s, m, m->nr - 1, &want, first))
        return 0;
    return alloc_slow(s, cpu, request, first);
}

/* The lock is held. */
static int put_back(struct iova_space *s, uint64_t first, uint64_t nr)
{
    struct iova_range *r;
    uint32_t i, word;

    __builtin_prefetch(iova_bucket(s, first));
    iova_tree_approach(s, first);
    i = iova_range_find(s, first);
    if (i == IOVA_NONE)
        return -ENOENT;
    r = &s->config.ranges[i];
    word = iova_word(r);
    if ((word & IOVA_STATE) != IOVA_LIVE || iova_size(r) != nr || !iova_turn(r, word, IOVA_FREE))
        return -ENOENT;
    iova_return(s, i);
    return 0;
}

static void make_room(struct iova_space *s, struct iova_cpu *c, uint64_t last, uint64_t nr)
{
    struct iova_magazine *m = magazine(s, c, last, nr);

    if (m->nr == IOVA_MAGAZINE)
        iova_spill(s, m, depot(s, last, nr));
}

static int free_locked(struct iova_space *s, struct iova_cpu *c, uint64_t first, uint64_t nr)
{
    if (!c)
        return put_back(s, first, nr);
    make_room(s, c, first + nr - 1, nr);
    return keep(s, c, iova_range_find(s, first), first, nr) ? 0 : -ENOENT;
}

static __attribute__((noinline)) int free_slow(struct iova_space *s, struct iova_cpu *c,
                                               uint64_t first, uint64_t nr)
{
    int err;

    if (c && keep(s, c, iova_range_look(s, first), first, nr))
        return 0;
    lock(s);
    err = free_locked(s, c, first, nr);
    unlock(s);
    return err;
}

/* Most ranges are the first of their bucket. */
int iova_free(struct iova_space *s, uint32_t cpu, uint64_t first, uint64_t nr)
{
    struct iova_cpu *c = keeper(s, cpu, nr);

    if (c && keep(s, c, iova_range_head(s, first), first, nr))
        return 0;
    return free_slow(s, c, first, nr);
}

/* Kept ranges and live ones are told apart while processors run, so it is about a moment past. */
void iova_stats(struct iova_space *s, struct iova_stats *out)
{
    lock(s);
    *out = (struct iova_stats){.kept = iova_kept(s), .frames = s->frames, .peak = s->peak};
    out->live = s->taken - out->kept;
    unlock(s);
}
