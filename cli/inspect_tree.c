/* SPDX-License-Identifier: BSD-2-Clause */
/* Each domain with its contexts, and what is mapped in them, as a tree. */
#include "inspect.h"
#include "table.h"

#include <inttypes.h>

/* What stands before a branch, and before what hangs below it. */
struct strokes {
    const char *branch, *below;
};

static struct strokes strokes_of(const struct inspection *in, bool last)
{
    static const struct strokes drawn[] = {{"  ├─ ", "  │    "}, {"  └─ ", "       "}};
    static const struct strokes typed[] = {{"  |- ", "  |    "}, {"  `- ", "       "}};

    return (in->utf8 ? drawn : typed)[last];
}

static void add_run(struct table *t, const struct inspect_run *r)
{
    struct words from = {.n = 0}, to = {.n = 0}, how = {.n = 0};

    words_range(&from, r->dfn, r->nr);
    words_range(&to, r->gfn, r->nr);
    words_rights(&how, r->attr);
    table_line(t);
    table_cell(t, "dfn %s", from.text);
    table_cell(t, "-> %s %s", r->region ? "reserved region" : "gfn", to.text);
    table_cell(t, "%s", how.text);
    how.n = 0;
    words_size(&how, r->lg2);
    table_cell(t, "%s", how.text);
}

static void print_runs(const struct inspect_context *c, const char *indent, FILE *out)
{
    struct table t = {.nr_lines = 0};

    for (unsigned i = 0; i < c->nr_runs; i++)
        add_run(&t, &c->run[i]);
    table_print(&t, indent, "", out);
    if (c->total_runs > c->nr_runs)
        fprintf(out, "%s... and %" PRIu64 " more\n", indent, c->total_runs - c->nr_runs);
    if (c->retired)
        fprintf(out, "%s%" PRIu64 " frames unmapped, but not flushed\n", indent, c->retired);
}

static void add_nested(struct words *w, const struct sluice_context_info *info)
{
    words_add(w, "nested %s, the guest's table (%s, %u levels) in gfn 0x%" PRIx64,
              info->shadow ? "by shadow" : "by hardware", info->guest_geo.format->name,
              info->guest_geo.levels, info->guest_root.n);
}

static void add_kind(struct words *w, const struct inspect_context *c)
{
    if (c->info.nested)
        add_nested(w, &c->info);
    else if (c->info.identity)
        words_add(w, "identity");
    else
        words_add(w, c->info.blocked ? "blocked" : "the domain's own");
}

static void add_devices(struct words *w, const struct inspection *in,
                        const struct inspect_domain *d, const struct inspect_context *c)
{
    const char *comma = "device ";

    for (unsigned i = 0; i < in->nr_devices; i++) {
        if (!inspect_is_in(&in->device[i], d, c))
            continue;
        words_add(w, "%s%s", comma, in->device[i].name);
        comma = ", ";
    }
    if (*comma == 'd')
        words_add(w, "no device");
}

static void print_context(const struct inspection *in, const struct inspect_domain *d, unsigned i,
                          FILE *out)
{
    const struct inspect_context *c = &d->context[i];
    const struct strokes s = strokes_of(in, i + 1 == d->nr_contexts);
    struct words kind = {.n = 0}, devices = {.n = 0};

    add_kind(&kind, c);
    add_devices(&devices, in, d, c);
    fprintf(out, "%scontext %u: %s, %s; tag %u, %" PRIu64 " table%s\n", s.branch, c->no, kind.text,
            devices.text, c->info.did, c->tables, c->tables == 1 ? "" : "s");
    print_runs(c, s.below, out);
}

static void add_budget(struct words *w, const char *what, uint32_t used, uint32_t limit)
{
    words_add(w, "%s %" PRIu32, what, used);
    if (limit != SLUICE_NO_LIMIT)
        words_add(w, " of %" PRIu32, limit);
}

void inspect_print_tree(const struct inspection *in, FILE *out)
{
    for (unsigned i = 0; i < in->nr_domains; i++) {
        const struct inspect_domain *d = &in->domain[i];
        struct words w = {.n = 0};

        add_budget(&w, "uses contexts", d->stats.contexts, d->info.budget_contexts);
        add_budget(&w, ", tables", d->stats.tables, d->info.budget_tables);
        add_budget(&w, ", references", d->stats.refs, d->info.budget_refs);
        fprintf(out, "  %s: %s%s%s\n", d->name, w.text,
                d->info.direct_mapped ? "; direct-mapped" : "",
                d->info.foreign_1to1 ? "; others' frames 1:1" : "");
        for (unsigned k = 0; k < d->nr_contexts; k++)
            print_context(in, d, k, out);
    }
}
