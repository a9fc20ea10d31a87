/* SPDX-License-Identifier: MIT */
/*
 * The contexts ABI: a guest owns IOMMU contexts, maps its own frames into them and moves its
 * devices between them. Names, numbers, flag bits and field order are those of the PV-IOMMU
 * interface proposed on xen-devel in 2024, so that a guest written from it compiles; sizes and
 * offsets are asserted below.
 *
 *     long iommu_op(int subop, void *arg);      x86: hypercall 43, VMMCALL/VMCALL
 *
 * Usable alone, in C and C++, by guest and hypervisor. Addresses in `arg` are the guest's.
 * The calls read the IN fields, once each, and write the OUT fields. Padding is ignored on the way
 * in and left alone on the way out, but for a struct that is all OUT: there it is zeroed.
 *
 * What every call may return, besides what stands at each:
 *   -ENODEV      no IOMMU stands behind this domain
 *   -EOPNOTSUPP  unknown sub-op, or one whose capability bit is off
 *   -EFAULT      the argument cannot be read, or its OUT fields cannot be written
 *   -EIO         an IOMMU failed: it now blocks DMA; what it may still reach stays referenced
 */
#ifndef __XEN_PUBLIC_PV_IOMMU_H__
#define __XEN_PUBLIC_PV_IOMMU_H__

#include <stdint.h>

/* A 64-bit field is 8-aligned for 32-bit guests too. */
#if !defined(uint64_aligned_t) && !defined(__XEN__) && !defined(__XEN_PUBLIC_XEN_H__)
typedef uint64_t __attribute__((__aligned__(8))) uint64_aligned_t;
#endif

/* Handles as in Xen's public headers, for guests that do not have those. Always 8 bytes. */
#ifndef XEN_GUEST_HANDLE
#define __DEFINE_XEN_GUEST_HANDLE(name, type) \
    typedef union {                           \
        type *p;                              \
        uint64_aligned_t q;                   \
    } __guest_handle_##name
#define DEFINE_XEN_GUEST_HANDLE(name) __DEFINE_XEN_GUEST_HANDLE(name, name)
#define XEN_GUEST_HANDLE(name)        __guest_handle_##name
#define set_xen_guest_handle(hnd, val) \
    do {                               \
        (hnd).q = 0;                   \
        (hnd).p = (val);               \
    } while (0)
DEFINE_XEN_GUEST_HANDLE(void);
#endif
DEFINE_XEN_GUEST_HANDLE(uint64_aligned_t);

/* A PCI function, as in Xen's physdev.h. */
#ifndef __XEN_PUBLIC_PHYSDEV_H__
struct physdev_pci_device {
    uint16_t seg;
    uint8_t bus;
    uint8_t devfn; /* device << 3 | function */
};
#endif

/* The context that every domain always has. Its content is the host's choice; see the capabilities.
 */
#define IOMMU_DEFAULT_CONTEXT (0)

enum {
    /* Basic commands. */
    IOMMU_noop = 0,
    IOMMU_query_capabilities = 1,
    IOMMU_alloc_context = 2,
    IOMMU_free_context = 3,
    IOMMU_reattach_device = 4,
    IOMMU_map_pages = 5,
    IOMMU_unmap_pages = 6,
    IOMMU_lookup_page = 7,
    IOMMU_remote_cmd = 8,

    /* Extended commands, each behind its capability. */
    IOMMU_alloc_nested = 9,  /* IOMMUCAP_nested */
    IOMMU_flush_nested = 10, /* IOMMUCAP_nested */
    IOMMU_attach_pasid = 11, /* IOMMUCAP_pasid */
    IOMMU_detach_pasid = 12, /* IOMMUCAP_pasid */

    /* 13..15 stay free. Sluice's extensions, each behind its capability. */
    IOMMU_query_reserved = 16, /* IOMMUCAP_query_reserved */
    IOMMU_map_list = 17,       /* IOMMUCAP_map_list */
    IOMMU_flush_context = 18,  /* IOMMUCAP_deferred */
    IOMMU_batch = 19,          /* IOMMUCAP_batch */
    IOMMU_query_dirty = 20,    /* IOMMUCAP_query_dirty */
    IOMMU_read_faults = 21,    /* IOMMUCAP_read_faults */
};

