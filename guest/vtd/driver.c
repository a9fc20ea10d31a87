/* SPDX-License-Identifier: BSD-2-Clause */
#include "driver.h"

#include "../../iommu/spec/vtd.h"

#define WAITED UINT32_C(1) /* what completed waits write counts up from here */

/* ---- Registers ---------------------------------------------------------------------------------
 */

static int reg_read(struct gvtd *g, uint64_t reg, unsigned size, uint64_t *value)
{
    const struct gvtd_port *port = g->memory->port;

    g->exits++;
    return port->read(port->arg, reg, size, value);
}

static int reg_write(struct gvtd *g, uint64_t reg, unsigned size, uint64_t value)
{
    const struct gvtd_port *port = g->memory->port;

    g->exits++;
    return port->write(port->arg, reg, size, value);
}

/* States what is on, with one more change; `status` is what the unit is to say then. */
static int command(struct gvtd *g, uint32_t on, uint32_t change, uint32_t status)
{
    uint64_t value = 0;
    int err = reg_write(g, VTD_GCMD, 4, on | change);

    if (!err)
        err = reg_read(g, VTD_GSTS, 4, &value);
    return err ? err : (value & status) == status ? 0 : -EIO;
}

/* ---- The queue ---------------------------------------------------------------------------------
 */

static unsigned descriptor_words(const struct gvtd *g)
{
    return g->scalable ? 4 : 2;
}

static int put(struct gvtd *g, uint64_t lo, uint64_t hi)
{
    const uint64_t word[4] = {lo, hi};
    const unsigned nr = descriptor_words(g);
    const int err = gvtd_set(g->memory, g->queue, g->tail * nr, word, nr);

    g->tail = (g->tail + 1) % (GVTD_WORDS / nr);
    return err;
}

static int put_wait(struct gvtd *g)
{
    return put(g, VTD_DESC_WAIT | VTD_DESC_SW | FIELD_PREP(VTD_DESC_DATA, ++g->done),
               gvtd_address(g->memory, g->status));
}

/* A descriptor and a wait: complete when the tail has been written, or the unit is broken. */
static int submit(struct gvtd *g, uint64_t lo, uint64_t hi)
{
    const struct gvtd_port *port = g->memory->port;
    uint32_t done = 0;
    int err = put(g, lo, hi);

    if (!err)
        err = put_wait(g);
    if (!err)
        err = reg_write(g, VTD_IQT, 8, (uint64_t)g->tail * descriptor_words(g) * sizeof(lo));
    if (!err)
        err = port->load(port->arg, gvtd_address(g->memory, g->status), &done, sizeof(done));
    return err ? err : done == g->done ? 0 : -EIO;
}

/* ---- Invalidations -----------------------------------------------------------------------------
 */

static uint64_t drains(const struct gvtd *g)
{
    return (g->cap & VTD_CAP_DWD ? VTD_DESC_DW : 0) | (g->cap & VTD_CAP_DRD ? VTD_DESC_DR : 0);
}

static uint64_t iotlb(const struct gvtd *g, uint64_t granularity, uint16_t did)
{
    if (g->scalable && granularity != VTD_G_GLOBAL)
        return VTD_DESC_PIOTLB | FIELD_PREP(VTD_DESC_G, granularity) |
               FIELD_PREP(VTD_DESC_DID, did);
    return VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, granularity) | FIELD_PREP(VTD_DESC_DID, did) |
           drains(g);
}

_Static_assert(VTD_G_DOMAIN == VTD_G_FIRST_ALL && VTD_G_PAGE == VTD_G_FIRST_PAGE, "section 6.5.2");

int gvtd_flush_domain(struct gvtd *g, uint16_t did)
{
    return submit(g, iotlb(g, VTD_G_DOMAIN, did), 0);
}

int gvtd_flush_all(struct gvtd *g)
{
    return submit(g, iotlb(g, VTD_G_GLOBAL, 0), 0);
}

/* log2 of the pages of the smallest aligned block that has both. */
static unsigned mask_of(uint64_t first, uint64_t last)
{
    unsigned mask = 0;

    while (first >> mask != last >> mask)
        mask++;
    return mask;
}

int gvtd_flush_range(struct gvtd *g, uint16_t did, uint64_t iova, uint64_t size, bool leaf_only)
{
    const uint64_t first = iova / GVTD_PAGE, last = (iova + size - 1) / GVTD_PAGE;
    const unsigned mask = mask_of(first, last);

    if (!(g->cap & VTD_CAP_PSI) || mask > FIELD_GET(VTD_CAP_MAMV, g->cap))
        return gvtd_flush_domain(g, did);
    return submit(g, iotlb(g, VTD_G_PAGE, did),
                  ((first >> mask << mask) * GVTD_PAGE) | FIELD_PREP(VTD_DESC_AM, mask) |
                      FIELD_PREP(VTD_DESC_IH, leaf_only));
}

