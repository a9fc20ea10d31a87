/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: what they are, and who has them. */
#include "regions.h"

#include <stdlib.h>
#include <string.h>

static const struct sc_word kinds[] = {{"dma", MACHINE_DMA},
                                       {"edu", MACHINE_DMA},
                                       {"nvme", MACHINE_NVME},
                                       {"emulated", MACHINE_DMA},
                                       {NULL, 0}};
static const struct sc_word yes_no[] = {{"no", 0}, {"yes", 1}, {NULL, 0}};

static const struct sc_spec device_args[] = {
    {.name = "a name", .dir = SC_IN, .kind = SC_NEW_DEVICE},
    {.name = "a PCI address", .dir = SC_IN, .kind = SC_BDF},
    {.name = NULL},
};
static const struct sc_spec device_fields[] = {
    {.name = "owner", .dir = SC_IN, .kind = SC_DOMAIN},
    {.name = "kind", .dir = SC_IN, .kind = SC_CHOICE, .words = kinds},
    {.name = "image", .dir = SC_IN, .kind = SC_PATH},
    {.name = "reserved", .dir = SC_IN, .kind = SC_REGION, .words = region_types, .repeat = true},
    {.name = "group", .dir = SC_IN, .kind = SC_LABEL},
    {.name = "protected", .dir = SC_IN, .kind = SC_CHOICE, .words = yes_no, .absent = 1},
    {.name = "mask", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "alias", .dir = SC_IN, .kind = SC_BDF, .repeat = true},
    {.name = NULL},
};

static bool same_group(const struct sc_line *line, const char *label)
{
    return is_device_line(line) && !strcmp(sc_text(line->call, "group", ""), label);
}

/* The first device of its group, which may be itself; NULL without a group. */
static const struct sc_line *group_head(const struct player *p, const struct sc_line *line)
{
    const char *label = sc_text(line->call, "group", NULL);

    for (const struct sc_line *at = p->sc->lines; label && at <= line; at++)
        if (same_group(at, label))
            return at;
    return NULL;
}

static const char *name_of(const struct sc_line *line)
{
    return line->call->set[0].value.text;
}

static struct machine_device *head_device(const struct player *p, const struct sc_line *line)
{
    const struct sc_line *head = group_head(p, line);

    return head && head != line ? machine_device(p->m, name_of(head)) : NULL;
}

bool is_emulated(const struct sc_call *device)
{
    return !strcmp(sc_text(device, "kind", ""), "emulated");
}

bool device_rids(const struct sc_call *call, rid_t *rids, unsigned *nr)
{
    const struct sc_value *alias;

    rids[0] = (rid_t){(uint32_t)call->set[1].value.number};
    for (*nr = 1; (alias = sc_nth(call, "alias", *nr - 1)); (*nr)++) {
        if (*nr == 8)
            return false;
        rids[*nr] = (rid_t){(uint32_t)alias->number};
    }
    return true;
}

static void assign(struct player *p, struct machine_device *dev, struct machine_domain *d,
                   struct outcome *out)
{
    out->status = machine_device_assign(dev, d);
    player_explain(p, out);
    player_told(p, out, ghost_assigned(p->ghost, dev, machine_domain_domid(d), (int)out->status));
}

/* A device whose group has gone to its owner already is there. */
static void assign_owner(struct player *p, struct machine_device *dev, const char *owner,
                         struct outcome *out)
{
    struct machine_domain *d = player_domain(p, owner, out);
    struct sluice_device_info info;

    sluice_device_info(machine_device_sluice(dev), &info);
    if (d && (!info.domain || info.domain != machine_domain_sluice(d)))
        assign(p, dev, d, out);
}

static void add_device(struct player *p, const struct machine_device_config *config,
                       struct outcome *out)
{
    struct machine_device *dev = NULL;

    out->status = machine_device_add(p->m, config, &dev);
    player_explain(p, out);
    player_told(p, out, ghost_device_added(p->ghost, config, dev, (int)out->status));
}

