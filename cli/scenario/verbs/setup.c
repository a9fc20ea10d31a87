/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting up: the machine and its domains. */
#include "regions.h"

#include <stdlib.h>

/* ---- machine, require --------------------------------------------------------------------------
 */

enum { OFF, ON };

static const struct sc_word on_off[] = {{"off", OFF}, {"on", ON}, {NULL, 0}};
static const struct sc_word defaults[] = {{"identity", 0}, {"blocked", 1}, {NULL, 0}};
static const struct sc_word iommus[] = {{"none", 1}, {"on", 0}, {NULL, 0}};
static const struct sc_word hwdoms[] = {
    {"strict", SLUICE_SPACE_OWN},
    {"relaxed", SLUICE_SPACE_RELAXED},
    {"passthrough", SLUICE_SPACE_PASSTHROUGH},
    {NULL, 0},
};
static const struct sc_word msis[] = {{"safe", 0}, {"unsafe", 1}, {NULL, 0}};
static const struct sc_word formats[] = {
    {"vtdss", PT_FORMAT_VTDSS},
    {"x86", PT_FORMAT_X86},
    {"amdv1", PT_FORMAT_AMDV1},
    {"lpae1", PT_FORMAT_LPAE1},
    {"lpae2", PT_FORMAT_LPAE2},
    {"fake", PT_FORMAT_FAKE},
    {NULL, 0},
};

static const struct sc_spec machine_fields[] = {
    {.name = "ram", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "aw", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "default", .dir = SC_IN, .kind = SC_CHOICE, .words = defaults},
    {.name = "iommu", .dir = SC_IN, .kind = SC_CHOICE, .words = iommus},
    {.name = "intremap", .dir = SC_IN, .kind = SC_CHOICE, .words = on_off, .absent = ON},
    {.name = "hwdom", .dir = SC_IN, .kind = SC_CHOICE, .words = hwdoms},
    {.name = "window", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "msi", .dir = SC_IN, .kind = SC_CHOICE, .words = msis},
    {.name = "format",
     .dir = SC_IN,
     .kind = SC_CHOICE,
     .words = formats,
     .absent = PT_FORMAT_VTDSS},
    {.name = "levels", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "caching_mode", .dir = SC_IN, .kind = SC_CHOICE, .words = on_off},
    {.name = "coherent", .dir = SC_IN, .kind = SC_CHOICE, .words = on_off, .absent = ON},
    {.name = "stages", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "pasid", .dir = SC_IN, .kind = SC_CHOICE, .words = on_off, .absent = ON},
    {.name = "units", .dir = SC_IN, .kind = SC_NUMBER, .size = 2},
    {.name = "seed", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "doorbell", .dir = SC_IN, .kind = SC_NUMBER, .repeat = true},
    {.name = "sw_msi", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "sw_msi_size", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "sw_msi_lowest", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "sw_msi_highest", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = NULL},
};

static const struct sc_word features[] = {
    {"nested", 0}, {"pasid", 0},    {"superpages", 0},      {"two-devices", 0},
    {"nvme", 0},   {"intremap", 0}, {"intremap-strict", 0}, {"intremap-alias", 0},
    {"faults", 0}, {"doorbell", 0}, {"viommu", 0},          {NULL, 0}};
static const struct sc_spec require_args[] = {
    {.name = "feature", .dir = SC_IN, .kind = SC_CHOICE, .words = features, .repeat = true},
    {.name = NULL},
};

/* Both have had their effect before the first line is played. */
static void run_nothing(struct player *p, const struct sc_line *line, struct outcome *out)
{
    (void)p;
    (void)line;
    (void)out;
}

static const struct sc_call *machine_call(const struct scenario *sc)
{
    static const struct sc_verb verb = {.name = "machine", .fields = machine_fields};
    static const struct sc_call absent = {.verb = &verb};

    for (unsigned i = 0; i < sc->nr_lines; i++)
        if (sc->lines[i].call->verb->setup)
            return sc->lines[i].call;
    return &absent;
}

