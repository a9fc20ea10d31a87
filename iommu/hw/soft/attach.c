/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver: device entries. */
#include "internal.h"

static uint64_t *root_entry(const struct soft_unit *u, rid_t rid)
{
    return (uint64_t *)port_page(u->config.port, u->root) + (rid.n >> 8 & 0xff);
}

static struct soft_context_entry *context_entry(const struct soft_unit *u, rid_t rid)
{
    const mfn_t table = mfn_of(FIELD_GET(SOFT_ROOT_TABLE, *root_entry(u, rid)));

    return (struct soft_context_entry *)port_page(u->config.port, table) + (rid.n & 0xff);
}

void soft_store(const struct soft_unit *u, uint64_t *at, uint64_t value)
{
    const struct sluice_port *port = u->config.port;

    __atomic_store_n(at, value, __ATOMIC_RELEASE);
    if (u->config.geo.noncoherent)
        port->writeback(port->host, at, sizeof(*at));
}

int soft_prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid)
{
    struct soft_unit *u = soft_of(unit);
    mfn_t page;
    int err;

    if (pasid > unit->max_pasid)
        return -EINVAL;
    if (rid.n >> 16)
        return -ENODEV; /* another segment's: this unit has segment 0 */
    if (*root_entry(u, rid) & SOFT_ROOT_PRESENT)
        return 0;
    err = soft_page(u, &page);
    if (err)
        return err;
    soft_store(u, root_entry(u, rid), FIELD_PREP(SOFT_ROOT_TABLE, page.n) | SOFT_ROOT_PRESENT);
    return 0;
}

/* Two words: the present bit goes first and comes last, so that no mixture is ever present. */
void soft_point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space)
{
    struct soft_unit *u = soft_of(unit);
    struct soft_context_entry *e = context_entry(u, rid);

    CHECK(u->config.port, !pasid);
    soft_store(u, &e->lo, 0);
    if (!space)
        return;
    soft_store(u, &e->hi,
               FIELD_PREP(SOFT_CONTEXT_LEVELS, space->levels) |
                   FIELD_PREP(SOFT_CONTEXT_DID, space->did));
    soft_store(u, &e->lo, FIELD_PREP(SOFT_CONTEXT_ROOT, space->root.n) | SOFT_CONTEXT_PRESENT);
}

void soft_free_tables(struct soft_unit *u)
{
    const struct sluice_port *port = u->config.port;
    const uint64_t *root = port_page(port, u->root);

    for (unsigned bus = 0; bus < 256; bus++)
        if (root[bus] & SOFT_ROOT_PRESENT)
            port->free_page(port->host, mfn_of(FIELD_GET(SOFT_ROOT_TABLE, root[bus])));
    port->free_page(port->host, u->root);
}
