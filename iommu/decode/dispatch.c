/* SPDX-License-Identifier: BSD-2-Clause */
/* The way in: iommu_op(subop, arg) to a row of the table, decoded once, performed until it is done.
 */
#include "call.h"

#define LARGEST_ARGUMENT 40u

static const struct subop subops[] = {
    [IOMMU_noop] = {0, 0, 0, decode_noop, perform_noop},
    [IOMMU_query_capabilities] = {0, 0, 0, decode_query_capabilities, perform_query_capabilities},
    [IOMMU_alloc_context] = {sizeof(struct pv_iommu_alloc), 0, 0, decode_alloc_context,
                             perform_alloc_context},
    [IOMMU_free_context] = {sizeof(struct pv_iommu_free), 0, 0, decode_free_context,
                            perform_free_context},
    [IOMMU_reattach_device] = {sizeof(struct pv_iommu_reattach_device), 0, 0,
                               decode_reattach_device, perform_reattach_device},
    [IOMMU_map_pages] = {sizeof(struct pv_iommu_map_pages),
                         offsetof(struct pv_iommu_map_pages, mapped), 0, decode_map_pages,
                         perform_map_pages},
    [IOMMU_unmap_pages] = {sizeof(struct pv_iommu_unmap_pages),
                           offsetof(struct pv_iommu_unmap_pages, unmapped), 0, decode_unmap_pages,
                           perform_unmap_pages},
    [IOMMU_lookup_page] = {sizeof(struct pv_iommu_lookup_page), 0, 0, decode_lookup_page,
                           perform_lookup_page},
    [IOMMU_alloc_nested] = {sizeof(struct pv_iommu_alloc_nested), 0, IOMMUCAP_nested,
                            decode_alloc_nested, perform_alloc_nested},
    [IOMMU_flush_nested] = {sizeof(struct pv_iommu_flush_nested), 0, IOMMUCAP_nested,
                            decode_flush_nested, perform_flush_nested},
    [IOMMU_attach_pasid] = {sizeof(struct pv_iommu_attach_pasid), 0, IOMMUCAP_pasid,
                            decode_attach_pasid, perform_attach_pasid},
    [IOMMU_detach_pasid] = {sizeof(struct pv_iommu_detach_pasid), 0, IOMMUCAP_pasid,
                            decode_detach_pasid, perform_detach_pasid},
    [IOMMU_query_reserved] = {sizeof(struct pv_iommu_query_reserved),
                              offsetof(struct pv_iommu_query_reserved, nr_ranges),
                              IOMMUCAP_query_reserved, decode_query_reserved,
                              perform_query_reserved},
    [IOMMU_flush_context] = {sizeof(struct pv_iommu_flush_context), 0, IOMMUCAP_deferred,
                             decode_flush_context, perform_flush_context},
    [IOMMU_map_list] = {sizeof(struct pv_iommu_map_list),
                        offsetof(struct pv_iommu_map_list, mapped), IOMMUCAP_map_list,
                        decode_map_list, perform_map_list},
    [IOMMU_batch] = {sizeof(struct pv_iommu_batch), offsetof(struct pv_iommu_batch, done),
                     IOMMUCAP_batch, decode_batch, perform_batch},
    [IOMMU_read_faults] = {sizeof(struct pv_iommu_read_faults), 0, IOMMUCAP_read_faults,
                           decode_read_faults, perform_read_faults},
};

const struct subop *subop_find(const struct domain *d, int subop)
{
    const struct subop *op;

    if (subop < 0 || (size_t)subop >= sizeof(subops) / sizeof(subops[0]))
        return NULL;
    op = &subops[subop];
    if (!op->decode || (op->capability & ~capabilities_of(d)))
        return NULL;
    return op;
}

int call_put_array(const struct call *call, uint64_t array, uint64_t offset, const void *value,
                   size_t size)
{
    const struct sluice_port *port = call->caller->s->port;

    if (array > UINT64_MAX - offset)
        return -EFAULT;
    return port->copy_to_guest(port->host, call->caller->guest, array + offset, value, size);
}

int call_get_array(const struct call *call, uint64_t array, uint64_t offset, void *to, size_t size)
{
    const struct sluice_port *port = call->caller->s->port;

    if (array > UINT64_MAX - offset)
        return -EFAULT;
    return port->copy_from_guest(port->host, call->caller->guest, to, array + offset, size);
}

int call_put(const struct call *call, uint64_t offset, const void *value, size_t size)
{
    return call_put_array(call, call->arg, offset, value, size);
}

/* The whole argument in one copy: what is checked is what is used. */
static int fetch_and_decode(struct call *call)
{
    const struct sluice_port *port = call->caller->s->port;
    uint64_t raw[LARGEST_ARGUMENT / 8];
    const uint32_t none = 0;
    int err = 0;

    call->op = subop_find(call->d, call->subop);
    if (!call->op)
        return -EOPNOTSUPP;
    if (call->op->size)
        err =
            port->copy_from_guest(port->host, call->caller->guest, raw, call->arg, call->op->size);
    /* The count is written first: a call that could not report what it did does nothing. */
    if (!err && call->op->count_at)
        err = call_put(call, call->op->count_at, &none, sizeof(none));
    return err ? err : call->op->decode(call, raw);
}

static long run(struct call *call)
{
    int err;

    if (call->state == CALL_DECODE) {
        err = fetch_and_decode(call);
        if (err)
            return err;
        call->state = CALL_PERFORM;
    }
    return call->op->perform(call);
}

/* A remote call finds its target at every run: it may be gone since the last. */
static long run_remote(struct call *call)
{
    struct instance *s = call->caller->s;
    struct domain *d = domain_pin(s, call->target);
    long status = -ESRCH;

    if (!d)
        return -ESRCH;
    if (!call->target_serial)
        call->target_serial = d->serial;
    if (call->target_serial == d->serial) {
        call->d = d;
        status = run(call);
    }
    domain_unpin(d);
    return status;
}

_Static_assert(sizeof(struct call) <= sizeof(struct sluice_call), "sluice_call is too small");

void sluice_call_start(struct sluice_call *sc, struct sluice_domain *sd, int subop, uint64_t arg)
{
    struct call *call = call_of(sc);

    call->caller = domain_of(sd);
    call->batch.running = false;
    call_begin(call, subop, arg);
}

long call_run(struct call *call)
{
    int err;

    if (call->state == CALL_DECODE && call->subop == IOMMU_remote_cmd) {
        err = decode_remote(call);
        if (err)
            return err;
        call->remote = true;
    }
    return call->remote ? run_remote(call) : run(call);
}

long sluice_call_run(struct sluice_call *sc)
{
    struct call *call = call_of(sc);
    long status;

    if (call->caller->dying)
        return -ENODEV;
    if (call->state == CALL_FRAMES)
        return call->op->perform(call); /* it has something to say without an IOMMU too */
    if (!call->caller->s->translates)
        return -ENODEV;
    if (call->batch.running)
        return batch_run(call);
    status = call_run(call);
    return call->batch.running ? batch_run(call) : status;
}
