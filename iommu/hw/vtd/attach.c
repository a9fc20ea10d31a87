/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root and context tables (chapter 9).
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

static int prepare(struct vtd_unit *u, rid_t rid, uint32_t pasid)
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
    if (pasid)
        (*bus)->pasids[devfn_of(rid)].used = true;
    return vtd_pasid_prepare(u, sm_context_entry(u, rid), pasid);
}

/* The lock keeps a unit that is being given up from being linked to again. */
int vtd_prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid)
{
    struct vtd_unit *u = vtd_of(unit);
    int err;

    if (rid.n >> 16 != u->config.segment || pasid > unit->max_pasid)
        return -EINVAL;
    vtd_lock(u);
    err = prepare(u, rid, pasid);
    vtd_unlock(u);
    return err;
}

/* Hardware may have cached an entry with this domain id. */
static void note_stale(struct vtd_bus *bus, unsigned devfn, uint64_t did)
{
    if (did && bus->stale[devfn] != did)
        bus->stale[devfn] = bus->stale[devfn] ? VTD_STALE_MANY : (uint32_t)did;
}

static void note_stale_pasid(struct vtd_pasids *p, uint32_t pasid, uint64_t did)
{
    const bool same = p->stale == did && p->pasid == pasid;

    if (did && !same)
        p->stale = p->stale ? VTD_STALE_MANY : (uint32_t)did;
    if (did)
        p->pasid = pasid;
}

static uint64_t did_of(const struct vtd_unit *u, rid_t rid, uint32_t pasid)
{
    if (u->scalable)
        return vtd_pasid_did(u, sm_context_entry(u, rid), pasid);
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

/*
 * Relies on core: prepare() came before; HW_INV_DEVICE or HW_INV_PASID follows, and for the
 * space that the last requester left HW_INV_SPACE, in the same flush, before its did is used again.
 * did 0 is never used: caching mode tags what is not present with it (6.1).
 */
void vtd_point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space)
{
    struct vtd_unit *u = vtd_of(unit);
    const struct sluice_port *port = u->config.port;

    CHECK(port, rid.n >> 16 == u->config.segment && pasid <= unit->max_pasid);
    CHECK(port, bus_of(u, rid) && bus_of(u, rid)->context[half_of(u, rid)].n);
    CHECK(port, !space || (space->did && space->did < u->hw.nr_dids));
    CHECK(port, !space || FIELD_GET(VTD_CAP_SAGAW, u->cap) >> VTD_AW(space->levels) & 1);
    if (pasid)
        note_stale_pasid(&bus_of(u, rid)->pasids[devfn_of(rid)], pasid, did_of(u, rid, pasid));
    else
        note_stale(bus_of(u, rid), devfn_of(rid), did_of(u, rid, 0));
    if (u->scalable)
        vtd_pasid_point(u, sm_context_entry(u, rid), pasid, space);
    else
        point_legacy(u, rid, space);
}

/* With which domain id hardware may have cached the entry: before its last change, or as it is. */
uint32_t vtd_stale(struct vtd_unit *u, rid_t rid, uint32_t pasid)
{
    const struct vtd_bus *bus = bus_of(u, rid);
    const struct vtd_pasids *p;
    uint32_t did;

    if (!bus || !bus->context[half_of(u, rid)].n)
        return 0;
    p = &bus->pasids[devfn_of(rid)];
    if (!pasid)
        did = bus->stale[devfn_of(rid)];
    else
        did = p->stale == VTD_STALE_MANY || p->pasid == pasid ? p->stale : 0;
    return did ? did : (uint32_t)did_of(u, rid, pasid);
}

bool vtd_has_pasids(const struct vtd_unit *u, rid_t rid)
{
    return bus_of(u, rid) && bus_of(u, rid)->pasids[devfn_of(rid)].used;
}

void vtd_not_stale(struct vtd_unit *u, const struct hw_inv *inv)
{
    struct vtd_bus *bus = bus_of(u, inv->rid);
    const unsigned devfn = devfn_of(inv->rid);

    if (!bus)
        return;
    if (inv->kind == HW_INV_DEVICE)
        bus->stale[devfn] = 0;
    if (inv->kind == HW_INV_DEVICE || bus->pasids[devfn].stale == VTD_STALE_MANY ||
        bus->pasids[devfn].pasid == inv->pasid)
        bus->pasids[devfn].stale = 0;
}

void vtd_block_all(struct vtd_unit *u)
{
    uint64_t *root = port_page(u->config.port, u->root);

    for (unsigned i = 0; i < FRAME_SIZE / sizeof(*root); i++)
        vtd_store(u, &root[i], 0);
}

static void free_pasids(const struct vtd_unit *u, mfn_t context)
{
    for (unsigned i = 0; i < 128; i++)
        vtd_pasid_free(u, sm_entry(u, context, i));
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
