/* SPDX-License-Identifier: MIT */
/*
 * The frames ABI: one bus-frame (BFN) space per domain, which the domain's devices translate
 * through; its own frames in it, and, for emulators, frames of other domains. Names, numbers and
 * flag bits are those of the PV-IOMMU design discussed on xen-devel from 2015 to 2016; sizes and
 * offsets are asserted below.
 *
 *     long pv_iommu_op(struct pv_iommu_op *ops, unsigned int count);    x86: hypercall 56
 *
 * Usable alone, in C and C++, by guest and hypervisor. `ops` is a guest address. The elements run
 * in order; each gets its own status, and one that failed does not stop those behind it. IN fields
 * are read once; `status` and the OUT fields are written. A status of 0 for an unmap means that no
 * device reaches the frame there any more.
 *
 * The call itself returns 0, whatever the statuses, or
 *   -EFAULT      an element cannot be read or written: those before it are done
 *   -ENODEV      the domain is about to end
 *
 * Statuses:
 *   -EPERM   not allowed: the domain may not map, or not on that domain; the frame is not its own;
 *            domid is the caller; the mapping is another I/O server's, or of the other purpose
 *   -EACCES  a bus frame is in a reserved region, or in the interrupt window
 *   -ENOSPC  the order is larger than query_caps says
 *   -ENOENT  nothing is mapped there; lookup: there is no bus frame for it
 *   -ENXIO   no such domain; no frame at gfn
 *   -ENODEV  no such I/O server; unknown sub-op
 *   -EEXIST  a bus frame is in use
 *   -ENOMEM  no memory, the budget is spent, or 256 mappings and lookups name the frame already
 *   -EINVAL  bfn or gfn not a multiple of the order's size, or out of range; unknown flags; neither
 *            readable nor writeable
 *   -EIO     an IOMMU failed: it now blocks DMA; what it may still reach stays referenced
 */
#ifndef __XEN_PUBLIC_PV_IOMMU_FRAMES_H__
#define __XEN_PUBLIC_PV_IOMMU_FRAMES_H__

#include <stdint.h>

#ifndef __XEN_PUBLIC_XEN_H__
typedef uint16_t domid_t;
/* The caller itself. */
#define DOMID_SELF (0x7FF0U)
#endif

#ifndef __XEN_PUBLIC_HVM_DM_OP_H__
typedef uint16_t ioservid_t;
#endif
/* Any server: INVALIDATE goes to all of the caller's for that domain. */
#define IOSERVID_any ((ioservid_t)0xffff)

enum {
    IOMMUOP_query_caps = 1,
    IOMMUOP_map_page = 2,
    IOMMUOP_unmap_page = 3,
    IOMMUOP_map_foreign_page = 4,
    IOMMUOP_lookup_foreign_page = 5,
    IOMMUOP_unmap_foreign_page = 6,
    IOMMUOP_drop_foreign_1to1 = 7, /* Sluice's own, as is IOMMU_QUERY_foreign_1to1 */
};

/* flags of query_caps, OUT */
#define IOMMU_QUERY_map_cap      (1 << 0) /* you may choose bus frames: map_* work */
#define IOMMU_QUERY_map_all_mfns (1 << 1) /* gfn of map_page is any machine frame */
/* Frames of other domains have 1:1 bus frames, which drop_foreign_1to1 takes away. */
#define IOMMU_QUERY_foreign_1to1 (1 << 2)

/* flags of map_page and map_foreign_page */
#define IOMMU_MAP_OP_readable   (1 << 0)
#define IOMMU_MAP_OP_writeable  (1 << 1)
#define IOMMU_MAP_OP_no_ref_cnt (1 << 2) /* map_page with map_all_mfns: the frame is not held */
#define IOMMU_MAP_OP_swap_mfn   (1 << 2) /* map_foreign_page: see struct map_foreign_page */
#define IOMMU_MAP_OP_add_m2b    (1 << 3) /* accepted: a foreign map always adds its tuple */

