/* SPDX-License-Identifier: BSD-2-Clause */
#include "../table.h"
#include "report.h"

#include <inttypes.h>

static void line(struct table *t, const char *name, uint64_t ours)
{
    table_line(t);
    table_cell(t, "%s", name);
    table_cell(t, "%" PRIu64, ours);
}

static void both(struct table *t, const char *name, uint64_t ours, uint64_t theirs)
{
    line(t, name, ours);
    table_cell(t, "%" PRIu64, theirs);
}

static void ratio(struct table *t, const char *name, double ours)
{
    table_line(t);
    table_cell(t, "%s", name);
    table_cell(t, "%.4f", ours);
}

static void calls(struct table *t, const struct replay *r)
{
    static const char *const names[GUEST_SUBOPS] = {
        [IOMMU_map_pages] = "  map_pages",
        [IOMMU_unmap_pages] = "  unmap_pages",
        [IOMMU_map_list] = "  map_list",
        [IOMMU_flush_context] = "  flush_context",
        [IOMMU_query_reserved] = "  query_reserved",
        [IOMMU_batch] = "  batch",
    };

    line(t, "hypercalls", r->cost.hypercalls);
    for (unsigned i = 0; i < GUEST_SUBOPS; i++)
        if (names[i] && r->cost.calls[i])
            line(t, names[i], r->cost.calls[i]);
    ratio(t, "hypercalls per map", replay_ratio(r->cost.hypercalls, replay_maps(r)));
}

static void exits(struct table *t, const struct replay *r)
{
    line(t, "exits", r->cost.exits);
    ratio(t, "exits per map", replay_ratio(r->cost.exits, replay_maps(r)));
    line(t, "pages synced", r->cost.synced);
}

static void flushes(struct table *t, const struct replay *r)
{
    const struct trace_counts *c = &r->t->counts;

    both(t, "flushes", r->cost.submissions, c->invalidations);
    ratio(t, "flushes per unmap", replay_ratio(r->cost.submissions, c->unmaps));
    table_cell(t, "%.4f", replay_ratio(c->invalidations, c->unmaps));
}

static void mapped(struct table *t, const struct replay *r)
{
    const struct trace_counts *c = &r->t->counts;

    both(t, "maps", replay_maps(r), c->maps);
    line(t, "  in lists", c->lists_maps);
    line(t, "  calls that map", r->counts.calls);
    both(t, "unmaps", c->unmaps, c->unmaps);
    both(t, "pages at the most", r->counts.peak_frames, c->peak_pages);
    line(t, "table pages at the most", r->counts.peak_tables);
    if (r->config->policy == REPLAY_STANDING)
        line(t, "maps that stood already", r->dma.hits);
}

static void times(struct table *t, const struct replay *r)
{
    line(t, "ns a map", r->counts.calls ? r->counts.map_ns / r->counts.calls : 0);
    line(t, "ns an unmap", r->t->counts.unmaps ? r->counts.unmap_ns / r->t->counts.unmaps : 0);
}

static void print_verdict(const struct replay *r, FILE *out)
{
    const struct replay_counts *c = &r->counts;

    if (r->error[0]) {
        fprintf(out, "verdict: wrong: %s\n", r->error);
        return;
    }
    fprintf(out,
            "verdict: right: %" PRIu64 " comparisons with the ghost model, %" PRIu64
            " pages mapped at the end as the trace implies and no others, nothing leaked\n",
            c->checks, c->finals);
    if (c->dma)
        fprintf(out,
                "devices: %" PRIu64 " transfers reached their pages; after the unmap %" PRIu64
                " were blocked, %" PRIu64 " reached what stood or was not flushed yet\n",
                c->dma, c->blocked, c->late);
}

void replay_print(const struct replay *r, const char *name, FILE *out)
{
    const struct trace_counts *c = &r->t->counts;
    struct table t = {.line = NULL};

    fprintf(out,
            "%s on %s, by %s, %s: %" PRIu64 " events, %u domains, %u devices, %" PRIu64
            " MiB of guest memory\n",
            name, r->config->machine->name, replay_through_name(r->config->through),
            replay_policy_name(r->config->policy), c->events, r->t->nr_spaces, r->t->nr_devices,
            r->frames.bytes >> 20);
    if (c->mmio)
        fprintf(out, "%" PRIu64 " maps of device memory are left out\n", c->mmio);
    table_line(&t);
    table_cell(&t, "%s", "");
    table_cell(&t, "here");
    table_cell(&t, "traced");
    mapped(&t, r);
    (r->config->through == REPLAY_HYPERCALLS ? calls : exits)(&t, r);
    flushes(&t, r);
    times(&t, r);
    table_print(&t, "  ", "lrr", out);
    print_verdict(r, out);
}