/* The default context is an identity map of the domain's memory; otherwise it blocks all DMA. */
#define IOMMUCAP_default_identity (1 << 0)
/* IOMMU_MAP_cache is supported. */
#define IOMMUCAP_cache (1 << 1)
/* IOMMU_alloc_nested and IOMMU_flush_nested are supported. */
#define IOMMUCAP_nested (1 << 2)
/* IOMMU_attach_pasid, IOMMU_detach_pasid and the pasid of IOMMU_reattach_device are supported. */
#define IOMMUCAP_pasid (1 << 3)
/* IOMMU_ALLOC_identity is supported. */
#define IOMMUCAP_identity (1 << 4)
/* Sluice's extensions: the sub-op of the same name is supported. */
#define IOMMUCAP_query_reserved (1 << 8)
#define IOMMUCAP_map_list       (1 << 9)
#define IOMMUCAP_deferred       (1 << 10)
#define IOMMUCAP_batch          (1 << 11)
#define IOMMUCAP_query_dirty    (1 << 12)
#define IOMMUCAP_read_faults    (1 << 13)

/*
 * IOMMU_query_capabilities: what this domain may use.
 */
struct pv_iommu_capabilities {
    /* OUT: the highest device address (in bytes) that can be mapped. */
    uint64_aligned_t max_iova_addr;
    /* OUT: IOMMUCAP_*. */
    uint32_t cap_flags;
    /* OUT: bit k: pages of 1 << k bytes can be mapped and unmapped. */
    uint32_t pgsize_mask;
    /* OUT: the highest pasid, 0 without IOMMUCAP_pasid. */
    uint32_t max_pasid;
    /* OUT: the highest context number; 1..max_ctx_no can be allocated. */
    uint16_t max_ctx_no;
};
typedef struct pv_iommu_capabilities pv_iommu_capabilities_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_capabilities_t);

/* The new context is an identity map of the domain's memory, kept by the hypervisor. */
#define IOMMU_ALLOC_identity (1 << 0)
/*
 * Unmaps return at once (needs IOMMUCAP_deferred): devices may go on reaching the frames until
 * IOMMU_flush_context. Sooner or later they are flushed without it; nobody gets the frames before.
 */
#define IOMMU_ALLOC_deferred (1 << 1)

/*
 * IOMMU_alloc_context: a new, empty context (or an identity one).
 *   -EINVAL      unknown bits in alloc_flags; both flags
 *   -EOPNOTSUPP  a flag whose capability is off
 *   -ENOSPC      every context number is in use
 *   -ENOMEM      the domain's budget of contexts or tables is spent, or the host has no memory
 */
struct pv_iommu_alloc {
    /* OUT: the number of the new context. */
    uint16_t ctx_no;
    /* IN: IOMMU_ALLOC_*. */
    uint32_t alloc_flags;
};
typedef struct pv_iommu_alloc pv_iommu_alloc_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_alloc_t);

/* Move all devices of the context, and (device, pasid) pairs, to the default context first. */
#define IOMMU_FREE_reattach_default (1 << 0)

/*
 * IOMMU_free_context: ends a context and every mapping in it.
 *   -EINVAL  unknown context, the default context, unknown bits in free_flags
 *   -EBUSY   devices or pairs are in it and IOMMU_FREE_reattach_default is not given; with the
 *            flag: a device cannot move to the default context, nothing has changed
 */
struct pv_iommu_free {
    /* IN: the context to free. */
    uint16_t ctx_no;
    /* IN: IOMMU_FREE_*. */
    uint32_t free_flags;
};
typedef struct pv_iommu_free pv_iommu_free_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_free_t);

/* The device may read. */
#define IOMMU_MAP_readable (1 << 0)
/* The device may write. */
#define IOMMU_MAP_writeable (1 << 1)
/* Coherent DMA is enforced (needs IOMMUCAP_cache). */
#define IOMMU_MAP_cache (1 << 2)

