/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of machines. */
#include "machines.h"

#include <string.h>

static const char *const soft_features[] = {"superpages", "two-devices",     "nvme", "faults",
                                            "intremap",   "intremap-strict", NULL};
static const char *const vtd_features[] = {"superpages", "two-devices", "nvme",
                                           "faults",     "intremap",    NULL};
static const char *const no_features[] = {NULL};

const struct machine_kind machine_kinds[] = {
    {"soft", &soft_backend, soft_features},
    {"vtd", &vtd_backend, vtd_features},
    {"vtd-scalable", &vtd_scalable_backend, vtd_features},
    {"amdvi", NULL, no_features},
    {"smmuv3", NULL, no_features},
    {NULL, NULL, no_features},
};

const struct machine_kind *machine_kind_find(const char *name)
{
    for (const struct machine_kind *kind = machine_kinds; kind->name; kind++)
        if (!strcmp(kind->name, name))
            return kind;
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
