/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping: a record and an element for each page that the client does not have yet; when all were
 * run, each page gets what became of its record.
 */
#include "frame_record.h"

#define NOT_YET 1 /* status of a page */
#define WANTED  (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable | IOMMU_MAP_OP_swap_mfn)

static void fill(const struct frame_service *s, const struct frame_client *c,
                 const struct frame_record *r, struct pv_iommu_op *op)
{
    *op = (struct pv_iommu_op){
        .subop_id = IOMMUOP_lookup_foreign_page,
        .u.lookup_foreign_page = {.gfn = r->gfn, .domid = c->domid, .ioserver = c->server}};
    if (!s->choose)
        return;
    *op = (struct pv_iommu_op){
        .subop_id = IOMMUOP_map_foreign_page,
        .flags = r->flags,
        .u.map_foreign_page = {
            .bfn = r->bfn, .gfn = r->gfn, .domid = c->domid, .ioserver = c->server}};
}

static void got(struct frame_service *s, uint32_t i, const struct pv_iommu_op *op)
{
    struct frame_record *r = &s->records[i];

    r->status = op->status;
    if (op->status)
        return;
    if (!s->choose)
        r->bfn = op->u.lookup_foreign_page.bfn;
    r->state = FRAME_MAPPED;
    frame_record_enter_bfn(s, i);
}

static void run_batch(struct frame_service *s)
{
    if (!s->nr_batch)
        return;
    (void)frame_run(s);
    for (uint32_t i = 0; i < s->nr_batch; i++)
        got(s, s->batch[i], &s->ops[i]);
    s->nr_batch = 0;
}

static uint32_t ask(struct frame_client *c, uint64_t gfn, unsigned flags)
{
    struct frame_service *s = c->service;
    const uint32_t i = frame_record_take(s, FRAME_ASKED);
    struct frame_record *r;

    if (i == FRAME_NONE)
        return i;
    r = &s->records[i];
    r->client = c;
    r->server = c->server;
    r->gfn = gfn;
    r->flags = (uint16_t)flags;
    frame_record_enter_page(s, i);
    s->batch[s->nr_batch] = i;
    fill(s, c, r, &s->ops[s->nr_batch++]);
    if (s->nr_batch == FRAME_BATCH)
        run_batch(s);
    return i;
}

static void ask_all(struct frame_client *c, struct frame_page *pages, uint32_t nr, unsigned flags)
{
    struct frame_service *s = c->service;
    uint32_t i;

    for (struct frame_page *p = pages; p < pages + nr; p++) {
        if (p->status != NOT_YET)
            continue;
        i = frame_find_page(s, c, p->gfn, flags);
        if (i == FRAME_NONE)
            i = ask(c, p->gfn, flags);
        p->record = i;
        if (i != FRAME_NONE)
            s->records[i].users++;
    }
    run_batch(s);
}

/* Somebody has this bus frame, or it is in a region of a device: not a page's fault. */
static bool is_place(const struct frame_service *s, int status)
{
    return s->choose && (status == -EEXIST || status == -EACCES);
}

/* The call or a unit failed: it may be mapped. */
static bool is_unknown(const struct frame_service *s, int status)
{
    return s->choose && (status == -EFAULT || status == -EIO);
}

/* A record that was asked for in vain, by its last user. */
static void drop(struct frame_service *s, uint32_t i)
{
    struct frame_record *r = &s->records[i];

    if (is_unknown(s, r->status)) {
        r->state = FRAME_MAPPED;
        frame_record_enter_bfn(s, i);
        frame_record_owe(s, i);
        return;
    }
    frame_record_leave_page(s, i);
    if (is_place(s, r->status))
        frame_record_spoil(s, i);
    else
        frame_record_free(s, i);
}

static int outcome(struct frame_service *s, struct frame_page *p)
{
    struct frame_record *r;
    int status;

    if (p->record == FRAME_NONE)
        return -ENOSPC;
    r = &s->records[p->record];
    p->bfn = r->bfn;
    status = r->status;
    if (status && --r->users == 0)
        drop(s, p->record);
    if (status)
        p->record = FRAME_NONE;
    return is_place(s, status) ? NOT_YET : status;
}

/* True: some need another place. Each time, one place more is known to be bad. */
static bool judge_all(struct frame_service *s, struct frame_page *pages, uint32_t nr)
{
    bool again = false;

    for (struct frame_page *p = pages; p < pages + nr; p++) {
        if (p->status != NOT_YET)
            continue;
        p->status = outcome(s, p);
        again |= p->status == NOT_YET;
    }
    return again;
}

static int first_error(const struct frame_page *pages, uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++)
        if (pages[i].status)
            return pages[i].status;
    return 0;
}

static void undo(struct frame_client *c, struct frame_page *pages, uint32_t nr)
{
    for (struct frame_page *p = pages; p < pages + nr; p++) {
        if (!p->status)
            (void)frame_unmap(c, p, 1);
        p->bfn = 0;
        p->record = FRAME_NONE;
    }
}

int frame_map(struct frame_client *c, struct frame_page *pages, uint32_t nr, unsigned flags)
{
    struct frame_service *s = c->service;
    int err = flags & ~(unsigned)WANTED ? -EINVAL : frame_listen(c);

    if (err)
        return err;
    if (!s->choose)
        flags = 0;
    for (uint32_t i = 0; i < nr; i++)
        pages[i].status = NOT_YET;
    (void)frame_settle(s); /* what is owed may be needed */
    do
        ask_all(c, pages, nr, flags);
    while (judge_all(s, pages, nr));
    err = first_error(pages, nr);
    if (err)
        undo(c, pages, nr);
    return err;
}
