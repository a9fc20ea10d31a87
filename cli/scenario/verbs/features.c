/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest asks at boot: is its memory where it thinks? XENVER_get_features. */
#include "hypercall.h"

#include <string.h>

static const struct sc_spec features_fields[] = {
    {.name = "submap_idx", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "direct_mapped", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "not_direct_mapped", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "submap", .dir = SC_OUT, .kind = SC_NUMBER, .quiet = true},
    {.name = NULL},
};

static void run_features(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    struct xen_feature_info info = {.submap_idx =
                                        (uint32_t)player_number(p, line->call, "submap_idx")};

    if (!d)
        return;
    memset(&info.submap, POISON, sizeof(info.submap));
    if (!machine_guest_write(d, MACHINE_ARG, &info, sizeof(info)))
        out->status = machine_xen_version(d, XENVER_get_features, MACHINE_ARG);
    if (out->status || machine_guest_read(d, MACHINE_ARG, &info, sizeof(info)))
        return;
    outcome_number(out, "direct_mapped", info.submap >> XENFEAT_direct_mapped & 1);
    outcome_number(out, "not_direct_mapped", info.submap >> XENFEAT_not_direct_mapped & 1);
    outcome_number(out, "submap", info.submap);
}

const struct sc_verb feature_verbs[] = {
    {.name = "features", .subject = SC_OF_DOMAIN, .fields = features_fields, .run = run_features},
    {.name = NULL},
};