static void add_line(struct player *p, const struct sc_line *line, struct outcome *out)
{
    const struct sc_call *call = line->call;
    struct regions regions;
    struct machine_device_config config = {
        .name = name_of(line),
        .kind = (enum machine_device_kind)player_number(p, call, "kind"),
        .group = head_device(p, line),
        .unprotected = !player_number(p, call, "protected"),
        .mask = (unsigned)player_number(p, call, "mask"),
        .image = sc_text(call, "image", NULL),
    };

    if (!device_rids(call, config.rids, &config.nr_rids)) {
        outcome_cannot(out, "more than 7 aliases");
        return;
    }
    regions = regions_of(p->m, call);
    config.regions = regions.all;
    config.nr_regions = regions.nr;
    add_device(p, &config, out);
    free(regions.all);
}

/*
 * A group goes to its owner as a whole, so its first line adds the others too. One that cannot be
 * added is tried again by its own line, which then says why.
 */
static void add_rest_of_group(struct player *p, const struct sc_line *head, struct outcome *out)
{
    const char *label = sc_text(head->call, "group", NULL);
    const struct sc_line *end = p->sc->lines + p->sc->nr_lines;

    for (const struct sc_line *line = head + 1; label && line < end; line++) {
        struct outcome rest;

        if (!same_group(line, label))
            continue;
        outcome_begin(&rest, line);
        add_line(p, line, &rest);
        if (rest.complaint[0])
            outcome_complain(out, "%s", rest.complaint);
    }
}

/* It is its owner's from the beginning to the end: nothing to the ghost model. */
static void add_emulated(struct player *p, const struct sc_line *line, struct outcome *out)
{
    const char *owner = sc_text(line->call, "owner", NULL);
    struct machine_domain *d = owner ? player_domain(p, owner, out) : NULL;
    struct machine_emulated *e;

    if (!owner)
        outcome_cannot(out, "whose is it? expected owner=");
    if (!d)
        return;
    out->status =
        machine_emulated_add(d, name_of(line), line->call->set[1].value.number & 0xffff, &e);
    player_explain(p, out);
}

static void run_device(struct player *p, const struct sc_line *line, struct outcome *out)
{
    const char *owner = sc_text(line->call, "owner", NULL);
    struct machine_device *dev = machine_device(p->m, name_of(line));

    if (is_emulated(line->call)) {
        add_emulated(p, line, out);
        return;
    }
    if (!dev)
        add_line(p, line, out);
    if (group_head(p, line) == line && !out->status)
        add_rest_of_group(p, line, out);
    dev = machine_device(p->m, name_of(line));
    if (dev && !out->status && owner)
        assign_owner(p, dev, owner, out);
}

static const struct sc_spec assign_args[] = {
    {.name = "a device", .dir = SC_IN, .kind = SC_DEVICE},
    {.name = "a domain", .dir = SC_IN, .kind = SC_DOMAIN},
    {.name = NULL},
};
static const struct sc_spec unassign_args[] = {
    {.name = "a device", .dir = SC_IN, .kind = SC_DEVICE},
    {.name = NULL},
};

static void run_assign(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_device *dev = player_device(p, line->call->set[0].value.text, out);
    struct machine_domain *d = dev ? player_domain(p, line->call->set[1].value.text, out) : NULL;

    if (d)
        assign(p, dev, d, out);
}

static void run_unassign(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_device *dev = player_device(p, line->call->set[0].value.text, out);

    if (!dev)
        return;
    out->status = machine_device_unassign(dev);
    player_explain(p, out);
    player_told(p, out, ghost_unassigned(p->ghost, dev, (int)out->status));
}

const struct sc_verb device_verbs[] = {
    {.name = "device", .args = device_args, .fields = device_fields, .run = run_device},
    {.name = "assign", .args = assign_args, .run = run_assign},
    {.name = "unassign", .args = unassign_args, .run = run_unassign},
    {.name = NULL},
};
