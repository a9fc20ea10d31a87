/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame_record.h"

enum { BY_PAGE, BY_BFN };

void frame_records_init(struct frame_service *s, uint64_t first)
{
    for (uint32_t i = 0; i < s->nr; i++)
        s->records[i] = (struct frame_record){.bfn = s->choose ? first + i : 0,
                                              .next_free = i + 1 < s->nr ? i + 1 : FRAME_NONE,
                                              .head = {FRAME_NONE, FRAME_NONE}};
    s->free = 0;
    s->owed = FRAME_NONE;
}

uint32_t frame_record_take(struct frame_service *s, enum frame_state state)
{
    const uint32_t i = s->free;

    if (i == FRAME_NONE)
        return i;
    s->free = s->records[i].next_free;
    s->records[i].state = (uint8_t)state;
    return i;
}

void frame_record_free(struct frame_service *s, uint32_t i)
{
    s->records[i].state = FRAME_FREE;
    s->records[i].client = NULL;
    s->records[i].users = 0;
    s->records[i].next_free = s->free;
    s->free = i;
}

void frame_record_spoil(struct frame_service *s, uint32_t i)
{
    frame_record_free(s, i);
    if (s->choose)
        s->records[frame_record_take(s, FRAME_BAD)].next_free = FRAME_NONE;
}

/* ---- Finding -----------------------------------------------------------------------------------
 */

/* Chains begin in the records themselves, one for each. */
static uint32_t *chain(const struct frame_service *s, unsigned by, uint64_t key)
{
    return &s->records[(key * 0x9e3779b97f4a7c15u >> 32) % s->nr].head[by];
}

static uint32_t *chain_of(const struct frame_service *s, unsigned by, uint32_t i)
{
    return chain(s, by, by == BY_PAGE ? s->records[i].gfn : s->records[i].bfn);
}

static void enter(struct frame_service *s, unsigned by, uint32_t i)
{
    uint32_t *head = chain_of(s, by, i);

    s->records[i].next[by] = *head;
    *head = i;
}

static void leave(struct frame_service *s, unsigned by, uint32_t i)
{
    uint32_t *at = chain_of(s, by, i);

    while (*at != i)
        at = &s->records[*at].next[by];
    *at = s->records[i].next[by];
}

void frame_record_enter_page(struct frame_service *s, uint32_t i)
{
    enter(s, BY_PAGE, i);
}

void frame_record_leave_page(struct frame_service *s, uint32_t i)
{
    leave(s, BY_PAGE, i);
}

void frame_record_enter_bfn(struct frame_service *s, uint32_t i)
{
    enter(s, BY_BFN, i);
}

void frame_record_leave_bfn(struct frame_service *s, uint32_t i)
{
    leave(s, BY_BFN, i);
}

uint32_t frame_find_page(const struct frame_service *s, const struct frame_client *c, uint64_t gfn,
                         unsigned flags)
{
    uint32_t i = *chain(s, BY_PAGE, gfn);

    while (i != FRAME_NONE &&
           (s->records[i].client != c || s->records[i].gfn != gfn || s->records[i].flags != flags))
        i = s->records[i].next[BY_PAGE];
    return i;
}

uint32_t frame_find_bfn(const struct frame_service *s, const struct frame_client *c, uint64_t bfn)
{
    uint32_t i = *chain(s, BY_BFN, bfn);

    while (i != FRAME_NONE && (s->records[i].client != c || s->records[i].bfn != bfn))
        i = s->records[i].next[BY_BFN];
    return i;
}

/* ---- To be unmapped ----------------------------------------------------------------------------
 */

void frame_record_owe(struct frame_service *s, uint32_t i)
{
    struct frame_record *r = &s->records[i];

    if (r->state == FRAME_MAPPED)
        frame_record_leave_page(s, i);
    frame_record_leave_bfn(s, i);
    r->state = FRAME_OWED;
    r->client = NULL;
    r->users = 0;
    r->next_free = s->owed;
    s->owed = i;
}
