/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root, context and PASID tables of the guest (chapter 9), with the checks in the order in which
 * hardware makes them, and its reasons (7.1.3).
 *
 * The guest may change them at any time: each word is fetched once, the one with the present bit
 * first. What is made of the rest of an entry that changes meanwhile is made again at the
 * invalidation that has to follow.
 */
#include "back.h"

#define LEAF_4K BIT64(12)
#define LEAF_2M BIT64(21)
#define LEAF_1G BIT64(30)

/* A request on its way down. */
struct walk {
    struct vtd_emul *e;
    uint8_t devfn;
    uint8_t bus;
    bool has_pasid;
    uint32_t pasid;
    struct vtd_emul_target *out;
};

static int blocked(const struct walk *w, uint8_t reason)
{
    w->out->reason = reason;
    return -EACCES;
}

/* From a table at `base`, which has no more than 52 bits. */
static int fetch(const struct walk *w, uint64_t base, uint64_t index, uint64_t *word, unsigned n)
{
    int err = 0;

    for (unsigned i = 0; i < n && !err; i++)
        err = memory_read(&w->e->d->memory, base + (index * n + i) * sizeof(*word), &word[i],
                          sizeof(*word));
    return err;
}

static bool has(const struct walk *w, uint64_t ecap)
{
    return w->e->ecap & ecap;
}

/* What of `mask` is reserved, as the unit cannot do what it is for. */
static uint64_t unless(const struct walk *w, uint64_t ecap, uint64_t mask)
{
    return has(w, ecap) ? 0 : mask;
}

/* ---- What translates ---------------------------------------------------------------------------
 */

static uint8_t smaller(unsigned a, unsigned b)
{
    return (uint8_t)(a < b ? a : b);
}

static bool levels_ok(const struct walk *w, uint64_t aw)
{
    return aw < 5 && FIELD_GET(VTD_CAP_SAGAW, w->e->cap) >> aw & 1;
}

static void second(const struct walk *w, uint64_t root, uint64_t aw)
{
    const uint64_t sizes = FIELD_GET(VTD_CAP_SSLPS, w->e->cap);
    const unsigned mgaw = (unsigned)FIELD_GET(VTD_CAP_MGAW, w->e->cap) + 1;
    const unsigned levels = VTD_LEVELS(aw);

    w->out->kind = VTD_EMUL_SECOND;
    w->out->table.root = root;
    w->out->table.geo = (struct pt_geometry){.format = pt_format(PT_FORMAT_VTDSS),
                                             .levels = (uint8_t)levels,
                                             .iova_bits = smaller(9 * levels + FRAME_LG2, mgaw),
                                             .leaf_sizes = LEAF_4K | (sizes & 1 ? LEAF_2M : 0) |
                                                           (sizes & 2 ? LEAF_1G : 0)};
    /* Linux sets SNP in scalable mode whatever SC says. */
    w->out->table.geo.no_snoop = !has(w, VTD_ECAP_SC) && !vtd_emul_is_scalable(w->e);
}

/* Only the lower half of the canonical addresses (core/nested.h), as far as MGAW goes (3.6). */
static void first(const struct walk *w, uint64_t root, unsigned levels)
{
    const unsigned mgaw = (unsigned)FIELD_GET(VTD_CAP_MGAW, w->e->cap) + 1;

    w->out->kind = VTD_EMUL_FIRST;
    w->out->table.root = root;
    w->out->table.geo = (struct pt_geometry){
        .format = pt_format(PT_FORMAT_X86),
        .levels = (uint8_t)levels,
        .iova_bits = smaller(9 * levels + FRAME_LG2 - 1, mgaw),
        .leaf_sizes = LEAF_4K | LEAF_2M | (w->e->cap & VTD_CAP_FS1GP ? LEAF_1G : 0)};
}

/* ---- Legacy mode -------------------------------------------------------------------------------
 */

