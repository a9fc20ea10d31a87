/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sub-ops of the contexts ABI: for each field its name, place, size and direction. This one
 * table serves writing arguments, reading and comparing results, variables, JSON and help.
 */
#include "hypercall.h"

/* A field of a struct: the place and size are the compiler's. */
#define AT(type, field)                                     \
    .name = #field, .offset = offsetof(struct type, field), \
    .size = sizeof(((struct type *)0)->field)
#define IN_NUMBER(type, field)                           \
    {                                                    \
        AT(type, field), .dir = SC_IN, .kind = SC_NUMBER \
    }
#define OUT_NUMBER(type, field)                           \
    {                                                     \
        AT(type, field), .dir = SC_OUT, .kind = SC_NUMBER \
    }
#define IN_DEVICE(type)                                \
    {                                                  \
        AT(type, dev), .dir = SC_IN, .kind = SC_DEVICE \
    }
#define END          \
    {                \
        .name = NULL \
    }

static const struct sc_word capabilities[] = {
    {"default_identity", IOMMUCAP_default_identity},
    {"cache", IOMMUCAP_cache},
    {"nested", IOMMUCAP_nested},
    {"pasid", IOMMUCAP_pasid},
    {"identity", IOMMUCAP_identity},
    {"query_reserved", IOMMUCAP_query_reserved},
    {"map_list", IOMMUCAP_map_list},
    {"deferred", IOMMUCAP_deferred},
    {"batch", IOMMUCAP_batch},
    {"query_dirty", IOMMUCAP_query_dirty},
    {"read_faults", IOMMUCAP_read_faults},
    {NULL, 0},
};
static const struct sc_word alloc_flags[] = {
    {"identity", IOMMU_ALLOC_identity}, {"deferred", IOMMU_ALLOC_deferred}, {NULL, 0}};
static const struct sc_word free_flags[] = {{"reattach_default", IOMMU_FREE_reattach_default},
                                            {NULL, 0}};
static const struct sc_word map_flags[] = {
    {"r", IOMMU_MAP_readable}, {"w", IOMMU_MAP_writeable}, {"c", IOMMU_MAP_cache}, {NULL, 0}};
static const struct sc_word reserved_flags[] = {{"device", IOMMU_RESERVED_device},
                                                {"allowed", IOMMU_RESERVED_allowed},
                                                {"pin", IOMMU_RESERVED_pin},
                                                {"unpin", IOMMU_RESERVED_unpin},
                                                {NULL, 0}};
static const struct sc_word range_types[] = {{"direct", IOMMU_RANGE_direct},
                                             {"direct-relaxable", IOMMU_RANGE_direct_relaxable},
                                             {"reserved", IOMMU_RANGE_reserved},
                                             {"msi", IOMMU_RANGE_msi},
                                             {"allowed", IOMMU_RANGE_allowed},
                                             {"sw-msi", IOMMU_RANGE_sw_msi},
                                             {NULL, 0}};
static const struct sc_word flush_flags[] = {{"all", IOMMU_FLUSH_all}, {NULL, 0}};

