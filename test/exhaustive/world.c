/* SPDX-License-Identifier: BSD-2-Clause */
/* The small world: setting it up, doing things in it. */
#include "blackbox.h"

#include <stdlib.h>
#include <string.h>

static bool fails(struct world *w, const char *what)
{
    if (!w->error[0])
        snprintf(w->error, sizeof(w->error), "%s", what);
    return false;
}

static bool agreed(struct world *w, bool right)
{
    return right ? true : fails(w, ghost_error(w->g));
}

static struct machine_domain *domain_of(const struct world *w, unsigned index)
{
    return machine_domain(w->m, w->plan->domain[index].name);
}

static struct machine_device *device_of(const struct world *w, unsigned index)
{
    return machine_device(w->m, w->plan->device[index].name);
}

static bool assign(struct world *w, unsigned device, unsigned domain)
{
    struct machine_device *dev = device_of(w, device);
    struct machine_domain *d = domain_of(w, domain);

    if (!d)
        return true;
    return agreed(
        w, ghost_assigned(w->g, dev, machine_domain_domid(d), machine_device_assign(dev, d)));
}

static bool add_devices(struct world *w)
{
    const struct plan *plan = w->plan;

    for (unsigned i = 0; i < plan->nr_devices; i++) {
        struct machine_device_config config = plan->device[i];
        struct machine_device *dev = NULL;
        int status;

        if (plan->group_with[i] >= 0)
            config.group = device_of(w, (unsigned)plan->group_with[i]);
        status = machine_device_add(w->m, &config, &dev);
        if (!agreed(w, ghost_device_added(w->g, &config, dev, status)))
            return false;
        if (status)
            return fails(w, "a device could not be added");
    }
    for (unsigned i = 0; i < plan->nr_devices; i++) {
        if (plan->group_with[i] < 0 && !assign(w, i, plan->owner[i]))
            return false;
    }
    return true;
}

static bool add_servers(struct world *w)
{
    for (unsigned i = 0; i < w->plan->nr_servers; i++) {
        const struct plan_server *s = &w->plan->server[i];
        const struct plan *plan = w->plan;
        int status = machine_ioreq_server(domain_of(w, s->emulator), domain_of(w, s->target), s->id,
                                          s->nr_slots);

        if (!agreed(w,
                    ghost_ioreq_server(w->g, plan->domain[s->emulator].domid,
                                       plan->domain[s->target].domid, s->id, s->nr_slots, status)))
            return false;
    }
    return true;
}

/* Not part of the log: who replays it opens a world too. */
static bool prologue(struct world *w)
{
    struct blackbox *log = w->log;
    bool right = true;

    w->log = NULL;
    for (unsigned i = 0; i < w->plan->nr_prologue && right; i++)
        right = world_do(w, &w->plan->prologue[i]);
    w->log = log;
    return right;
}

bool world_open(struct world *w, const struct plan *plan, struct blackbox *log, FILE *trace)
{
    char error[MACHINE_ERROR_SIZE] = "";

    *w = (struct world){.plan = plan, .log = log, .trace = trace};
    if (log) {
        log->plan = *plan;
        log->nr = 0;
    }
    if (machine_create(&plan->machine, &w->m, error))
        return fails(w, error);
    w->g = ghost_create(w->m, &plan->machine);
    if (!w->g)
        return fails(w, "no memory for the model");
    if (plan->failures)
        ghost_allow_failure(w->g);
    for (unsigned i = 0; i < plan->nr_domains; i++) {
        struct machine_domain *d;
        int status = machine_domain_add(w->m, &plan->domain[i], &d);

        if (!agreed(w, ghost_domain_added(w->g, &plan->domain[i], status)))
            return false;
        if (status)
            return fails(w, machine_error(w->m));
    }
    machine_slow_emulators(w->m, plan->slow_emulators);
    return add_devices(w) && add_servers(w) && prologue(w) && world_check(w);
}

static bool nothing_is_left(struct world *w, bool may_lose)
{
    unsigned leaked = machine_destroy(w->m);

    if (!leaked || may_lose)
        return true;
    snprintf(w->error, sizeof(w->error), "%u frames or objects leaked", leaked);
    return false;
}

bool world_close(struct world *w)
{
    bool right = true;

    ghost_destroy(w->g);
    if (w->m)
        right = nothing_is_left(w, w->plan->failures || w->error[0]);
    return right;
}

bool world_check(struct world *w)
{
    return agreed(w, ghost_check(w->g));
}

static void keep(struct world *w, const struct op *op)
{
    if (w->log && w->log->nr < BLACKBOX_OPS)
        w->log->op[w->log->nr++] = *op;
    if (!w->trace)
        return;
    print_op(w->trace, w->plan, op);
    fflush(w->trace);
}

