/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root, context and PASID tables (chapter 9).
 *
 * A walker may look between any two stores, and sees only whole words. So an entry's present word
 * is cleared first and written last (6.2.2, 6.2.3). Tables are never freed while the unit is on.
 */
#include "internal.h"

static unsigned devfn_of(rid_t rid)
{
    return rid.n & 0xff;
}

static unsigned half_of(const struct vtd_unit *u, rid_t rid)
{
    return u->scalable && devfn_of(rid) >= 128;
}

static uint64_t *root_word(const struct vtd_unit *u, rid_t rid)
{
    struct vtd_root_entry *e =
        (struct vtd_root_entry *)port_page(u->config.port, u->root) + (rid.n >> 8 & 0xff);

    return half_of(u, rid) ? &e->hi : &e->lo;
}

static struct vtd_bus *bus_of(const struct vtd_unit *u, rid_t rid)
{
    return u->bus[rid.n >> 8 & 0xff];
}

static struct vtd_context_entry *context_entry(const struct vtd_unit *u, rid_t rid)
{
    return (struct vtd_context_entry *)port_page(u->config.port, bus_of(u, rid)->context[0]) +
           devfn_of(rid);
}

static struct vtd_sm_context_entry *sm_entry(const struct vtd_unit *u, mfn_t table, unsigned i)
{
    return (struct vtd_sm_context_entry *)port_page(u->config.port, table) + i;
}

static struct vtd_sm_context_entry *sm_context_entry(const struct vtd_unit *u, rid_t rid)
{
    return sm_entry(u, bus_of(u, rid)->context[half_of(u, rid)], devfn_of(rid) % 128);
}

static mfn_t sm_directory(const struct vtd_sm_context_entry *e)
{
    return mfn_of(FIELD_GET(VTD_SM_CONTEXT_PASIDDIRPTR, e->word[0]));
}

static mfn_t sm_table(const struct vtd_unit *u, mfn_t directory)
{
    const uint64_t *entry = port_page(u->config.port, directory);

    return mfn_of(FIELD_GET(VTD_PASID_DIR_SMPTBLPTR, entry[0]));
}

/* Requests without a PASID use PASID 0, the only one there is. */
static struct vtd_pasid_entry *pasid_entry(const struct vtd_unit *u, rid_t rid)
{
    return port_page(u->config.port, sm_table(u, sm_directory(sm_context_entry(u, rid))));
}

/* The directory and its first table, hung into the context entry, which stays not present. */
static int prepare_pasids(struct vtd_unit *u, struct vtd_sm_context_entry *e)
{
    const struct sluice_port *port = u->config.port;
    mfn_t directory, table;
    int err;

    if (sm_directory(e).n)
        return 0;
    err = vtd_page(u, &directory);
    if (err)
        return err;
    err = vtd_page(u, &table);
    if (err) {
        port->free_page(port->host, directory);
        return err;
    }
    vtd_store(u, port_page(port, directory),
              FIELD_PREP(VTD_PASID_DIR_SMPTBLPTR, table.n) | VTD_PASID_DIR_P);
    vtd_store(u, &e->word[1], FIELD_PREP(VTD_SM_CONTEXT_RID_PASID, 0));
    vtd_store(u, &e->word[0], FIELD_PREP(VTD_SM_CONTEXT_PASIDDIRPTR, directory.n));
    return 0;
}

/* A root entry that leads to entries that are not present blocks as one that is not present. */
static int prepare_context_table(struct vtd_unit *u, rid_t rid)
{
    struct vtd_bus *bus = bus_of(u, rid);
    mfn_t *table = &bus->context[half_of(u, rid)];
    int err;

    if (table->n)
        return 0;
    err = vtd_page(u, table);
    if (err)
        return err;
    vtd_store(u, root_word(u, rid), FIELD_PREP(VTD_ROOT_CTP, table->n) | VTD_ROOT_P);
    return 0;
}

static int prepare(struct vtd_unit *u, rid_t rid)
{
    const struct sluice_port *port = u->config.port;
    struct vtd_bus **bus = &u->bus[rid.n >> 8 & 0xff];
    int err;

    if (u->dead)
        return -EIO;
    if (!*bus)
        *bus = port->alloc(port->host, sizeof(**bus));
    if (!*bus)
        return -ENOMEM;
    err = prepare_context_table(u, rid);
    if (err || !u->scalable)
        return err;
    return prepare_pasids(u, sm_context_entry(u, rid));
}

/* The lock keeps a unit that is being given up from being linked to again. */
int vtd_prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid)
{
    struct vtd_unit *u = vtd_of(unit);
    int err;

    if (rid.n >> 16 != u->config.segment || pasid > unit->max_pasid)
        return -EINVAL;
    vtd_lock(u);
    err = prepare(u, rid);
    vtd_unlock(u);
    return err;
}

/* Hardware may have cached an entry with this domain id. */
static void note_stale(struct vtd_bus *bus, unsigned devfn, uint64_t did)
{
    if (did && bus->stale[devfn] != did)
        bus->stale[devfn] = bus->stale[devfn] ? VTD_STALE_MANY : (uint32_t)did;
}

