/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as text. */
#include "inspect.h"
#include "table.h"

#include <inttypes.h>

static void print_unit(const struct inspection *in, unsigned i, FILE *out)
{
    const struct sluice_unit_info *u = &in->unit[i];
    struct words w = {.n = 0};

    words_unit(&w, u, "\n    ");
    fprintf(out, "  %u %s\n", i, w.text);
    if (!u->translates)
        return;
    fprintf(out,
            "    flushes %" PRIu64 " (%" PRIu64 " invalidations), faults %" PRIu64 ", lost %" PRIu64
            "%s\n",
            u->submissions, u->invalidations, u->faults, u->faults_lost,
            u->failed ? "; FAILED, blocks all DMA" : "");
}

/* A number, as the table of domains has it. */
static void add_count(struct table *t, uint64_t n)
{
    table_cell(t, "%" PRIu64, n);
}

static void add_domain(struct table *t, const struct inspect_domain *d)
{
    const struct sluice_domain_stats *s = &d->stats;

    table_line(t);
    table_cell(t, "%s", d->name);
    add_count(t, d->info.domid);
    add_count(t, d->frames);
    add_count(t, s->calls);
    add_count(t, d->exits);
    add_count(t, s->map_calls);
    add_count(t, s->pages_mapped);
    add_count(t, s->unmap_calls);
    add_count(t, s->pages_unmapped);
    add_count(t, s->submissions);
    add_count(t, s->faults);
}

static void print_domains(const struct inspection *in, FILE *out)
{
    static const char *const head[] = {"",      "id",     "frames", "calls",   "exits", "maps",
                                       "pages", "unmaps", "pages",  "flushes", "faults"};
    struct table t = {.nr_lines = 0};

    fputs("Domains\n", out);
    if (!in->nr_domains)
        return;
    table_line(&t);
    for (unsigned i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        table_cell(&t, "%s", head[i]);
    for (unsigned i = 0; i < in->nr_domains; i++)
        add_domain(&t, &in->domain[i]);
    table_print(&t, "  ", "lrrrrrrrrrr", out);
    fputs("Contexts\n", out);
    inspect_print_tree(in, out);
}

static void print_more(const char *indent, uint64_t more, FILE *out)
{
    if (more)
        fprintf(out, "%s... and %" PRIu64 " more\n", indent, more);
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

        if (o == dev || !sluice_device_grouped(dev->sluice, o->sluice))
            continue;
        words_add(w, first ? ", moves with %s" : " %s", o->name);
        first = false;
    }
}

static void add_place(struct table *t, const struct inspection *in,
                      const struct inspect_device *dev)
{
    struct words w = {.n = 0};

    if (inspect_is_exposed(dev))
        words_add(&w, "%s; not protected, reaches all memory: %s",
                  dev->info.domain ? inspect_owner(in, dev->info.domain) : "nobody's",
                  inspect_exposure_words(dev->info.exposure));
    else if (dev->info.domain)
        words_add(&w, "%s, context %u", inspect_owner(in, dev->info.domain), dev->info.ctx_no);
    else
        words_add(&w, "in quarantine");
    if (dev->info.exposure == SLUICE_EXPOSED_FAILED)
        words_add(&w, "; not protected: %s", inspect_exposure_words(dev->info.exposure));
    if (dev->info.nr_interrupts)
        words_add(&w, ", interrupt entries %u", dev->info.nr_interrupts);
    add_rids(&w, dev);
    add_group(&w, in, dev);
    table_cell(t, "%s", w.text);
}

static void add_isolation(struct table *t, const struct inspect_device *dev)
{
    table_cell(t, "interrupts %sisolated: %s%s", hw_isolates(dev->isolation) ? "" : "not ",
               sluice_isolation_name(dev->isolation),
               dev->info.unsafe ? "; allowed as unsafe" : "");
}

static void add_regions(struct table *t, const struct inspect_device *dev)
{
    struct sluice_region r;

    for (unsigned k = 0; !sluice_device_region(dev->sluice, k, &r); k++) {
        table_line(t);
        for (unsigned i = 0; i < 4; i++)
            table_cell(t, "%s", "");
        table_cell(t, "region 0x%" PRIx64 "-0x%" PRIx64 " %s, by the %s", r.first, r.last,
                   inspect_region_name(r.type), inspect_source_name(r.source));
    }
}

/* At which address it sees the doorbell now. */
static void add_doorbells(struct table *t, const struct inspect_device *dev)
{
    struct hw_message message;
    uint64_t maddr;

    for (unsigned k = 0; dev->sluice && !sluice_device_doorbell(dev->sluice, k, &maddr); k++) {
        table_line(t);
        for (unsigned i = 0; i < 3; i++)
            table_cell(t, "%s", "");
        if (sluice_device_compose_msi(dev->sluice, k, 0, &message))
            table_cell(t, "doorbell 0x%" PRIx64, maddr);
        else
            table_cell(t, "doorbell 0x%" PRIx64 " at 0x%" PRIx64, maddr, message.address);
    }
}

static void add_device(struct table *t, const struct inspection *in,
                       const struct inspect_device *dev)
{
    struct words w = {.n = 0};

    words_bdf(&w, dev->rid);
    table_line(t);
    table_cell(t, "%s", dev->name);
    table_cell(t, "%s", w.text);
    if (dev->unit < 0)
        table_cell(t, "no unit");
    else
        table_cell(t, "unit %d", dev->unit);
    add_isolation(t, dev);
    add_place(t, in, dev);
    add_regions(t, dev);
    add_doorbells(t, dev);
}

static void print_devices(const struct inspection *in, FILE *out)
{
    struct table t = {.nr_lines = 0};

    fputs("Devices\n", out);
    for (unsigned i = 0; i < in->nr_devices; i++)
        add_device(&t, in, &in->device[i]);
    table_print(&t, "  ", "", out);
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
    if (d->stats.faults_lost)
        fprintf(out, "  %" PRIu64 " of %s were dropped unread\n", d->stats.faults_lost, d->name);
}

static bool any_faults(const struct inspection *in)
{
    for (unsigned i = 0; i < in->nr_domains; i++)
        if (in->domain[i].nr_faults || in->domain[i].stats.faults_lost)
            return true;
    return false;
}

static void print_machine(const struct inspection *in, FILE *out)
{
    fprintf(out, "%s on machine %s, %s line %u\n", in->sc->file, in->machine,
            in->ended ? "at its end, after" : "after", in->line);
    fprintf(out,
            "Machine\n  %s\n  exits for hypercalls %" PRIu64
            ", frames lost to failed units %" PRIu64 "\n",
            in->hardware, in->stats.exits, in->stats.lost_frames);
}

static void print_state(const struct inspection *in, FILE *out)
{
    fputs("Units\n", out);
    for (unsigned i = 0; i < in->nr_units; i++)
        print_unit(in, i, out);
    print_domains(in, out);
    print_devices(in, out);
}

void inspect_print_brief(const struct inspection *in, FILE *out)
{
    print_state(in, out);
    if (in->nr_held)
        print_held(in, out);
}

void inspect_print(const struct inspection *in, FILE *out)
{
    print_machine(in, out);
    print_state(in, out);
    print_held(in, out);
    fputs(any_faults(in) ? "Faults\n" : "Faults\n  none\n", out);
    for (unsigned i = 0; i < in->nr_domains; i++)
        print_faults(in, &in->domain[i], out);
}