/* One more than a machine has is one too many for it, whatever comes behind. */
static void doorbells_in(const struct sc_call *call, struct machine_config *config)
{
    const struct sc_value *value;

    while ((value = sc_nth(call, "doorbell", config->nr_doorbells))) {
        if (config->nr_doorbells < MACHINE_DOORBELLS)
            config->doorbells[config->nr_doorbells] = value->number;
        config->nr_doorbells++;
    }
}

/* What is left out is as the library has it. */
static struct sluice_msi_window window_in(const struct player *p, const struct sc_call *call)
{
    const struct sc_value *base = sc_get(call, "sw_msi"), *size = sc_get(call, "sw_msi_size");

    return (struct sluice_msi_window){
        .base = base || !size ? player_number(p, call, "sw_msi") : SLUICE_MSI_BASE,
        .length = size || !base ? player_number(p, call, "sw_msi_size") : SLUICE_MSI_LENGTH,
        .lowest = player_number(p, call, "sw_msi_lowest"),
        .highest = player_number(p, call, "sw_msi_highest"),
    };
}

static struct machine_slot *slots_in(const struct scenario *sc, unsigned *nr)
{
    struct machine_slot *slots = xcalloc(sc->nr_lines + 1, sizeof(*slots));
    const struct player p = {.sc = sc};

    *nr = 0;
    for (unsigned i = 0; i < sc->nr_lines; i++) {
        const struct sc_call *call = sc->lines[i].call;

        if (!is_device_line(&sc->lines[i]))
            continue;
        slots[*nr] = (struct machine_slot){
            .kind = (enum machine_device_kind)player_number(&p, call, "kind"),
            .image = sc_text(call, "image", NULL),
            .unprotected = !player_number(&p, call, "protected"),
            .mask = (unsigned)player_number(&p, call, "mask"),
        };
        (void)device_rids(call, slots[*nr].rids, &slots[*nr].nr_rids); /* its line complains */
        (*nr)++;
    }
    return slots;
}

void setup_config(const struct scenario *sc, const struct machine_kind *machine,
                  struct machine_config *config)
{
    const struct sc_call *call = machine_call(sc);
    const struct player p = {.sc = sc};
    struct regions holes = regions_direct(sc);

    *config = (struct machine_config){
        .backend = machine->backend,
        .outer = machine->outer,
        .scalable = machine->scalable,
        .ram = player_number(&p, call, "ram"),
        .iova_bits = (unsigned)player_number(&p, call, "aw"),
        .blocked = player_number(&p, call, "default"),
        .no_iommu = player_number(&p, call, "iommu"),
        .no_intremap = !player_number(&p, call, "intremap"),
        .allow_unsafe = player_number(&p, call, "msi"),
        .format = (enum pt_format_id)player_number(&p, call, "format"),
        .levels = (unsigned)player_number(&p, call, "levels"),
        .nr_units = (unsigned)player_number(&p, call, "units"),
        .caching_mode = player_number(&p, call, "caching_mode"),
        .noncoherent = !player_number(&p, call, "coherent"),
        .stages = (unsigned)player_number(&p, call, "stages"),
        .no_pasid = !player_number(&p, call, "pasid"),
        .seed = player_number(&p, call, "seed"),
        .holes = holes.all,
        .nr_holes = holes.nr,
        .msi_window = window_in(&p, call),
    };
    doorbells_in(call, config);
    config->slots = slots_in(sc, &config->nr_slots);
}

void setup_config_free(struct machine_config *config)
{
    free((void *)(uintptr_t)config->holes);
    free((void *)(uintptr_t)config->slots);
    config->holes = NULL;
    config->slots = NULL;
}

/* ---- domain, destroy ---------------------------------------------------------------------------
 */

static const struct sc_spec domain_args[] = {
    {.name = "a name", .dir = SC_IN, .kind = SC_NEW_DOMAIN},
    {.name = NULL},
};
static const struct sc_spec domain_fields[] = {
    {.name = "id", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "mem", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "hardware", .dir = SC_IN, .kind = SC_BARE},
    {.name = "direct_mapped", .dir = SC_IN, .kind = SC_BARE},
    {.name = "trusted", .dir = SC_IN, .kind = SC_BARE},
    {.name = "scattered", .dir = SC_IN, .kind = SC_BARE},
    {.name = "controls", .dir = SC_IN, .kind = SC_DOMAINS},
    {.name = "budget_contexts", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "budget_tables", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "budget_refs", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "max_ctx", .dir = SC_IN, .kind = SC_NUMBER, .size = 2},
    {.name = "viommu", .dir = SC_IN, .kind = SC_CHOICE, .words = viommu_words},
    {.name = "viommu_caps", .dir = SC_IN, .kind = SC_FLAGS, .words = viommu_caps_words},
    {.name = NULL},
};

