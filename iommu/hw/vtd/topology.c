/* SPDX-License-Identifier: BSD-2-Clause */
/* From DMAR and the bus numbers of bridges to a table that answers without either. */
#include "topology.h"

#define NOBODY UINT8_MAX

_Static_assert(VTD_TOPOLOGY_UNITS < NOBODY && VTD_TOPOLOGY_RESERVED < NOBODY, "owner is a byte");

/* ---- Reading -----------------------------------------------------------------------------------
 */

struct reader {
    struct vtd_topology *t;
    const struct vtd_platform *platform;
    const uint8_t *dmar;
    /* Whose scopes are coming. */
    uint16_t segment;
    uint8_t owner;
};

static int quirk(void *arg, enum dmar_quirk q, uint32_t offset)
{
    const struct reader *r = arg;

    return r->platform->quirk(r->platform->arg, q, offset);
}

static bool is_reserved(void *arg, mfn_t first, mfn_t last)
{
    const struct reader *r = arg;

    return r->platform->is_reserved(r->platform->arg, first, last);
}

static unsigned unit_at(const struct vtd_topology *t, uint64_t base)
{
    unsigned i = 0;

    while (i < t->nr_units && t->unit[i].base != base)
        i++;
    return i;
}

/* Registers are started once, for one segment. */
static int unit(void *arg, const struct dmar_unit *u)
{
    struct reader *r = arg;
    struct vtd_topology *t = r->t;
    const unsigned i = unit_at(t, u->base);

    r->segment = u->segment;
    r->owner = NOBODY;
    if (i < t->nr_units && t->unit[i].segment != u->segment)
        return quirk(r, DMAR_QUIRK_UNIT_BASE, u->offset);
    if (i == VTD_TOPOLOGY_UNITS)
        return -ENOSPC;
    if (i == t->nr_units)
        t->unit[t->nr_units++] = (struct vtd_topology_unit){
            .base = u->base, .pages_lg2 = u->pages_lg2, .segment = u->segment};
    t->unit[i].include_all |= u->include_all;
    r->owner = (uint8_t)i;
    return 0;
}

static int reserved(void *arg, const struct dmar_reserved *m)
{
    struct reader *r = arg;
    struct vtd_topology *t = r->t;

    if (t->nr_reserved == VTD_TOPOLOGY_RESERVED)
        return -ENOSPC;
    r->segment = m->segment;
    r->owner = (uint8_t)t->nr_reserved;
    t->reserved[t->nr_reserved++] = *m;
    return 0;
}

/* Nothing here lets a device translate by itself. */
static int ats(void *arg, const struct dmar_ats *a)
{
    (void)arg;
    (void)a;
    return 0;
}

/* Buses below a bridge have higher numbers than the bus that it is on: nothing else can be reached,
 * and no path goes in circles. */
static int buses(const struct reader *r, rid_t bridge, uint8_t *secondary, uint8_t *subordinate)
{
    const uint8_t primary = (uint8_t)(bridge.n >> 8);
    int err = r->platform->buses(r->platform->arg, bridge, secondary, subordinate);

    if (err)
        return err;
    return *secondary > primary && *subordinate >= *secondary ? 0 : -EINVAL;
}

static int step(void *arg, rid_t bridge, uint8_t *bus)
{
    uint8_t subordinate;

    return buses(arg, bridge, bus, &subordinate);
}

static int resolve(struct reader *r, const struct dmar_scope *s, struct vtd_topology_scope *out)
{
    int err = dmar_resolve(s, r->segment, step, r, &out->at);

    if (!err && s->type == DMAR_SCOPE_BRIDGE)
        err = buses(r, out->at, &out->secondary, &out->subordinate);
    return err;
}

