/* SPDX-License-Identifier: BSD-2-Clause */
/* The reserved regions that a file's devices have. */
#include "regions.h"

#include <string.h>

const struct sc_word region_types[] = {
    {"direct", SLUICE_REGION_DIRECT},
    {"direct-relaxable", SLUICE_REGION_DIRECT_RELAXABLE},
    {"reserved", SLUICE_REGION_RESERVED},
    {"msi", SLUICE_REGION_MSI},
    {NULL, 0},
};

static void add_region(struct regions *r, const struct sc_region *region)
{
    enum sluice_region_type type = (enum sluice_region_type)region->type;
    bool direct = type == SLUICE_REGION_DIRECT || type == SLUICE_REGION_DIRECT_RELAXABLE;

    r->all[r->nr++] =
        (struct sluice_region){region->first, region->last, type, direct ? PT_READ | PT_WRITE : 0};
}

void regions_add(struct regions *r, const struct sc_call *device, bool direct_only)
{
    const struct sc_value *value;

    for (unsigned n = 0; (value = sc_nth(device, "reserved", n)); n++)
        if (!direct_only || value->region.type == SLUICE_REGION_DIRECT)
            add_region(r, &value->region);
}

bool is_device_line(const struct sc_line *line)
{
    return !line->subject && !strcmp(line->call->verb->name, "device");
}

/* The regions of all devices in the file, or of those with that owner; `all` is the caller's to
 * free. */
struct regions regions_in(const struct scenario *sc, const char *owner, bool direct_only)
{
    struct regions r = {.nr = 0};
    size_t room = 0;

    for (unsigned i = 0; i < sc->nr_lines; i++)
        room += sc->lines[i].call->nr_set;
    r.all = xcalloc(room, sizeof(*r.all));
    for (unsigned i = 0; i < sc->nr_lines; i++) {
        const struct sc_line *line = &sc->lines[i];

        if (is_device_line(line) && (!owner || !strcmp(sc_text(line->call, "owner", ""), owner)))
            regions_add(&r, line->call, direct_only);
    }
    return r;
}
