/* SPDX-License-Identifier: BSD-2-Clause */
/* Unmapping: what nobody uses is owed to the hypervisor, and goes to it in batches. */
#include "frame_record.h"

static void put_off(struct frame_service *s, uint32_t i)
{
    s->records[i].next_free = s->owed;
    s->owed = i;
}

/* -ENOENT: it is gone already. No memory, or not run: it is there, and tried again. */
static int judge(struct frame_service *s, uint32_t i, int status)
{
    switch (status) {
    case 0:
    case -ENOENT:
        frame_record_free(s, i);
        return 0;
    case -EPERM:
    case -EIO:
        frame_record_spoil(s, i);
        return status;
    default:
        put_off(s, i);
        return status;
    }
}

static void fill_batch(struct frame_service *s)
{
    struct frame_record *r;

    for (s->nr_batch = 0; s->nr_batch < FRAME_BATCH && s->owed != FRAME_NONE; s->nr_batch++) {
        s->batch[s->nr_batch] = s->owed;
        r = &s->records[s->owed];
        s->ops[s->nr_batch] =
            (struct pv_iommu_op){.subop_id = IOMMUOP_unmap_foreign_page,
                                 .u.unmap_foreign_page = {.bfn = r->bfn, .ioserver = r->server}};
        s->owed = r->next_free;
    }
}

/* Stops where something has to be tried again. */
int frame_settle(struct frame_service *s)
{
    int err = 0, status;

    while (s->owed != FRAME_NONE && !err) {
        fill_batch(s);
        (void)frame_run(s);
        for (uint32_t i = 0; i < s->nr_batch; i++) {
            status = judge(s, s->batch[i], s->ops[i].status);
            if (!err)
                err = status;
        }
    }
    s->nr_batch = 0;
    return err;
}

static int put(struct frame_client *c, const struct frame_page *page)
{
    struct frame_service *s = c->service;
    struct frame_record *r;

    if (page->record >= s->nr)
        return -ENOENT;
    r = &s->records[page->record];
    if (r->client != c || r->gfn != page->gfn)
        return -ENOENT;
    if (--r->users == 0)
        frame_record_owe(s, page->record);
    return 0;
}

int frame_unmap(struct frame_client *c, const struct frame_page *pages, uint32_t nr)
{
    int err = 0, one, settled;

    for (uint32_t i = 0; i < nr; i++) {
        one = put(c, &pages[i]);
        if (!err)
            err = one;
    }
    settled = frame_settle(c->service);
    return err ? err : settled;
}

int frame_leave(struct frame_client *c)
{
    struct frame_service *s = c->service;

    for (uint32_t i = 0; i < s->nr; i++)
        if (s->records[i].client == c)
            frame_record_owe(s, i);
    c->service = NULL;
    return frame_settle(s);
}