int gvtd_flush_device(struct gvtd *g, uint16_t did, uint8_t devfn)
{
    return submit(g,
                  VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, VTD_G_DEVICE) |
                      FIELD_PREP(VTD_DESC_DID, did) | FIELD_PREP(VTD_DESC_SID, devfn),
                  0);
}

int gvtd_flush_pasid(struct gvtd *g, uint16_t did)
{
    return submit(
        g, VTD_DESC_PASID | FIELD_PREP(VTD_DESC_G, VTD_G_PASID_ONE) | FIELD_PREP(VTD_DESC_DID, did),
        0);
}

/* ---- Setting it up -----------------------------------------------------------------------------
 */

static bool suits(const struct gvtd *g)
{
    const uint64_t first = VTD_ECAP_SMTS | VTD_ECAP_FSTS;

    return (g->ecap & VTD_ECAP_QI) && (!g->scalable || (g->ecap & first) == first);
}

static int take_pages(struct gvtd *g)
{
    uint32_t *const pages[] = {&g->queue, &g->status, &g->root, &g->context[0], &g->context[1]};
    int err = 0;

    for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]) && !err; i++)
        err = gvtd_page(g->memory, pages[i]);
    return err;
}

/* Bus 0: in scalable mode each half of it has a table of its own. */
static int fill_root(struct gvtd *g)
{
    const uint64_t lo = gvtd_address(g->memory, g->context[0]) | VTD_ROOT_P,
                   hi = gvtd_address(g->memory, g->context[1]) | VTD_ROOT_P,
                   entry[2] = {lo, g->scalable ? hi : 0};

    return gvtd_set(g->memory, g->root, 0, entry, 2);
}

static int begin_queue(struct gvtd *g)
{
    int err = reg_write(g, VTD_IQT, 8, 0);

    if (!err)
        err = reg_write(g, VTD_IQA, 8,
                        gvtd_address(g->memory, g->queue) | (g->scalable ? VTD_IQA_DW : 0));
    return err ? err : command(g, 0, VTD_GCMD_QIE, VTD_GCMD_QIE);
}

static int set_root(struct gvtd *g)
{
    const uint64_t mode = g->scalable ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY;
    int err = reg_write(g, VTD_RTADDR, 8,
                        gvtd_address(g->memory, g->root) | FIELD_PREP(VTD_RTADDR_TTM, mode));

    if (!err)
        err = command(g, VTD_GCMD_QIE, VTD_GCMD_SRTP, VTD_GCMD_QIE | VTD_GCMD_SRTP);
    if (!err)
        err = submit(g, VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, VTD_G_GLOBAL), 0);
    if (!err && g->scalable)
        err = submit(g, VTD_DESC_PASID | FIELD_PREP(VTD_DESC_G, VTD_G_PASID_GLOBAL), 0);
    return err ? err : gvtd_flush_all(g);
}

int gvtd_open(struct gvtd *g, struct gvtd_memory *memory, bool scalable)
{
    int err;

    *g = (struct gvtd){.memory = memory, .scalable = scalable, .done = WAITED};
    err = reg_read(g, VTD_CAP, 8, &g->cap);
    if (!err)
        err = reg_read(g, VTD_ECAP, 8, &g->ecap);
    if (!err && !suits(g))
        err = -EOPNOTSUPP;
    if (!err)
        err = take_pages(g);
    if (!err)
        err = fill_root(g);
    if (!err)
        err = begin_queue(g);
    if (!err)
        err = set_root(g);
    return err ? err : command(g, VTD_GCMD_QIE, VTD_GCMD_TE, VTD_GCMD_QIE | VTD_GCMD_TE);
}

int gvtd_close(struct gvtd *g)
{
    return command(g, VTD_GCMD_QIE, 0, VTD_GCMD_QIE);
}

/* As many levels as the unit has, of at most four. */
static unsigned second_levels(const struct gvtd *g)
{
    return FIELD_GET(VTD_CAP_SAGAW, g->cap) & 4 ? 4 : 3;
}

void gvtd_shape(const struct gvtd *g, struct gvtd_table *t)
{
    const uint64_t sizes = FIELD_GET(VTD_CAP_SSLPS, g->cap);

    t->first = g->scalable;
    t->levels = g->scalable ? 4 : second_levels(g);
    if (g->scalable)
        t->leaf_level = g->cap & VTD_CAP_FS1GP ? 2 : 1;
    else
        t->leaf_level = sizes & 2 ? 2 : sizes & 1;
}

unsigned gvtd_nr_dids(const struct gvtd *g)
{
    return 1u << (4 + 2 * FIELD_GET(VTD_CAP_ND, g->cap));
}
