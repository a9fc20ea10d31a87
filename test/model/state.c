/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's life, and finding things in it. */
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool complain(struct ghost *g, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(g->error, sizeof(g->error), format, args);
    va_end(args);
    return false;
}

const char *ghost_error(const struct ghost *g)
{
    return g->error;
}

static struct sluice_region *copy_regions(const struct sluice_region *from, unsigned nr)
{
    struct sluice_region *to = must_alloc(NULL, nr, sizeof(*to));

    if (nr)
        memcpy(to, from, nr * sizeof(*to));
    return to;
}

static uint64_t count_frames(const struct ghost *g)
{
    struct sluice_frame_info info;
    uint64_t nr = 0;

    while (!sluice_frame_info(g->sluice, mfn_of(nr), &info))
        nr++;
    return nr;
}

struct ghost *ghost_create(struct machine *m, const struct machine_config *config)
{
    struct ghost *g = calloc(1, sizeof(*g));
    unsigned bits = config->iova_bits ? config->iova_bits : 48;

    if (!g)
        return NULL;
    g->m = m;
    g->sluice = machine_sluice(m);
    g->blocked = config->blocked;
    g->no_iommu = config->no_iommu;
    g->no_intremap = config->no_intremap;
    g->allow_unsafe = config->allow_unsafe;
    g->coarse = config->backend && config->backend != &soft_backend;
    g->write_implies_read = config->format == PT_FORMAT_X86 || config->format == PT_FORMAT_LPAE1;
    g->nr_units = config->nr_units ? config->nr_units : 1;
    g->max_dfn = ((uint64_t)1 << (bits - FRAME_LG2)) - 1;
    g->holes = copy_regions(config->holes, config->nr_holes);
    g->nr_holes = config->nr_holes;
    doorbells_begin(g, config);
    g->machine_frames = count_frames(g);
    return g;
}

static void ctx_free(struct ghost_ctx *ctx)
{
    pages_free(&ctx->pages);
    pages_free(&ctx->pending);
}

static void free_domain(struct ghost_domain *d)
{
    for (unsigned i = 0; i <= d->max_ctx_no; i++)
        ctx_free(&d->ctx[i]);
    for (unsigned i = 0; i < d->nr_controls; i++)
        free(d->controls[i]);
    pages_free(&d->memory);
    pages_free(&d->explicit);
    pages_free(&d->replaced);
    pages_free(&d->lost);
    pages_free(&d->shown);
    free(d->controls);
    free(d->holes);
    free(d->name);
    free(d->ctx);
    free(d);
}

void ghost_destroy(struct ghost *g)
{
    if (!g)
        return;
    for (unsigned i = 0; i < g->nr_domains; i++)
        free_domain(g->domains[i]);
    for (unsigned i = 0; i < g->nr_devices; i++) {
        free(g->devices[i]->regions);
        free(g->devices[i]->name);
        free(g->devices[i]);
    }
    free(g->domains);
    free(g->devices);
    free(g->frames);
    free(g->touched);
    for (unsigned i = 0; i < g->nr_servers; i++)
        free(g->servers[i].owed);
    free(g->servers);
    free(g->tuples);
    free(g->holes);
    free(g);
}

void ghost_allow_failure(struct ghost *g)
{
    g->may_fail = true;
}

void event_begins(struct ghost *g, long status)
{
    struct machine_stats stats;

    pending_learn(g);
    viommus_learn(g);
    if (!g->may_fail)
        return;
    machine_stats(g->m, &stats);
    g->eio |= status == -EIO;
    g->failed |= g->eio || stats.lost_frames || machine_failed(g->m);
}

struct ghost_domain *find_domain(const struct ghost *g, uint16_t domid)
{
    for (unsigned i = 0; i < g->nr_domains; i++) {
        if (g->domains[i]->domid == domid)
            return g->domains[i];
    }
    return NULL;
}

struct ghost_device *find_device(const struct ghost *g, const struct machine_device *dev)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (g->devices[i]->machine == dev)
            return g->devices[i];
    }
    return NULL;
}

struct ghost_device *find_requester(const struct ghost *g, rid_t rid)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        struct ghost_device *dev = g->devices[i];

        for (unsigned k = 0; k < dev->nr_rids; k++) {
            if (!dev->exposed && dev->rids[k].n == rid.n)
                return dev;
        }
    }
    return NULL;
}

struct ghost_ctx *find_ctx(const struct ghost_domain *d, uint16_t ctx_no)
{
    return ctx_no <= d->max_ctx_no && d->ctx[ctx_no].exists ? &d->ctx[ctx_no] : NULL;
}

bool ctx_is_explicit(const struct ghost_domain *d, uint16_t ctx_no)
{
    const struct ghost_ctx *ctx = find_ctx(d, ctx_no);

    return ctx && ctx_no && !ctx->identity && !ctx->nested;
}

static struct sluice_domain *real_domain(const struct ghost *g, uint16_t domid)
{
    struct machine_domain *d;

    for (unsigned i = 0; (d = machine_domain_at(g->m, i)) != NULL; i++) {
        if (machine_domain_domid(d) == domid)
            return machine_domain_sluice(d);
    }
    return NULL;
}