/*
 * IOMMU_map_pages: maps nr_pages pages of pgsize bytes of the domain's own memory, in order.
 * Stops at the first page that cannot be mapped; `mapped` pages stay mapped, and nothing of what
 * comes behind them is.
 *   -EINVAL         unknown or default context, an identity or nested one; pgsize not one of
 *                   pgsize_mask; gfn or dfn not aligned to it; nr_pages 0; a range that wraps;
 *                   unknown bits in map_flags, neither readable nor writeable; a dfn that is
 *                   mapped already
 *   -EOPNOTSUPP     IOMMU_MAP_cache without IOMMUCAP_cache
 *   -ERANGE         a dfn of the range is beyond max_iova_addr: nothing is mapped
 *   -EADDRNOTAVAIL  a dfn of the range is in a reserved region of a device of the context, or
 *                   in the MSI window: nothing is mapped
 *   -ENOENT         a gfn without a frame behind it
 *   -EPERM          a frame that may not be given to a device, or not with these rights
 *   -ENOMEM         the domain's budget of tables or references is spent, or the host has no
 *                   memory
 */
struct pv_iommu_map_pages {
    /* IN: the context. */
    uint16_t ctx_no;
    /* IN: the first guest frame. */
    uint64_aligned_t gfn;
    /* IN: the first device frame. */
    uint64_aligned_t dfn;
    /* IN: IOMMU_MAP_*. */
    uint32_t map_flags;
    /* IN: bytes a page. */
    uint32_t pgsize;
    /* IN: pages to map. */
    uint32_t nr_pages;
    /* OUT: pages that were mapped, at every outcome but -EFAULT. */
    uint32_t mapped;
};
typedef struct pv_iommu_map_pages pv_iommu_map_pages_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_map_pages_t);

/*
 * IOMMU_unmap_pages: takes nr_pages pages of pgsize bytes out, in order. When it returns, no device
 * reaches the frames through these dfns any more, except in a context with IOMMU_ALLOC_deferred;
 * there -EIO may be of a flush that was due, of what was unmapped before as well.
 *   -EINVAL  unknown or default context, an identity or nested one; pgsize not one of
 *            pgsize_mask; dfn not aligned to it; nr_pages 0; a range that wraps; the range cuts
 *            through a larger page
 *   -ENOENT  nothing is mapped at a dfn, or it is beyond max_iova_addr
 */
struct pv_iommu_unmap_pages {
    /* IN: the context. */
    uint16_t ctx_no;
    /* IN: the first device frame. */
    uint64_aligned_t dfn;
    /* IN: bytes a page. */
    uint32_t pgsize;
    /* IN: pages to unmap. */
    uint32_t nr_pages;
    /* OUT: pages that were unmapped, at every outcome but -EFAULT. */
    uint32_t unmapped;
};
typedef struct pv_iommu_unmap_pages pv_iommu_unmap_pages_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_unmap_pages_t);

/*
 * IOMMU_lookup_page: which guest frame is mapped at a dfn.
 *   -EINVAL  unknown context, or a nested one
 *   -ENOENT  nothing of the domain's is mapped there, or it is beyond max_iova_addr
 */
struct pv_iommu_lookup_page {
    /* IN: the context. */
    uint16_t ctx_no;
    /* IN: the device frame. */
    uint64_aligned_t dfn;
    /* OUT: the guest frame; of a frame that the domain gave up meanwhile, the one it had. */
    uint64_aligned_t gfn;
};
typedef struct pv_iommu_lookup_page pv_iommu_lookup_page_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_lookup_page_t);

/*
 * IOMMU_reattach_device: moves a device, with all that cannot be told apart from it, to a context.
 * At every moment its DMA obeys the old context, or the new one, or is blocked.
 *   -ENODEV      no such device in this domain; or there is, but no IOMMU is in its way: it cannot
 *                be moved, and its addresses are machine addresses
 *   -EINVAL      unknown context
 *   -EOPNOTSUPP  a pasid without IOMMUCAP_pasid
 *   -ENODEV      the device has no such pasid: it was not attached
 *   -EBUSY       a reserved region of the device is mapped to something else in the context, or
 *                is where the domain has pinned what can be mapped (IOMMU_RESERVED_pin); or it
 *                must be mapped, and hardware walks the guest's own table (IOMMU_alloc_nested)
 *   -EBUSY       a virtual IOMMU of the domain moves the device
 *   -ENOMEM      no memory or budget for the device's reserved regions or hardware tables
 */
struct pv_iommu_reattach_device {
    /* IN: the context to move to. */
    uint16_t ctx_no;
    /* IN: the device. */
    struct physdev_pci_device dev;
    /* IN: 0 for the device itself, or one of its pasids (IOMMUCAP_pasid). */
    uint32_t pasid;
};
typedef struct pv_iommu_reattach_device pv_iommu_reattach_device_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_reattach_device_t);

