/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as one JSON document; docs/inspect.md has its fields. */
#include "inspect.h"

#include <inttypes.h>
#include <jansson.h>

/* Numbers beyond JSON's are text. */
static json_t *number(uint64_t n)
{
    char text[24];

    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    snprintf(text, sizeof(text), "0x%" PRIx64, n);
    return json_string(text);
}

static void set(json_t *object, const char *key, uint64_t n)
{
    json_object_set_new(object, key, number(n));
}

static void set_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? json_string(text) : json_null());
}

static json_t *rid_json(rid_t rid)
{
    struct words w = {.n = 0};

    words_bdf(&w, rid);
    return json_string(w.text);
}

static void set_rights(json_t *object, unsigned attr)
{
    struct words w = {.n = 0};

    words_rights(&w, attr);
    set_text(object, "rights", w.text);
}

static json_t *unit_json(const struct sluice_unit_info *u)
{
    json_t *unit = json_object(), *sizes = json_array();

    set_text(unit, "name", u->name);
    set_text(unit, "format", u->geo.format ? u->geo.format->name : NULL);
    set(unit, "levels", u->geo.levels);
    set(unit, "iova_bits", u->geo.iova_bits);
    for (unsigned lg2 = 0; lg2 < 63; lg2++)
        if (u->geo.leaf_sizes >> lg2 & 1)
            json_array_append_new(sizes, number(BIT64(lg2)));
    json_object_set_new(unit, "leaf_sizes", sizes);
    set(unit, "tags", u->nr_tags);
    set_bool(unit, "translates", u->translates);
    set_bool(unit, "coherent", !u->geo.noncoherent);
    set_bool(unit, "caching_mode", u->caching_mode);
    set_bool(unit, "snoop_control", u->snoop);
    set_bool(unit, "scalable", u->scalable);
    set_bool(unit, "queued", u->queued);
    set_bool(unit, "interrupts_remapped", u->remaps);
    set_bool(unit, "failed", u->failed);
    set(unit, "submissions", u->submissions);
    set(unit, "invalidations", u->invalidations);
    set(unit, "faults", u->faults);
    set(unit, "lost_faults", u->faults_lost);
    return unit;
}

static json_t *run_json(const struct inspect_run *r)
{
    json_t *run = json_object();

    set(run, "dfn", r->dfn);
    set(run, r->region ? "mfn" : "gfn", r->gfn);
    set(run, "nr", r->nr);
    set_rights(run, r->attr);
    set(run, "leaf_size", BIT64(r->lg2));
    set_bool(run, "region", r->region);
    return run;
}

/* Null: it translates by a table of ours alone. */
static json_t *nested_json(const struct sluice_context_info *info)
{
    json_t *nested;

    if (!info->nested)
        return json_null();
    nested = json_object();
    set_text(nested, "format", info->guest_geo.format->name);
    set(nested, "levels", info->guest_geo.levels);
    set(nested, "iova_bits", info->guest_geo.iova_bits);
    set(nested, "root_gfn", info->guest_root.n);
    set_text(nested, "walked_by", info->shadow ? "shadow" : "hardware");
    return nested;
}

static json_t *context_json(const struct inspection *in, const struct inspect_domain *d,
                            const struct inspect_context *c)
{
    json_t *context = json_object(), *devices = json_array(), *runs = json_array();

    set(context, "ctx_no", c->no);
    set_bool(context, "identity", c->info.identity);
    set_bool(context, "blocked", c->info.blocked);
    json_object_set_new(context, "nested", nested_json(&c->info));
    set(context, "tag", c->info.did);
    set(context, "tables", c->tables);
    set(context, "mapped_by_calls", c->info.nr_mapped);
    set(context, "unflushed", c->retired);
    for (unsigned i = 0; i < in->nr_devices; i++)
        if (inspect_is_in(&in->device[i], d, c))
            json_array_append_new(devices, json_string(in->device[i].name));
    json_object_set_new(context, "devices", devices);
    for (unsigned i = 0; i < c->nr_runs; i++)
        json_array_append_new(runs, run_json(&c->run[i]));
    json_object_set_new(context, "runs", runs);
    set(context, "more_runs", c->total_runs - c->nr_runs);
    return context;
}

static json_t *budget_json(uint32_t used, uint32_t limit)
{
    json_t *budget = json_object();

    set(budget, "used", used);
    json_object_set_new(budget, "limit", limit == SLUICE_NO_LIMIT ? json_null() : number(limit));
    return budget;
}

static void set_stats(json_t *domain, const struct inspect_domain *d)
{
    const struct sluice_domain_stats *s = &d->stats;
    json_t *counters = json_object(), *budgets = json_object();

    set(counters, "calls", s->calls);
    set(counters, "map_calls", s->map_calls);
    set(counters, "unmap_calls", s->unmap_calls);
    set(counters, "pages_mapped", s->pages_mapped);
    set(counters, "pages_unmapped", s->pages_unmapped);
    set(counters, "submissions", s->submissions);
    set(counters, "faults", s->faults);
    set(counters, "lost_faults", s->faults_lost);
    set(counters, "exits", d->exits);
    json_object_set_new(domain, "counters", counters);
    json_object_set_new(budgets, "contexts", budget_json(s->contexts, d->info.budget_contexts));
    json_object_set_new(budgets, "tables", budget_json(s->tables, d->info.budget_tables));
    json_object_set_new(budgets, "references", budget_json(s->refs, d->info.budget_refs));
    json_object_set_new(domain, "budgets", budgets);
}