static bool in_hole(const struct sluice_region *holes, unsigned nr, uint64_t gfn)
{
    for (unsigned i = 0; i < nr; i++) {
        if (gfn >= holes[i].first >> FRAME_LG2 && gfn <= holes[i].last >> FRAME_LG2)
            return true;
    }
    return false;
}

/* Which of the gfns that the domain was to get have memory is fixed by the holes. */
static bool learn_initial(struct ghost *g, struct ghost_domain *d)
{
    for (uint64_t gfn = 0; gfn < d->end; gfn++) {
        mfn_t mfn;
        bool there = !sluice_memory_lookup(d->real, gfn_of(gfn), &mfn);
        bool hole = in_hole(d->holes, d->nr_holes, gfn);
        bool perhaps = in_hole(g->holes, g->nr_holes, gfn) ||
                       (gfn >= MSI_FIRST && gfn <= MSI_LAST) ||
                       (g->coarse && gfn < 0x100); /* a PC's first MiB, where gfn is mfn */

        if (there && hole)
            return complain(g, "%s: gfn 0x%jx lies in a hole and has memory", d->name,
                            (uintmax_t)gfn);
        if (!there && !hole && !perhaps)
            return complain(g, "%s: gfn 0x%jx has no memory", d->name, (uintmax_t)gfn);
        if (there && !memory_learn(g, d, gfn, 1))
            return false;
    }
    return true;
}

static uint32_t budget(uint32_t configured)
{
    if (configured == MACHINE_NONE)
        return 0;
    return configured ? configured : SLUICE_NO_LIMIT;
}

static struct ghost_domain *new_domain(const struct ghost *g,
                                       const struct machine_domain_config *config)
{
    struct ghost_domain *d = memset(must_alloc(NULL, 1, sizeof(*d)), 0, sizeof(*d));
    uint16_t contexts = config->max_ctx_no ? config->max_ctx_no : 15;
    size_t size = (size_t)(contexts + 1) * sizeof(*d->ctx);

    d->real = real_domain(g, config->domid);
    d->domid = config->domid;
    d->max_ctx_no = contexts;
    d->name = strdup(config->name);
    d->hardware = config->hardware;
    d->direct_mapped = config->direct_mapped;
    d->trusted = config->hardware || config->trusted;
    d->budget_contexts = budget(config->budget_contexts);
    d->budget_tables = budget(config->budget_tables);
    d->budget_refs = budget(config->budget_refs);
    d->holes = copy_regions(config->holes, config->nr_holes);
    d->nr_holes = config->nr_holes;
    d->end = config->mem >> FRAME_LG2;
    d->controls = must_alloc(NULL, config->nr_controls, sizeof(*d->controls));
    d->nr_controls = config->nr_controls;
    for (unsigned i = 0; i < d->nr_controls; i++)
        d->controls[i] = strdup(config->controls[i]);
    d->ctx = memset(must_alloc(NULL, 1, size), 0, size);
    d->ctx[0] = (struct ghost_ctx){.exists = true, .identity = !g->blocked};
    return d;
}

static void learn_space(const struct ghost *g, struct ghost_domain *d,
                        const struct machine_domain_config *config)
{
    d->space = config->space;
    d->ctx[0].identity &= !space_has_window(d);
    if (!g->no_iommu && d->space == SLUICE_SPACE_RELAXED)
        d->window = config->window;
}

bool ghost_domain_added(struct ghost *g, const struct machine_domain_config *config, int status)
{
    struct ghost_domain *d;

    event_begins(g, status);
    if (status == -EIO) {
        spaces_learn(g);
        spaces_refresh(g);
    }
    if (status)
        return true;
    if (find_domain(g, config->domid))
        return complain(g, "a second domain %u", config->domid);
    d = new_domain(g, config);
    g->domains = must_alloc(g->domains, g->nr_domains + 1, sizeof(*g->domains));
    g->domains[g->nr_domains++] = d;
    if (!d->real)
        return complain(g, "%s: added, but the machine has no such domain", d->name);
    learn_space(g, d, config);
    if (!learn_initial(g, d))
        return false;
    spaces_refresh(g);
    return true;
}

bool ghost_domain_destroyed(struct ghost *g, uint16_t domid, int status)
{
    struct ghost_domain *d = find_domain(g, domid);
    bool right;

    if (d)
        d->gone = true;
    event_begins(g, status);
    if (!d)
        return status ? true : complain(g, "domain %u destroyed, but it was not there", domid);
    if (status && !is_injected(g, status))
        return complain(g, "%s: destruction gave %d", d->name, status);
    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (g->devices[i]->domain == d && !g->devices[i]->pasid)
            group_move(g, g->devices[i], NULL, 0); /* pairs are behind it */
    }
    for (unsigned i = 0; i <= d->max_ctx_no; i++)
        ctx_empty(g, d, (uint16_t)i);
    space_empty(g, d);
    right = memory_forget(g, d, 0, UINT64_MAX, true);
    servers_end(g, domid);
    for (unsigned i = 0; i < g->nr_domains; i++) {
        if (g->domains[i] == d)
            g->domains[i] = g->domains[--g->nr_domains];
    }
    free_domain(d);
    if (g->failed)
        spaces_learn(g);
    spaces_refresh(g);
    return right;
}
