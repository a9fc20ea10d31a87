/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as text. */
#include "inspect.h"

#include <inttypes.h>

/* Neighbouring powers of two as one range: 4K 2M 1G, or 4K-256G. */
static void add_sizes(struct words *w, uint64_t sizes)
{
    for (unsigned first = FRAME_LG2, last; first < 64; first = last + 1) {
        last = first;
        if (!(sizes >> first & 1))
            continue;
        while (last < 63 && sizes >> (last + 1) & 1)
            last++;
        words_add(w, " ");
        words_size(w, first);
        if (last == first)
            continue;
        words_add(w, "-");
        words_size(w, last);
    }
}

static void print_unit(const struct inspection *in, unsigned i, FILE *out)
{
    const struct sluice_unit_info *u = &in->unit[i];
    struct words sizes = {.n = 0};

    if (!u->translates) {
        fprintf(out, "  %u %s: translates nothing, protects nothing\n", i, u->name);
        return;
    }
    add_sizes(&sizes, u->geo.leaf_sizes);
    fprintf(out, "  %u %s: tables %s, %u levels, %u bits, leaves%s, %s%s%s%s\n", i, u->name,
            u->geo.format->name, u->geo.levels, u->geo.iova_bits, sizes.text,
            u->geo.noncoherent ? "not coherent" : "coherent",
            u->caching_mode ? ", caching mode" : "", u->snoop ? ", snoop control" : "",
            u->remaps ? ", interrupts remapped" : "");
    fprintf(out, "    %" PRIu64 " submissions, %" PRIu64 " invalidations%s\n", u->submissions,
            u->invalidations, u->failed ? "; FAILED, blocks all DMA" : "");
}

static void print_budget(FILE *out, const char *what, uint32_t used, uint32_t limit)
{
    fprintf(out, "%s %" PRIu32, what, used);
    if (limit != SLUICE_NO_LIMIT)
        fprintf(out, " of %" PRIu32, limit);
}

static void print_stats(const struct inspect_domain *d, FILE *out)
{
    const struct sluice_domain_stats *s = &d->stats;

    fprintf(out,
            "    calls %" PRIu64 " (map %" PRIu64 ", unmap %" PRIu64 "), pages mapped %" PRIu64
            ", unmapped %" PRIu64 ", submissions %" PRIu64 ", faults %" PRIu64 "\n",
            s->calls, s->map_calls, s->unmap_calls, s->pages_mapped, s->pages_unmapped,
            s->submissions, s->faults);
    print_budget(out, "    used: contexts", s->contexts, d->info.budget_contexts);
    print_budget(out, ", tables", s->tables, d->info.budget_tables);
    print_budget(out, ", references", s->refs, d->info.budget_refs);
    fputs("\n", out);
}

static void print_run(const struct inspect_run *r, FILE *out)
{
    struct words w = {.n = 0};

    words_add(&w, "dfn ");
    words_range(&w, r->dfn, r->nr);
    words_add(&w, " -> %s ", r->region ? "reserved region" : "gfn");
    words_range(&w, r->gfn, r->nr);
    words_add(&w, ", ");
    words_rights(&w, r->attr);
    words_add(&w, ", ");
    words_size(&w, r->lg2);
    fprintf(out, "      %s\n", w.text);
}

static void print_more(const char *indent, uint64_t more, FILE *out)
{
    if (more)
        fprintf(out, "%s... and %" PRIu64 " more\n", indent, more);
}

static const char *kind_of(const struct inspect_context *c)
{
    if (c->info.identity)
        return "identity";
    return c->info.blocked ? "blocked" : "the domain's own";
}

static void print_context(const struct inspection *in, const struct inspect_domain *d,
                          const struct inspect_context *c, FILE *out)
{
    bool none = true;

    fprintf(out, "    context %u: %s, tag %u, tables %" PRIu64 ", devices", c->no, kind_of(c),
            c->info.did, c->tables);
    for (unsigned i = 0; i < in->nr_devices; i++) {
        if (!inspect_is_in(&in->device[i], d, c))
            continue;
        fprintf(out, " %s", in->device[i].name);
        none = false;
    }
    fputs(none ? " none\n" : "\n", out);
    for (unsigned i = 0; i < c->nr_runs; i++)
        print_run(&c->run[i], out);
    print_more("      ", c->total_runs - c->nr_runs, out);
    if (c->retired)
        fprintf(out, "      %" PRIu64 " frames unmapped, but not flushed\n", c->retired);
}

static void print_domain(const struct inspection *in, const struct inspect_domain *d, FILE *out)
{
    fprintf(out, "  %s: id %u, %" PRIu64 " frames of 4K%s\n", d->name, d->info.domid, d->frames,
            d->frames && !d->scattered ? ", direct-mapped" : "");
    print_stats(d, out);
    for (unsigned i = 0; i < d->nr_contexts; i++)
        print_context(in, d, &d->context[i], out);
}