/*
 * IOMMU_remote_cmd: does `cmd` on another domain; returns what the command returns.
 *   -EPERM   the caller may not do this to that domain
 *   -ESRCH   no such domain
 *   -EINVAL  the command is IOMMU_remote_cmd or IOMMU_batch
 */
struct pv_iommu_remote_cmd {
    /* IN: the domain to act on. */
    uint16_t domid;
    /* IN: the sub-op. */
    uint16_t cmd;
    /* INOUT: its argument, in the caller's memory. */
    XEN_GUEST_HANDLE(void) arg;
};
typedef struct pv_iommu_remote_cmd pv_iommu_remote_cmd_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_remote_cmd_t);

/* Bits 7:0 of nested_flags: the format of the guest's table. */
#define IOMMU_NESTED_format      (0xff)
#define IOMMU_NESTED_x86_4level  (1)
#define IOMMU_NESTED_x86_5level  (2)
#define IOMMU_NESTED_lpae_stage1 (3)

/*
 * IOMMU_alloc_nested: a context that translates by the guest's own table first, and by the memory
 * of the domain second. What the table has already is in effect. Device addresses are those of the
 * canonical lower half, up to max_iova_addr: 47, 56 or 48 bits. Where there is no memory, nothing
 * that is a table, or reserved bits, nothing translates; rights are those of both. Changes of the
 * table take effect at the latest by IOMMU_flush_nested; memory that the domain gives up leaves the
 * context at once.
 *   -EINVAL  pgtable_gfn is no frame of 52-bit addresses; unknown format or bits in nested_flags
 *   -ENOSPC  every context number is in use
 *   -ENOMEM  the domain's budget of contexts, tables or references is spent, or the host has no
 *            memory
 */
struct pv_iommu_alloc_nested {
    /* OUT: the number of the new context. */
    uint16_t ctx_no;
    /* IN: the guest frame of the table's root. */
    uint64_aligned_t pgtable_gfn;
    /* IN: IOMMU_NESTED_*; the other bits are zero. */
    uint64_aligned_t nested_flags;
};
typedef struct pv_iommu_alloc_nested pv_iommu_alloc_nested_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_alloc_nested_t);

/* Flush the whole context; dfn and nr_pages are ignored. */
#define IOMMU_FLUSH_all (1 << 0)

/*
 * IOMMU_flush_nested: changes of the guest's table in the range take effect: when it returns, no
 * device translates there by what the table said before. It costs what the table has there.
 *   -EINVAL  unknown context, or not a nested one; pad is not zero; unknown bits in flags; nr_pages
 *            0 or a range that wraps, without IOMMU_FLUSH_all
 *   -ENOMEM  some of what the table maps is not mapped, for lack of budget or of memory of the
 *            host, or since the table leads into itself: it has more entries than the domain's
 *            memory has words; nothing is that the table does not map
 */
struct pv_iommu_flush_nested {
    /* IN: the nested context. */
    uint16_t ctx_no;
    /* IN: zero. */
    uint16_t pad;
    /* IN: IOMMU_FLUSH_*. */
    uint32_t flags;
    /* IN: the first device frame. */
    uint64_aligned_t dfn;
    /* IN: how many. */
    uint64_aligned_t nr_pages;
};
typedef struct pv_iommu_flush_nested pv_iommu_flush_nested_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_flush_nested_t);

/*
 * IOMMU_attach_pasid: a (device, pasid) pair gets a context of its own. Requests without a pasid
 * stay in the device's. What the device has mapped 1:1, and where it writes interrupts, is not in
 * the pair's context; what is never mapped for the device is not mapped there either. The pair
 * counts as a device of its context. It ends when it is detached, or the device leaves the domain.
 *   -EINVAL  pasid 0 or beyond max_pasid; unknown context
 *   -ENOENT  no such device in this domain, or no IOMMU is in its way
 *   -EEXIST  the pair is attached already, by anybody
 *   -EBUSY   the device cannot be told apart from another one; a region of it that is never mapped
 *            is mapped in the context, or is where the domain has pinned what can be mapped
 *   -ENOMEM  the domain has too many pairs, or the host has no memory
 */
struct pv_iommu_attach_pasid {
    /* IN: the context. */
    uint16_t ctx_no;
    /* IN: the device. */
    struct physdev_pci_device dev;
    /* IN: the pasid. */
    uint32_t pasid;
};
typedef struct pv_iommu_attach_pasid pv_iommu_attach_pasid_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_attach_pasid_t);

