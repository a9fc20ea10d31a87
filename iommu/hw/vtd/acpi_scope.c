/* SPDX-License-Identifier: BSD-2-Clause */
/* Device scopes of DMAR structures (8.3.1). */
#include "acpi_internal.h"

/* The scope at *at, which moves on. False: no more, or *broken. */
static bool next_scope(const struct parser *p, const struct structure *s, uint32_t *at,
                       struct dmar_scope *out, bool *broken)
{
    const uint32_t left = s->at + s->size - *at;
    uint32_t size;

    *broken = false;
    if (!left)
        return false;
    *broken = true;
    if (left < DMAR_SCOPE_PATH)
        return false;
    size = p->table[*at + DMAR_SCOPE_SIZE];
    if (size < DMAR_SCOPE_PATH + 2 || size > left || size % 2)
        return false;
    *broken = false;
    *out = (struct dmar_scope){
        .type = (enum dmar_scope_type)p->table[*at + DMAR_SCOPE_TYPE],
        .id = p->table[*at + DMAR_SCOPE_ID],
        .bus = p->table[*at + DMAR_SCOPE_BUS],
        .nr_hops = (uint8_t)((size - DMAR_SCOPE_PATH) / 2),
        .path = p->table + *at + DMAR_SCOPE_PATH,
    };
    *at += size;
    return true;
}

static bool same_scope(const struct dmar_scope *a, const struct dmar_scope *b)
{
    return a->type == b->type && a->id == b->id && a->bus == b->bus && a->nr_hops == b->nr_hops &&
           !memcmp(a->path, b->path, a->nr_hops * (size_t)2);
}

/* Does one of the first scopes of the structure, those before `end`, name the same device? */
static bool has_scope(const struct parser *p, const struct structure *s, uint32_t end,
                      const struct dmar_scope *scope)
{
    uint32_t at = s->at + dmar_scopes_offset(s->type);
    struct dmar_scope other;
    bool broken;

    while (at < end && next_scope(p, s, &at, &other, &broken))
        if (same_scope(&other, scope))
            return true;
    return false;
}

/* Is the scope at `at` of the unit s that of an earlier unit too, or named twice? */
static bool overlaps(const struct parser *p, const struct structure *s, uint32_t at,
                     const struct dmar_scope *scope)
{
    struct structure other = {0};

    while (dmar_next_structure(p, &other) && other.at < s->at)
        if (other.type == DMAR_DRHD && dmar_segment(p, &other) == dmar_segment(p, s) &&
            dmar_unit_is_usable(p, &other) && has_scope(p, &other, other.at + other.size, scope))
            return true;
    return has_scope(p, s, at, scope);
}

static int show_scope(const struct parser *p, const struct structure *s, uint32_t at,
                      enum dmar_owner owner, const struct dmar_scope *scope)
{
    if (scope->type < DMAR_SCOPE_ENDPOINT || scope->type > DMAR_SCOPE_NAMESPACE)
        return dmar_quirk(p, DMAR_QUIRK_SCOPE_BROKEN, at);
    if (owner == DMAR_OWNER_UNIT && overlaps(p, s, at, scope))
        return dmar_quirk(p, DMAR_QUIRK_SCOPE_OVERLAP, at);
    return p->v->scope(p->v->arg, owner, scope);
}

int dmar_show_scopes(const struct parser *p, const struct structure *s, enum dmar_owner owner)
{
    uint32_t at = s->at + dmar_scopes_offset(s->type), here = at;
    struct dmar_scope scope;
    bool broken;

    while (next_scope(p, s, &at, &scope, &broken)) {
        int err = show_scope(p, s, here, owner, &scope);

        if (err)
            return err;
        here = at;
    }
    return broken ? dmar_quirk(p, DMAR_QUIRK_SCOPE_BROKEN, at) : 0;
}

int dmar_resolve(const struct dmar_scope *scope, uint16_t segment, dmar_secondary secondary,
                 void *arg, rid_t *rid)
{
    uint8_t bus = scope->bus;

    for (size_t i = 0; i < scope->nr_hops; i++) {
        const uint8_t device = scope->path[2 * i], function = scope->path[2 * i + 1];
        int err;

        if (device > 31 || function > 7)
            return -EINVAL;
        *rid = rid_of(segment, bus, (uint8_t)(device << 3 | function));
        if (i + 1u == scope->nr_hops)
            return 0;
        err = secondary(arg, *rid, &bus);
        if (err)
            return err;
    }
    return -EINVAL;
}
