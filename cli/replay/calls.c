/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls of the DMA layer: what it passes lies in this process, so it is laid into the guest's
 * memory, arrays too, and what comes out is taken from there. Each call is counted, and the model
 * told of it.
 */
#include "../scenario/verbs/verbs.h"
#include "frames.h"
#include "guest.h"

#include <string.h>

#define ARG 64u /* bytes of an argument, at the most */

struct hypercall {
    struct guest *g;
    int subop;
    size_t size;
    void *array; /* the caller's */
    size_t array_size;
    uint8_t in[ARG], out[ARG];
};

/* The array that the argument points at, and how large it is. */
static void find_array(struct hypercall *c, const void *data, size_t *at)
{
    const struct pv_iommu_query_reserved *query = data;
    const struct pv_iommu_map_list *list = data;

    c->array = NULL;
    if (c->subop == IOMMU_query_reserved) {
        c->array = query->ranges.p;
        c->array_size = query->nr_ranges * sizeof(*query->ranges.p);
        *at = offsetof(struct pv_iommu_query_reserved, ranges);
    } else if (c->subop == IOMMU_map_list) {
        c->array = list->gfns.p;
        c->array_size = list->nr_pages * sizeof(*list->gfns.p);
        *at = offsetof(struct pv_iommu_map_list, gfns);
    }
}

static bool lay_in(struct hypercall *c, const void *data)
{
    struct guest *g = c->g;
    size_t at = 0;

    memcpy(c->in, data, c->size);
    find_array(c, data, &at);
    if (c->array) {
        memcpy(c->in + at, &g->list_at, sizeof(g->list_at));
        if (c->array_size > FRAMES_BLOCK ||
            machine_guest_write(g->d, g->list_at, c->array, c->array_size))
            return false;
    }
    return !machine_guest_write(g->d, MACHINE_ARG, c->in, c->size);
}

static bool take_out(struct hypercall *c, void *data)
{
    struct guest *g = c->g;
    size_t at = 0;
    void *array;

    if (machine_guest_read(g->d, MACHINE_ARG, c->out, c->size))
        return false;
    find_array(c, data, &at);
    array = c->array;
    memcpy(data, c->out, c->size);
    if (!array)
        return true;
    memcpy((char *)data + at, &array, sizeof(array));
    return c->subop == IOMMU_map_list ||
           !machine_guest_read(g->d, g->list_at, array, c->array_size);
}

static void tell_ghost(struct hypercall *c, long status)
{
    struct guest *g = c->g;
    const uint64_t begin = guest_ns();
    const bool list = c->subop == IOMMU_map_list;
    const struct ghost_call told = {.caller = machine_domain_domid(g->d),
                                    .subop = c->subop,
                                    .in = c->size ? c->in : NULL,
                                    .out = c->size ? c->out : NULL,
                                    .gfns = list ? c->array : NULL,
                                    .nr_gfns = list ? c->array_size / sizeof(uint64_t) : 0,
                                    .status = status};

    guest_told(g, ghost_called(g->ghost, &told));
    g->counts.ghost_ns += guest_ns() - begin;
}

static long make(struct hypercall *c, void *data)
{
    struct guest *g = c->g;
    struct machine_stats before, after;
    long status;

    machine_stats(g->m, &before);
    status = machine_hypercall(g->d, c->subop, MACHINE_ARG, 0);
    machine_stats(g->m, &after);
    g->counts.submissions += after.submissions - before.submissions;
    g->counts.hypercalls++;
    g->counts.calls[c->subop]++;
    if (!take_out(c, data))
        return -EFAULT;
    tell_ghost(c, status);
    return status;
}

static long contexts(void *arg, int subop, void *data)
{
    struct hypercall c = {.g = arg, .subop = subop};
    const struct sc_verb *verb = verb_of_subop(subop);

    if (!verb || verb->arg_size > ARG || subop < 0 || subop >= GUEST_SUBOPS)
        return -EOPNOTSUPP;
    c.size = verb->arg_size;
    return lay_in(&c, data) ? make(&c, data) : -EFAULT;
}

static long capabilities(void *arg, int subop, struct pv_iommu_capabilities *caps)
{
    return contexts(arg, subop, caps);
}

/* There is one processor, and nothing interrupts it. */
static void lock(void *arg)
{
    (void)arg;
}

static uint64_t now(void *arg)
{
    const struct guest *g = arg;

    return g->now;
}

/* The devices are trusted with whatever is near what they are given. */
static bool may_stand(void *arg, uint64_t gfn, uint64_t nr)
{
    const struct guest *g = arg;
    char byte;

    return !machine_guest_read(g->d, gfn << DMA_PAGE_SHIFT, &byte, 1) &&
           !machine_guest_read(g->d, (gfn + nr - 1) << DMA_PAGE_SHIFT, &byte, 1);
}

void guest_calls_init(struct guest *g)
{
    g->host = (struct dma_host){
        .call = {.arg = g, .contexts = contexts},
        .arg = g,
        .lock = lock,
        .unlock = lock,
        .now = now,
        .may_stand = may_stand,
    };
}

int guest_discover(struct guest *g)
{
    const struct features_host host = {.arg = g, .contexts = capabilities};

    return features_discover(&host, false, &g->features);
}