/* One that is left out is no limit, one of 0 allows nothing. */
static uint32_t budget(const struct sc_call *call, const char *name)
{
    const struct sc_value *value = sc_get(call, name);

    if (!value)
        return 0;
    return value->number ? (uint32_t)value->number : MACHINE_NONE;
}

static void lay_out(const struct player *p, struct machine_domain_config *config)
{
    bool hardware = false;

    for (unsigned i = 0; i < p->sc->nr_lines; i++)
        hardware |= sc_get(p->sc->lines[i].call, "hardware") != NULL;
    if (p->layout == LAYOUT_DIRECT)
        config->direct_mapped = hardware ? config->hardware : !machine_domain_at(p->m, 0);
    else if (p->layout == LAYOUT_COLOURED)
        config->scattered = true;
}

static void run_domain(struct player *p, const struct sc_line *line, struct outcome *out)
{
    const struct sc_call *call = line->call;
    const struct sc_value *controls = sc_get(call, "controls");
    const struct sc_call *machine = sc_get(call, "hardware") ? machine_call(p->sc) : NULL;
    struct regions holes = regions_of_owner(p->m, p->sc, call->set[0].value.text);
    struct machine_domain_config config = {
        .name = call->set[0].value.text,
        .domid = (uint16_t)player_number(p, call, "id"),
        .mem = player_number(p, call, "mem"),
        .hardware = sc_get(call, "hardware"),
        .direct_mapped = sc_get(call, "direct_mapped"),
        .trusted = sc_get(call, "trusted"),
        .scattered = sc_get(call, "scattered"),
        .space = machine ? (enum sluice_space)player_number(p, machine, "hwdom") : SLUICE_SPACE_OWN,
        .window = machine ? player_number(p, machine, "window") : 0,
        .max_ctx_no = (uint16_t)player_number(p, call, "max_ctx"),
        .budget_contexts = budget(call, "budget_contexts"),
        .budget_tables = budget(call, "budget_tables"),
        .budget_refs = budget(call, "budget_refs"),
        .controls = controls ? controls->names : NULL,
        .nr_controls = controls ? controls->nr_names : 0,
        .holes = holes.all,
        .nr_holes = holes.nr,
    };
    struct machine_domain *d;

    lay_out(p, &config);
    out->status = machine_domain_add(p->m, &config, &d);
    player_explain(p, out);
    player_told(p, out, ghost_domain_added(p->ghost, &config, (int)out->status));
    free(holes.all);
    if (out->status || viommu_said(call) != VIOMMU_VTD)
        return;
    out->status = viommu_give(p, d);
    player_explain(p, out);
}

static const struct sc_spec destroy_args[] = {
    {.name = "a domain", .dir = SC_IN, .kind = SC_END_DOMAIN},
    {.name = NULL},
};

static void run_destroy(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->call->set[0].value.text, out);
    uint16_t domid;

    if (!d)
        return;
    domid = machine_domain_domid(d);
    out->status = machine_domain_destroy(p->m, d);
    player_explain(p, out);
    player_told(p, out, ghost_domain_destroyed(p->ghost, domid, (int)out->status));
}

const struct sc_verb setup_verbs[] = {
    {.name = "machine",
     .fields = machine_fields,
     .run = run_nothing,
     .style = SC_SILENT,
     .setup = true},
    {.name = "require",
     .args = require_args,
     .run = run_nothing,
     .style = SC_SILENT,
     .harmless = true},
    {.name = "domain", .args = domain_args, .fields = domain_fields, .run = run_domain},
    {.name = "destroy", .args = destroy_args, .run = run_destroy},
    {.name = NULL},
};
