/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine below: one domain has most of it, and all devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nested.h"

#define SPARE     (64ull << 20) /* for its tables, and what devices demand */
#define CONTEXTS  255u
#define DOMID     1u
#define NAME_ROOM 8u

/* ---- Devices -----------------------------------------------------------------------------------
 */

static void name_of(rid_t rid, char *name)
{
    snprintf(name, NAME_ROOM, "d%04x", rid.n & 0xffff);
}

struct machine_device *nested_outer_device(const struct nested_state *state, rid_t rid)
{
    char name[NAME_ROOM];

    name_of(rid, name);
    return rid.n >> 16 ? NULL : machine_device(state->outer, name);
}

static bool share(const struct machine_slot *a, const struct machine_slot *b)
{
    for (unsigned i = 0; i < a->nr_rids; i++)
        for (unsigned k = 0; k < b->nr_rids; k++)
            if (a->rids[i].n == b->rids[k].n)
                return true;
    return false;
}

/* Devices that share a requester id cannot be told apart. */
static struct machine_device *group_of(const struct machine *m, const struct machine_slot *slot)
{
    const struct machine_slot *other = m->config.slots;

    while (other < slot && !share(other, slot))
        other++;
    return other < slot ? nested_outer_device(m->state, other->rids[0]) : NULL;
}

#define MOST_REGIONS 16u

static int add_device(const struct machine *m, const struct machine_slot *slot)
{
    struct nested_state *state = m->state;
    struct sluice_region regions[MOST_REGIONS];
    char name[NAME_ROOM];
    struct machine_device_config config = {
        .name = name,
        .kind = slot->kind,
        .nr_rids = slot->nr_rids,
        .regions = regions,
        .group = group_of(m, slot),
        .mask = slot->mask,
        .image = slot->image,
    };
    struct machine_device *dev;

    name_of(slot->rids[0], name);
    memcpy(config.rids, slot->rids, sizeof(config.rids));
    while (
        config.nr_regions < MOST_REGIONS &&
        machine_region(state->outer, slot->rids[0], config.nr_regions, &regions[config.nr_regions]))
        config.nr_regions++;
    return machine_device_add(state->outer, &config, &dev);
}

/* With its group, so that others may be there already. */
static int assign_device(struct nested_state *state, struct machine_device *dev)
{
    const int err = dev->behind ? 0 : machine_device_assign(dev, state->guest);

    return err == -EBUSY ? -EOPNOTSUPP : err; /* it takes none that share an id with another */
}

/* One that cannot be there is missed by whoever adds it here. */
static int add_devices(struct machine *m)
{
    int err = 0;

    for (unsigned i = 0; i < m->config.nr_slots && !err; i++) {
        const struct machine_slot *slot = &m->config.slots[i];

        if (slot->unprotected)
            return machine_fail(m, -EOPNOTSUPP, "this machine has no devices without a unit");
        if (!(slot->rids[0].n >> 16) && !nested_outer_device(m->state, slot->rids[0]))
            err = add_device(m, slot);
    }
    for (unsigned i = 0; i < m->config.nr_slots && !err; i++) {
        struct machine_device *dev = nested_outer_device(m->state, m->config.slots[i].rids[0]);

        err = dev ? assign_device(m->state, dev) : 0;
    }
    return err;
}

/* ---- The domain --------------------------------------------------------------------------------
 */

/* What the driver uses; in scalable mode PASIDs, where devices below have them. */
static uint64_t capabilities(const struct machine *m)
{
    const struct nested_state *state = m->state;
    uint64_t wanted = SLUICE_VIOMMU_SECOND_STAGE, all = 0;

    if (!m->config.no_intremap)
        wanted |= SLUICE_VIOMMU_REMAPPING;
    if (m->config.scalable)
        wanted |= SLUICE_VIOMMU_SCALABLE | SLUICE_VIOMMU_PASID;
    (void)sluice_viommu_query_caps(state->outer->sluice, SLUICE_VIOMMU_VTD, &all);
    return wanted & all;
}

static int add_guest(struct machine *m)
{
    struct nested_state *state = m->state;
    const struct machine_domain_config config = {.name = "guest",
                                                 .domid = DOMID,
                                                 .mem = m->config.ram,
                                                 .contiguous = true,
                                                 .max_ctx_no = CONTEXTS};
    const struct machine_viommu_config unit = {
        .capabilities = capabilities(m),
        .iova_bits = m->config.iova_bits,
    };
    int err = machine_domain_add(state->outer, &config, &state->guest);

    if (!err)
        err = machine_viommu_create(state->guest, &unit);
    if (!err)
        err = sluice_memory_lookup(state->guest->sluice, gfn_of(0), &state->first);
    return err;
}

/*
 * The domain is one run, aligned to the largest leaf that it can have. The lower half is what the
 * machine uses last, so there is one.
 */
static uint64_t room_for(uint64_t ram)
{
    const uint64_t step = ram >= 1u << 30 ? 1u << 30 : 2u << 20;

    return 2 * (ram + 2 * step) + SPARE;
}

static int start(struct machine *m)
{
    struct nested_state *state = m->state;
    const struct machine_config config = {
        .backend = m->config.outer,
        .scalable = m->config.scalable,
        .ram = room_for(m->config.ram),
        .no_intremap = m->config.no_intremap,
        .allow_unsafe = m->config.no_intremap,
        .iova_bits = m->config.iova_bits,
        .seed = m->config.seed,
        .slots = m->config.slots,
        .nr_slots = m->config.nr_slots,
    };

    const int err = machine_create(&config, &state->outer, m->error);

    return err == -EINVAL ? -EOPNOTSUPP : err; /* what it cannot be, no guest of it can */
}

int nested_open_outer(struct machine *m)
{
    struct nested_state *state = m->state;
    int err = start(m);

    if (err)
        return err;
    err = add_guest(m);
    if (!err)
        err = add_devices(m);
    if (err && !m->error[0])
        machine_fail(m, err, "in the machine below: %s", machine_error(state->outer));
    return err;
}

/* What is lost below is a bug, and nobody above would see it. */
void nested_close_outer(struct nested_state *state)
{
    const unsigned leaked = state->outer ? machine_destroy(state->outer) : 0;

    if (!leaked)
        return;
    fprintf(stderr, "nested: %u frames or objects of the machine below leaked\n", leaked);
    abort();
}