/*
 * IOMMU_detach_pasid: the pair is attached to nothing; its DMA is blocked when this returns.
 *   -EINVAL  pasid 0
 *   -ENOENT  no such pair in this domain
 */
struct pv_iommu_detach_pasid {
    /* IN: the device. */
    struct physdev_pci_device dev;
    /* IN: the pasid. */
    uint32_t pasid;
};
typedef struct pv_iommu_detach_pasid pv_iommu_detach_pasid_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_detach_pasid_t);

/* Of the device `dev`, and of all that moves with it; ctx_no is ignored. Otherwise of ctx_no. */
#define IOMMU_RESERVED_device (1 << 0)
/* What is left instead: the ranges that no reserved one touches, up to max_iova_addr. */
#define IOMMU_RESERVED_allowed (1 << 1)
/*
 * With IOMMU_RESERVED_allowed, of a context: the domain relies on these ranges. They are pinned
 * instead of what was pinned there: a device that would take something of them away does not come
 * into the context (-EBUSY), until they are unpinned, or the context ends.
 */
#define IOMMU_RESERVED_pin (1 << 2)
/* Of a context: nothing is pinned there any more, whatever the call then has to say. */
#define IOMMU_RESERVED_unpin (1 << 3)

/* What is not to be mapped, and why. */
#define IOMMU_RANGE_direct           (0) /* mapped 1:1 wherever the device is */
#define IOMMU_RANGE_direct_relaxable (1) /* 1:1 for the host's own use; nothing to its guest */
#define IOMMU_RANGE_reserved         (2) /* never mapped */
#define IOMMU_RANGE_msi              (3) /* interrupts: written by devices, never translated */
#define IOMMU_RANGE_allowed          (4) /* can be mapped */
#define IOMMU_RANGE_sw_msi           (5) /* interrupts: the hypervisor has doorbells mapped there */

struct pv_iommu_range {
    /* OUT: the first and the last byte. */
    uint64_aligned_t first;
    uint64_aligned_t last;
    /* OUT: IOMMU_RANGE_*. */
    uint32_t type;
    /* OUT: what the device may do there, IOMMU_MAP_*: of direct ones and of interrupts; or 0. */
    uint32_t prot;
};
typedef struct pv_iommu_range pv_iommu_range_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_range_t);

/*
 * IOMMU_query_reserved: which device addresses are reserved, in a context by the devices that are
 * in it now, or by a device wherever it goes; the interrupt window is there always. Sorted by
 * `first`, then type. Ranges that overlap or touch are one if type and prot are the same. With
 * IOMMU_RESERVED_device relaxable ranges are told as well; they take nothing from the allowed ones;
 * and a sw_msi range is where the device has it if nothing else is there: where it is in a context,
 * the context tells. Nothing is pinned where the call fails.
 *   -EINVAL    unknown context; unknown bits in flags; pin without allowed, with unpin, or pin or
 *              unpin of a device
 *   -ENODEV    no such device in this domain, or no IOMMU is in its way
 *   -EMSGSIZE  there are more than nr_ranges: `ranges` is left alone, nr_ranges says how many
 *   -ENOMEM    the host has no memory
 */
struct pv_iommu_query_reserved {
    /* IN: the context. */
    uint16_t ctx_no;
    /* IN: the device. */
    struct physdev_pci_device dev;
    /* IN: IOMMU_RESERVED_*. */
    uint32_t flags;
    /* IN: for how many `ranges` has room. OUT: how many there are; 0 after other errors. */
    uint32_t nr_ranges;
    /* OUT: an array in the caller's memory. */
    XEN_GUEST_HANDLE(pv_iommu_range_t) ranges;
};
typedef struct pv_iommu_query_reserved pv_iommu_query_reserved_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_query_reserved_t);

/*
 * IOMMU_map_list: maps a list of frames, which may lie anywhere, to consecutive device pages: each
 * as by IOMMU_map_pages and with its errors, in order, in one call. An element is read once.
 *   -EFAULT  an element of gfns cannot be read: what comes before it is mapped
 */