/* flags of unmap_page and unmap_foreign_page */
#define IOMMU_UNMAP_OP_remove_m2b (1 << 0) /* accepted: an unmap always removes its tuple */

/*
 * The order of a map or unmap: 1 << order frames from bfn and gfn on, both multiples of that. Of
 * query_caps, OUT: the largest there is.
 */
#define IOMMU_page_order_shift 10
#define IOMMU_page_order_mask  (0x3f << IOMMU_page_order_shift)
#define IOMMU_page_order(n)    ((uint16_t)((n) << IOMMU_page_order_shift))

struct pv_iommu_op {
    uint16_t subop_id; /* IN: IOMMUOP_* */
    uint16_t flags;    /* IN; query_caps: OUT */
    int32_t status;    /* OUT */
    union {
        /*
         * The caller's frames (any machine frames with map_all_mfns) at bus frames of its own. A
         * bus frame of the identity map that the domain began with is free to be mapped, and is
         * part of that map again only when memory comes to its gfn anew.
         */
        struct {
            uint64_t bfn; /* IN */
            uint64_t gfn; /* IN: machine frame with map_all_mfns */
        } map_page;

        struct {
            uint64_t bfn; /* IN */
        } unmap_page;

        /*
         * Frames of another domain, for an emulator. Each is held for as long as it is mapped. When
         * its owner gives it up, the server gets one INVALIDATE with the bus frame; before that, if
         * all mappings of the frame have swap_mfn, they point at a scratch page and the frame is
         * free.
         */
        struct {
            uint64_t bfn; /* IN */
            uint64_t gfn; /* IN */
            uint16_t domid;
            ioservid_t ioserver;
        } map_foreign_page;

        /*
         * Where the frame is in the caller's space already, for that server (any, for any); or,
         * where bus frames are machine frames (no IOMMU; a hardware domain that is relaxed or
         * passed through), there, from now on held for the server until unmap_foreign_page.
         */
        struct {
            uint64_t bfn; /* OUT */
            uint64_t gfn; /* IN */
            uint16_t domid;
            ioservid_t ioserver;
        } lookup_foreign_page;

        /* Of a mapping or of a lookup. After a swap, only the bus frame becomes free. */
        struct {
            uint64_t bfn; /* IN */
            ioservid_t ioserver;
        } unmap_foreign_page;

        /*
         * drop_foreign_1to1 has no arguments, and no flags. A hardware domain whose bus frames are
         * machine frames, and which maps the pages of others that it uses or uses none, says that
         * it needs no 1:1 bus frames of theirs: they go, and so does the work of keeping them. For
         * good: lookups answer with them no more, and the domain gets no device that no IOMMU
         * protects. Once more it changes nothing.
         *   -EPERM   there are none, or the domain has a device that no IOMMU protects
         *   -EBUSY   a lookup_foreign_page was answered with one, and not unmapped yet
         *   -ENOMEM  not all of them could go yet
         */

        uint8_t size[24];
    } u;
};

#ifndef __cplusplus
#define FRAMES_ASSERT(what) _Static_assert(what, #what)
#else
#define FRAMES_ASSERT(what) static_assert(what, #what)
#endif
#define FRAMES_AT(field) __builtin_offsetof(struct pv_iommu_op, field)
FRAMES_ASSERT(sizeof(struct pv_iommu_op) == 32);
FRAMES_ASSERT(FRAMES_AT(status) == 4);
FRAMES_ASSERT(FRAMES_AT(u) == 8);
FRAMES_ASSERT(FRAMES_AT(u.map_page.gfn) == 16);
FRAMES_ASSERT(FRAMES_AT(u.map_foreign_page.domid) == 24);
FRAMES_ASSERT(FRAMES_AT(u.map_foreign_page.ioserver) == 26);
FRAMES_ASSERT(FRAMES_AT(u.lookup_foreign_page.ioserver) == 26);
FRAMES_ASSERT(FRAMES_AT(u.unmap_foreign_page.ioserver) == 16);
#undef FRAMES_AT
#undef FRAMES_ASSERT

#endif
