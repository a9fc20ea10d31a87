/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch as a guest makes it: its struct first in the argument page, the elements' arguments
 * behind it, then the elements. The ghost model is told of each that was done, as of a call.
 */
#include "hypercall.h"

#include <string.h>

#define MOST_ELEMENTS 16u
#define ELEMENTS      (ARRAY - MOST_ELEMENTS * sizeof(struct pv_iommu_batch_element))
#define MOST_SLOTS    ((ELEMENTS - MACHINE_ARG) / SLOT)

struct batch {
    uint32_t nr;
    unsigned slot[MOST_ELEMENTS];
    struct request req[MOST_ELEMENTS];
    struct observed seen[MOST_ELEMENTS];
    struct pv_iommu_batch arg;
    struct pv_iommu_batch_element element[MOST_ELEMENTS];
};

static unsigned slots_of(const struct sc_call *call)
{
    unsigned nr = 1;

    while ((call = call->inner))
        nr++;
    return nr;
}

static bool put_elements(struct player *p, struct machine_domain *d, const struct sc_call *call,
                         struct batch *b, struct outcome *out)
{
    unsigned slot = 1;

    for (; call; call = call->next, b->nr++) {
        struct pv_iommu_batch_element *e = &b->element[b->nr];

        if (b->nr == MOST_ELEMENTS || slot + slots_of(call) > MOST_SLOTS) {
            outcome_cannot(out, "expected at most %u elements, with remote ones less",
                           MOST_ELEMENTS);
            return false;
        }
        b->slot[b->nr] = slot;
        if (!put_call(p, d, call, slot, &b->req[b->nr], out))
            return false;
        slot += slots_of(call);
        memset(e, POISON, sizeof(*e));
        e->subop = (uint32_t)b->req[b->nr].subop;
        e->arg.q = b->req[b->nr].addr;
    }
    return true;
}

static void put_batch(struct machine_domain *d, struct batch *b)
{
    memset(&b->arg, POISON, sizeof(b->arg));
    b->arg.nr = b->nr;
    b->arg.elements.q = ELEMENTS;
    (void)machine_guest_write(d, ELEMENTS, b->element, b->nr * sizeof(b->element[0]));
    (void)machine_guest_write(d, MACHINE_ARG, &b->arg, sizeof(b->arg));
}

static void get_batch(struct machine_domain *d, struct batch *b, long result, struct outcome *out)
{
    (void)machine_guest_read(d, ELEMENTS, b->element, b->nr * sizeof(b->element[0]));
    (void)machine_guest_read(d, MACHINE_ARG, &b->arg, sizeof(b->arg));
    if (result || b->arg.done == b->nr)
        return;
    outcome_complain(out, "a batch of %u elements did %u", b->nr, b->arg.done);
}

void run_batch(struct player *p, struct machine_domain *d, const struct sc_line *line,
               struct outcome *first)
{
    struct batch b = {.nr = 0};
    const struct sc_call *call = line->call;
    struct outcome *out = first;
    long result;

    if (!put_elements(p, d, call, &b, first))
        return;
    put_batch(d, &b);
    for (uint32_t i = 0; i < b.nr; i++) {
        observe_before(&b.seen[i], d, &b.req[i]);
        b.seen[i].element = true;
    }
    result = machine_hypercall(d, IOMMU_batch, MACHINE_ARG, line_continue_every(p, line));
    get_batch(d, &b, result, first);
    for (uint32_t i = 0; i < b.nr; i++, call = call->next, out = out->next) {
        const bool done = i < b.arg.done && (!result || b.arg.done <= b.nr);

        out->status = done ? b.element[i].status : result;
        if (done)
            observe_after(&b.seen[i], p, d, out->status, first);
        get_result(p, d, call, b.slot[i], out);
        observe_end(&b.seen[i]);
    }
}
