/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans and operations as scenario text, and findings in as few lines as will do. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void print_device(FILE *f, const struct plan *plan, unsigned i)
{
    static const char *const types[] = {"direct", "direct-relaxable", "reserved", "msi", NULL,
                                        "sw-msi"};
    const struct machine_device_config *dev = &plan->device[i];
    uint32_t rid = dev->rids[0].n;

    fprintf(f, "device %s %02x:%02x.%x owner=%s", dev->name, rid >> 8 & 0xff, rid >> 3 & 0x1f,
            rid & 7, plan->domain[plan->owner[i]].name);
    for (unsigned k = 0; k < dev->nr_regions; k++)
        fprintf(f, " reserved=0x%jx-0x%jx:%s", (uintmax_t)dev->regions[k].first,
                (uintmax_t)dev->regions[k].last, types[dev->regions[k].type]);
    if (plan->group_with[i] >= 0)
        fprintf(f, " group=%s", plan->device[plan->group_with[i]].name);
    fputc('\n', f);
}

static void print_domain(FILE *f, const struct machine_domain_config *d)
{
    fprintf(f, "domain %s id=%u mem=%juK", d->name, d->domid, (uintmax_t)d->mem >> 10);
    fprintf(f, "%s", d->hardware ? " hardware" : "");
    for (unsigned k = 0; k < d->nr_controls; k++)
        fprintf(f, "%s%s", k ? "," : " controls=", d->controls[k]);
    if (d->budget_contexts)
        fprintf(f, " budget_contexts=%u", d->budget_contexts);
    if (d->budget_tables)
        fprintf(f, " budget_tables=%u", d->budget_tables);
    if (d->max_ctx_no || d->budget_refs)
        fprintf(f, " # max_ctx_no=%u budget_refs=%u", d->max_ctx_no, d->budget_refs);
    fputc('\n', f);
}

static const char *hwdom(const struct plan *plan)
{
    static const char *const names[] = {"", " hwdom=relaxed", " hwdom=passthrough"};
    enum sluice_space most = SLUICE_SPACE_OWN;

    for (unsigned i = 0; i < plan->nr_domains; i++)
        most = plan->domain[i].space > most ? plan->domain[i].space : most;
    return names[most];
}

void print_plan(FILE *f, const struct plan *plan)
{
    const struct machine_config *m = &plan->machine;

    fprintf(f, "machine ram=%juK aw=%u default=%s%s\n", (uintmax_t)m->ram >> 10,
            m->iova_bits ? m->iova_bits : 48, m->blocked ? "blocked" : "identity", hwdom(plan));
    if (m->format || m->levels || m->caching_mode || m->noncoherent || m->nr_units > 1)
        fprintf(f, "# unit: format %d, levels %u%s%s, %u units, seed %ju\n", (int)m->format,
                m->levels, m->caching_mode ? ", caching mode" : "",
                m->noncoherent ? ", not coherent" : "", m->nr_units, (uintmax_t)m->seed);
    for (unsigned i = 0; i < plan->nr_domains; i++)
        print_domain(f, &plan->domain[i]);
    for (unsigned i = 0; i < plan->nr_devices; i++)
        print_device(f, plan, i);
    for (unsigned i = 0; i < plan->nr_servers; i++)
        fprintf(f, "%s: ioreq_server domid=%u id=%u ring=%u\n",
                plan->domain[plan->server[i].emulator].name,
                plan->domain[plan->server[i].target].domid, plan->server[i].id,
                plan->server[i].nr_slots);
    if (plan->slow_emulators)
        fprintf(f, "# emulators are slow\n");
    for (unsigned i = 0; i < plan->nr_prologue; i++)
        print_op(f, plan, &plan->prologue[i]);
}

static void print_caller(FILE *f, const struct plan *plan, const struct op *op)
{
    fprintf(f, "%s: ", plan->domain[op->caller].name);
    if (op->every)
        fprintf(f, "continue_every=%u ", op->every);
    if (op->caller != op->domain)
        fprintf(f, "remote domid=%u ", plan->domain[op->domain].domid);
}

static const char *flags_name(uint32_t flags, char buffer[16])
{
    static const char *const names[] = {"0", "r", "w", "rw"};

    if (flags < 4)
        return names[flags];
    snprintf(buffer, 16, "0x%x", flags);
    return buffer;
}

static void print_call(FILE *f, const struct plan *plan, const struct op *op)
{
    char flags[16];

    print_caller(f, plan, op);
    switch (op->kind) {
    case OP_QUERY:
        fprintf(f, "query_capabilities");
        break;
    case OP_ALLOC:
        fprintf(f, "alloc_context alloc_flags=%u", op->flags);
        break;
    case OP_FREE:
        fprintf(f, "free_context ctx_no=%u free_flags=%u", op->ctx, op->flags);
        break;
    case OP_ATTACH_PASID:
        fprintf(f, "attach_pasid dev=%s ctx_no=%u pasid=%u", plan->device[op->device].name, op->ctx,
                op->pasid);
        break;
    case OP_DETACH_PASID:
        fprintf(f, "detach_pasid dev=%s pasid=%u", plan->device[op->device].name, op->pasid);
        break;
    case OP_FLUSH:
        fprintf(f, "flush_context ctx_no=%u", op->ctx);
        break;
    case OP_MAP:
        fprintf(f, "map_pages ctx_no=%u gfn=0x%jx dfn=0x%jx map_flags=%s pgsize=0x%x nr_pages=%u",
                op->ctx, (uintmax_t)op->gfn, (uintmax_t)op->dfn, flags_name(op->flags, flags),
                op->pgsize, op->nr);
        break;
    case OP_UNMAP:
        fprintf(f, "unmap_pages ctx_no=%u dfn=0x%jx pgsize=0x%x nr_pages=%u", op->ctx,
                (uintmax_t)op->dfn, op->pgsize, op->nr);
        break;
    case OP_LOOKUP:
        fprintf(f, "lookup_page ctx_no=%u dfn=0x%jx", op->ctx, (uintmax_t)op->dfn);
        break;
    default:
        fprintf(f, "reattach_device dev=%s ctx_no=%u pasid=%u", plan->device[op->device].name,
                op->ctx, op->pasid);
    }
    fprintf(f, " => any\n");
}