struct pv_iommu_map_list {
    /* IN: the context. */
    uint16_t ctx_no;
    /* IN: an array in the caller's memory: the first guest frame of each page, aligned to pgsize.
     */
    XEN_GUEST_HANDLE(uint64_aligned_t) gfns;
    /* IN: the first device frame. */
    uint64_aligned_t dfn;
    /* IN: IOMMU_MAP_*. */
    uint32_t map_flags;
    /* IN: bytes a page. */
    uint32_t pgsize;
    /* IN: pages to map, as many as gfns has elements. */
    uint32_t nr_pages;
    /* OUT: pages that were mapped, at every outcome but -EFAULT of the argument itself. */
    uint32_t mapped;
};
typedef struct pv_iommu_map_list pv_iommu_map_list_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_map_list_t);

/*
 * IOMMU_flush_context: when it returns, no device reaches any more what was unmapped in the
 * context before the call, and the frames are free to be given back. Of use for contexts with
 * IOMMU_ALLOC_deferred; in others there is nothing to do.
 *   -EINVAL  unknown context, or a nested one; pad is not zero
 *   -EIO     a unit failed; it blocks all DMA, and the frames stay referenced for ever
 */
struct pv_iommu_flush_context {
    /* IN: the context. */
    uint16_t ctx_no;
    /* IN: zero. */
    uint16_t pad;
};
typedef struct pv_iommu_flush_context pv_iommu_flush_context_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_flush_context_t);

struct pv_iommu_batch_element {
    /* IN: the sub-op. */
    uint32_t subop;
    /* OUT: what it returned; nothing else to rely on before the batch ends. */
    int32_t status;
    /* INOUT: its argument. */
    XEN_GUEST_HANDLE(void) arg;
};
typedef struct pv_iommu_batch_element pv_iommu_batch_element_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_batch_element_t);

/*
 * IOMMU_batch: sub-ops in one call, in order, each as if it were called alone; one that fails
 * does not stop those behind it. An element is read once, when those before it are done. It may be
 * IOMMU_remote_cmd; one that is IOMMU_batch is -EINVAL.
 *   -EFAULT  an element cannot be read, or its status not written; `done` are done. What cannot be
 *            told from the start is not done; the last may be done and not told
 */
struct pv_iommu_batch {
    /* IN: how many elements. */
    uint32_t nr;
    /* OUT: how many were done, at every outcome but -EFAULT of the argument itself. */
    uint32_t done;
    /* INOUT: an array in the caller's memory. */
    XEN_GUEST_HANDLE(pv_iommu_batch_element_t) elements;
};
typedef struct pv_iommu_batch pv_iommu_batch_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_batch_t);

/* The device wrote; it read otherwise. */
#define IOMMU_FAULT_write (1 << 0)
/* unmap_first and unmap_last are of the newest of the domain's unmaps there, if it is known. */
#define IOMMU_FAULT_unmapped (1 << 1)

/* Why the device was stopped. Units differ in how much they tell apart. */
#define IOMMU_FAULT_blocked     (1) /* the device is attached to nothing */
#define IOMMU_FAULT_width       (2) /* the address is beyond max_iova_addr */
#define IOMMU_FAULT_not_present (3) /* nothing is mapped there */
#define IOMMU_FAULT_no_read     (4)
#define IOMMU_FAULT_no_write    (5)
#define IOMMU_FAULT_reserved    (6) /* a table entry has reserved bits */
#define IOMMU_FAULT_msi         (7) /* no message that the device may send */
#define IOMMU_FAULT_unit        (8) /* the IOMMU failed and blocks everything */

struct pv_iommu_fault {
    /* OUT: the device address, in bytes. */
    uint64_aligned_t addr;
    /* OUT: device frames that were unmapped together; 0 without IOMMU_FAULT_unmapped. */
    uint64_aligned_t unmap_first;
    uint64_aligned_t unmap_last;
    /* OUT: the device, by the requester id it used. */
    struct physdev_pci_device dev;
    /* OUT: its pasid, or 0. */
    uint32_t pasid;
    /* OUT: the context it was in; 0 also of a pasid that was in none. */
    uint16_t ctx_no;
    /* OUT: IOMMU_FAULT_blocked to IOMMU_FAULT_unit. */
    uint16_t reason;
    /* OUT: IOMMU_FAULT_write, IOMMU_FAULT_unmapped. */
    uint32_t flags;
};
typedef struct pv_iommu_fault pv_iommu_fault_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_fault_t);

