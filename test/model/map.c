/* SPDX-License-Identifier: BSD-2-Clause */
/* map_pages and map_list: page by page, in units of pgsize, with an exact count. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

struct map {
    struct ghost_domain *d;
    struct ghost_ctx *ctx;
    struct pv_iommu_map_pages in;
    uint64_t unit; /* frames a page */
    uint8_t span;
    bool list; /* the gfns are these, not neighbours */
    const uint64_t *gfns;
    uint64_t nr_gfns;
};

static uint64_t gfn_of_page(const struct map *m, uint64_t i)
{
    return m->list ? m->gfns[i] : m->in.gfn + i * m->unit;
}

static uint64_t gfn_of_frame(const struct map *m, uint64_t i)
{
    return gfn_of_page(m, i / m->unit) + i % m->unit;
}

static uint8_t lg2_of(uint64_t size)
{
    uint8_t lg2 = 0;

    while (size >>= 1)
        lg2++;
    return lg2;
}

static bool size_is_good(const struct ghost_domain *d, uint32_t size)
{
    return size && !(size & (size - 1)) && page_sizes(d) & size;
}

static void judge_range(struct verdict *v, const struct ghost *g, const struct map *m, long status)
{
    uint64_t nr = m->unit * m->in.nr_pages, last = m->in.dfn + nr - 1;

    may_if(v, m->in.dfn & (m->unit - 1), -EINVAL);
    may_if(v, !m->list && m->in.gfn & (m->unit - 1), -EINVAL);
    may_if(v, last < m->in.dfn, -EINVAL);
    may_if(v, !m->list && m->in.gfn + nr - 1 < m->in.gfn, -EINVAL);
    may_if(v, m->in.dfn > g->max_dfn || last > g->max_dfn, -ERANGE);
    if (last < m->in.dfn)
        return;
    may_if(v, m->in.dfn <= MSI_LAST && last >= MSI_FIRST, -EADDRNOTAVAIL);
    may_if(v, region_touches(g, m->d, m->in.ctx_no, m->in.dfn, last), -EADDRNOTAVAIL);
    may_if(v, status == -EADDRNOTAVAIL && leftover_touches(g, m->in.dfn, last), -EADDRNOTAVAIL);
}

/* What is checked before anything is mapped. */
static struct verdict judge_arguments(const struct ghost *g, struct map *m, long status)
{
    const uint32_t known = IOMMU_MAP_readable | IOMMU_MAP_writeable | IOMMU_MAP_cache;
    struct verdict v = {0};

    may_if(&v, !ctx_is_explicit(m->d, m->in.ctx_no), -EINVAL);
    may_if(&v, m->in.map_flags & ~known, -EINVAL);
    may_if(&v, !(m->in.map_flags & (IOMMU_MAP_readable | IOMMU_MAP_writeable)), -EINVAL);
    if (m->in.map_flags & IOMMU_MAP_cache)
        may_if(&v, g->can_cache == NO || (g->can_cache == UNKNOWN && status == -EOPNOTSUPP),
               -EOPNOTSUPP);
    may_if(&v, !m->in.nr_pages || !size_is_good(m->d, m->in.pgsize), -EINVAL);
    m->span = lg2_of(m->in.pgsize);
    m->unit = m->in.pgsize >> FRAME_LG2;
    if (m->unit && m->in.nr_pages)
        judge_range(&v, g, m, status);
    return v;
}

static int frame_verdict(const struct map *m, uint64_t gfn)
{
    const struct page *memory = pages_at(&m->d->memory, gfn);

    if (!memory)
        return -ENOENT;
    if (!memory->attr || (m->in.map_flags & IOMMU_MAP_writeable && !(memory->attr & PT_WRITE)))
        return -EPERM;
    return 0;
}

/* What stands against page i when those before it are mapped. */
static struct verdict judge_page(const struct map *m, uint64_t i)
{
    uint64_t dfn = m->in.dfn + i * m->unit, gfn;
    struct verdict v = {0};

    if (m->list && i >= m->nr_gfns) {
        may(&v, -EFAULT);
        return v;
    }
    gfn = gfn_of_page(m, i);
    may_if(&v, gfn & (m->unit - 1), -EINVAL);
    may_if(&v, pages_count(&m->ctx->pages, dfn, dfn + m->unit - 1), -EINVAL);
    may_if(&v, m->d->refs + (i + 1) * m->unit > m->d->budget_refs, -ENOMEM);
    may_if(&v, gfn >> (64 - FRAME_LG2), -EINVAL);
    for (uint64_t k = 0; k < m->unit && v.nr < 3; k++) {
        int status = frame_verdict(m, gfn + k);

        may_if(&v, status != 0, status);
    }
    return v;
}

