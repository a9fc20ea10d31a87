/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMAR (chapter 8). All offsets are into the table and were checked against its end before they are
 * used: structures by check_structures, scopes by next_scope in acpi_scope.c.
 */
#include "acpi_internal.h"

#define MSI_FIRST 0xfee00u /* frames of the interrupt window */
#define MSI_LAST  0xfeeffu

static uint64_t get(const struct parser *p, uint32_t at, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--)
        value = value << 8 | p->table[at + bytes];
    return value;
}

int dmar_quirk(const struct parser *p, enum dmar_quirk q, uint32_t at)
{
    return p->v->quirk(p->v->arg, q, at);
}

uint32_t dmar_scopes_offset(uint16_t type)
{
    switch (type) {
    case DMAR_DRHD:
        return DMAR_DRHD_SCOPES;
    case DMAR_RMRR:
        return DMAR_RMRR_SCOPES;
    case DMAR_ATSR:
    case DMAR_SATC:
        return DMAR_ATSR_SCOPES;
    }
    return DMAR_HEADER_SIZE;
}

/* ---- Structures --------------------------------------------------------------------------------
 */

static struct structure structure_at(const struct parser *p, uint32_t at)
{
    return (struct structure){at, (uint32_t)get(p, at + DMAR_SIZE, 2),
                              (uint16_t)get(p, at + DMAR_TYPE, 2)};
}

bool dmar_next_structure(const struct parser *p, struct structure *s)
{
    const uint32_t at = s->at ? s->at + s->size : DMAR_STRUCTURES;

    if (at == p->end)
        return false;
    *s = structure_at(p, at);
    return true;
}

static bool is_zero(const struct parser *p, uint32_t at)
{
    while (at < p->size && !p->table[at])
        at++;
    return at == p->size;
}

/* Sets p->end. Zeros to the end are padding; any other structure of size zero hides the rest. */
static int check_structures(struct parser *p)
{
    uint32_t at = DMAR_STRUCTURES;

    while (at < p->size && !is_zero(p, at)) {
        struct structure s;

        if (p->size - at < DMAR_HEADER_SIZE)
            return -EINVAL;
        s = structure_at(p, at);
        if (s.size < dmar_scopes_offset(s.type) || s.size > p->size - at)
            return -EINVAL;
        at += s.size;
    }
    p->end = at;
    return 0;
}

static int check_table(struct parser *p, size_t size)
{
    uint8_t sum = 0;

    if (size < DMAR_STRUCTURES || memcmp(p->table, "DMAR", 4) != 0)
        return -EINVAL;
    p->size = (uint32_t)get(p, DMAR_LENGTH, 4);
    if (p->size < DMAR_STRUCTURES || p->size > size)
        return -EINVAL;
    if (p->size > DMAR_MOST_BYTES)
        return -E2BIG;
    for (uint32_t i = 0; i < p->size; i++)
        sum = (uint8_t)(sum + p->table[i]);
    return sum ? -EINVAL : check_structures(p);
}

static uint64_t base_of(const struct parser *p, const struct structure *s)
{
    return get(p, s->at + DMAR_DRHD_BASE, 8);
}

uint16_t dmar_segment(const struct parser *p, const struct structure *s)
{
    return (uint16_t)get(p, s->at + DMAR_DRHD_SEGMENT, 2); /* at the same place in all */
}

bool dmar_unit_is_usable(const struct parser *p, const struct structure *s)
{
    const unsigned width = p->table[DMAR_WIDTH] + 1u;
    const uint64_t base = base_of(p, s);

    return base && !(base & (FRAME_SIZE - 1)) && (width >= 64 || !(base >> width));
}

/* ---- What the structures say -------------------------------------------------------------------
 */

static bool includes_all(const struct parser *p, const struct structure *s)
{
    return p->table[s->at + DMAR_DRHD_FLAGS] & DMAR_DRHD_INCLUDE_ALL;
}

/* A usable unit before `end` with this base (0: any), segment, and flag. */
static bool find_unit(const struct parser *p, uint32_t end, uint64_t base, uint16_t segment,
                      bool include_all)
{
    struct structure s = {0};

    while (dmar_next_structure(p, &s) && s.at < end)
        if (s.type == DMAR_DRHD && dmar_unit_is_usable(p, &s) && dmar_segment(p, &s) == segment &&
            (!base || base_of(p, &s) == base) && (!include_all || includes_all(p, &s)))
            return true;
    return false;
}

static int show_unit(const struct parser *p, const struct structure *s)
{
    struct dmar_unit unit = {
        .offset = s->at,
        .base = base_of(p, s),
        .pages_lg2 = p->table[s->at + DMAR_DRHD_PAGES] & 0xf,
        .segment = dmar_segment(p, s),
        .include_all = includes_all(p, s),
    };
    int err = 0;

    if (!dmar_unit_is_usable(p, s))
        return dmar_quirk(p, DMAR_QUIRK_UNIT_BASE, s->at);
    unit.duplicate = find_unit(p, s->at, unit.base, unit.segment, false);
    if (unit.duplicate)
        err = dmar_quirk(p, DMAR_QUIRK_UNIT_DUPLICATE, s->at);
    if (!err && unit.include_all && find_unit(p, s->at, 0, unit.segment, true)) {
        unit.include_all = false;
        err = dmar_quirk(p, DMAR_QUIRK_INCLUDE_ALL_MORE, s->at);
    }
    if (!err)
        err = p->v->unit(p->v->arg, &unit);
    return err ? err : dmar_show_scopes(p, s, DMAR_OWNER_UNIT);
}

