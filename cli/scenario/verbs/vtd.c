/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated VT-d: a guest's driver accesses its registers, and gets its interrupts. */
#include "verbs.h"

#include "../../../iommu/abi/errno.h"

#include <string.h>

const struct sc_word viommu_words[] = {{"none", VIOMMU_NONE}, {"vtd", VIOMMU_VTD}, {NULL, 0}};
const struct sc_word viommu_caps_words[] = {
    {"second_stage", SLUICE_VIOMMU_SECOND_STAGE},
    {"remapping", SLUICE_VIOMMU_REMAPPING},
    {"x2apic", SLUICE_VIOMMU_X2APIC},
    {"scalable", SLUICE_VIOMMU_SCALABLE},
    {"first_stage", SLUICE_VIOMMU_FIRST_STAGE},
    {"pasid", SLUICE_VIOMMU_PASID},
    {NULL, 0},
};

enum viommu_said viommu_said(const struct sc_call *domain)
{
    const struct sc_value *value = sc_get(domain, "viommu");

    if (value)
        return (enum viommu_said)value->number;
    return sc_get(domain, "viommu_caps") ? VIOMMU_VTD : VIOMMU_NOT_SAID;
}

static bool declares(const struct sc_call *call, const char *name)
{
    return !strcmp(call->verb->name, "domain") && !strcmp(call->set[0].value.text, name);
}

/* The last that declares it, before that it may have been another. */
static const struct sc_call *line_of(const struct player *p, const struct machine_domain *d)
{
    const struct sc_call *found = NULL;

    for (unsigned i = 0; i < p->sc->nr_lines; i++) {
        const struct sc_line *line = &p->sc->lines[i];

        if (!line->subject && declares(line->call, machine_domain_name(d)))
            found = line->call;
    }
    return found;
}

long viommu_give(struct player *p, struct machine_domain *d)
{
    struct machine_viommu_config config = {.capabilities = MACHINE_VIOMMU_ALL};
    const struct sc_call *domain = line_of(p, d);
    const struct sc_value *caps = domain ? sc_get(domain, "viommu_caps") : NULL;
    long status;

    if (domain && viommu_said(domain) == VIOMMU_NONE)
        return -ENODEV;
    if (caps)
        config.capabilities = caps->number | SLUICE_VIOMMU_SECOND_STAGE;
    status = machine_viommu_create(d, &config);
    if (!status)
        ghost_viommu(p->ghost, machine_domain_domid(d));
    return status;
}

/* The domain of the line, with the unit that it has from its first such line on at the latest. */
static struct machine_domain *begin(struct player *p, const struct sc_line *line,
                                    struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    struct sluice_viommu_info info;

    if (d && machine_viommu_info(d, &info) == -ENODEV)
        out->status = viommu_give(p, d);
    player_explain(p, out);
    return out->status ? NULL : d;
}

static const struct sc_spec read_fields[] = {
    {.name = "reg", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "size", .dir = SC_IN, .kind = SC_NUMBER, .size = 1, .absent = 4},
    {.name = "value", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = NULL},
};

static void run_read(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = begin(p, line, out);
    uint64_t value;

    if (!d)
        return;
    out->status = machine_viommu_read(d, player_number(p, line->call, "reg"),
                                      (unsigned)player_number(p, line->call, "size"), &value);
    if (!out->status)
        outcome_number(out, "value", value);
}

static const struct sc_spec write_fields[] = {
    {.name = "reg", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "size", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "value", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = NULL},
};

static unsigned size_of(struct player *p, const struct sc_call *call)
{
    if (sc_get(call, "size"))
        return (unsigned)player_number(p, call, "size");
    return player_number(p, call, "value") >> 32 ? 8 : 4;
}

static void run_write(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = begin(p, line, out);

    if (d)
        out->status =
            machine_viommu_write(d, player_number(p, line->call, "reg"), size_of(p, line->call),
                                 player_number(p, line->call, "value"), p->continue_every);
}

static const struct sc_spec event_fields[] = {
    {.name = "addr", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "data", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = NULL},
};

static void run_event(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = begin(p, line, out);
    struct hw_message newest;

    if (!d)
        return;
    machine_faults_collect(p->m);
    out->status = (long)machine_viommu_events(d, &newest);
    if (!out->status)
        return;
    outcome_number(out, "addr", newest.address);
    outcome_number(out, "data", newest.data);
}

const struct sc_verb vtd_verbs[] = {
    {.name = "vtd.read", .subject = SC_OF_DOMAIN, .fields = read_fields, .run = run_read},
    {.name = "vtd.write", .subject = SC_OF_DOMAIN, .fields = write_fields, .run = run_write},
    {.name = "vtd.event",
     .subject = SC_OF_DOMAIN,
     .style = SC_COUNT,
     .fields = event_fields,
     .run = run_event},
    {.name = NULL},
};