static int scope(void *arg, enum dmar_owner owner, const struct dmar_scope *s)
{
    struct reader *r = arg;
    struct vtd_topology *t = r->t;
    struct vtd_topology_scope out = {.type = (uint8_t)s->type,
                                     .id = s->id,
                                     .owner = r->owner,
                                     .of_unit = owner == DMAR_OWNER_UNIT};

    if (owner == DMAR_OWNER_ATS || r->owner == NOBODY || s->type == DMAR_SCOPE_NAMESPACE)
        return 0;
    if (resolve(r, s, &out))
        return quirk(r, DMAR_QUIRK_SCOPE_NOWHERE, (uint32_t)(s->path - r->dmar) - DMAR_SCOPE_PATH);
    if (t->nr_scopes == VTD_TOPOLOGY_SCOPES)
        return -ENOSPC;
    t->scope[t->nr_scopes++] = out;
    return 0;
}

int vtd_topology_read(struct vtd_topology *t, const void *dmar, size_t size,
                      const struct vtd_platform *platform)
{
    struct reader r = {.t = t, .platform = platform, .dmar = dmar};
    const struct dmar_visitor visitor = {&r, unit, reserved, ats, scope, is_reserved, quirk};
    int err;

    *t = (struct vtd_topology){0};
    err = dmar_parse(dmar, size, &visitor);
    if (err)
        *t = (struct vtd_topology){0};
    return err;
}

/* ---- Asking ------------------------------------------------------------------------------------
 */

static bool is_at(const struct vtd_topology_scope *s, rid_t rid)
{
    return s->type == DMAR_SCOPE_ENDPOINT && s->at.n == rid.n;
}

/* The bridge and all that is below it (8.3.1, PCI sub-hierarchy). */
static bool is_below(const struct vtd_topology_scope *s, rid_t rid)
{
    const uint8_t bus = (uint8_t)(rid.n >> 8);

    if (s->type != DMAR_SCOPE_BRIDGE || s->at.n >> 16 != rid.n >> 16)
        return false;
    return s->at.n == rid.n || (bus >= s->secondary && bus <= s->subordinate);
}

static int find_scope(const struct vtd_topology *t, rid_t rid,
                      bool (*covers)(const struct vtd_topology_scope *s, rid_t rid))
{
    for (unsigned i = 0; i < t->nr_scopes; i++)
        if (t->scope[i].of_unit && covers(&t->scope[i], rid))
            return t->scope[i].owner;
    return -ENODEV;
}

int vtd_topology_unit(const struct vtd_topology *t, rid_t rid)
{
    int unit_ = find_scope(t, rid, is_at);

    if (unit_ < 0)
        unit_ = find_scope(t, rid, is_below);
    for (unsigned i = 0; unit_ < 0 && i < t->nr_units; i++)
        if (t->unit[i].include_all && t->unit[i].segment == rid.n >> 16)
            return (int)i;
    return unit_;
}

static bool applies(const struct vtd_topology *t, unsigned index, rid_t rid)
{
    for (unsigned i = 0; i < t->nr_scopes; i++) {
        const struct vtd_topology_scope *s = &t->scope[i];

        if (!s->of_unit && s->owner == index && (is_at(s, rid) || is_below(s, rid)))
            return true;
    }
    return false;
}

bool vtd_topology_reserved(const struct vtd_topology *t, rid_t rid, unsigned *next,
                           struct dmar_reserved *out)
{
    while (*next < t->nr_reserved) {
        const unsigned index = (*next)++;

        if (!applies(t, index, rid))
            continue;
        *out = t->reserved[index];
        return true;
    }
    return false;
}

int vtd_topology_source(const struct vtd_topology *t, enum dmar_scope_type type, uint8_t id,
                        unsigned *unit_, rid_t *rid)
{
    for (unsigned i = 0; i < t->nr_scopes; i++) {
        const struct vtd_topology_scope *s = &t->scope[i];

        if (!s->of_unit || s->type != type || s->id != id)
            continue;
        *unit_ = s->owner;
        *rid = s->at;
        return 0;
    }
    return -ENODEV;
}