static json_t *domain_json(const struct inspection *in, const struct inspect_domain *d)
{
    json_t *domain = json_object(), *contexts = json_array();

    set_text(domain, "name", d->name);
    set(domain, "id", d->info.domid);
    set(domain, "frames", d->frames);
    set_bool(domain, "direct_mapped", d->info.direct_mapped);
    set_bool(domain, "trusted", d->info.trusted);
    set_bool(domain, "foreign_1to1", d->info.foreign_1to1);
    set(domain, "max_ctx_no", d->info.max_ctx_no);
    set_stats(domain, d);
    for (unsigned i = 0; i < d->nr_contexts; i++)
        json_array_append_new(contexts, context_json(in, d, &d->context[i]));
    json_object_set_new(domain, "contexts", contexts);
    return domain;
}

static json_t *region_json(const struct sluice_region *r)
{
    json_t *region = json_object();

    set(region, "first", r->first);
    set(region, "last", r->last);
    set_text(region, "type", inspect_region_name(r->type));
    return region;
}

static json_t *doorbell_json(const struct inspect_device *dev, unsigned k, uint64_t maddr)
{
    json_t *doorbell = json_object();
    struct hw_message message;

    set(doorbell, "maddr", maddr);
    if (sluice_device_compose_msi(dev->sluice, k, 0, &message))
        json_object_set_new(doorbell, "addr", json_null());
    else
        set(doorbell, "addr", message.address);
    return doorbell;
}

static void set_regions(json_t *device, const struct inspect_device *dev)
{
    json_t *regions = json_array(), *doorbells = json_array(), *region;
    struct sluice_region r;
    uint64_t maddr;

    for (unsigned k = 0; dev->sluice && !sluice_device_region(dev->sluice, k, &r); k++) {
        region = region_json(&r);
        set_text(region, "source", inspect_source_name(r.source));
        json_array_append_new(regions, region);
    }
    for (unsigned k = 0; dev->sluice && !sluice_device_doorbell(dev->sluice, k, &maddr); k++)
        json_array_append_new(doorbells, doorbell_json(dev, k, maddr));
    json_object_set_new(device, "regions", regions);
    json_object_set_new(device, "doorbells", doorbells);
}

static void set_details(json_t *device, const struct inspection *in,
                        const struct inspect_device *dev)
{
    json_t *rids = json_array(), *group = json_array();
    rid_t rid;

    for (unsigned k = 0; !sluice_device_rid(dev->sluice, k, &rid); k++)
        json_array_append_new(rids, rid_json(rid));
    for (unsigned i = 0; i < in->nr_devices; i++)
        if (&in->device[i] != dev && sluice_device_grouped(dev->sluice, in->device[i].sluice))
            json_array_append_new(group, json_string(in->device[i].name));
    json_object_set_new(device, "requester_ids", rids);
    json_object_set_new(device, "moves_with", group);
    set_regions(device, dev);
}

static json_t *device_json(const struct inspection *in, const struct inspect_device *dev)
{
    const struct sluice_domain *owner = dev->info.domain;
    const bool exposed = inspect_is_exposed(dev);
    json_t *device = json_object();

    set_text(device, "name", dev->name);
    json_object_set_new(device, "bdf", rid_json(dev->rid));
    set_bool(device, "protected", dev->info.protected);
    set_text(device, "not_protected",
             dev->info.protected ? NULL : inspect_exposure_words(dev->info.exposure));
    json_object_set_new(device, "unit", dev->unit < 0 ? json_null() : json_integer(dev->unit));
    set_text(device, "owner", owner ? inspect_owner(in, owner) : NULL);
    json_object_set_new(device, "ctx_no",
                        owner && !exposed ? number(dev->info.ctx_no) : json_null());
    set_bool(device, "quarantined", !exposed && !owner);
    set(device, "interrupt_entries", dev->info.nr_interrupts);
    set_bool(device, "interrupts_isolated", hw_isolates(dev->isolation));
    set_text(device, "isolation", sluice_isolation_name(dev->isolation));
    set_bool(device, "allowed_unsafe", dev->info.unsafe);
    set_details(device, in, dev);
    return device;
}

static json_t *held_json(const struct inspection *in, const struct inspect_held *h)
{
    json_t *held = json_object();

    set_text(held, "domain", inspect_name_of(in, h->domid));
    set(held, "id", h->domid);
    set(held, "gfn", h->gfn);
    set(held, "nr", h->nr);
    set(held, "references", h->refs);
    return held;
}

