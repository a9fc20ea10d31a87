/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans and operations as scenario text, and findings in as few lines as will do. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void print_device(FILE *f, const struct plan *plan, unsigned i)
{
    static const char *const types[] = {"direct", "direct-relaxable", "reserved", "msi"};
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

void print_plan(FILE *f, const struct plan *plan)
{
    const struct machine_config *m = &plan->machine;

    fprintf(f, "machine ram=%juK aw=%u default=%s\n", (uintmax_t)m->ram >> 10,
            m->iova_bits ? m->iova_bits : 48, m->blocked ? "blocked" : "identity");
    if (m->format || m->levels || m->caching_mode || m->noncoherent || m->nr_units > 1)
        fprintf(f, "# unit: format %d, levels %u%s%s, %u units, seed %ju\n", (int)m->format,
                m->levels, m->caching_mode ? ", caching mode" : "",
                m->noncoherent ? ", not coherent" : "", m->nr_units, (uintmax_t)m->seed);
    for (unsigned i = 0; i < plan->nr_domains; i++) {
        const struct machine_domain_config *d = &plan->domain[i];

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
    for (unsigned i = 0; i < plan->nr_devices; i++)
        print_device(f, plan, i);
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
                op->ctx, op->flags);
    }
    fprintf(f, " => any\n");
}

static void print_dma(FILE *f, const struct plan *plan, const struct op *op)
{
    const char *name = plan->device[op->device].name;
    unsigned size = op->flags ? op->flags : 8;

    fprintf(f, "%s: %s addr=0x%jx len=%u%s => any", name, op->write ? "dma_write" : "dma_read",
            (uintmax_t)op->dfn << FRAME_LG2, size, op->write ? " fill=0" : "");
    if (op->nr % plan->device[op->device].nr_rids)
        fprintf(f, " # as alias %u", op->nr % plan->device[op->device].nr_rids);
    fputc('\n', f);
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
    default:
        print_call(f, plan, op);
    }
}