static void print_regions(const struct inspect_device *dev, FILE *out)
{
    struct sluice_region r;

    for (unsigned k = 0; !sluice_device_region(dev->sluice, k, &r); k++)
        fprintf(out, "    region 0x%" PRIx64 "-0x%" PRIx64 " %s\n", r.first, r.last,
                inspect_region_name(r.type));
}

static void add_rids(struct words *w, const struct inspect_device *dev)
{
    rid_t rid;

    for (unsigned k = 1; !sluice_device_rid(dev->sluice, k, &rid); k++) {
        words_add(w, k == 1 ? ", also " : " ");
        words_bdf(w, rid);
    }
}

static void add_group(struct words *w, const struct inspection *in,
                      const struct inspect_device *dev)
{
    bool first = true;

    for (unsigned i = 0; i < in->nr_devices; i++) {
        const struct inspect_device *o = &in->device[i];

        if (o == dev || !o->sluice || !sluice_device_grouped(dev->sluice, o->sluice))
            continue;
        words_add(w, first ? ", moves with %s" : " %s", o->name);
        first = false;
    }
}

static void print_device(const struct inspection *in, const struct inspect_device *dev, FILE *out)
{
    struct words w = {.n = 0};

    words_add(&w, "%s: ", dev->name);
    words_bdf(&w, dev->rid);
    if (!dev->sluice) {
        fprintf(out, "  %s, behind no unit: its addresses are the machine's\n", w.text);
        return;
    }
    if (dev->unit >= 0)
        words_add(&w, ", unit %d", dev->unit);
    if (dev->info.domain)
        words_add(&w, ", %s, context %u", inspect_owner(in, dev->info.domain), dev->info.ctx_no);
    else
        words_add(&w, ", in quarantine");
    if (dev->info.nr_interrupts)
        words_add(&w, ", interrupt entries %u", dev->info.nr_interrupts);
    add_rids(&w, dev);
    add_group(&w, in, dev);
    fprintf(out, "  %s\n", w.text);
    print_regions(dev, out);
}

static void print_held(const struct inspection *in, FILE *out)
{
    unsigned i;

    fputs("Given up, but still mapped\n", out);
    if (!in->nr_held)
        fputs("  none\n", out);
    for (i = 0; i < in->nr_held && i < in->few; i++) {
        const struct inspect_held *h = &in->held[i];
        const char *name = inspect_name_of(in, h->domid);
        struct words w = {.n = 0};

        words_range(&w, h->gfn, h->nr);
        fprintf(out, "  %s (id %u) gfn %s: %" PRIu32 " reference%s%s\n", name ? name : "a domain",
                h->domid, w.text, h->refs, h->refs == 1 ? "" : "s", h->nr > 1 ? " each" : "");
    }
    print_more("  ", in->nr_held - i, out);
}

static void print_faults(const struct inspection *in, const struct inspect_domain *d, FILE *out)
{
    unsigned i;

    for (i = 0; i < d->nr_faults && i < in->few; i++) {
        struct words w = {.n = 0};

        words_fault(&w, in, d, &d->fault[i]);
        fprintf(out, "  %s\n", w.text);
    }
    print_more("  ", d->nr_faults - i, out);
    if (d->faults_lost)
        fprintf(out, "  %" PRIu64 " older ones of %s were lost\n", d->faults_lost, d->name);
}

static bool any_faults(const struct inspection *in)
{
    for (unsigned i = 0; i < in->nr_domains; i++)
        if (in->domain[i].nr_faults || in->domain[i].faults_lost)
            return true;
    return false;
}

void inspect_print(const struct inspection *in, FILE *out)
{
    fprintf(out, "%s on machine %s, %s line %u\n", in->sc->file, in->machine,
            in->ended ? "at its end, after" : "after", in->line);
    fprintf(out,
            "Machine\n  exits for hypercalls %" PRIu64 ", frames lost to failed units %" PRIu64
            "\n",
            in->stats.exits, in->stats.lost_frames);
    fputs("Units\n", out);
    for (unsigned i = 0; i < in->nr_units; i++)
        print_unit(in, i, out);
    fputs("Domains\n", out);
    for (unsigned i = 0; i < in->nr_domains; i++)
        print_domain(in, &in->domain[i], out);
    fputs("Devices\n", out);
    for (unsigned i = 0; i < in->nr_devices; i++)
        print_device(in, &in->device[i], out);
    print_held(in, out);
    fputs(any_faults(in) ? "Faults\n" : "Faults\n  none\n", out);
    for (unsigned i = 0; i < in->nr_domains; i++)
        print_faults(in, &in->domain[i], out);
}
