/* SPDX-License-Identifier: BSD-2-Clause */
/* The reserved regions that a file's devices have. */
#include "regions.h"

#include <string.h>

const struct sc_word region_types[] = {
    {"direct", SLUICE_REGION_DIRECT},     {"direct-relaxable", SLUICE_REGION_DIRECT_RELAXABLE},
    {"reserved", SLUICE_REGION_RESERVED}, {"msi", SLUICE_REGION_MSI},
    {"sw-msi", SLUICE_REGION_SW_MSI},     {NULL, 0},
};

static void add_region(struct regions *r, const struct sc_region *region)
{
    enum sluice_region_type type = (enum sluice_region_type)region->type;
    bool direct = type == SLUICE_REGION_DIRECT || type == SLUICE_REGION_DIRECT_RELAXABLE;

    r->all[r->nr++] = (struct sluice_region){.first = region->first,
                                             .last = region->last,
                                             .type = type,
                                             .prot = direct ? PT_READ | PT_WRITE : 0};
}

/* There has to be room. */
static void add_said(struct regions *r, const struct sc_call *device, bool direct_only)
{
    const struct sc_value *value;

    for (unsigned n = 0; (value = sc_nth(device, "reserved", n)); n++)
        if (!direct_only || value->region.type == SLUICE_REGION_DIRECT)
            add_region(r, &value->region);
}

static rid_t rid_in(const struct sc_call *device)
{
    return (rid_t){(uint32_t)device->set[1].value.number};
}

static unsigned nr_demanded(struct machine *m, const struct sc_call *device)
{
    struct sluice_region region;
    unsigned n = 0;

    while (machine_region(m, rid_in(device), n, &region))
        n++;
    return n;
}

static void add_demanded(struct regions *r, struct machine *m, const struct sc_call *device)
{
    for (unsigned n = 0; machine_region(m, rid_in(device), n, &r->all[r->nr]); n++)
        r->nr++;
}

bool is_device_line(const struct sc_line *line)
{
    return !line->subject && !strcmp(line->call->verb->name, "device") && !is_emulated(line->call);
}

static bool is_owned(const struct sc_line *line, const char *owner)
{
    return is_device_line(line) && !strcmp(sc_text(line->call, "owner", ""), owner);
}

struct regions regions_of(struct machine *m, const struct sc_call *device)
{
    struct regions r = {.nr = 0};

    r.all = xcalloc(device->nr_set + nr_demanded(m, device) + 1, sizeof(*r.all));
    add_said(&r, device, false);
    add_demanded(&r, m, device);
    return r;
}

struct regions regions_direct(const struct scenario *sc)
{
    struct regions r = {.nr = 0};
    size_t room = 0;

    for (unsigned i = 0; i < sc->nr_lines; i++)
        room += sc->lines[i].call->nr_set;
    r.all = xcalloc(room, sizeof(*r.all));
    for (unsigned i = 0; i < sc->nr_lines; i++)
        if (is_device_line(&sc->lines[i]))
            add_said(&r, sc->lines[i].call, true);
    return r;
}

struct regions regions_of_owner(struct machine *m, const struct scenario *sc, const char *owner)
{
    struct regions r = {.nr = 0};
    size_t room = 1; /* to be told that there are no more */

    for (unsigned i = 0; i < sc->nr_lines; i++)
        if (is_owned(&sc->lines[i], owner))
            room += sc->lines[i].call->nr_set + nr_demanded(m, sc->lines[i].call);
    r.all = xcalloc(room, sizeof(*r.all));
    for (unsigned i = 0; i < sc->nr_lines; i++) {
        if (!is_owned(&sc->lines[i], owner))
            continue;
        add_said(&r, sc->lines[i].call, false);
        add_demanded(&r, m, sc->lines[i].call);
    }
    return r;
}
