/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking inside: references and leaves. */
#include "verbs.h"

#include "../../../iommu/abi/errno.h"

static const struct sc_spec refs_fields[] = {
    {.name = "gfn", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "dfn", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "ctx_no", .dir = SC_IN, .kind = SC_NUMBER, .size = 2},
    {.name = "mfn", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = NULL},
};

static int take_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct pt_leaf *found = arg;

    if (leaf->retired)
        return 0;
    *found = *leaf;
    return 1;
}

/* The leaf that the line's ctx_no and dfn name. -EINVAL, -ENOENT. */
static int leaf_of(struct player *p, struct machine_domain *d, const struct sc_call *call,
                   struct pt_leaf *leaf)
{
    const uint64_t ctx_no = player_number(p, call, "ctx_no");
    const dfn_t dfn = dfn_of(player_number(p, call, "dfn"));
    int err;

    *leaf = (struct pt_leaf){.nr = 0};
    if (ctx_no > UINT16_MAX)
        return -EINVAL;
    err =
        sluice_context_walk(machine_domain_sluice(d), (uint16_t)ctx_no, dfn, dfn, take_leaf, leaf);
    if (err < 0)
        return err;
    return leaf->attr ? 0 : -ENOENT;
}

/* The frame by the domain's own number, by what a context has at a dfn, or by the machine's number:
 * one that left its domain has only the latter two. */
static int frame_of(struct player *p, struct machine_domain *d, const struct sc_call *call,
                    mfn_t *mfn)
{
    struct pt_leaf leaf;
    int err;

    *mfn = mfn_of(player_number(p, call, "mfn"));
    if (sc_get(call, "mfn"))
        return 0;
    if (sc_get(call, "gfn"))
        return sluice_memory_lookup(machine_domain_sluice(d), gfn_of(player_number(p, call, "gfn")),
                                    mfn);
    err = leaf_of(p, d, call, &leaf);
    *mfn = mfn_add(leaf.mfn, player_number(p, call, "dfn") - leaf.dfn.n);
    return err;
}

static void run_refs(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    const struct sc_call *call = line->call;
    struct sluice_frame_info info;
    mfn_t mfn;

    if (!!sc_get(call, "gfn") + !!sc_get(call, "dfn") + !!sc_get(call, "mfn") != 1)
        outcome_cannot(out, "which frame? expected one of gfn=, dfn=, mfn=");
    if (!d || out->cannot[0])
        return;
    out->status = frame_of(p, d, call, &mfn);
    if (!out->status)
        out->status = sluice_frame_info(machine_sluice(p->m), mfn, &info);
    if (!out->status)
        out->status = (long)info.refs;
}

static const struct sc_word rights[] = {
    {"rw", PT_READ | PT_WRITE}, {"r", PT_READ}, {"w", PT_WRITE}, {"c", PT_SNOOP}, {NULL, 0}};
static const struct sc_spec leaf_fields[] = {
    {.name = "ctx_no", .dir = SC_IN, .kind = SC_NUMBER, .size = 2},
    {.name = "dfn", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "size", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "flags", .dir = SC_OUT, .kind = SC_FLAGS, .words = rights, .quiet = true},
    {.name = NULL},
};

static void run_leaf(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    struct pt_leaf leaf;

    if (!d)
        return;
    out->status = leaf_of(p, d, line->call, &leaf);
    if (out->status)
        return;
    outcome_number(out, "size", (uint64_t)1 << leaf.lg2);
    outcome_number(out, "flags", leaf.attr & ~PT_MARK);
}

const struct sc_verb look_verbs[] = {
    {.name = "refs",
     .subject = SC_OF_DOMAIN,
     .style = SC_COUNT,
     .fields = refs_fields,
     .run = run_refs},
    {.name = "leaf", .subject = SC_OF_DOMAIN, .fields = leaf_fields, .run = run_leaf},
    {.name = NULL},
};
