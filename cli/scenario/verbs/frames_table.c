/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sub-ops of the frames ABI: as hypercall_table.c, but that flags and order are two fields of a
 * scenario in one field of the element.
 */
#include "frames.h"

#define PLACE(member)                               \
    .offset = offsetof(struct pv_iommu_op, member), \
    .size = sizeof(((struct pv_iommu_op *)0)->member)
#define NUMBER(subop, field, direction) \
    .name = #field, PLACE(u.subop.field), .dir = (direction), .kind = SC_NUMBER
#define IN_FLAGS .name = "flags", PLACE(flags), .dir = SC_IN, .kind = SC_FLAGS, .words = in_flags
#define OUT_FLAGS \
    .name = "flags", PLACE(flags), .dir = SC_OUT, .kind = SC_FLAGS, .words = query_flags
#define ORDER(direction) .name = "order", .dir = (direction), .kind = SC_NUMBER, .size = 1
#define END              .name = NULL

static const struct sc_word query_flags[] = {{"map_cap", IOMMU_QUERY_map_cap},
                                             {"map_all_mfns", IOMMU_QUERY_map_all_mfns},
                                             {"foreign_1to1", IOMMU_QUERY_foreign_1to1},
                                             {NULL, 0}};
/* One table for all sub-ops: what a bit means is each one's own affair. */
static const struct sc_word in_flags[] = {
    {"r", IOMMU_MAP_OP_readable},
    {"w", IOMMU_MAP_OP_writeable},
    {"no_ref_cnt", IOMMU_MAP_OP_no_ref_cnt},
    {"swap_mfn", IOMMU_MAP_OP_swap_mfn},
    {"add_m2b", IOMMU_MAP_OP_add_m2b},
    {"remove_m2b", IOMMU_UNMAP_OP_remove_m2b},
    {NULL, 0},
};

static const struct sc_spec query_caps[] = {
    {OUT_FLAGS},
    {ORDER(SC_OUT)},
    {END},
};
static const struct sc_spec map_page[] = {
    {NUMBER(map_page, bfn, SC_IN)},
    {NUMBER(map_page, gfn, SC_IN)},
    {IN_FLAGS},
    {ORDER(SC_IN)},
    {END},
};
static const struct sc_spec unmap_page[] = {
    {NUMBER(unmap_page, bfn, SC_IN)},
    {IN_FLAGS},
    {ORDER(SC_IN)},
    {END},
};
static const struct sc_spec map_foreign_page[] = {
    {NUMBER(map_foreign_page, bfn, SC_IN)},
    {NUMBER(map_foreign_page, gfn, SC_IN)},
    {NUMBER(map_foreign_page, domid, SC_IN)},
    {NUMBER(map_foreign_page, ioserver, SC_IN), .absent = IOSERVID_any},
    {IN_FLAGS},
    {ORDER(SC_IN)},
    {END},
};
static const struct sc_spec lookup_foreign_page[] = {
    {NUMBER(lookup_foreign_page, bfn, SC_OUT)},
    {NUMBER(lookup_foreign_page, gfn, SC_IN)},
    {NUMBER(lookup_foreign_page, domid, SC_IN)},
    {NUMBER(lookup_foreign_page, ioserver, SC_IN), .absent = IOSERVID_any},
    {IN_FLAGS},
    {ORDER(SC_IN)},
    {END},
};
static const struct sc_spec unmap_foreign_page[] = {
    {NUMBER(unmap_foreign_page, bfn, SC_IN)},
    {NUMBER(unmap_foreign_page, ioserver, SC_IN), .absent = IOSERVID_any},
    {IN_FLAGS},
    {ORDER(SC_IN)},
    {END},
};
static const struct sc_spec drop_foreign_1to1[] = {
    {IN_FLAGS},
    {END},
};
static const struct sc_spec raw[] = {
    {.name = "arg", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "count", .dir = SC_IN, .kind = SC_NUMBER, .size = 4, .required = true},
    {.name = "bytes", .dir = SC_IN, .kind = SC_BYTES},
    {END},
};

#define ROW(verb)                                                                                  \
    {                                                                                              \
        .name = "frames." #verb, .subop = IOMMUOP_##verb, .subject = SC_OF_DOMAIN, .fields = verb, \
        .run = run_frames, .arg_size = sizeof(struct pv_iommu_op), .frames = true, .array = true   \
    }

const struct sc_verb frames_verbs[] = {
    ROW(query_caps),
    ROW(map_page),
    ROW(unmap_page),
    ROW(map_foreign_page),
    ROW(lookup_foreign_page),
    ROW(unmap_foreign_page),
    ROW(drop_foreign_1to1),
    {.name = "frames.raw",
     .subject = SC_OF_DOMAIN,
     .fields = raw,
     .run = run_frames_raw,
     .frames = true},
    {END},
};
