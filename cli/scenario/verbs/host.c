/* SPDX-License-Identifier: BSD-2-Clause */
/* What the host sees and does: ballooning, fault records, injected failures. */
#include "verbs.h"

#include "../../../iommu/abi/errno.h"

#include <string.h>

/* ---- Memory management -------------------------------------------------------------------------
 */

static const struct sc_spec balloon_fields[] = {
    {.name = "gfn", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "nr", .dir = SC_IN, .kind = SC_NUMBER, .absent = 1},
    {.name = NULL},
};

static void run_balloon_out(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    uint64_t gfn = player_number(p, line->call, "gfn"), nr = player_number(p, line->call, "nr");

    if (!d)
        return;
    out->status = machine_balloon_out(d, gfn, nr);
    player_explain(p, out);
    player_told(p, out,
                ghost_ballooned(p->ghost, machine_domain_domid(d), gfn, nr, (int)out->status));
}

static void run_populate(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    uint64_t gfn = player_number(p, line->call, "gfn"), nr = player_number(p, line->call, "nr");

    if (!d)
        return;
    out->status = machine_populate(d, gfn, nr);
    player_explain(p, out);
    player_told(p, out,
                ghost_populated(p->ghost, machine_domain_domid(d), gfn, nr, (int)out->status));
}

/* ---- Faults ------------------------------------------------------------------------------------
 */

static const struct sc_spec fault_fields[] = {
    {.name = "device", .dir = SC_OUT, .kind = SC_DEVICE},
    {.name = "dfn", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "access", .dir = SC_OUT, .kind = SC_CHOICE, .words = access_words},
    {.name = "reason", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = "addr", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "pasid", .dir = SC_OUT, .kind = SC_NUMBER, .quiet = true},
    {.name = "lost", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "rid", .dir = SC_OUT, .kind = SC_DEVICE, .quiet = true},
    {.name = "ctx_no", .dir = SC_OUT, .kind = SC_NUMBER, .quiet = true},
    {.name = NULL},
};

/* `device` is whom the record is about, `rid` the alias that it used. */
static void note_fault(struct player *p, const struct sluice_fault *fault, struct outcome *out)
{
    const char *name = machine_device_name(p->m, fault->device);
    struct machine_device *dev = machine_device(p->m, name);

    outcome_number(out, "device", dev ? machine_device_rid(dev).n : fault->rid.n)->text = name;
    outcome_number(out, "dfn", fault->addr >> FRAME_LG2);
    outcome_number(out, "access", fault->write);
    outcome_text(out, "reason", sluice_reason_name(fault->reason));
    outcome_number(out, "addr", fault->addr);
    outcome_number(out, "pasid", fault->pasid);
    outcome_number(out, "rid", fault->rid.n);
    outcome_number(out, "ctx_no", fault->ctx_no);
}

/* Records that were lost are told where there are some, and where the line asks. */
static void note_lost(const struct sc_line *line, uint64_t lost, struct outcome *out)
{
    const struct sc_expect *expect = &line->call->expect;
    bool asked = false;

    for (unsigned i = 0; i < expect->nr_fields; i++)
        asked |= !strcmp(expect->fields[i].spec->name, "lost");
    if (lost || asked)
        outcome_number(out, "lost", lost);
}

static void run_faults(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    struct sluice_fault fault[16], newest = {.device = NULL};
    uint64_t lost = 0, more;
    unsigned n;

    if (!d)
        return;
    machine_faults_collect(p->m);
    do {
        n = sluice_faults_read(machine_domain_sluice(d), fault, 16, &more);
        lost += more;
        out->status += n;
        if (n)
            newest = fault[n - 1];
    } while (n);
    if (out->status)
        note_fault(p, &newest, out);
    note_lost(line, lost, out);
}

/* ---- Time --------------------------------------------------------------------------------------
 */

static void run_tick(struct player *p, const struct sc_line *line, struct outcome *out)
{
    (void)line;
    machine_tick(p->m);
    player_told(p, out, ghost_check(p->ghost));
}

/* ---- Stopping here ------------------------------------------------------------------------------
 */

static void run_check(struct player *p, const struct sc_line *line, struct outcome *out)
{
    (void)line;
    player_told(p, out, ghost_check(p->ghost));
}

/* Where `sluice inspect` stops. */
static void run_break(struct player *p, const struct sc_line *line, struct outcome *out)
{
    (void)p;
    (void)line;
    (void)out;
}

/* ---- Injected failures -------------------------------------------------------------------------
 */

static const struct sc_spec fail_fields[] = {
    {.name = "alloc", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "flush", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = NULL},
};

static void run_fail(struct player *p, const struct sc_line *line, struct outcome *out)
{
    const struct sc_call *call = line->call;

    if (!sc_get(call, "alloc") && !sc_get(call, "flush"))
        outcome_cannot(out, "expected alloc=N or flush=N");
    if (p->sweep != SWEEP_NONE)
        return;
    ghost_allow_failure(p->ghost);
    if (sc_get(call, "alloc"))
        machine_fail_alloc(p->m, (unsigned)player_number(p, call, "alloc"));
    if (!sc_get(call, "flush"))
        return;
    machine_fail_flush(p->m, (unsigned)player_number(p, call, "flush"));
    p->flush_failed = true;
}

const struct sc_verb host_verbs[] = {
    {.name = "balloon_out",
     .subject = SC_OF_DOMAIN,
     .fields = balloon_fields,
     .run = run_balloon_out},
    {.name = "populate", .subject = SC_OF_DOMAIN, .fields = balloon_fields, .run = run_populate},
    {.name = "faults",
     .subject = SC_OF_DOMAIN,
     .style = SC_COUNT,
     .fields = fault_fields,
     .run = run_faults},
    {.name = "tick", .run = run_tick},
    {.name = "check", .run = run_check},
    {.name = "break", .style = SC_SILENT, .run = run_break, .harmless = true},
    {.name = "fail", .fields = fail_fields, .run = run_fail},
    {.name = NULL},
};
