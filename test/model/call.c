/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypercall: who calls, on whom, which sub-op; and the small sub-ops. */
#include "state.h"

#include <string.h>

#define OUT_FIELD(type, field) offsetof(struct type, field), sizeof(((struct type *)NULL)->field)

/* The sub-ops, and which bytes of their arguments are OUT: the others stay as they are. */
static const struct {
    bool (*called)(struct ghost *g, const struct inner_call *c);
    size_t size, out_at, out_size;
} subops[] = {
    [IOMMU_query_capabilities] = {called_query, sizeof(struct pv_iommu_capabilities), 0,
                                  sizeof(struct pv_iommu_capabilities)},
    [IOMMU_alloc_context] = {called_alloc, sizeof(struct pv_iommu_alloc),
                             OUT_FIELD(pv_iommu_alloc, ctx_no)},
    [IOMMU_free_context] = {called_free, sizeof(struct pv_iommu_free), 0, 0},
    [IOMMU_reattach_device] = {called_reattach, sizeof(struct pv_iommu_reattach_device), 0, 0},
    [IOMMU_attach_pasid] = {called_attach_pasid, sizeof(struct pv_iommu_attach_pasid), 0, 0},
    [IOMMU_detach_pasid] = {called_detach_pasid, sizeof(struct pv_iommu_detach_pasid), 0, 0},
    [IOMMU_map_pages] = {called_map, sizeof(struct pv_iommu_map_pages),
                         OUT_FIELD(pv_iommu_map_pages, mapped)},
    [IOMMU_map_list] = {called_map_list, sizeof(struct pv_iommu_map_list),
                        OUT_FIELD(pv_iommu_map_list, mapped)},
    [IOMMU_batch] = {called_batch, sizeof(struct pv_iommu_batch), OUT_FIELD(pv_iommu_batch, done)},
    [IOMMU_read_faults] = {called_read_faults, sizeof(struct pv_iommu_read_faults), 0,
                           offsetof(struct pv_iommu_read_faults, faults)},
    [IOMMU_unmap_pages] = {called_unmap, sizeof(struct pv_iommu_unmap_pages),
                           OUT_FIELD(pv_iommu_unmap_pages, unmapped)},
    [IOMMU_lookup_page] = {called_lookup, sizeof(struct pv_iommu_lookup_page),
                           OUT_FIELD(pv_iommu_lookup_page, gfn)},
    [IOMMU_alloc_nested] = {called_alloc_nested, sizeof(struct pv_iommu_alloc_nested),
                            OUT_FIELD(pv_iommu_alloc_nested, ctx_no)},
    [IOMMU_flush_nested] = {called_flush_nested, sizeof(struct pv_iommu_flush_nested), 0, 0},
    [IOMMU_flush_context] = {called_flush_context, sizeof(struct pv_iommu_flush_context), 0, 0},
    [IOMMU_query_reserved] = {called_query_reserved, sizeof(struct pv_iommu_query_reserved),
                              OUT_FIELD(pv_iommu_query_reserved, nr_ranges)},
};

/* Calls write their OUT fields and nothing else of the argument. */
static bool writes_out_only(struct ghost *g, const struct inner_call *c)
{
    const unsigned char *in = c->in, *out = c->out;
    size_t at = subops[c->subop].out_at, end = at + subops[c->subop].out_size;

    if (memcmp(in, out, at) || memcmp(in + end, out + end, subops[c->subop].size - end))
        return complain(g, "sub-op %d changed bytes that are not OUT fields", c->subop);
    return true;
}

static bool is_pasid_op(int subop)
{
    return subop == IOMMU_attach_pasid || subop == IOMMU_detach_pasid;
}

/* One sub-op on domain c->d, called directly or through remote_cmd. */
static bool called_inner(struct ghost *g, const struct inner_call *c)
{
    bool known = c->subop >= 0 && c->subop < (int)(sizeof(subops) / sizeof(subops[0])) &&
                 subops[c->subop].called;
    struct verdict v = {0};

    if (c->subop == IOMMU_noop)
        return judge(g, &v, c->status, "noop");
    if (!known || (is_pasid_op(c->subop) && !max_pasid(g)))
        may(&v, -EOPNOTSUPP);
    else if (!c->in || (!c->out && c->status == -EFAULT))
        may(&v, -EFAULT);
    if (v.nr)
        return judge(g, &v, c->status, "sub-op");
    if (!c->out)
        return complain(g, "sub-op %d: no argument to compare", c->subop);
    return writes_out_only(g, c) && subops[c->subop].called(g, c);
}