static int legacy_root(const struct walk *w, uint64_t *table)
{
    uint64_t root[2];

    if (fetch(w, w->e->front.root & VTD_RTADDR_RTA, w->bus, root, 2))
        return blocked(w, VTD_REASON_ROOT_ACCESS);
    if (!(root[0] & VTD_ROOT_P))
        return blocked(w, VTD_REASON_ROOT_P);
    if (root[0] & VTD_ROOT_RESERVED || root[1])
        return blocked(w, VTD_REASON_ROOT_RESERVED);
    *table = root[0] & VTD_ROOT_CTP;
    return 0;
}

static int legacy_type(const struct walk *w, const uint64_t entry[2])
{
    const uint64_t aw = FIELD_GET(VTD_CONTEXT_AW, entry[1]);
    const uint64_t type = FIELD_GET(VTD_CONTEXT_TT, entry[0]);

    if (!levels_ok(w, aw))
        return blocked(w, VTD_REASON_CONTEXT_INVALID);
    if (type == VTD_TT_SECOND || (type == VTD_TT_DEVICE_TLB && has(w, VTD_ECAP_DT)))
        second(w, entry[0] & VTD_CONTEXT_SSPTPTR, aw);
    else if (type == VTD_TT_PASSTHROUGH && has(w, VTD_ECAP_PT))
        w->out->kind = VTD_EMUL_THROUGH;
    else
        return blocked(w, VTD_REASON_CONTEXT_INVALID);
    return 0;
}

static int legacy(const struct walk *w)
{
    uint64_t table, entry[2];

    if (w->has_pasid)
        return blocked(w, VTD_REASON_SM_LEGACY_PASID);
    if (legacy_root(w, &table))
        return -EACCES;
    if (fetch(w, table, w->devfn, entry, 2))
        return blocked(w, VTD_REASON_CONTEXT_ACCESS);
    w->out->silent = entry[0] & VTD_CONTEXT_FPD;
    if (!(entry[0] & VTD_CONTEXT_P))
        return blocked(w, VTD_REASON_CONTEXT_P);
    w->out->did = (uint16_t)FIELD_GET(VTD_CONTEXT_DID, entry[1]);
    if (entry[0] & VTD_CONTEXT_RESERVED_LO || entry[1] & VTD_CONTEXT_RESERVED_HI)
        return blocked(w, VTD_REASON_CONTEXT_RESERVED);
    return legacy_type(w, entry);
}

/* ---- Scalable mode -----------------------------------------------------------------------------
 */

static int scalable_root(const struct walk *w, uint64_t *table)
{
    uint64_t half;

    if (fetch(w, w->e->front.root & VTD_RTADDR_RTA, 2u * w->bus + (w->devfn >= 128), &half, 1))
        return blocked(w, VTD_REASON_SM_ROOT_ACCESS);
    if (!(half & VTD_ROOT_P))
        return blocked(w, VTD_REASON_SM_ROOT_P);
    if (half & VTD_ROOT_RESERVED)
        return blocked(w, VTD_REASON_SM_ROOT_RESERVED);
    *table = half & VTD_ROOT_CTP;
    return 0;
}

static bool context_is_reserved(const struct walk *w, const uint64_t entry[4])
{
    const uint64_t lo = VTD_SM_CONTEXT_RESERVED_0 | VTD_SM_CONTEXT_PRE |
                        unless(w, VTD_ECAP_DT, VTD_SM_CONTEXT_DTE) |
                        unless(w, VTD_ECAP_PASID, VTD_SM_CONTEXT_PASIDE);
    const uint64_t hi = VTD_SM_CONTEXT_RESERVED_1 |
                        unless(w, VTD_ECAP_SRS, VTD_SM_CONTEXT_RID_PRIV) |
                        unless(w, VTD_ECAP_RPS, VTD_SM_CONTEXT_RID_PASID);

    return entry[0] & lo || entry[1] & hi || entry[2] || entry[3];
}

static int scalable_context(const struct walk *w, uint64_t entry[4])
{
    uint64_t table;

    if (scalable_root(w, &table))
        return -EACCES;
    if (fetch(w, table, w->devfn % 128, entry, 4))
        return blocked(w, VTD_REASON_SM_CONTEXT_ACCESS);
    w->out->silent = entry[0] & VTD_SM_CONTEXT_FPD;
    if (!(entry[0] & VTD_SM_CONTEXT_P))
        return blocked(w, VTD_REASON_SM_CONTEXT_P);
    if (context_is_reserved(w, entry))
        return blocked(w, VTD_REASON_SM_CONTEXT_RESERVED);
    return 0;
}