static int show_reserved(const struct parser *p, const struct structure *s)
{
    const uint64_t base = get(p, s->at + DMAR_RMRR_BASE, 8);
    const uint64_t limit = get(p, s->at + DMAR_RMRR_LIMIT, 8);
    const unsigned width = p->table[DMAR_WIDTH] + 1u;
    const struct dmar_reserved r = {dmar_segment(p, s), mfn_of(base >> FRAME_LG2),
                                    mfn_of(limit >> FRAME_LG2)};
    int err = 0;

    if (limit < base)
        return dmar_quirk(p, DMAR_QUIRK_RMRR_INVERTED, s->at);
    if ((r.first.n <= MSI_LAST && r.last.n >= MSI_FIRST) || (width < 64 && limit >> width))
        return dmar_quirk(p, DMAR_QUIRK_RMRR_MSI, s->at);
    if (!p->v->is_reserved(p->v->arg, r.first, r.last))
        return dmar_quirk(p, DMAR_QUIRK_RMRR_NOT_RESERVED, s->at);
    if (base & (FRAME_SIZE - 1) || ~limit & (FRAME_SIZE - 1))
        err = dmar_quirk(p, DMAR_QUIRK_RMRR_UNALIGNED, s->at);
    if (!err)
        err = p->v->reserved(p->v->arg, &r);
    return err ? err : dmar_show_scopes(p, s, DMAR_OWNER_RESERVED);
}

static int show_ats(const struct parser *p, const struct structure *s)
{
    const struct dmar_ats ats = {
        .segment = dmar_segment(p, s),
        .satc = s->type == DMAR_SATC,
        .flag = p->table[s->at + DMAR_ATSR_FLAGS] & DMAR_ATSR_ALL_PORTS,
    };
    int err = p->v->ats(p->v->arg, &ats);

    return err ? err : dmar_show_scopes(p, s, DMAR_OWNER_ATS);
}

static int show(const struct parser *p, const struct structure *s)
{
    switch (s->type) {
    case DMAR_DRHD:
        return show_unit(p, s);
    case DMAR_RMRR:
        return show_reserved(p, s);
    case DMAR_ATSR:
    case DMAR_SATC:
        return show_ats(p, s);
    }
    return 0; /* says nothing about protection, or is not known yet (8.2) */
}

/* Once for each segment, at its first unit. */
static int check_include_all(const struct parser *p)
{
    struct structure s = {0};
    int err = 0;

    while (!err && dmar_next_structure(p, &s))
        if (s.type == DMAR_DRHD && !find_unit(p, s.at, 0, dmar_segment(p, &s), false) &&
            dmar_unit_is_usable(p, &s) && !find_unit(p, p->end, 0, dmar_segment(p, &s), true))
            err = dmar_quirk(p, DMAR_QUIRK_INCLUDE_ALL_NONE, s.at);
    return err;
}

int dmar_parse(const void *table, size_t size, const struct dmar_visitor *visitor)
{
    struct parser p = {.table = table, .v = visitor};
    struct structure s = {0};
    int err = check_table(&p, size);

    while (!err && dmar_next_structure(&p, &s))
        err = show(&p, &s);
    if (!err && p.end != p.size)
        err = dmar_quirk(&p, DMAR_QUIRK_PADDING, p.end);
    return err ? err : check_include_all(&p);
}

uint8_t dmar_flags(const void *table)
{
    return ((const uint8_t *)table)[DMAR_FLAGS];
}

const char *dmar_quirk_name(enum dmar_quirk quirk_)
{
    static const char *const name[DMAR_NR_QUIRKS] = {
        [DMAR_QUIRK_PADDING] = "zeros behind the last structure",
        [DMAR_QUIRK_UNIT_BASE] = "unit at an impossible address",
        [DMAR_QUIRK_UNIT_DUPLICATE] = "unit listed twice",
        [DMAR_QUIRK_INCLUDE_ALL_MORE] = "second catch-all unit",
        [DMAR_QUIRK_INCLUDE_ALL_NONE] = "no catch-all unit",
        [DMAR_QUIRK_SCOPE_BROKEN] = "broken device scope",
        [DMAR_QUIRK_SCOPE_OVERLAP] = "device behind two units",
        [DMAR_QUIRK_SCOPE_NOWHERE] = "device scope with a path that leads nowhere",
        [DMAR_QUIRK_RMRR_INVERTED] = "reserved memory ends before it begins",
        [DMAR_QUIRK_RMRR_UNALIGNED] = "reserved memory not of whole pages",
        [DMAR_QUIRK_RMRR_NOT_RESERVED] = "reserved memory that is not reserved",
        [DMAR_QUIRK_RMRR_MSI] = "reserved memory at an impossible address",
    };

    return quirk_ < DMAR_NR_QUIRKS ? name[quirk_] : "unknown";
}
