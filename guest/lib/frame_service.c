/* SPDX-License-Identifier: BSD-2-Clause */
/* The service itself: what the hypervisor can do, clients, and frames of the window for others. */
#include "frame_record.h"

#define MOST_RECORDS (UINT32_C(1) << 31)

long frame_run(struct frame_service *s)
{
    long err;

    for (uint32_t i = 0; i < s->nr_batch; i++)
        s->ops[i].status = FRAME_NOT_RUN;
    err = s->host->call(s->host->arg, s->ops, s->nr_batch);
    for (uint32_t i = 0; i < s->nr_batch; i++)
        if (s->ops[i].status > 0)
            s->ops[i].status = err < 0 ? (int32_t)err : -EFAULT;
    return err;
}

static int ask_caps(struct frame_service *s)
{
    s->ops[0] = (struct pv_iommu_op){.subop_id = IOMMUOP_query_caps};
    s->nr_batch = 1;
    (void)frame_run(s);
    s->nr_batch = 0;
    s->choose = s->ops[0].flags & IOMMU_QUERY_map_cap;
    return s->ops[0].status;
}

int frame_service_init(struct frame_service *s, const struct frame_host *host, uint64_t first,
                       struct frame_record *records, uint32_t nr)
{
    int err;

    if (!nr || nr >= MOST_RECORDS || first > UINT64_MAX - nr)
        return -EINVAL;
    s->host = host;
    s->records = records;
    s->nr = nr;
    err = ask_caps(s);
    if (!err)
        frame_records_init(s, first);
    return err;
}

int frame_join(struct frame_service *s, struct frame_client *c)
{
    if (c->service || c->server == IOSERVID_any || !c->ring.page || !c->ring.nr_slots ||
        c->ring.nr_slots > IOREQ_BUFFER_SLOT_NUM)
        return -EINVAL;
    c->service = s;
    return 0;
}

int frame_claim(struct frame_service *s, uint64_t *bfn)
{
    uint32_t i;

    if (!s->choose)
        return -EPERM;
    i = frame_record_take(s, FRAME_CLAIMED);
    if (i == FRAME_NONE)
        return -ENOSPC;
    *bfn = s->records[i].bfn;
    return 0;
}

int frame_release(struct frame_service *s, uint64_t bfn)
{
    const uint64_t i = bfn - s->records[0].bfn;

    if (!s->choose || i >= s->nr || s->records[i].state != FRAME_CLAIMED)
        return -ENOENT;
    frame_record_free(s, (uint32_t)i);
    return 0;
}

void frame_count(const struct frame_service *s, struct frame_counts *out)
{
    uint32_t n[FRAME_BAD + 1] = {0};

    for (uint32_t i = 0; i < s->nr; i++)
        n[s->records[i].state]++;
    *out = (struct frame_counts){.free = n[FRAME_FREE],
                                 .claimed = n[FRAME_CLAIMED],
                                 .mapped = n[FRAME_MAPPED],
                                 .invalid = n[FRAME_INVALID],
                                 .owed = n[FRAME_OWED],
                                 .bad = n[FRAME_BAD]};
}