static uint32_t directory_entries(const uint64_t context[4])
{
    return (uint32_t)BIT64(FIELD_GET(VTD_SM_CONTEXT_PDTS, context[0]) + 7);
}

/* Which PASID it is, and that it may be there. */
static int scalable_pasid(struct walk *w, const uint64_t context[4])
{
    const unsigned bits = (unsigned)FIELD_GET(VTD_ECAP_PSS, w->e->ecap) + 1;

    if (w->has_pasid && !(context[0] & VTD_SM_CONTEXT_PASIDE))
        return blocked(w, VTD_REASON_SM_PASIDE);
    if (w->has_pasid && w->pasid >> bits)
        return blocked(w, VTD_REASON_SM_PDTS);
    if (!w->has_pasid)
        w->pasid = (uint32_t)FIELD_GET(VTD_SM_CONTEXT_RID_PASID, context[1]);
    if (w->pasid / VTD_PASID_TABLE_ENTRIES >= directory_entries(context))
        return blocked(w, w->has_pasid ? VTD_REASON_SM_PDTS : VTD_REASON_SM_RID_PASID);
    return 0;
}

static int pasid_table(const struct walk *w, const uint64_t context[4], uint64_t *table)
{
    uint64_t entry;

    if (fetch(w, context[0] & VTD_SM_CONTEXT_PASIDDIRPTR, w->pasid / VTD_PASID_TABLE_ENTRIES,
              &entry, 1))
        return blocked(w, VTD_REASON_SM_PASID_DIR_ACCESS);
    if (entry & VTD_PASID_DIR_FPD)
        w->out->silent = true;
    if (!(entry & VTD_PASID_DIR_P))
        return blocked(w, VTD_REASON_SM_PASID_DIR_P);
    if (entry & VTD_PASID_DIR_RESERVED)
        return blocked(w, VTD_REASON_SM_PASID_DIR_RESERVED);
    *table = entry & VTD_PASID_DIR_SMPTBLPTR;
    return 0;
}

/* Supervisor and execute requests, and what is about them, are not offered; nor are A and D. */
static bool pasid_is_reserved(const struct walk *w, const uint64_t entry[8])
{
    const uint64_t for_others = VTD_PASID_ERE | VTD_PASID_NXE | VTD_PASID_SMEP | VTD_PASID_EAFE |
                                unless(w, VTD_ECAP_SRS, VTD_PASID_SRE | VTD_PASID_WPE);
    const uint64_t reserved[8] = {VTD_PASID_RESERVED_0 | unless(w, VTD_ECAP_SSADS, VTD_PASID_SSADE),
                                  VTD_PASID_RESERVED_1 |
                                      unless(w, VTD_ECAP_SMPWC, VTD_PASID_PWSNP) |
                                      unless(w, VTD_ECAP_SC, VTD_PASID_PGSNP),
                                  VTD_PASID_RESERVED_2 | for_others,
                                  ~(uint64_t)0,
                                  ~(uint64_t)0,
                                  ~(uint64_t)0,
                                  ~(uint64_t)0,
                                  ~(uint64_t)0};

    for (unsigned i = 0; i < 8; i++)
        if (entry[i] & reserved[i])
            return true;
    return false;
}

static int first_stage(const struct walk *w, uint64_t word)
{
    const uint64_t mode = FIELD_GET(VTD_PASID_FSPM, word);

    if (!has(w, VTD_ECAP_FSTS) || mode > 1 || (mode && !(w->e->cap & VTD_CAP_FS5LP)))
        return blocked(w, VTD_REASON_SM_PASID_INVALID);
    first(w, word & VTD_PASID_FSPTPTR, 4 + (unsigned)mode);
    return 0;
}

