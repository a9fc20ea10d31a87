/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI table DMAR as hostile bytes: which units there are, which devices are behind them, and
 * which memory firmware has devices use. docs/dmar.md says what is done about firmware's mistakes.
 */
#ifndef SLUICE_HW_VTD_ACPI_H
#define SLUICE_HW_VTD_ACPI_H

#include "../../port/port.h"
#include "../../spec/dmar.h"

#define DMAR_MOST_BYTES 65536u /* of a table: looking for duplicates is quadratic */

/* What is wrong with the table, in places that do not make it useless. */
enum dmar_quirk {
    DMAR_QUIRK_PADDING,           /* zeros behind the last structure; ignored */
    DMAR_QUIRK_UNIT_BASE,         /* unit at 0, unaligned, or out of reach; left out */
    DMAR_QUIRK_UNIT_DUPLICATE,    /* unit once more; its scopes are added to the first */
    DMAR_QUIRK_INCLUDE_ALL_MORE,  /* a second catch-all unit of the segment; is none */
    DMAR_QUIRK_INCLUDE_ALL_NONE,  /* no catch-all unit: other devices of the segment are open */
    DMAR_QUIRK_SCOPE_BROKEN,      /* size, path or type; it and those behind it are left out */
    DMAR_QUIRK_SCOPE_OVERLAP,     /* the device is another unit's already; left out */
    DMAR_QUIRK_SCOPE_NOWHERE,     /* topology.h: its path leads nowhere now; left out */
    DMAR_QUIRK_RMRR_INVERTED,     /* ends before it begins; left out */
    DMAR_QUIRK_RMRR_UNALIGNED,    /* widened to whole pages */
    DMAR_QUIRK_RMRR_NOT_RESERVED, /* the host says that it is not reserved memory; left out */
    DMAR_QUIRK_RMRR_MSI,          /* touches the interrupt window, or out of reach; left out */
    DMAR_NR_QUIRKS
};

enum dmar_scope_type {
    DMAR_SCOPE_ENDPOINT = 1,
    DMAR_SCOPE_BRIDGE = 2, /* and all that is behind it */
    DMAR_SCOPE_IOAPIC = 3,
    DMAR_SCOPE_HPET = 4,
    DMAR_SCOPE_NAMESPACE = 5,
};

struct dmar_scope {
    enum dmar_scope_type type;
    uint8_t id;  /* IOAPIC, HPET, namespace: its number */
    uint8_t bus; /* where the path begins */
    uint8_t nr_hops;
    const uint8_t *path; /* in the table: device, function, for each hop; at least one */
};

struct dmar_unit {
    uint32_t offset; /* into the table */
    uint64_t base;
    uint32_t pages_lg2; /* of its registers */
    uint16_t segment;
    bool include_all; /* also all devices of the segment that are nobody's */
    bool duplicate;   /* the unit at this base is known; here are more scopes of it */
};

struct dmar_reserved {
    uint16_t segment;
    mfn_t first, last;
};

struct dmar_ats {
    uint16_t segment;
    bool satc; /* integrated devices that cache translations; else root ports */
    bool flag; /* root ports: all of the segment; caches: required */
};

enum dmar_owner { DMAR_OWNER_UNIT, DMAR_OWNER_RESERVED, DMAR_OWNER_ATS };

/*
 * Each structure is shown once, then its scopes one by one. Any non-zero result ends the parsing
 * and is what dmar_parse returns. Every function must be present.
 */
struct dmar_visitor {
    void *arg;
    int (*unit)(void *arg, const struct dmar_unit *unit);
    int (*reserved)(void *arg, const struct dmar_reserved *reserved);
    int (*ats)(void *arg, const struct dmar_ats *ats);
    int (*scope)(void *arg, enum dmar_owner owner, const struct dmar_scope *scope);
    /* Is all of it memory that the host uses for nothing else? */
    bool (*is_reserved)(void *arg, mfn_t first, mfn_t last);
    /* `offset` into the table. 0: go on in the way that is documented. */
    int (*quirk)(void *arg, enum dmar_quirk quirk, uint32_t offset);
};

/*
 * First looks at the whole table and shows nothing: -EINVAL: it is no DMAR table, truncated, has a
 * wrong checksum, or a structure that is too small or sticks out; -E2BIG: see DMAR_MOST_BYTES.
 */
int dmar_parse(const void *table, size_t size, const struct dmar_visitor *visitor);

/* DMAR_INTR_REMAP and so on, of a table that dmar_parse accepted. */
uint8_t dmar_flags(const void *table);

/*
 * The requester id at the end of a scope's path. `secondary` reads the secondary bus number of the
 * bridge at (segment, bus, device, function), 0 or an error: firmware's path is only as good as the
 * bus numbers now. 0, -EINVAL (a path that no bridge can have), or what `secondary` said.
 */
typedef int (*dmar_secondary)(void *arg, rid_t bridge, uint8_t *bus);
int dmar_resolve(const struct dmar_scope *scope, uint16_t segment, dmar_secondary secondary,
                 void *arg, rid_t *rid);

const char *dmar_quirk_name(enum dmar_quirk quirk);

#endif