static void print_dma(FILE *f, const struct plan *plan, const struct op *op)
{
    const char *name = plan->device[op->device].name;
    unsigned size = op->flags ? op->flags : 8;

    fprintf(f, "%s: %s addr=0x%jx len=%u%s", name, op->write ? "dma_write" : "dma_read",
            (uintmax_t)op->dfn << FRAME_LG2, size, op->write ? " fill=0" : "");
    if (op->pasid)
        fprintf(f, " pasid=%u", op->pasid);
    fprintf(f, " => any");
    if (op->nr % plan->device[op->device].nr_rids)
        fprintf(f, " # as alias %u", op->nr % plan->device[op->device].nr_rids);
    fputc('\n', f);
}

static void print_order(FILE *f, const struct pv_iommu_op *e)
{
    unsigned order = (e->flags & IOMMU_page_order_mask) >> IOMMU_page_order_shift;

    if (order)
        fprintf(f, " order=%u", order);
}

static void print_element(FILE *f, const struct pv_iommu_op *e)
{
    const unsigned flags = e->flags;
    const char *third = e->subop_id == IOMMUOP_map_page ? ",no_ref_cnt" : ",swap_mfn";
    char rights[16];

    switch (e->subop_id) {
    case IOMMUOP_query_caps:
        fprintf(f, "frames.query_caps");
        return;
    case IOMMUOP_map_page:
        fprintf(f, "frames.map_page bfn=0x%jx gfn=0x%jx", (uintmax_t)e->u.map_page.bfn,
                (uintmax_t)e->u.map_page.gfn);
        break;
    case IOMMUOP_unmap_page:
        fprintf(f, "frames.unmap_page bfn=0x%jx", (uintmax_t)e->u.unmap_page.bfn);
        print_order(f, e);
        return;
    case IOMMUOP_map_foreign_page:
        fprintf(f, "frames.map_foreign_page bfn=0x%jx gfn=0x%jx domid=%u ioserver=0x%x",
                (uintmax_t)e->u.map_foreign_page.bfn, (uintmax_t)e->u.map_foreign_page.gfn,
                e->u.map_foreign_page.domid, e->u.map_foreign_page.ioserver);
        break;
    case IOMMUOP_lookup_foreign_page:
        fprintf(f, "frames.lookup_foreign_page gfn=0x%jx domid=%u ioserver=0x%x",
                (uintmax_t)e->u.lookup_foreign_page.gfn, e->u.lookup_foreign_page.domid,
                e->u.lookup_foreign_page.ioserver);
        return;
    default:
        fprintf(f, "frames.unmap_foreign_page bfn=0x%jx ioserver=0x%x",
                (uintmax_t)e->u.unmap_foreign_page.bfn, e->u.unmap_foreign_page.ioserver);
        print_order(f, e);
        return;
    }
    fprintf(f, " flags=%s%s", flags_name(flags & 3, rights),
            flags & IOMMU_MAP_OP_swap_mfn ? third : "");
    print_order(f, e);
}

static void print_frames(FILE *f, const struct plan *plan, const struct op *op)
{
    struct pv_iommu_op elements[MOST_ELEMENTS];
    unsigned nr = frames_elements(plan, op, elements);

    fprintf(f, "%s: ", plan->domain[op->caller].name);
    for (unsigned i = 0; i < nr; i++) {
        fprintf(f, "%s", i ? " ; " : "");
        print_element(f, &elements[i]);
    }
    fprintf(f, " => any%s\n", nr > 1 ? " ; any" : "");
}

void print_op(FILE *f, const struct plan *plan, const struct op *op)
{
    const char *domain = plan->domain[op->domain].name;
    const char *device = plan->device[op->device].name;

    switch (op->kind) {
    case OP_BALLOON:
    case OP_POPULATE:
        fprintf(f, "%s: %s gfn=0x%jx nr=%u => any\n", domain,
                op->kind == OP_BALLOON ? "balloon_out" : "populate", (uintmax_t)op->gfn, op->nr);
        return;
    case OP_ASSIGN:
        fprintf(f, "assign %s %s => any\n", device, domain);
        return;
    case OP_UNASSIGN:
        fprintf(f, "unassign %s => any\n", device);
        return;
    case OP_DESTROY:
        fprintf(f, "destroy %s\n", domain);
        return;
    case OP_FAIL_ALLOC:
    case OP_FAIL_FLUSH:
        fprintf(f, "fail %s=%u\n", op->kind == OP_FAIL_ALLOC ? "alloc" : "flush", op->nr);
        return;
    case OP_DMA:
        print_dma(f, plan, op);
        return;
    case OP_FRAMES:
        print_frames(f, plan, op);
        return;
    case OP_IOREQ:
        fprintf(f, "%s: ioreq id=%u => any%s\n", plan->domain[op->caller].name, op->ctx,
                op->all ? " # until there are no more" : "");
        return;
    case OP_SERVER_END:
        fprintf(f, "%s: ioreq_server_end domid=%u id=%u => any\n", plan->domain[op->caller].name,
                plan->domain[op->domain].domid, op->ctx);
        return;
    case OP_CREATE:
        print_domain(f, &plan->domain[op->domain]);
        return;
    default:
        print_call(f, plan, op);
    }
}