/*
 * IOMMU_read_faults: takes the domain's fault records out, oldest first. A record goes once it has
 * been written, so that none is lost by an error; two calls at once may both tell of it. The domain
 * keeps 64; `lost` counts those that went unread, and what a unit dropped that may have been its.
 *   -EFAULT  a record cannot be written: it stays, `nr` before it are told
 */
struct pv_iommu_read_faults {
    /* IN: for how many `faults` has room. OUT: how many were written. */
    uint32_t nr;
    /* OUT: how many are left. */
    uint32_t left;
    /* OUT: how many were lost since this was told last. */
    uint64_aligned_t lost;
    /* OUT: an array in the caller's memory. */
    XEN_GUEST_HANDLE(pv_iommu_fault_t) faults;
};
typedef struct pv_iommu_read_faults pv_iommu_read_faults_t;
DEFINE_XEN_GUEST_HANDLE(pv_iommu_read_faults_t);

#ifndef __cplusplus
#define PV_IOMMU_AT(type, field, offset)                               \
    _Static_assert(__builtin_offsetof(struct type, field) == (offset), \
                   #type "." #field " is not at " #offset)
#define PV_IOMMU_SIZE(type, size) \
    _Static_assert(sizeof(struct type) == (size), #type " is not " #size " bytes")

PV_IOMMU_SIZE(physdev_pci_device, 4);
PV_IOMMU_AT(physdev_pci_device, seg, 0);
PV_IOMMU_AT(physdev_pci_device, bus, 2);
PV_IOMMU_AT(physdev_pci_device, devfn, 3);

PV_IOMMU_SIZE(pv_iommu_capabilities, 24);
PV_IOMMU_AT(pv_iommu_capabilities, max_iova_addr, 0);
PV_IOMMU_AT(pv_iommu_capabilities, cap_flags, 8);
PV_IOMMU_AT(pv_iommu_capabilities, pgsize_mask, 12);
PV_IOMMU_AT(pv_iommu_capabilities, max_pasid, 16);
PV_IOMMU_AT(pv_iommu_capabilities, max_ctx_no, 20);

PV_IOMMU_SIZE(pv_iommu_alloc, 8);
PV_IOMMU_AT(pv_iommu_alloc, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_alloc, alloc_flags, 4);

PV_IOMMU_SIZE(pv_iommu_free, 8);
PV_IOMMU_AT(pv_iommu_free, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_free, free_flags, 4);

PV_IOMMU_SIZE(pv_iommu_map_pages, 40);
PV_IOMMU_AT(pv_iommu_map_pages, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_map_pages, gfn, 8);
PV_IOMMU_AT(pv_iommu_map_pages, dfn, 16);
PV_IOMMU_AT(pv_iommu_map_pages, map_flags, 24);
PV_IOMMU_AT(pv_iommu_map_pages, pgsize, 28);
PV_IOMMU_AT(pv_iommu_map_pages, nr_pages, 32);
PV_IOMMU_AT(pv_iommu_map_pages, mapped, 36);

PV_IOMMU_SIZE(pv_iommu_unmap_pages, 32);
PV_IOMMU_AT(pv_iommu_unmap_pages, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_unmap_pages, dfn, 8);
PV_IOMMU_AT(pv_iommu_unmap_pages, pgsize, 16);
PV_IOMMU_AT(pv_iommu_unmap_pages, nr_pages, 20);
PV_IOMMU_AT(pv_iommu_unmap_pages, unmapped, 24);

PV_IOMMU_SIZE(pv_iommu_lookup_page, 24);
PV_IOMMU_AT(pv_iommu_lookup_page, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_lookup_page, dfn, 8);
PV_IOMMU_AT(pv_iommu_lookup_page, gfn, 16);

PV_IOMMU_SIZE(pv_iommu_reattach_device, 12);
PV_IOMMU_AT(pv_iommu_reattach_device, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_reattach_device, dev, 2);
PV_IOMMU_AT(pv_iommu_reattach_device, pasid, 8);

PV_IOMMU_SIZE(pv_iommu_remote_cmd, 16);
PV_IOMMU_AT(pv_iommu_remote_cmd, domid, 0);
PV_IOMMU_AT(pv_iommu_remote_cmd, cmd, 2);
PV_IOMMU_AT(pv_iommu_remote_cmd, arg, 8);

PV_IOMMU_SIZE(pv_iommu_alloc_nested, 24);
PV_IOMMU_AT(pv_iommu_alloc_nested, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_alloc_nested, pgtable_gfn, 8);
PV_IOMMU_AT(pv_iommu_alloc_nested, nested_flags, 16);

PV_IOMMU_SIZE(pv_iommu_flush_nested, 24);
PV_IOMMU_AT(pv_iommu_flush_nested, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_flush_nested, pad, 2);
PV_IOMMU_AT(pv_iommu_flush_nested, flags, 4);
PV_IOMMU_AT(pv_iommu_flush_nested, dfn, 8);
PV_IOMMU_AT(pv_iommu_flush_nested, nr_pages, 16);

PV_IOMMU_SIZE(pv_iommu_attach_pasid, 12);
PV_IOMMU_AT(pv_iommu_attach_pasid, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_attach_pasid, dev, 2);
PV_IOMMU_AT(pv_iommu_attach_pasid, pasid, 8);

PV_IOMMU_SIZE(pv_iommu_detach_pasid, 8);
PV_IOMMU_AT(pv_iommu_detach_pasid, dev, 0);
PV_IOMMU_AT(pv_iommu_detach_pasid, pasid, 4);

PV_IOMMU_SIZE(pv_iommu_range, 24);
PV_IOMMU_AT(pv_iommu_range, first, 0);
PV_IOMMU_AT(pv_iommu_range, last, 8);
PV_IOMMU_AT(pv_iommu_range, type, 16);
PV_IOMMU_AT(pv_iommu_range, prot, 20);

PV_IOMMU_SIZE(pv_iommu_query_reserved, 24);
PV_IOMMU_AT(pv_iommu_query_reserved, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_query_reserved, dev, 2);
PV_IOMMU_AT(pv_iommu_query_reserved, flags, 8);
PV_IOMMU_AT(pv_iommu_query_reserved, nr_ranges, 12);
PV_IOMMU_AT(pv_iommu_query_reserved, ranges, 16);

PV_IOMMU_SIZE(pv_iommu_map_list, 40);
PV_IOMMU_AT(pv_iommu_map_list, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_map_list, gfns, 8);
PV_IOMMU_AT(pv_iommu_map_list, dfn, 16);
PV_IOMMU_AT(pv_iommu_map_list, map_flags, 24);
PV_IOMMU_AT(pv_iommu_map_list, pgsize, 28);
PV_IOMMU_AT(pv_iommu_map_list, nr_pages, 32);
PV_IOMMU_AT(pv_iommu_map_list, mapped, 36);

PV_IOMMU_SIZE(pv_iommu_flush_context, 4);
PV_IOMMU_AT(pv_iommu_flush_context, ctx_no, 0);
PV_IOMMU_AT(pv_iommu_flush_context, pad, 2);

PV_IOMMU_SIZE(pv_iommu_batch_element, 16);
PV_IOMMU_AT(pv_iommu_batch_element, subop, 0);
PV_IOMMU_AT(pv_iommu_batch_element, status, 4);
PV_IOMMU_AT(pv_iommu_batch_element, arg, 8);

PV_IOMMU_SIZE(pv_iommu_batch, 16);
PV_IOMMU_AT(pv_iommu_batch, nr, 0);
PV_IOMMU_AT(pv_iommu_batch, done, 4);
PV_IOMMU_AT(pv_iommu_batch, elements, 8);

PV_IOMMU_SIZE(pv_iommu_fault, 40);
PV_IOMMU_AT(pv_iommu_fault, addr, 0);
PV_IOMMU_AT(pv_iommu_fault, unmap_first, 8);
PV_IOMMU_AT(pv_iommu_fault, unmap_last, 16);
PV_IOMMU_AT(pv_iommu_fault, dev, 24);
PV_IOMMU_AT(pv_iommu_fault, pasid, 28);
PV_IOMMU_AT(pv_iommu_fault, ctx_no, 32);
PV_IOMMU_AT(pv_iommu_fault, reason, 34);
PV_IOMMU_AT(pv_iommu_fault, flags, 36);

PV_IOMMU_SIZE(pv_iommu_read_faults, 24);
PV_IOMMU_AT(pv_iommu_read_faults, nr, 0);
PV_IOMMU_AT(pv_iommu_read_faults, left, 4);
PV_IOMMU_AT(pv_iommu_read_faults, lost, 8);
PV_IOMMU_AT(pv_iommu_read_faults, faults, 16);
#endif

#endif
