/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <jansson.h>

static void set(json_t *object, const char *key, uint64_t n)
{
    json_object_set_new(object, key, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

static void set_real(json_t *object, const char *key, double n)
{
    json_object_set_new(object, key, json_real(n));
}

static json_t *traced(const struct trace_counts *c)
{
    json_t *o = json_object();

    set(o, "events", c->events);
    set(o, "maps", c->maps);
    set(o, "maps_in_lists", c->lists_maps);
    set(o, "maps_of_device_memory", c->mmio);
    set(o, "unmaps", c->unmaps);
    set(o, "pages_mapped", c->pages_mapped);
    set(o, "pages_unmapped", c->pages_unmapped);
    set(o, "peak_maps", c->peak_maps);
    set(o, "peak_pages", c->peak_pages);
    set(o, "invalidations", c->invalidations);
    set(o, "invalidations_of_pages", c->pages);
    set(o, "invalidations_of_domains", c->domains);
    set(o, "invalidations_of_all", c->all);
    set(o, "drains", c->drains);
    set(o, "iovas_freed", c->freed);
    set(o, "attaches", c->attaches);
    set(o, "domains_freed", c->ends);
    set_real(o, "flushes_per_unmap", replay_ratio(c->invalidations, c->unmaps));
    return o;
}

static json_t *calls(const struct guest_counts *c)
{
    json_t *o = json_object();

    set(o, "map_pages", c->calls[IOMMU_map_pages]);
    set(o, "map_list", c->calls[IOMMU_map_list]);
    set(o, "unmap_pages", c->calls[IOMMU_unmap_pages]);
    set(o, "flush_context", c->calls[IOMMU_flush_context]);
    return o;
}

static json_t *here(const struct replay *r)
{
    const struct replay_counts *c = &r->counts;
    json_t *o = json_object();

    set(o, "exits", replay_exits(r));
    set_real(o, "exits_per_map", replay_ratio(replay_exits(r), replay_maps(r)));
    set(o, "pages_synced", r->cost.synced);
    set(o, "hypercalls", r->cost.hypercalls);
    json_object_set_new(o, "hypercalls_by_kind", calls(&r->cost));
    set(o, "flushes", r->cost.submissions);
    set_real(o, "hypercalls_per_map", replay_ratio(r->cost.hypercalls, replay_maps(r)));
    set_real(o, "flushes_per_unmap", replay_ratio(r->cost.submissions, r->t->counts.unmaps));
    set(o, "calls_that_map", c->calls);
    set(o, "unmaps_at_end_of_domains", c->left);
    set(o, "peak_pages", c->peak_frames);
    set(o, "peak_table_pages", c->peak_tables);
    set(o, "standing_hits", r->dma.hits);
    set(o, "standing_misses", r->dma.misses);
    set(o, "standing_pages", r->dma.standing);
    set(o, "map_ns", c->map_ns);
    set(o, "unmap_ns", c->unmap_ns);
    return o;
}

static json_t *verdict(const struct replay *r)
{
    const struct replay_counts *c = &r->counts;
    json_t *o = json_object();

    json_object_set_new(o, "right", json_boolean(!r->error[0]));
    if (r->error[0])
        json_object_set_new(o, "wrong", json_string(r->error));
    set(o, "comparisons", c->checks);
    set(o, "final_pages", c->finals);
    set(o, "leaked", r->leaked);
    set(o, "dma", c->dma);
    set(o, "dma_after_unmap_blocked", c->blocked);
    set(o, "dma_after_unmap_performed", c->late);
    return o;
}

void replay_print_json(const struct replay *r, const char *name, FILE *out)
{
    json_t *o = json_object();

    json_object_set_new(o, "file", json_string(name));
    json_object_set_new(o, "machine", json_string(r->config->machine->name));
    json_object_set_new(o, "through", json_string(replay_through_name(r->config->through)));
    json_object_set_new(o, "policy", json_string(replay_policy_name(r->config->policy)));
    set(o, "domains", r->t->nr_spaces);
    set(o, "devices", r->t->nr_devices);
    set(o, "guest_memory", r->frames.bytes);
    json_object_set_new(o, "traced", traced(&r->t->counts));
    json_object_set_new(o, "here", here(r));
    json_object_set_new(o, "verdict", verdict(r));
    json_dumpf(o, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    fputc('\n', out);
    json_decref(o);
}
