/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace from its beginning to its end. */
#include "replay.h"

#include "../scenario/alloc.h"
#include "../scenario/scenario.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Beside one for each domain. */
#define CONTEXTS 8u

static const char *const policies[] = {"strict", "deferred", "standing", "traced"};
static const char *const ways[] = {"hypercalls", "viommu", "nested"};

const char *replay_policy_name(enum replay_policy policy)
{
    return policies[policy];
}

const char *replay_through_name(enum replay_through through)
{
    return ways[through];
}

bool replay_suits(enum replay_through through, enum replay_policy policy)
{
    if (through == REPLAY_HYPERCALLS)
        return policy != REPLAY_TRACED;
    return policy == REPLAY_STRICT || policy == REPLAY_TRACED;
}

__attribute__((format(printf, 2, 3))) static void went_wrong(struct replay *r, const char *format,
                                                             ...)
{
    va_list args;

    if (r->error[0])
        return;
    va_start(args, format);
    vsnprintf(r->error, sizeof(r->error), format, args);
    va_end(args);
}

/* true: all is well. */
static bool settle(struct replay *r, const char *what, int err)
{
    const char *name = sc_errno_name(err), *words = machine_error(r->guest.m);

    if (r->guest.wrong[0])
        went_wrong(r, "%s: %s", what, r->guest.wrong);
    else if (err)
        went_wrong(r, "%s: %s%s%s", what, name ? name : "an error", words[0] ? ": " : "", words);
    return !r->error[0];
}

/* ---- The operations ----------------------------------------------------------------------------
 */

/* What maps, unmaps and flushes cost; what devices and domains cost is left out. */
static void count_cost(struct replay *r, const struct guest_counts *before)
{
    const struct guest_counts *now = &r->guest.counts;
    struct guest_counts *cost = &r->cost;

    cost->submissions += now->submissions - before->submissions;
    cost->hypercalls += now->hypercalls - before->hypercalls;
    cost->exits += now->exits - before->exits;
    cost->synced += now->synced - before->synced;
    for (unsigned i = 0; i < GUEST_SUBOPS; i++)
        cost->calls[i] += now->calls[i] - before->calls[i];
}

static void count_peak(struct replay *r)
{
    struct sluice_domain_stats stats;

    sluice_domain_stats(machine_domain_sluice(r->guest.d), &stats);
    if (stats.refs > r->counts.peak_frames)
        r->counts.peak_frames = stats.refs;
    if (stats.tables > r->counts.peak_tables)
        r->counts.peak_tables = stats.tables;
}

static bool play_counted(struct replay *r, uint32_t i, const char *name)
{
    const struct trace_op *op = &r->t->ops[i];
    const struct guest_counts before = r->guest.counts;
    char where[340];
    int err;

    r->guest.now = op->time;
    err = r->way->play(r, i);
    if (op->kind == TRACE_MAP || op->kind == TRACE_UNMAP || op->kind == TRACE_INVALIDATE)
        count_cost(r, &before);
    if (op->kind == TRACE_MAP)
        count_peak(r);
    if (!err && !r->guest.wrong[0])
        return true;
    snprintf(where, sizeof(where), "%.300s:%u", name, op->line);
    return settle(r, where, err);
}

static void check(struct replay *r, uint32_t i)
{
    if (!r->config->check_every || (i + 1) % r->config->check_every)
        return;
    guest_check(&r->guest);
    r->counts.checks++;
}

static void play(struct replay *r, const char *name, struct progress *progress)
{
    for (uint32_t i = 0; i < r->t->nr_ops; i++) {
        check(r, i);
        if (!play_counted(r, i, name))
            return;
        if (!(i % 256))
            progress_show(progress, name, r->t->ops[i].line, 0);
    }
}

/* ---- After -------------------------------------------------------------------------------------
 */

/* The last flush is part of the cost. */
static int flush_all(struct replay *r)
{
    const struct guest_counts before = r->guest.counts;
    const int err = r->way->flush(r);

    count_cost(r, &before);
    return err;
}

static void conclude(struct replay *r)
{
    if (!settle(r, "the last flush", flush_all(r)))
        return;
    guest_check(&r->guest);
    r->counts.checks++;
    if (!settle(r, "at the end", r->way->final(r)) ||
        !settle(r, "ending what is left", r->way->finish(r)))
        return;
    guest_check(&r->guest);
    r->counts.checks++;
    (void)settle(r, "after the end", 0);
}

static void end(struct replay *r)
{
    if (!r->error[0])
        guest_end(&r->guest);
    settle(r, "at the end", 0);
    r->leaked = guest_close(&r->guest);
    if (!r->error[0] && r->guest.wrong[0])
        went_wrong(r, "%s", r->guest.wrong);
    if (r->leaked)
        went_wrong(r, "at the end: %u frames or objects leaked", r->leaked);
}

int replay_run(struct replay *r, const struct replay_config *config, const struct trace *t,
               const char *name, struct progress *progress)
{
    struct guest_config guest = {.machine = config->machine,
                                 .nr_devices = t->nr_devices,
                                 .nr_contexts = t->nr_spaces + CONTEXTS};
    int err;

    memset(r, 0, sizeof(*r));
    r->config = config;
    r->t = t;
    r->way = config->through == REPLAY_HYPERCALLS ? &replay_by_hypercalls : &replay_by_viommu;
    if (!frames_map(t, &r->frames, r->error))
        return -E2BIG;
    frames_more(&r->frames, r->way->memory(t));
    guest.bytes = r->frames.bytes;
    guest.list_at = r->frames.spare;
    err = guest_open(&r->guest, &guest, r->error);
    if (err)
        return err;
    r->live = xcalloc(t->nr_maps, sizeof(struct dma_mapping *));
    r->spaces = xcalloc(t->nr_spaces, sizeof(*r->spaces));
    if (settle(r, "before the first line", r->way->open(r)))
        play(r, name, progress);
    if (!r->error[0])
        conclude(r);
    end(r);
    return 0;
}

void replay_free(struct replay *r)
{
    r->way->free(r);
    for (uint32_t i = 0; r->live && i < r->t->nr_maps; i++)
        free(r->live[i]);
    free(r->live);
    for (uint32_t i = 0; r->spaces && i < r->t->nr_spaces; i++)
        replay_space_free(&r->spaces[i]);
    free(r->spaces);
    frames_free(&r->frames);
}