/* The argument of any sub-op that is used here. */
union argument {
    struct pv_iommu_capabilities caps;
    struct pv_iommu_alloc alloc;
    struct pv_iommu_free free;
    struct pv_iommu_map_pages map;
    struct pv_iommu_unmap_pages unmap;
    struct pv_iommu_lookup_page lookup;
    struct pv_iommu_reattach_device reattach;
    struct pv_iommu_attach_pasid attach_pasid;
    struct pv_iommu_detach_pasid detach_pasid;
    struct pv_iommu_flush_context flush;
    struct pv_iommu_remote_cmd remote;
};

/* What is done to a device, or to a pasid of it. */
static size_t fill_device(const struct world *w, const struct op *op, union argument *a)
{
    const rid_t rid = w->plan->device[op->device].rids[0];
    const struct physdev_pci_device dev = {(uint16_t)(rid.n >> 16), (uint8_t)(rid.n >> 8),
                                           (uint8_t)rid.n};

    switch (op->kind) {
    case OP_ATTACH_PASID:
        a->attach_pasid = (struct pv_iommu_attach_pasid){op->ctx, dev, op->pasid};
        return sizeof(a->attach_pasid);
    case OP_DETACH_PASID:
        a->detach_pasid = (struct pv_iommu_detach_pasid){dev, op->pasid};
        return sizeof(a->detach_pasid);
    default:
        a->reattach = (struct pv_iommu_reattach_device){op->ctx, dev, op->pasid};
        return sizeof(a->reattach);
    }
}

/* Fills in the argument; returns its size. */
static size_t fill(const struct world *w, const struct op *op, union argument *a)
{
    switch (op->kind) {
    case OP_QUERY:
        return sizeof(a->caps);
    case OP_ALLOC:
        a->alloc.alloc_flags = op->flags;
        return sizeof(a->alloc);
    case OP_FREE:
        a->free = (struct pv_iommu_free){.ctx_no = op->ctx, .free_flags = op->flags};
        return sizeof(a->free);
    case OP_MAP:
        a->map = (struct pv_iommu_map_pages){.ctx_no = op->ctx,
                                             .gfn = op->gfn,
                                             .dfn = op->dfn,
                                             .map_flags = op->flags,
                                             .pgsize = op->pgsize,
                                             .nr_pages = op->nr,
                                             .mapped = 0xdead};
        return sizeof(a->map);
    case OP_UNMAP:
        a->unmap = (struct pv_iommu_unmap_pages){.ctx_no = op->ctx,
                                                 .dfn = op->dfn,
                                                 .pgsize = op->pgsize,
                                                 .nr_pages = op->nr,
                                                 .unmapped = 0xdead};
        return sizeof(a->unmap);
    case OP_LOOKUP:
        a->lookup = (struct pv_iommu_lookup_page){.ctx_no = op->ctx, .dfn = op->dfn};
        return sizeof(a->lookup);
    case OP_FLUSH:
        a->flush = (struct pv_iommu_flush_context){.ctx_no = op->ctx};
        return sizeof(a->flush);
    default:
        return fill_device(w, op, a);
    }
}

static int subop_of(enum op_kind kind)
{
    static const int subops[] = {
        [OP_QUERY] = IOMMU_query_capabilities,  [OP_ALLOC] = IOMMU_alloc_context,
        [OP_FREE] = IOMMU_free_context,         [OP_MAP] = IOMMU_map_pages,
        [OP_UNMAP] = IOMMU_unmap_pages,         [OP_LOOKUP] = IOMMU_lookup_page,
        [OP_REATTACH] = IOMMU_reattach_device,  [OP_FLUSH] = IOMMU_flush_context,
        [OP_ATTACH_PASID] = IOMMU_attach_pasid, [OP_DETACH_PASID] = IOMMU_detach_pasid,
    };

    return subops[kind];
}

#define INNER_ARG (MACHINE_ARG + 64)

static bool call(struct world *w, const struct op *op)
{
    struct machine_domain *caller = domain_of(w, op->caller);
    bool remote = op->caller != op->domain;
    union argument in = {0}, out = {0}, outer = {0};
    struct ghost_call told = {.subop = subop_of(op->kind), .in = &in, .out = &out};
    uint64_t at = remote ? INNER_ARG : MACHINE_ARG;
    size_t size = fill(w, op, &in);

    if (!caller)
        return true;
    if (machine_guest_write(caller, at, &in, size))
        return fails(w, "the argument page cannot be written");
    if (remote) {
        outer.remote.domid = w->plan->domain[op->domain].domid;
        outer.remote.cmd = (uint16_t)told.subop;
        outer.remote.arg.q = INNER_ARG;
        told = (struct ghost_call){.subop = IOMMU_remote_cmd,
                                   .in = &outer,
                                   .out = &outer,
                                   .inner_in = &in,
                                   .inner_out = &out};
        if (machine_guest_write(caller, MACHINE_ARG, &outer, sizeof(outer.remote)))
            return fails(w, "the argument page cannot be written");
    }
    told.caller = w->plan->domain[op->caller].domid;
    told.status = machine_hypercall(caller, told.subop, MACHINE_ARG, op->every);
    if (machine_guest_read(caller, at, &out, size))
        return fails(w, "the argument page cannot be read");
    return agreed(w, ghost_called(w->g, &told));
}