static int second_stage(const struct walk *w, uint64_t word)
{
    const uint64_t aw = FIELD_GET(VTD_PASID_AW, word);

    if (!has(w, VTD_ECAP_SSTS) || !levels_ok(w, aw))
        return blocked(w, VTD_REASON_SM_PASID_INVALID);
    second(w, word & VTD_PASID_SSPTPTR, aw);
    return 0;
}

static int pasid_type(const struct walk *w, const uint64_t entry[8])
{
    switch (FIELD_GET(VTD_PASID_PGTT, entry[0])) {
    case VTD_PGTT_FIRST:
        return first_stage(w, entry[2]);
    case VTD_PGTT_SECOND:
        return second_stage(w, entry[0]);
    case VTD_PGTT_PASSTHROUGH:
        if (!has(w, VTD_ECAP_PT))
            break;
        w->out->kind = VTD_EMUL_THROUGH;
        return 0;
    default: /* nesting is not offered */
        break;
    }
    return blocked(w, VTD_REASON_SM_PASID_INVALID);
}

static int scalable(struct walk *w)
{
    uint64_t context[4], table, entry[8];

    if (scalable_context(w, context) || scalable_pasid(w, context) ||
        pasid_table(w, context, &table))
        return -EACCES;
    if (fetch(w, table, w->pasid % VTD_PASID_TABLE_ENTRIES, entry, 8))
        return blocked(w, VTD_REASON_SM_PASID_ACCESS);
    if (entry[0] & VTD_PASID_FPD)
        w->out->silent = true;
    if (!(entry[0] & VTD_PASID_P))
        return blocked(w, VTD_REASON_SM_PASID_P);
    w->out->did = (uint16_t)FIELD_GET(VTD_PASID_DID, entry[1]);
    if (pasid_is_reserved(w, entry))
        return blocked(w, VTD_REASON_SM_PASID_RESERVED);
    return pasid_type(w, entry);
}

static struct walk walk_of(struct vtd_emul *e, uint32_t sid, struct vtd_emul_target *out)
{
    *out = (struct vtd_emul_target){.kind = VTD_EMUL_BLOCKED};
    return (struct walk){.e = e, .bus = (uint8_t)(sid >> 8), .devfn = (uint8_t)sid, .out = out};
}

void vtd_emul_find(struct vtd_emul *e, uint32_t sid, bool has_pasid, uint32_t pasid,
                   struct vtd_emul_target *out)
{
    struct walk w = walk_of(e, sid, out);

    w.has_pasid = has_pasid;
    w.pasid = pasid;
    if (!(e->front.gsts & VTD_GCMD_TE))
        out->kind = VTD_EMUL_THROUGH;
    else if (vtd_emul_is_scalable(e) && e->ecap & VTD_ECAP_SMTS)
        (void)scalable(&w);
    else if (FIELD_GET(VTD_RTADDR_TTM, e->front.root) == VTD_TTM_LEGACY)
        (void)legacy(&w);
    else
        (void)blocked(&w, VTD_REASON_SM_TTM);
}

uint32_t vtd_emul_pasid_tables(struct vtd_emul *e, uint32_t sid)
{
    const uint32_t nr = (uint32_t)BIT64(FIELD_GET(VTD_ECAP_PSS, e->ecap) + 1);
    const uint32_t most = (nr + VTD_PASID_TABLE_ENTRIES - 1) / VTD_PASID_TABLE_ENTRIES;
    struct vtd_emul_target out;
    const struct walk w = walk_of(e, sid, &out);
    uint64_t context[4];

    if (!(e->front.gsts & VTD_GCMD_TE) || !vtd_emul_is_scalable(e) ||
        scalable_context(&w, context) || !(context[0] & VTD_SM_CONTEXT_PASIDE))
        return 0;
    return directory_entries(context) < most ? directory_entries(context) : most;
}

bool vtd_emul_has_pasids(struct vtd_emul *e, uint32_t sid, uint32_t nr)
{
    struct vtd_emul_target out;
    struct walk w = walk_of(e, sid, &out);
    uint64_t context[4], table;

    w.pasid = nr * VTD_PASID_TABLE_ENTRIES;
    return !scalable_context(&w, context) && nr < directory_entries(context) &&
           !pasid_table(&w, context, &table);
}