bool controls(const struct ghost_domain *d, const char *name)
{
    for (unsigned i = 0; i < d->nr_controls; i++) {
        if (!strcmp(d->controls[i], name))
            return true;
    }
    return false;
}

static bool called_remote(struct ghost *g, struct ghost_domain *caller,
                          const struct ghost_call *call)
{
    struct pv_iommu_remote_cmd remote;
    struct inner_call inner = {.in = call->inner_in,
                               .out = call->inner_out,
                               .status = call->status,
                               .gfns = call->gfns,
                               .nr_gfns = call->nr_gfns};
    struct verdict v = {0};

    if (!call->in) {
        may(&v, -EFAULT);
        return judge(g, &v, call->status, "remote_cmd");
    }
    memcpy(&remote, call->in, sizeof(remote));
    inner.d = find_domain(g, remote.domid);
    inner.subop = remote.cmd;
    if (inner.d)
        may_if(&v, !controls(caller, inner.d->name), -EPERM);
    else
        may(&v, caller->hardware || caller->nr_controls ? -ESRCH : -EPERM);
    may_if(&v, remote.cmd == IOMMU_remote_cmd || remote.cmd == IOMMU_batch, -EINVAL);
    if (v.nr)
        return judge(g, &v, call->status, "remote_cmd");
    return called_inner(g, &inner);
}

/* Without an IOMMU there is one answer, whatever the call. */
static bool called_without_iommu(struct ghost *g, const struct ghost_call *call)
{
    struct verdict v = {0};

    may(&v, -ENODEV);
    may_if(&v, !call->in, -EFAULT);
    may_if(&v, call->subop == IOMMU_remote_cmd, -EPERM);
    may_if(&v, call->subop == IOMMU_remote_cmd, -ESRCH);
    return judge(g, &v, call->status, "a call without an IOMMU");
}

static bool refused(struct ghost *g, const struct ghost_call *call)
{
    struct verdict v = {0};

    may(&v, -EINVAL);
    return judge(g, &v, call->status, "a batch in a batch");
}

bool ghost_called(struct ghost *g, const struct ghost_call *call)
{
    struct ghost_domain *caller = find_domain(g, call->caller);
    struct inner_call inner = {caller,       call->subop, call->in,     call->out,
                               call->status, call->gfns,  call->nr_gfns};

    event_begins(g, call->status);
    if (!caller)
        return complain(g, "a call by domain %u, which is not there", call->caller);
    if (g->no_iommu)
        return called_without_iommu(g, call);
    if (call->subop == IOMMU_remote_cmd)
        return called_remote(g, caller, call);
    if (call->element && call->subop == IOMMU_batch)
        return refused(g, call);
    return called_inner(g, &inner);
}

/* Facts that the unit decides are learned at their first sign and must stay so. */
static bool learn(struct ghost *g, enum learned *fact, bool value, const char *what)
{
    enum learned now = value ? YES : NO;

    if (*fact != UNKNOWN && *fact != now)
        return complain(g, "%s: said %s before", what, value ? "no" : "yes");
    *fact = now;
    return true;
}

uint64_t page_sizes(const struct ghost_domain *d)
{
    struct sluice_context_info info;

    if (sluice_context_info(d->real, 0, &info))
        return FRAME_SIZE;
    return info.geo.leaf_sizes & (((uint64_t)1 << 31) - 1); /* pages of at most 1G */
}