static bool dma(struct world *w, const struct op *op)
{
    struct machine_device *dev = device_of(w, op->device);
    rid_t rid = w->plan->device[op->device].rids[op->nr % w->plan->device[op->device].nr_rids];
    enum hw_reason reason = HW_REASON_NONE;
    uint8_t data[2 * FRAME_SIZE] = {0};
    size_t size = op->flags ? op->flags : 8;
    int status =
        machine_dma(dev, rid, op->pasid, op->dfn << FRAME_LG2, data, size, op->write, &reason);

    return agreed(w, ghost_dma(w->g, dev, rid, op->pasid, op->dfn << FRAME_LG2, size, op->write,
                               status, reason));
}

static bool memory(struct world *w, const struct op *op)
{
    struct machine_domain *d = domain_of(w, op->domain);
    uint16_t domid = w->plan->domain[op->domain].domid;

    if (!d)
        return true;
    if (op->kind == OP_BALLOON)
        return agreed(w, ghost_ballooned(w->g, domid, op->gfn, op->nr,
                                         machine_balloon_out(d, op->gfn, op->nr)));
    if (op->kind == OP_POPULATE)
        return agreed(
            w, ghost_populated(w->g, domid, op->gfn, op->nr, machine_populate(d, op->gfn, op->nr)));
    return agreed(w, ghost_domain_destroyed(w->g, domid, machine_domain_destroy(w->m, d)));
}

static bool create(struct world *w, const struct op *op)
{
    const struct machine_domain_config *config = &w->plan->domain[op->domain];
    struct machine_domain *d;

    if (domain_of(w, op->domain))
        return true;
    return agreed(w, ghost_domain_added(w->g, config, machine_domain_add(w->m, config, &d)));
}

static bool frames(struct world *w, const struct op *op)
{
    struct machine_domain *caller = domain_of(w, op->caller);
    struct pv_iommu_op in[MOST_ELEMENTS], out[MOST_ELEMENTS];
    unsigned nr = frames_elements(w->plan, op, in);
    int result;

    if (!caller)
        return true;
    if (machine_guest_write(caller, MACHINE_ARG, in, nr * sizeof(in[0])))
        return fails(w, "the argument page cannot be written");
    result = machine_frames_call(caller, MACHINE_ARG, nr, op->every);
    if (machine_guest_read(caller, MACHINE_ARG, out, nr * sizeof(out[0])))
        return fails(w, "the argument page cannot be read");
    return agreed(w, ghost_frames(w->g, w->plan->domain[op->caller].domid, in, out, nr, result));
}

/* *status: of the asking. */
static bool take_request(struct world *w, const struct op *op, int *status)
{
    struct machine_domain *emulator = domain_of(w, op->caller);
    struct sluice_ioreq request = {0};
    uint16_t target = 0;

    *status = emulator ? machine_ioreq_next(emulator, op->ctx, &request, &target) : -ENODEV;
    if (*status == -ENODEV)
        return true;
    return agreed(w, ghost_ioreq(w->g, w->plan->domain[op->caller].domid, target, op->ctx, *status,
                                 request.type, request.bfn));
}

/* One, or all that there are. */
static bool ioreq(struct world *w, const struct op *op)
{
    bool right;
    int status;

    do
        right = take_request(w, op, &status);
    while (right && !status && op->all);
    return right;
}

static bool server_end(struct world *w, const struct op *op)
{
    struct machine_domain *emulator = domain_of(w, op->caller), *target = domain_of(w, op->domain);

    if (!emulator || !target || machine_ioreq_server_end(emulator, target, op->ctx))
        return true;
    return agreed(w,
                  ghost_ioreq_server_destroyed(w->g, w->plan->domain[op->domain].domid, op->ctx));
}

bool world_do(struct world *w, const struct op *op)
{
    struct machine_device *dev;

    keep(w, op);
    switch (op->kind) {
    case OP_DMA:
        return dma(w, op);
    case OP_FRAMES:
        return frames(w, op);
    case OP_IOREQ:
        return ioreq(w, op);
    case OP_SERVER_END:
        return server_end(w, op);
    case OP_CREATE:
        return create(w, op);
    case OP_BALLOON:
    case OP_POPULATE:
    case OP_DESTROY:
        return memory(w, op);
    case OP_ASSIGN:
        return assign(w, op->device, op->domain);
    case OP_UNASSIGN:
        dev = device_of(w, op->device);
        return agreed(w, ghost_unassigned(w->g, dev, machine_device_unassign(dev)));
    case OP_FAIL_ALLOC:
        machine_fail_alloc(w->m, op->nr);
        return true;
    case OP_FAIL_FLUSH:
        machine_fail_flush(w->m, op->nr);
        return true;
    default:
        return call(w, op);
    }
}
