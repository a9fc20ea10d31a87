/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain gives memory back and gets some. */
#include "state.h"

static bool range_is_bad(uint64_t gfn, uint64_t nr)
{
    return !nr || gfn + nr - 1 < gfn || (gfn + nr - 1) >> (64 - FRAME_LG2);
}

static uint64_t count_gfns(const struct ghost_domain *d, uint64_t gfn, uint64_t nr)
{
    return pages_count(&d->memory, gfn, gfn + nr - 1);
}

/* It stopped before its end: some frames may have been swapped, some emulators told. */
static bool interrupted(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t nr,
                        int status)
{
    for (uint64_t i = 0; i < nr; i++) {
        uint64_t mfn = pages_at(&d->memory, gfn + i)->mfn;

        frame_at(g, mfn)->leaving = status == -ERESTART;
        if (!tuples_leaving(g, d, mfn))
            return false;
    }
    return true;
}

bool ghost_ballooned(struct ghost *g, uint16_t domid, uint64_t gfn, uint64_t nr, int status)
{
    struct ghost_domain *d = find_domain(g, domid);
    struct verdict v = {0};
    bool right = true;
    uint64_t there;

    event_begins(g, status);
    if (!d)
        return complain(g, "ballooning of domain %u, which is not there", domid);
    if (range_is_bad(gfn, nr)) {
        may(&v, -EINVAL);
        may(&v, -ENOENT);
        return judge(g, &v, status, "a bad balloon range");
    }
    there = count_gfns(d, gfn, nr);
    may_if(&v, there != nr, -ENOENT);
    if (!v.nr)
        may_if(&v, status == -ENOMEM && tables_may_lack(g, d, PT_MAX_LEVELS), -ENOMEM);
    may_if(&v, !v.nr && status == -ERESTART && g->nr_servers, -ERESTART);
    if (!judge(g, &v, status, "balloon_out"))
        return false;
    if (!status || (status == -EIO && there == nr))
        right = memory_forget(g, d, gfn, nr, false);
    else if (there == nr)
        right = interrupted(g, d, gfn, nr, status);
    if (status)
        nested_learn(g, d);
    if (status == -EIO)
        spaces_learn(g);
    spaces_refresh(g);
    return right;
}

static bool identity_region_touches(const struct ghost *g, const struct ghost_domain *d,
                                    uint64_t gfn, uint64_t nr)
{
    for (unsigned i = 0; i <= d->max_ctx_no; i++) {
        if (d->ctx[i].exists && d->ctx[i].identity &&
            region_touches(g, d, (uint16_t)i, gfn, gfn + nr - 1))
            return true;
    }
    return false;
}

static bool too_few_frames(const struct ghost *g, const struct ghost_domain *d, uint64_t nr)
{
    struct machine_stats stats;

    machine_stats(g->m, &stats);
    return stats.free_frames < nr || tables_may_lack(g, d, nr);
}

/* A direct-mapped domain gets its own frames or none: some are still mapped, or somebody's. */
static bool populate_is_busy(const struct ghost *g, const struct ghost_domain *d, uint64_t gfn,
                             uint64_t nr)
{
    struct sluice_frame_info frame;

    for (uint64_t i = 0; i < nr; i++) {
        const mfn_t mfn = mfn_of(gfn + i);

        if (sluice_frame_info(g->sluice, mfn, &frame) || frame.refs || gfn + i >= d->end)
            return true;
    }
    return false;
}

bool ghost_populated(struct ghost *g, uint16_t domid, uint64_t gfn, uint64_t nr, int status)
{
    struct ghost_domain *d = find_domain(g, domid);
    struct verdict v = {0};

    event_begins(g, status);
    if (!d)
        return complain(g, "populating domain %u, which is not there", domid);
    if (range_is_bad(gfn, nr)) {
        may(&v, -EINVAL);
        may_if(&v, nr != 0, -ENOMEM);
        return judge(g, &v, status, "a bad populate range");
    }
    may_if(&v, count_gfns(d, gfn, nr) != 0, -EEXIST);
    may_if(&v, gfn <= MSI_LAST && gfn + nr - 1 >= MSI_FIRST, -EADDRNOTAVAIL);
    if (identity_region_touches(g, d, gfn, nr)) {
        may(&v, -EADDRNOTAVAIL);
        may(&v, -EEXIST);
        may(&v, -EBUSY);
    }
    may_if(&v, status == -EEXIST && leftover_touches(g, gfn, gfn + nr - 1), -EEXIST);
    may_if(&v, status == -EEXIST && any_retired(g, d, 0, gfn, nr), -EEXIST);
    may_if(&v, status == -EADDRNOTAVAIL && leftover_touches(g, gfn, gfn + nr - 1), -EADDRNOTAVAIL);
    may_if(&v, gfn + nr - 1 > g->max_dfn && (v.nr || status), -EINVAL);
    may_if(&v, gfn + nr - 1 > g->max_dfn && (v.nr || status), -ERANGE);
    if (d->direct_mapped) {
        may_if(&v, gfn + nr - 1 >= g->machine_frames, -EINVAL);
        may_if(&v, status == -EBUSY && populate_is_busy(g, d, gfn, nr), -EBUSY);
    }
    may_if(&v, status == -ENOMEM && too_few_frames(g, d, nr), -ENOMEM);
    if (!judge(g, &v, status, "populate"))
        return false;
    if (!status && !memory_learn(g, d, gfn, nr))
        return false;
    if (status == -EIO || any_retired(g, d, 0, gfn, nr))
        spaces_learn(g);
    spaces_refresh(g);
    return true;
}
