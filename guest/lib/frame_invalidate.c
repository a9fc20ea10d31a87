/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests: pages that a guest gave up, and what else its server is told. */
#include "frame_record.h"

/*
 * The client may have unmapped the page before it read this, or does so now. No new user comes to
 * it: the guest may have another frame there soon.
 */
static void invalidate(struct frame_client *c, uint64_t bfn)
{
    struct frame_service *s = c->service;
    const uint32_t i = frame_find_bfn(s, c, bfn);
    struct frame_record *r;

    if (i == FRAME_NONE || s->records[i].state != FRAME_MAPPED)
        return;
    r = &s->records[i];
    frame_record_leave_page(s, i);
    r->state = FRAME_INVALID;
    if (c->invalidate(c->arg, r->gfn, bfn) && r->state == FRAME_INVALID)
        frame_record_owe(s, i);
}

static void handle(struct frame_client *c, const struct ioreq_request *request)
{
    if (request->type == IOREQ_TYPE_SLUICE_INVALIDATE)
        invalidate(c, request->data);
    else if (c->other)
        c->other(c->arg, request);
}

/* At most a ring full: a guest may be at it all the time. */
static int empty_ring(struct frame_client *c)
{
    struct ioreq_request request;
    int err = 0;

    for (uint32_t n = 0; n < c->ring.nr_slots && !err; n++) {
        err = ioreq_ring_next(&c->ring, &request);
        if (!err)
            handle(c, &request);
    }
    return err == -ENODATA ? 0 : err;
}

int frame_listen(struct frame_client *c)
{
    const struct frame_host *host = c->service->host;
    struct ioreq_request request;
    int err = empty_ring(c);

    if (!host->synchronous(host->arg, c->domid, c->server, &request))
        handle(c, &request);
    return err;
}

int frame_poll(struct frame_client *c)
{
    int err = frame_listen(c), settled = frame_settle(c->service);

    return err ? err : settled;
}
