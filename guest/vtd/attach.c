/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries that point devices at tables. Present entries come last and go first. */
#include "driver.h"

#include "../../iommu/spec/vtd.h"

/* ---- Legacy mode -------------------------------------------------------------------------------
 */

static int set_context(struct gvtd *g, uint8_t devfn, uint64_t lo, uint64_t hi)
{
    const uint64_t entry[2] = {lo, hi};

    return gvtd_set(g->memory, g->context[0], devfn * 2u, entry, 2);
}

static int attach_legacy(struct gvtd *g, uint8_t devfn, uint16_t did, const struct gvtd_table *t)
{
    return set_context(g, devfn, VTD_CONTEXT_P | gvtd_address(g->memory, t->root),
                       FIELD_PREP(VTD_CONTEXT_AW, VTD_AW(t->levels)) |
                           FIELD_PREP(VTD_CONTEXT_DID, did));
}

/* ---- Scalable mode: requests without PASID use entry 0 of the device's table -------------------
 */

#define CONTEXT_WORDS 4u
#define PASID_WORDS   8u
#define HALF          128u

static int set_scalable(struct gvtd *g, uint8_t devfn, uint64_t lo)
{
    const uint64_t entry[CONTEXT_WORDS] = {lo};

    return gvtd_set(g->memory, g->context[devfn / HALF], devfn % HALF * CONTEXT_WORDS, entry,
                    CONTEXT_WORDS);
}

static int make_pasids(struct gvtd *g, uint8_t devfn)
{
    uint64_t entry;
    int err = gvtd_page(g->memory, &g->directory[devfn]);

    if (!err)
        err = gvtd_page(g->memory, &g->pasids[devfn]);
    if (err)
        return err;
    g->has_pasids[devfn] = true;
    entry = gvtd_address(g->memory, g->pasids[devfn]) | VTD_PASID_DIR_P;
    return gvtd_set(g->memory, g->directory[devfn], 0, &entry, 1);
}

/* Word 2 has the root; a walk of four levels is 0 there. */
static int set_pasid(struct gvtd *g, uint8_t devfn, uint16_t did, const struct gvtd_table *t)
{
    const uint64_t entry[PASID_WORDS] = {VTD_PASID_P | FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_FIRST),
                                         FIELD_PREP(VTD_PASID_DID, did),
                                         gvtd_address(g->memory, t->root)};

    return gvtd_set(g->memory, g->pasids[devfn], 0, entry, PASID_WORDS);
}

static int attach_scalable(struct gvtd *g, uint8_t devfn, uint16_t did, const struct gvtd_table *t)
{
    int err = g->has_pasids[devfn] ? 0 : make_pasids(g, devfn);

    if (!err)
        err = set_pasid(g, devfn, did, t);
    if (!err)
        err =
            set_scalable(g, devfn, VTD_SM_CONTEXT_P | gvtd_address(g->memory, g->directory[devfn]));
    return err ? err : gvtd_flush_pasid(g, did);
}

static int detach_scalable(struct gvtd *g, uint8_t devfn, uint16_t did)
{
    static const uint64_t empty[PASID_WORDS];
    int err = gvtd_set(g->memory, g->pasids[devfn], 0, empty, PASID_WORDS);

    if (!err)
        err = gvtd_flush_pasid(g, did);
    return err ? err : set_scalable(g, devfn, 0);
}

/* ---- Either ------------------------------------------------------------------------------------
 */

/* What the unit remembers of an entry that was not present has domain id 0 (section 6.1). */
int gvtd_attach(struct gvtd *g, uint8_t devfn, uint16_t did, const struct gvtd_table *t)
{
    int err = g->scalable ? attach_scalable(g, devfn, did, t) : attach_legacy(g, devfn, did, t);

    if (!err)
        err = gvtd_flush_device(g, 0, devfn);
    return err ? err : gvtd_flush_domain(g, did);
}

int gvtd_detach(struct gvtd *g, uint8_t devfn, uint16_t did)
{
    int err = g->scalable ? detach_scalable(g, devfn, did) : set_context(g, devfn, 0, 0);

    if (!err)
        err = gvtd_flush_device(g, g->scalable ? 0 : did, devfn);
    return err ? err : gvtd_flush_domain(g, did);
}