bool called_query(struct ghost *g, const struct inner_call *c)
{
    const uint32_t known = IOMMUCAP_default_identity | IOMMUCAP_cache | IOMMUCAP_identity |
                           IOMMUCAP_query_reserved | IOMMUCAP_map_list | IOMMUCAP_deferred |
                           IOMMUCAP_batch | IOMMUCAP_read_faults | IOMMUCAP_nested | IOMMUCAP_pasid;
    struct pv_iommu_capabilities caps;

    if (c->status)
        return complain(g, "query_capabilities gave %ld", c->status);
    memcpy(&caps, c->out, sizeof(caps));
    if (caps.max_iova_addr != (g->max_dfn << FRAME_LG2 | (FRAME_SIZE - 1)))
        return complain(g, "max_iova_addr is 0x%jx", (uintmax_t)caps.max_iova_addr);
    if (caps.max_ctx_no != c->d->max_ctx_no || caps.max_pasid != max_pasid(g) ||
        !(caps.cap_flags & IOMMUCAP_pasid) != !caps.max_pasid)
        return complain(g, "max_ctx_no is %u, max_pasid %u", caps.max_ctx_no, caps.max_pasid);
    if (caps.pgsize_mask != page_sizes(c->d) || !(caps.pgsize_mask & FRAME_SIZE))
        return complain(g, "pgsize_mask is 0x%x", caps.pgsize_mask);
    if (caps.cap_flags & ~known)
        return complain(g, "cap_flags 0x%x have bits of what is not there", caps.cap_flags);
    if (!(caps.cap_flags & IOMMUCAP_default_identity) != !c->d->ctx[0].identity)
        return complain(g, "cap_flags 0x%x are wrong about the default context", caps.cap_flags);
    return learn(g, &g->can_cache, caps.cap_flags & IOMMUCAP_cache, "IOMMUCAP_cache") &&
           learn(g, &g->can_identity, caps.cap_flags & IOMMUCAP_identity, "IOMMUCAP_identity");
}

/* In a bus-frame space: frames of others have none. */
static bool has_gfn(struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no,
                    const struct page *page)
{
    const struct ghost_frame *f = frame_at(g, page->mfn);

    if (ctx_no || space_is_plain(d))
        return true;
    return f->known && f->owner == d->domid && !(d->has_scratch && page->mfn == d->scratch);
}

bool called_lookup(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_lookup_page in, out;
    const struct pages *pages;
    const struct page *page;
    struct verdict v = {0};

    memcpy(&in, c->in, sizeof(in));
    memcpy(&out, c->out, sizeof(out));
    pages = is_nested(c->d, in.ctx_no) ? NULL : ctx_pages(g, c->d, in.ctx_no);
    page = pages ? pages_at(pages, in.dfn) : NULL;
    may_if(&v, !pages, -EINVAL);
    may_if(&v, in.dfn > g->max_dfn, -ENOENT);
    if (!v.nr)
        may_if(&v, !page || !page->attr || !has_gfn(g, c->d, in.ctx_no, page), -ENOENT);
    if (!judge(g, &v, c->status, "lookup_page"))
        return false;
    if (out.gfn != (c->status ? in.gfn : page->gfn))
        return complain(g, "lookup_page: gfn is 0x%jx with status %ld", (uintmax_t)out.gfn,
                        c->status);
    return true;
}

/* Its elements are events of their own: here only how many. */
bool called_batch(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_batch in, out;
    struct verdict v = {0};

    memcpy(&in, c->in, sizeof(in));
    memcpy(&out, c->out, sizeof(out));
    may_if(&v, c->status == -EFAULT && in.nr, -EFAULT);
    if (!judge(g, &v, c->status, "batch"))
        return false;
    if (out.done > in.nr || (!c->status && out.done < in.nr))
        return complain(g, "batch: %u of %u done with status %ld", out.done, in.nr, c->status);
    return true;
}

/* What devices were stopped at is not known here: only that no more are told than asked for. */
bool called_read_faults(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_read_faults in, out;
    struct verdict v = {0};

    memcpy(&in, c->in, sizeof(in));
    memcpy(&out, c->out, sizeof(out));
    may_if(&v, c->status == -EFAULT && in.nr, -EFAULT);
    if (!judge(g, &v, c->status, "read_faults"))
        return false;
    if (out.nr > in.nr)
        return complain(g, "read_faults: %u of %u", out.nr, in.nr);
    return true;
}