/* The two masks: a machine may offer more than a scenario asks for. */
static const struct sc_spec query_capabilities[] = {
    OUT_NUMBER(pv_iommu_capabilities, max_iova_addr),
    {AT(pv_iommu_capabilities, cap_flags), .dir = SC_OUT, .kind = SC_FLAGS, .words = capabilities,
     .at_least = true},
    {AT(pv_iommu_capabilities, pgsize_mask), .dir = SC_OUT, .kind = SC_NUMBER, .at_least = true},
    OUT_NUMBER(pv_iommu_capabilities, max_pasid),
    OUT_NUMBER(pv_iommu_capabilities, max_ctx_no),
    END,
};
static const struct sc_spec alloc_context[] = {
    OUT_NUMBER(pv_iommu_alloc, ctx_no),
    {AT(pv_iommu_alloc, alloc_flags), .dir = SC_IN, .kind = SC_FLAGS, .words = alloc_flags},
    END,
};
static const struct sc_spec free_context[] = {
    IN_NUMBER(pv_iommu_free, ctx_no),
    {AT(pv_iommu_free, free_flags), .dir = SC_IN, .kind = SC_FLAGS, .words = free_flags},
    END,
};
static const struct sc_spec reattach_device[] = {
    IN_NUMBER(pv_iommu_reattach_device, ctx_no),
    IN_DEVICE(pv_iommu_reattach_device),
    IN_NUMBER(pv_iommu_reattach_device, pasid),
    END,
};
static const struct sc_spec map_pages[] = {
    IN_NUMBER(pv_iommu_map_pages, ctx_no),
    IN_NUMBER(pv_iommu_map_pages, gfn),
    IN_NUMBER(pv_iommu_map_pages, dfn),
    {AT(pv_iommu_map_pages, map_flags), .dir = SC_IN, .kind = SC_FLAGS, .words = map_flags},
    {AT(pv_iommu_map_pages, pgsize), .dir = SC_IN, .kind = SC_NUMBER, .absent = FRAME_SIZE},
    {AT(pv_iommu_map_pages, nr_pages), .dir = SC_IN, .kind = SC_NUMBER, .absent = 1},
    OUT_NUMBER(pv_iommu_map_pages, mapped),
    END,
};
static const struct sc_spec unmap_pages[] = {
    IN_NUMBER(pv_iommu_unmap_pages, ctx_no),
    IN_NUMBER(pv_iommu_unmap_pages, dfn),
    {AT(pv_iommu_unmap_pages, pgsize), .dir = SC_IN, .kind = SC_NUMBER, .absent = FRAME_SIZE},
    {AT(pv_iommu_unmap_pages, nr_pages), .dir = SC_IN, .kind = SC_NUMBER, .absent = 1},
    OUT_NUMBER(pv_iommu_unmap_pages, unmapped),
    END,
};
static const struct sc_spec lookup_page[] = {
    IN_NUMBER(pv_iommu_lookup_page, ctx_no),
    IN_NUMBER(pv_iommu_lookup_page, dfn),
    OUT_NUMBER(pv_iommu_lookup_page, gfn),
    END,
};
/* Its cmd and arg are those of the command that the line writes out. */
static const struct sc_spec remote_cmd[] = {
    {AT(pv_iommu_remote_cmd, domid), .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    END,
};
static const struct sc_spec alloc_nested[] = {
    OUT_NUMBER(pv_iommu_alloc_nested, ctx_no),
    IN_NUMBER(pv_iommu_alloc_nested, pgtable_gfn),
    IN_NUMBER(pv_iommu_alloc_nested, nested_flags),
    END,
};
static const struct sc_spec flush_nested[] = {
    IN_NUMBER(pv_iommu_flush_nested, ctx_no),
    IN_NUMBER(pv_iommu_flush_nested, pad),
    {AT(pv_iommu_flush_nested, flags), .dir = SC_IN, .kind = SC_FLAGS, .words = flush_flags},
    IN_NUMBER(pv_iommu_flush_nested, dfn),
    IN_NUMBER(pv_iommu_flush_nested, nr_pages),
    END,
};
static const struct sc_spec attach_pasid[] = {
    IN_NUMBER(pv_iommu_attach_pasid, ctx_no),
    IN_DEVICE(pv_iommu_attach_pasid),
    IN_NUMBER(pv_iommu_attach_pasid, pasid),
    END,
};
static const struct sc_spec detach_pasid[] = {
    IN_DEVICE(pv_iommu_detach_pasid),
    IN_NUMBER(pv_iommu_detach_pasid, pasid),
    END,
};
static const struct sc_spec query_reserved[] = {
    IN_NUMBER(pv_iommu_query_reserved, ctx_no),
    IN_DEVICE(pv_iommu_query_reserved),
    {AT(pv_iommu_query_reserved, flags), .dir = SC_IN, .kind = SC_FLAGS, .words = reserved_flags},
    {AT(pv_iommu_query_reserved, nr_ranges), .dir = SC_INOUT, .kind = SC_NUMBER, .absent = 64},
    {AT(pv_iommu_query_reserved, ranges), .dir = SC_IN, .kind = SC_NUMBER, .absent = ARRAY},
    {.name = "index", .dir = SC_IN, .kind = SC_NUMBER, .entry = true},
    {AT(pv_iommu_range, first), .dir = SC_OUT, .kind = SC_NUMBER, .entry = true},
    {AT(pv_iommu_range, last), .dir = SC_OUT, .kind = SC_NUMBER, .entry = true},
    {AT(pv_iommu_range, type), .dir = SC_OUT, .kind = SC_CHOICE, .words = range_types,
     .entry = true},
    {AT(pv_iommu_range, prot), .dir = SC_OUT, .kind = SC_FLAGS, .words = map_flags, .entry = true},
    END,
};
static const struct sc_spec flush_context[] = {
    IN_NUMBER(pv_iommu_flush_context, ctx_no),
    IN_NUMBER(pv_iommu_flush_context, pad),
    END,
};
static const struct sc_spec map_list[] = {
    IN_NUMBER(pv_iommu_map_list, ctx_no),
    {.name = "gfn", .size = 8, .dir = SC_IN, .kind = SC_NUMBER, .repeat = true, .entry = true},
    IN_NUMBER(pv_iommu_map_list, dfn),
    {AT(pv_iommu_map_list, map_flags), .dir = SC_IN, .kind = SC_FLAGS, .words = map_flags},
    {AT(pv_iommu_map_list, pgsize), .dir = SC_IN, .kind = SC_NUMBER, .absent = FRAME_SIZE},
    {AT(pv_iommu_map_list, nr_pages), .dir = SC_IN, .kind = SC_NUMBER},
    {AT(pv_iommu_map_list, gfns), .dir = SC_IN, .kind = SC_NUMBER, .absent = ARRAY},
    OUT_NUMBER(pv_iommu_map_list, mapped),
    END,
};
static const struct sc_spec batch[] = {
    IN_NUMBER(pv_iommu_batch, nr),
    {AT(pv_iommu_batch, elements), .dir = SC_IN, .kind = SC_NUMBER, .absent = ARRAY},
    OUT_NUMBER(pv_iommu_batch, done),
    END,
};
static const struct sc_word fault_flags[] = {
    {"write", IOMMU_FAULT_write}, {"unmapped", IOMMU_FAULT_unmapped}, {NULL, 0}};
static const struct sc_word fault_reasons[] = {{"blocked", IOMMU_FAULT_blocked},
                                               {"address-width", IOMMU_FAULT_width},
                                               {"not-present", IOMMU_FAULT_not_present},
                                               {"no-read", IOMMU_FAULT_no_read},
                                               {"no-write", IOMMU_FAULT_no_write},
                                               {"reserved-bit", IOMMU_FAULT_reserved},
                                               {"msi", IOMMU_FAULT_msi},
                                               {"unit-failed", IOMMU_FAULT_unit},
                                               {NULL, 0}};
#define OUT_ENTRY(type, field) AT(type, field), .dir = SC_OUT, .entry = true
static const struct sc_spec read_faults[] = {
    {AT(pv_iommu_read_faults, nr), .dir = SC_INOUT, .kind = SC_NUMBER, .absent = 32},
    OUT_NUMBER(pv_iommu_read_faults, left),
    OUT_NUMBER(pv_iommu_read_faults, lost),
    {AT(pv_iommu_read_faults, faults), .dir = SC_IN, .kind = SC_NUMBER, .absent = ARRAY},
    {.name = "index", .dir = SC_IN, .kind = SC_NUMBER, .entry = true},
    {OUT_ENTRY(pv_iommu_fault, addr), .kind = SC_NUMBER},
    {OUT_ENTRY(pv_iommu_fault, unmap_first), .kind = SC_NUMBER},
    {OUT_ENTRY(pv_iommu_fault, unmap_last), .kind = SC_NUMBER},
    {OUT_ENTRY(pv_iommu_fault, dev), .kind = SC_DEVICE},
    {OUT_ENTRY(pv_iommu_fault, pasid), .kind = SC_NUMBER},
    {OUT_ENTRY(pv_iommu_fault, ctx_no), .kind = SC_NUMBER},
    {OUT_ENTRY(pv_iommu_fault, reason), .kind = SC_CHOICE, .words = fault_reasons},
    {OUT_ENTRY(pv_iommu_fault, flags), .kind = SC_FLAGS, .words = fault_flags},
    END,
};
static const struct sc_spec raw[] = {
    {.name = "subop", .dir = SC_IN, .kind = SC_NUMBER, .size = 4, .required = true},
    {.name = "arg", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "bytes", .dir = SC_IN, .kind = SC_BYTES},
    END,
};

#define ROW(verb)                                                                        \
    .name = #verb, .subop = IOMMU_##verb, .subject = SC_OF_DOMAIN, .run = run_hypercall, \
    .hypercall = true
#define ROW_OF(verb, type)                                         \
    {                                                              \
        ROW(verb), .fields = verb, .arg_size = sizeof(struct type) \
    }

/* Those of sub-ops 16 and up that have no structs yet are called without argument. */
const struct sc_verb hypercall_verbs[] = {
    {ROW(noop)},
    ROW_OF(query_capabilities, pv_iommu_capabilities),
    ROW_OF(alloc_context, pv_iommu_alloc),
    ROW_OF(free_context, pv_iommu_free),
    ROW_OF(reattach_device, pv_iommu_reattach_device),
    ROW_OF(map_pages, pv_iommu_map_pages),
    ROW_OF(unmap_pages, pv_iommu_unmap_pages),
    ROW_OF(lookup_page, pv_iommu_lookup_page),
    {ROW(remote_cmd), .fields = remote_cmd, .arg_size = sizeof(struct pv_iommu_remote_cmd),
     .remote = true},
    {.name = "remote",
     .subop = IOMMU_remote_cmd,
     .subject = SC_OF_DOMAIN,
     .run = run_hypercall,
     .hypercall = true,
     .fields = remote_cmd,
     .arg_size = sizeof(struct pv_iommu_remote_cmd),
     .remote = true},
    ROW_OF(alloc_nested, pv_iommu_alloc_nested),
    ROW_OF(flush_nested, pv_iommu_flush_nested),
    ROW_OF(attach_pasid, pv_iommu_attach_pasid),
    ROW_OF(detach_pasid, pv_iommu_detach_pasid),
    {ROW(query_reserved), .fields = query_reserved,
     .arg_size = sizeof(struct pv_iommu_query_reserved),
     .array_at = offsetof(struct pv_iommu_query_reserved, ranges),
     .entry_size = sizeof(struct pv_iommu_range)},
    {ROW(map_list), .fields = map_list, .arg_size = sizeof(struct pv_iommu_map_list),
     .array_at = offsetof(struct pv_iommu_map_list, gfns), .entry_size = sizeof(uint64_t),
     .count = "nr_pages"},
    ROW_OF(flush_context, pv_iommu_flush_context),
    ROW_OF(batch, pv_iommu_batch),
    {ROW(query_dirty)},
    {ROW(read_faults), .fields = read_faults, .arg_size = sizeof(struct pv_iommu_read_faults),
     .array_at = offsetof(struct pv_iommu_read_faults, faults),
     .entry_size = sizeof(struct pv_iommu_fault)},
    {.name = "raw",
     .subop = SUBOP_RAW,
     .subject = SC_OF_DOMAIN,
     .run = run_hypercall,
     .hypercall = true,
     .fields = raw},
    END,
};

const struct sc_verb *verb_of_subop(int subop)
{
    const struct sc_verb *verb = hypercall_verbs;

    while (verb->name && (verb->subop != subop || subop == SUBOP_RAW))
        verb++;
    return verb->name ? verb : NULL;
}
