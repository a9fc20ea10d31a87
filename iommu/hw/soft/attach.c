/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver: device and PASID entries. */
#include "internal.h"

void soft_store(const struct soft_unit *u, uint64_t *at, uint64_t value)
{
    const struct sluice_port *port = u->config.port;

    __atomic_store_n(at, value, __ATOMIC_RELEASE);
    if (u->config.geo.noncoherent)
        port->writeback(port->host, at, sizeof(*at));
}

static void *table_of(const struct soft_unit *u, uint64_t word)
{
    return port_page(u->config.port, mfn_of(FIELD_GET(SOFT_TABLE_ADDRESS, word)));
}

static uint64_t *root_entry(const struct soft_unit *u, rid_t rid)
{
    return (uint64_t *)port_page(u->config.port, u->root) + (rid.n >> 8 & 0xff);
}

static uint64_t *context_entry(const struct soft_unit *u, rid_t rid)
{
    struct soft_context_entry *table = table_of(u, *root_entry(u, rid));

    return &table[rid.n & 0xff].directory;
}

static uint64_t *directory_entry(const struct soft_unit *u, rid_t rid, uint32_t pasid)
{
    return (uint64_t *)table_of(u, *context_entry(u, rid)) + pasid / SOFT_PASIDS;
}

static struct soft_pasid_entry *pasid_entry(const struct soft_unit *u, rid_t rid, uint32_t pasid)
{
    struct soft_pasid_entry *table = table_of(u, *directory_entry(u, rid, pasid));

    return &table[pasid % SOFT_PASIDS];
}

/* There is a table where the word leads. Tables stay until the unit ends. */
static int hang_table(struct soft_unit *u, uint64_t *word)
{
    mfn_t page;
    int err;

    if (*word & SOFT_TABLE_PRESENT)
        return 0;
    err = soft_page(u, &page);
    if (!err)
        soft_store(u, word, FIELD_PREP(SOFT_TABLE_ADDRESS, page.n) | SOFT_TABLE_PRESENT);
    return err;
}

int soft_prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid)
{
    struct soft_unit *u = soft_of(unit);
    int err;

    if (pasid > unit->max_pasid)
        return -EINVAL;
    if (rid.n >> 16)
        return -ENODEV; /* another segment's: this unit has segment 0 */
    err = hang_table(u, root_entry(u, rid));
    if (!err)
        err = hang_table(u, context_entry(u, rid));
    if (!err)
        err = hang_table(u, directory_entry(u, rid, pasid));
    return err;
}

static void describe_first(struct soft_pasid_entry *e, const struct hw_first_stage *first)
{
    const struct pt_geometry *geo = &first->geo;

    e->word[2] = FIELD_PREP(SOFT_PASID_FIRST_ROOT, first->root >> FRAME_LG2) | SOFT_PASID_FIRST;
    e->word[3] = FIELD_PREP(SOFT_PASID_FORMAT, geo->format->id) |
                 FIELD_PREP(SOFT_PASID_FIRST_LEVELS, geo->levels) |
                 FIELD_PREP(SOFT_PASID_WIDTH, geo->iova_bits) |
                 FIELD_PREP(SOFT_PASID_SIZES, geo->leaf_sizes >> FRAME_LG2);
}

static struct soft_pasid_entry describe(const struct hw_space *space)
{
    struct soft_pasid_entry e = {{0}};

    e.word[0] = FIELD_PREP(SOFT_PASID_ROOT, space->root.n) | SOFT_PASID_PRESENT;
    e.word[1] =
        FIELD_PREP(SOFT_PASID_LEVELS, space->levels) | FIELD_PREP(SOFT_PASID_DID, space->did);
    if (space->first.geo.format)
        describe_first(&e, &space->first);
    return e;
}

/* Four words: the present bit goes first and comes last, so that no mixture is ever present. */
void soft_point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space)
{
    struct soft_unit *u = soft_of(unit);
    struct soft_pasid_entry *e = pasid_entry(u, rid, pasid);
    struct soft_pasid_entry new;

    soft_store(u, &e->word[0], 0);
    if (!space)
        return;
    CHECK(u->config.port, unit->nests || !space->first.geo.format);
    new = describe(space);
    for (unsigned i = 1; i < 4; i++)
        soft_store(u, &e->word[i], new.word[i]);
    soft_store(u, &e->word[0], new.word[0]);
}

static void free_table(const struct soft_unit *u, uint64_t word)
{
    const struct sluice_port *port = u->config.port;

    if (word & SOFT_TABLE_PRESENT)
        port->free_page(port->host, mfn_of(FIELD_GET(SOFT_TABLE_ADDRESS, word)));
}

static void free_directory(const struct soft_unit *u, uint64_t word)
{
    const uint64_t *directory = table_of(u, word);

    for (unsigned i = 0; (word & SOFT_TABLE_PRESENT) && i < SOFT_DIRECTORY; i++)
        free_table(u, directory[i]);
    free_table(u, word);
}

static void free_contexts(const struct soft_unit *u, uint64_t word)
{
    const struct soft_context_entry *table = table_of(u, word);

    for (unsigned devfn = 0; (word & SOFT_TABLE_PRESENT) && devfn < 256; devfn++)
        free_directory(u, table[devfn].directory);
    free_table(u, word);
}

void soft_free_tables(struct soft_unit *u)
{
    const struct sluice_port *port = u->config.port;
    const uint64_t *root = port_page(port, u->root);

    for (unsigned bus = 0; bus < 256; bus++)
        free_contexts(u, root[bus]);
    port->free_page(port->host, u->root);
}
