/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of machines. */
#include "machines.h"

#include <string.h>

static const char *const soft_features[] = {
    "superpages",     "two-devices", "nvme",   "faults", "intremap", "intremap-strict",
    "intremap-alias", "doorbell",    "nested", "pasid",  "viommu",   NULL};
static const char *const vtd_features[] = {"superpages", "two-devices", "nvme",
                                           "faults",     "intremap",    "intremap-alias",
                                           "nested",     "viommu",      NULL};
/* The emulated unit knows devices by their own requester ids only. */
static const char *const nested_features[] = {"superpages", "two-devices", "nvme",   "faults",
                                              "intremap",   "nested",      "viommu", NULL};
/* Behind the software unit devices have PASIDs, and so they have as guests of it. */
static const char *const nested_pasid_features[] = {
    "superpages", "two-devices", "nvme", "faults", "intremap", "nested", "pasid", "viommu", NULL};
static const char *const no_features[] = {NULL};

const struct machine_kind machine_kinds[] = {
    {.name = "soft", .backend = &soft_backend, .features = soft_features},
    {.name = "vtd", .backend = &vtd_backend, .features = vtd_features},
    {.name = "vtd-scalable", .backend = &vtd_backend, .features = vtd_features, .scalable = true},
    {.name = "nested-soft",
     .backend = &nested_backend,
     .features = nested_features,
     .outer = &soft_backend},
    {.name = "nested-vtd",
     .backend = &nested_backend,
     .features = nested_features,
     .outer = &vtd_backend},
    {.name = "nested-soft-scalable",
     .backend = &nested_backend,
     .features = nested_pasid_features,
     .outer = &soft_backend,
     .scalable = true},
    {.name = "nested-vtd-scalable",
     .backend = &nested_backend,
     .features = nested_features,
     .outer = &vtd_backend,
     .scalable = true},
    {.name = "amdvi", .features = no_features},
    {.name = "smmuv3", .features = no_features},
    {.name = NULL, .features = no_features},
};

static void add_there_are(struct words *why)
{
    const char *comma = ": expected ";

    for (const struct machine_kind *kind = machine_kinds; kind->name; kind++) {
        if (!kind->backend)
            continue;
        words_add(why, "%s%s", comma, kind->name);
        comma = ", ";
    }
}

const struct machine_kind *machine_kind_find(const char *name, struct words *why)
{
    const struct machine_kind *kind = machine_kinds;

    while (kind->name && strcmp(kind->name, name))
        kind++;
    if (kind->backend)
        return kind;
    if (kind->name)
        words_add(why, "machine %s is not in this build", name);
    else
        words_add(why, "unknown machine '%s'", name);
    add_there_are(why);
    return NULL;
}

static bool has(const struct machine_kind *kind, const char *feature)
{
    for (const char *const *f = kind->features; *f; f++)
        if (!strcmp(*f, feature))
            return true;
    return false;
}

const char *machine_kind_lacks(const struct machine_kind *kind, const struct scenario *sc)
{
    for (unsigned i = 0; i < sc->nr_lines; i++) {
        const struct sc_call *call = sc->lines[i].call;
        const struct sc_value *feature;

        for (unsigned n = 0; (feature = sc_nth(call, "feature", n)); n++)
            if (!has(kind, feature->text))
                return feature->text;
    }
    return NULL;
}