static json_t *found_json(const struct sluice_explanation *why)
{
    json_t *found = json_object();

    set_text(found, "what", inspect_found_name(why->found));
    if (why->found == SLUICE_FOUND_NOTHING)
        set(found, "level", why->level);
    if (why->found == SLUICE_FOUND_BEYOND)
        set(found, "iova_bits", why->iova_bits);
    if (why->found == SLUICE_FOUND_REGION)
        json_object_set_new(found, "region", region_json(&why->region));
    if (why->found == SLUICE_FOUND_MAPPING || why->found == SLUICE_FOUND_NO_MEMORY)
        set(found, "gfn", why->gfn.n);
    if (why->found != SLUICE_FOUND_MAPPING)
        return found;
    set_rights(found, why->attr);
    set(found, "leaf_size", BIT64(why->lg2));
    return found;
}

static json_t *unmapped_json(const struct sluice_explanation *why)
{
    json_t *unmapped;

    if (!why->unmapped)
        return json_null();
    unmapped = json_object();
    set(unmapped, "dfn", why->unmap_first.n);
    set(unmapped, "nr", why->unmap_last.n - why->unmap_first.n + 1);
    set(unmapped, "calls_since", why->calls_since);
    return unmapped;
}

static json_t *fault_json(const struct inspection *in, const struct inspect_domain *d,
                          const struct inspect_fault *f)
{
    const struct inspect_device *dev = inspect_device_of(in, f);
    const struct sluice_explanation *why = &f->why;
    json_t *fault = json_object();
    struct words w = {.n = 0};

    words_fault(&w, in, d, f);
    set_text(fault, "domain", d->name);
    set_text(fault, "device", dev ? dev->name : NULL);
    json_object_set_new(fault, "requester_id", rid_json(f->fault.rid));
    set(fault, "addr", f->fault.addr);
    set(fault, "dfn", f->fault.addr >> FRAME_LG2);
    set_text(fault, "access", f->fault.write ? "write" : "read");
    set_text(fault, "reason", sluice_reason_name(f->fault.reason));
    set(fault, "ctx_no", f->fault.ctx_no);
    json_object_set_new(fault, "found", found_json(why));
    json_object_set_new(fault, "unmapped", unmapped_json(why));
    set_text(fault, "device_is", inspect_whereabouts_name(why->device));
    json_object_set_new(fault, "device_ctx_no",
                        why->device == SLUICE_DEVICE_HERE ? number(why->ctx_no) : json_null());
    set_text(fault, "words", w.text);
    return fault;
}

/* Records that were dropped unread, of all domains. */
static uint64_t faults_lost(const struct inspection *in)
{
    uint64_t lost = 0;

    for (unsigned i = 0; i < in->nr_domains; i++)
        lost += in->domain[i].stats.faults_lost;
    return lost;
}

static json_t *faults_json(const struct inspection *in, uint64_t *more)
{
    json_t *faults = json_array();

    *more = 0;
    for (unsigned i = 0; i < in->nr_domains; i++) {
        const struct inspect_domain *d = &in->domain[i];

        for (unsigned k = 0; k < d->nr_faults && k < in->few; k++)
            json_array_append_new(faults, fault_json(in, d, &d->fault[k]));
        *more += d->nr_faults > in->few ? d->nr_faults - in->few : 0;
    }
    return faults;
}

static void set_things(json_t *root, const struct inspection *in)
{
    json_t *units = json_array(), *domains = json_array(), *devices = json_array();
    json_t *held = json_array();
    unsigned few = in->nr_held < in->few ? in->nr_held : in->few;

    for (unsigned i = 0; i < in->nr_units; i++)
        json_array_append_new(units, unit_json(&in->unit[i]));
    for (unsigned i = 0; i < in->nr_domains; i++)
        json_array_append_new(domains, domain_json(in, &in->domain[i]));
    for (unsigned i = 0; i < in->nr_devices; i++)
        json_array_append_new(devices, device_json(in, &in->device[i]));
    for (unsigned i = 0; i < few; i++)
        json_array_append_new(held, held_json(in, &in->held[i]));
    json_object_set_new(root, "units", units);
    json_object_set_new(root, "domains", domains);
    json_object_set_new(root, "devices", devices);
    json_object_set_new(root, "held", held);
    set(root, "more_held", in->nr_held - few);
}

void inspect_print_json(const struct inspection *in, FILE *out)
{
    json_t *root = json_object(), *counters = json_object();
    uint64_t more;

    set_text(root, "file", in->sc->file);
    set_text(root, "machine", in->machine);
    set_text(root, "hardware", in->hardware);
    set(root, "line", in->line);
    set_bool(root, "ended", in->ended);
    set(counters, "exits", in->stats.exits);
    set(counters, "free_frames", in->stats.free_frames);
    set(counters, "lost_frames", in->stats.lost_frames);
    json_object_set_new(root, "counters", counters);
    set_things(root, in);
    json_object_set_new(root, "faults", faults_json(in, &more));
    set(root, "more_faults", more);
    set(root, "lost_faults", faults_lost(in));
    json_dumpf(root, out, JSON_INDENT(2));
    fputs("\n", out);
    json_decref(root);
}