static uint64_t did_of(const struct vtd_unit *u, rid_t rid)
{
    if (u->scalable) {
        const struct vtd_pasid_entry *e = pasid_entry(u, rid);

        return e->word[0] & VTD_PASID_P ? FIELD_GET(VTD_PASID_DID, e->word[1]) : 0;
    }
    if (context_entry(u, rid)->lo & VTD_CONTEXT_P)
        return FIELD_GET(VTD_CONTEXT_DID, context_entry(u, rid)->hi);
    return 0;
}

static void point_legacy(struct vtd_unit *u, rid_t rid, const struct hw_space *space)
{
    struct vtd_context_entry *e = context_entry(u, rid);

    vtd_store(u, &e->lo, 0);
    if (!space)
        return;
    vtd_store(u, &e->hi,
              FIELD_PREP(VTD_CONTEXT_AW, VTD_AW(space->levels)) |
                  FIELD_PREP(VTD_CONTEXT_DID, space->did));
    vtd_store(u, &e->lo, FIELD_PREP(VTD_CONTEXT_SSPTPTR, space->root.n) | VTD_CONTEXT_P);
}

/* The context entry becomes present with the first space, and stays so: the PASID entry decides. */
static void point_scalable(struct vtd_unit *u, rid_t rid, const struct hw_space *space)
{
    struct vtd_sm_context_entry *context = sm_context_entry(u, rid);
    struct vtd_pasid_entry *e = pasid_entry(u, rid);

    vtd_store(u, &e->word[0], 0);
    if (!space)
        return;
    vtd_store(u, &e->word[1],
              FIELD_PREP(VTD_PASID_DID, space->did) |
                  (u->ecap & VTD_ECAP_SMPWC ? VTD_PASID_PWSNP : 0));
    vtd_store(u, &e->word[0],
              FIELD_PREP(VTD_PASID_SSPTPTR, space->root.n) |
                  FIELD_PREP(VTD_PASID_AW, VTD_AW(space->levels)) |
                  FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_SECOND) | VTD_PASID_P);
    if (!(context->word[0] & VTD_SM_CONTEXT_P))
        vtd_store(u, &context->word[0], context->word[0] | VTD_SM_CONTEXT_P);
}

/*
 * Relies on core: prepare() came before; HW_INV_DEVICE follows for this requester, and for the
 * space that the last requester left HW_INV_SPACE, in the same flush, before its did is used again.
 * did 0 is never used: caching mode tags what is not present with it (6.1).
 */
void vtd_point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space)
{
    struct vtd_unit *u = vtd_of(unit);
    const struct sluice_port *port = u->config.port;

    CHECK(port, rid.n >> 16 == u->config.segment && !pasid);
    CHECK(port, bus_of(u, rid) && bus_of(u, rid)->context[half_of(u, rid)].n);
    CHECK(port, !space || (space->did && space->did < u->hw.nr_dids));
    CHECK(port, !space || FIELD_GET(VTD_CAP_SAGAW, u->cap) >> VTD_AW(space->levels) & 1);
    note_stale(bus_of(u, rid), devfn_of(rid), did_of(u, rid));
    if (u->scalable)
        point_scalable(u, rid, space);
    else
        point_legacy(u, rid, space);
}

/* With which domain id hardware may have cached the entry: before its last change, or as it is. */
uint32_t vtd_stale(struct vtd_unit *u, rid_t rid)
{
    const struct vtd_bus *bus = bus_of(u, rid);

    if (!bus || !bus->context[half_of(u, rid)].n)
        return 0;
    if (bus->stale[devfn_of(rid)])
        return bus->stale[devfn_of(rid)];
    if (u->scalable && !sm_directory(sm_context_entry(u, rid)).n)
        return 0;
    return (uint32_t)did_of(u, rid);
}

void vtd_not_stale(struct vtd_unit *u, rid_t rid)
{
    if (bus_of(u, rid))
        bus_of(u, rid)->stale[devfn_of(rid)] = 0;
}

void vtd_block_all(struct vtd_unit *u)
{
    uint64_t *root = port_page(u->config.port, u->root);

    for (unsigned i = 0; i < FRAME_SIZE / sizeof(*root); i++)
        vtd_store(u, &root[i], 0);
}

static void free_pasids(const struct vtd_unit *u, mfn_t context)
{
    const struct sluice_port *port = u->config.port;

    for (unsigned i = 0; i < 128; i++) {
        const mfn_t directory = sm_directory(sm_entry(u, context, i));

        if (!directory.n)
            continue;
        port->free_page(port->host, sm_table(u, directory));
        port->free_page(port->host, directory);
    }
}

static void free_contexts(const struct vtd_unit *u, const struct vtd_bus *bus)
{
    const struct sluice_port *port = u->config.port;

    for (unsigned half = 0; half < 2; half++) {
        if (!bus->context[half].n)
            continue;
        if (u->scalable)
            free_pasids(u, bus->context[half]);
        port->free_page(port->host, bus->context[half]);
    }
}

void vtd_free_tables(struct vtd_unit *u)
{
    for (unsigned b = 0; b < 256; b++)
        if (u->bus[b])
            free_contexts(u, u->bus[b]);
    vtd_forget_tables(u);
}

void vtd_forget_tables(struct vtd_unit *u)
{
    const struct sluice_port *port = u->config.port;

    for (unsigned b = 0; b < 256; b++) {
        if (u->bus[b])
            port->free(port->host, u->bus[b], sizeof(*u->bus[b]));
        u->bus[b] = NULL;
    }
}
