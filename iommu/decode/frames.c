/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in of the frames ABI: an array of elements, run in order. Each is copied in once. What
 * unmaps take out stays pending, so that one flush does for many; the status of an element that
 * waits for it is written after it.
 */
#include "frames.h"

#define LATER_RUNS     32u    /* of neighbouring elements that wait */
#define LATER_ELEMENTS 65536u /* in them: whose status a settling has to write */

struct later {
    unsigned nr;
    uint32_t nr_elements;
    struct {
        uint32_t first, nr;
    } run[LATER_RUNS];
};

static int (*const sub_ops[])(struct frames_op *op) = {
    [IOMMUOP_query_caps] = frames_query_caps,
    [IOMMUOP_map_page] = frames_map_page,
    [IOMMUOP_unmap_page] = frames_unmap_page,
    [IOMMUOP_map_foreign_page] = frames_map_foreign_page,
    [IOMMUOP_lookup_foreign_page] = frames_lookup_foreign_page,
    [IOMMUOP_unmap_foreign_page] = frames_unmap_foreign_page,
    [IOMMUOP_drop_foreign_1to1] = frames_drop_foreign_1to1,
};

static int element_put(const struct call *call, uint32_t index, size_t offset, const void *value,
                       size_t size)
{
    return call_put(call, (uint64_t)index * sizeof(struct pv_iommu_op) + offset, value, size);
}

static int status_put(const struct call *call, uint32_t index, int status)
{
    const int32_t value = status;

    return element_put(call, index, offsetof(struct pv_iommu_op, status), &value, sizeof(value));
}

static int element_get(const struct call *call, uint32_t index, struct pv_iommu_op *out)
{
    const struct sluice_port *port = call->d->s->port;
    const uint64_t offset = (uint64_t)index * sizeof(*out);

    if (call->arg > UINT64_MAX - offset)
        return -EFAULT;
    return port->copy_from_guest(port->host, call->caller->guest, out, call->arg + offset,
                                 sizeof(*out));
}

/* OUT fields first: who sees the status sees them. */
static int result_put(const struct call *call, uint32_t index, const struct pv_iommu_op *element,
                      int status)
{
    int err = 0;

    if (!status && element->subop_id == IOMMUOP_query_caps)
        err = element_put(call, index, offsetof(struct pv_iommu_op, flags), &element->flags,
                          sizeof(element->flags));
    if (!status && element->subop_id == IOMMUOP_lookup_foreign_page)
        err = element_put(call, index, offsetof(struct pv_iommu_op, u.lookup_foreign_page.bfn),
                          &element->u.lookup_foreign_page.bfn, sizeof(uint64_t));
    return err ? err : status_put(call, index, status);
}

static void put_off(struct later *later, uint32_t index)
{
    const unsigned last = later->nr - 1;

    later->nr_elements++;
    if (later->nr && later->run[last].first + later->run[last].nr == index) {
        later->run[last].nr++;
        return;
    }
    later->run[later->nr].first = index;
    later->run[later->nr++].nr = 1;
}

/* Flushes, and says so. */
static int settle(const struct call *call, struct space *sp, struct later *later)
{
    const int status = space_settle(sp);
    int err = 0;

    for (unsigned i = 0; i < later->nr; i++)
        for (uint32_t k = 0; k < later->run[i].nr; k++)
            if (status_put(call, later->run[i].first + k, status))
                err = -EFAULT;
    *later = (struct later){0};
    return err;
}

/* A map in the place of an implicit entry, or in caching mode. The others change no entry. */
static bool waits(const struct pv_iommu_op *element, const struct space *sp)
{
    return sp->dirty &&
           (element->subop_id == IOMMUOP_map_page || element->subop_id == IOMMUOP_map_foreign_page);
}

static bool is_full(const struct later *later)
{
    return later->nr == LATER_RUNS || later->nr_elements == LATER_ELEMENTS;
}

static int run_element(struct call *call, struct space *sp, uint32_t index, struct later *later)
{
    struct pv_iommu_op element;
    struct frames_op op = {.call = call, .sp = sp, .element = &element};
    int status = -ENODEV;
    int err = element_get(call, index, &element);

    if (err)
        return err;
    if (element.subop_id < sizeof(sub_ops) / sizeof(sub_ops[0]) && sub_ops[element.subop_id])
        status = sub_ops[element.subop_id](&op);
    if (status == -ERESTART)
        return status; /* more of it; nothing of the guest's counts for that */
    if (!status && waits(&element, sp))
        status = FRAMES_PENDING;
    if (status != FRAMES_PENDING)
        return result_put(call, index, &element, status);
    put_off(later, index);
    return is_full(later) ? settle(call, sp, later) : 0;
}

static int run_elements(struct call *call, struct space *sp, struct later *later)
{
    const struct sluice_port *port = call->d->s->port;
    uint32_t *next = &call->req.frames.next;
    int err = 0;

    while (*next < call->req.frames.count && !err) {
        err = run_element(call, sp, *next, later);
        if (err != -ERESTART)
            ++*next;
        if (!err && *next < call->req.frames.count && port->preempt(port->host))
            err = -ERESTART;
    }
    return err;
}

static long perform(struct call *call)
{
    struct later later = {0};
    struct space sp;
    int err = space_enter(call->d, &sp), late;

    if (err)
        return err;
    err = run_elements(call, &sp, &later);
    late = settle(call, &sp, &later);
    space_leave(&sp);
    return late ? late : err;
}

static const struct subop frames = {.perform = perform};

void sluice_frames_start(struct sluice_call *sc, struct sluice_domain *sd, uint64_t ops,
                         uint32_t count)
{
    struct call *call = call_of(sc);

    call->caller = domain_of(sd);
    call->batch.running = false;
    call_begin(call, 0, ops);
    call->op = &frames;
    call->state = CALL_FRAMES;
    call->req.frames.count = count;
}
