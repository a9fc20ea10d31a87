/* SPDX-License-Identifier: BSD-2-Clause */
/* For who checks the unit: what its caches hold for a requester. */
#include "internal.h"

struct show {
    struct soft_unit *u;
    const struct soft_stage *stage;
    soft_visit visit;
    void *arg;
};

static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    const struct show *s = arg;

    (void)level;
    return soft_read(s->u, table, offset);
}

static void show_one(const struct show *s, uint64_t dfn, mfn_t mfn, uint64_t nr, unsigned attr)
{
    const struct soft_cached cached = {
        .dfn = {dfn},
        .mfn = mfn,
        .nr = nr,
        .attr = attr,
        .second = s->stage->space & SOFT_SECOND,
    };

    s->visit(s->arg, &cached);
}

static void show_translation(const struct show *s, const struct soft_tlb_entry *e)
{
    if (soft_tag_is(&e->tag, s->stage->space))
        show_one(s, soft_tag_first(&e->tag), mfn_of(e->mfn),
                 soft_tag_last(&e->tag) - soft_tag_first(&e->tag) + 1, e->attr);
}

/* Translations reached through a cached pointer to a lowest table, whatever the tables above say.
 */
static void show_lowest_table(struct show *s, const struct soft_table_entry *e)
{
    struct pt_leaf leaf;

    for (uint64_t dfn = soft_tag_first(&e->tag); dfn <= soft_tag_last(&e->tag); dfn++)
        if (!pt_trace_from(&s->stage->geo, mfn_of(e->mfn), 0, dfn << FRAME_LG2, read_entry, s,
                           &leaf))
            show_one(s, dfn, leaf.mfn, 1, leaf.attr);
}

/* Through a guest's table the device gets no further than the second stage, but it reads it. */
static void show_guest_table(const struct show *s, const struct soft_table_entry *e)
{
    const struct soft_cached cached = {
        .dfn = {e->address}, .mfn = {e->mfn}, .nr = 1, .attr = PT_READ, .second = true};

    s->visit(s->arg, &cached);
}

static void show_table(struct show *s, const struct soft_table_entry *e)
{
    if (!soft_tag_is(&e->tag, s->stage->space))
        return;
    if (s->stage->below)
        show_guest_table(s, e);
    else if (soft_tag_lg2(&e->tag) == soft_table_lg2(&s->stage->geo, 0))
        show_lowest_table(s, e);
}

void soft_visit_cached(struct soft_unit *u, rid_t rid, uint32_t pasid, soft_visit visit, void *arg)
{
    struct show s = {.u = u, .visit = visit, .arg = arg};
    struct soft_pasid_entry entry;
    struct soft_stages stages;

    if (!u->tlb || u->blocked || !soft_look(u, rid, pasid, &entry))
        return;
    soft_stages(u, &entry, &stages);
    for (s.stage = stages.top; s.stage; s.stage = s.stage->below)
        for (uint64_t i = 0; i < BIT64(u->config.cache_lg2); i++) {
            show_translation(&s, &u->tlb[i]);
            show_table(&s, &u->tables[i]);
        }
}