static bool retired_there(const struct ghost *g, const struct map *m, uint64_t i)
{
    return any_retired(g, m->d, m->in.ctx_no, m->in.dfn + i * m->unit, m->unit);
}

static unsigned attr_of(uint32_t flags)
{
    return (flags & IOMMU_MAP_readable ? PT_READ : 0) |
           (flags & IOMMU_MAP_writeable ? PT_WRITE : 0) | (flags & IOMMU_MAP_cache ? PT_SNOOP : 0);
}

static int note_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct pages *pages = arg;
    uint64_t first = leaf->dfn.n & ~(((uint64_t)1 << (leaf->lg2 - FRAME_LG2)) - 1);
    uint64_t nr = (uint64_t)1 << (leaf->lg2 - FRAME_LG2);

    for (size_t i = pages_from(pages, first); i < pages->nr && pages->at[i].dfn - first < nr; i++)
        pages->at[i].leaf = leaf->lg2;
    return 0;
}

static void add_pages(struct ghost *g, const struct map *m, uint64_t mapped)
{
    uint64_t nr = mapped * m->unit;
    struct page *new = must_alloc(NULL, nr, sizeof(*new));

    for (uint64_t i = 0; i < nr; i++) {
        uint64_t gfn = gfn_of_frame(m, i);

        new[i] = (struct page){.dfn = m->in.dfn + i,
                               .gfn = gfn,
                               .mfn = pages_at(&m->d->memory, gfn)->mfn,
                               .attr = (uint8_t)attr_of(m->in.map_flags),
                               .span = m->span,
                               .leaf = FRAME_LG2};
        frame_ref(g, new[i].mfn);
    }
    pages_insert(&m->ctx->pages, new, nr);
    m->d->refs += nr;
    free(new);
    if (nr && m->span > FRAME_LG2)
        sluice_context_walk(m->d->real, m->in.ctx_no, dfn_of(m->in.dfn), dfn_of(m->in.dfn + nr - 1),
                            note_leaf, &m->ctx->pages);
}

/* A flush that failed may hold on to frames of the part that was taken back. */
static void loosen_rest(struct ghost *g, const struct map *m, uint64_t mapped, uint64_t end)
{
    for (uint64_t i = mapped * m->unit; i < end * m->unit; i++)
        frame_loosen(g, pages_at(&m->d->memory, gfn_of_frame(m, i))->mfn);
}

static bool judge_end(struct ghost *g, const struct map *m, uint64_t mapped, uint64_t fit,
                      struct verdict *stop, long status)
{
    if (mapped > fit)
        return complain(g, "map_pages: mapped=%ju, but only %ju can be", (uintmax_t)mapped,
                        (uintmax_t)fit);
    if (mapped < fit) {
        struct verdict early = {0};

        may_if(&early, status == -ENOMEM && tables_may_lack(g, m->d, PT_MAX_LEVELS + m->unit / 512),
               -ENOMEM);
        may_if(&early, status == -EINVAL && retired_there(g, m, mapped), -EINVAL);
        if (allows(&early, status) || is_injected(g, status))
            return true;
        return complain(g, "map_pages: mapped=%ju with status %ld; %ju can be", (uintmax_t)mapped,
                        status, (uintmax_t)fit);
    }
    if (fit < m->in.nr_pages)
        may_if(stop, status == -ENOMEM && tables_may_lack(g, m->d, PT_MAX_LEVELS + m->unit / 512),
               -ENOMEM);
    return judge(g, stop, status, "map_pages");
}

/* The arguments of both lie alike, but for where the gfns are. */
static bool called_any(struct ghost *g, const struct inner_call *c, bool list)
{
    struct pv_iommu_map_pages out;
    struct map m = {.d = c->d, .list = list, .gfns = c->gfns, .nr_gfns = c->nr_gfns};
    struct verdict v;
    uint64_t fit;

    memcpy(&m.in, c->in, sizeof(m.in));
    memcpy(&out, c->out, sizeof(out));
    v = judge_arguments(g, &m, c->status);
    if (v.nr && out.mapped)
        return complain(g, "map_pages: mapped=%u of a bad range", out.mapped);
    if (v.nr)
        return judge(g, &v, c->status, "map_pages");
    m.ctx = find_ctx(m.d, m.in.ctx_no);
    for (fit = 0; fit < m.in.nr_pages; fit++) {
        v = judge_page(&m, fit);
        if (v.nr)
            break;
    }
    if (!judge_end(g, &m, out.mapped, fit, &v, c->status))
        return false;
    add_pages(g, &m, out.mapped);
    if (c->status == -EIO)
        loosen_rest(g, &m, out.mapped, fit);
    return true;
}

bool called_map(struct ghost *g, const struct inner_call *c)
{
    return called_any(g, c, false);
}

bool called_map_list(struct ghost *g, const struct inner_call *c)
{
    return called_any(g, c, true);
}
