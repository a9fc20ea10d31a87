/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PASID directories and tables (9.5, 9.6): of a device, in scalable mode. Requests without a PASID
 * use PASID 0. As attach.c says, entries are shown and taken back by their first word.
 */
#include "internal.h"

static mfn_t directory_of(const struct vtd_sm_context_entry *e)
{
    return mfn_of(FIELD_GET(VTD_SM_CONTEXT_PASIDDIRPTR, e->word[0]));
}

static uint64_t *directory_entry(const struct vtd_unit *u, mfn_t directory, uint32_t pasid)
{
    return (uint64_t *)port_page(u->config.port, directory) + pasid / VTD_PASID_TABLE_ENTRIES;
}

/* NULL: no table is there for it. */
static struct vtd_pasid_entry *entry_of(const struct vtd_unit *u,
                                        const struct vtd_sm_context_entry *e, uint32_t pasid)
{
    const mfn_t directory = directory_of(e);
    struct vtd_pasid_entry *table;
    uint64_t entry;

    if (!directory.n)
        return NULL;
    entry = *directory_entry(u, directory, pasid);
    if (!(entry & VTD_PASID_DIR_P))
        return NULL;
    table = port_page(u->config.port, mfn_of(FIELD_GET(VTD_PASID_DIR_SMPTBLPTR, entry)));
    return &table[pasid % VTD_PASID_TABLE_ENTRIES];
}

/* The least that holds max_pasid; a page of directory is the most. */
static unsigned directory_size(const struct vtd_unit *u)
{
    const uint32_t last = u->hw.max_pasid / VTD_PASID_TABLE_ENTRIES;
    unsigned pdts = 0;

    while (last >> (pdts + 7))
        pdts++;
    return pdts;
}

/* Into the context entry, which stays not present: what cannot change while it is present. */
static int prepare_directory(struct vtd_unit *u, struct vtd_sm_context_entry *e)
{
    mfn_t directory;
    int err;

    if (directory_of(e).n)
        return 0;
    err = vtd_page(u, &directory);
    if (err)
        return err;
    vtd_store(u, &e->word[1], FIELD_PREP(VTD_SM_CONTEXT_RID_PASID, 0));
    vtd_store(u, &e->word[0],
              FIELD_PREP(VTD_SM_CONTEXT_PASIDDIRPTR, directory.n) |
                  FIELD_PREP(VTD_SM_CONTEXT_PDTS, directory_size(u)) |
                  (u->hw.max_pasid ? VTD_SM_CONTEXT_PASIDE : 0));
    return 0;
}

static int prepare_table(struct vtd_unit *u, mfn_t directory, uint32_t pasid)
{
    uint64_t *entry = directory_entry(u, directory, pasid);
    mfn_t table;
    int err;

    if (*entry & VTD_PASID_DIR_P)
        return 0;
    err = vtd_page(u, &table);
    if (err)
        return err;
    vtd_store(u, entry, FIELD_PREP(VTD_PASID_DIR_SMPTBLPTR, table.n) | VTD_PASID_DIR_P);
    return 0;
}

int vtd_pasid_prepare(struct vtd_unit *u, struct vtd_sm_context_entry *e, uint32_t pasid)
{
    int err = prepare_directory(u, e);

    if (!err)
        err = prepare_table(u, directory_of(e), 0);
    return err ? err : prepare_table(u, directory_of(e), pasid);
}

uint64_t vtd_pasid_did(const struct vtd_unit *u, const struct vtd_sm_context_entry *e,
                       uint32_t pasid)
{
    const struct vtd_pasid_entry *p = entry_of(u, e, pasid);

    return p && p->word[0] & VTD_PASID_P ? FIELD_GET(VTD_PASID_DID, p->word[1]) : 0;
}

/* The context entry becomes present with the first space, and stays so: the PASID entry decides. */
void vtd_pasid_point(struct vtd_unit *u, struct vtd_sm_context_entry *e, uint32_t pasid,
                     const struct hw_space *space)
{
    struct vtd_pasid_entry *p = entry_of(u, e, pasid);

    CHECK(u->config.port, p);
    vtd_store(u, &p->word[0], 0);
    if (!space)
        return;
    vtd_store(u, &p->word[1],
              FIELD_PREP(VTD_PASID_DID, space->did) |
                  (u->ecap & VTD_ECAP_SMPWC ? VTD_PASID_PWSNP : 0));
    vtd_store(u, &p->word[0],
              FIELD_PREP(VTD_PASID_SSPTPTR, space->root.n) |
                  FIELD_PREP(VTD_PASID_AW, VTD_AW(space->levels)) |
                  FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_SECOND) | VTD_PASID_P);
    if (!(e->word[0] & VTD_SM_CONTEXT_P))
        vtd_store(u, &e->word[0], e->word[0] | VTD_SM_CONTEXT_P);
}

void vtd_pasid_free(const struct vtd_unit *u, const struct vtd_sm_context_entry *e)
{
    const struct sluice_port *port = u->config.port;
    const mfn_t directory = directory_of(e);
    const uint64_t *entry;

    if (!directory.n)
        return;
    entry = port_page(port, directory);
    for (unsigned i = 0; i < FRAME_SIZE / sizeof(*entry); i++)
        if (entry[i] & VTD_PASID_DIR_P)
            port->free_page(port->host, mfn_of(FIELD_GET(VTD_PASID_DIR_SMPTBLPTR, entry[i])));
    port->free_page(port->host, directory);
}
