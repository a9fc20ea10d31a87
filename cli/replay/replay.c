/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace from its beginning to its end. */
#include "replay.h"

#include "../scenario/alloc.h"
#include "../scenario/scenario.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const policies[] = {"strict", "deferred", "standing"};

const char *replay_policy_name(enum replay_policy policy)
{
    return policies[policy];
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

/* ---- Before ------------------------------------------------------------------------------------
 */

static enum dma_policy dma_policy_of(const struct replay *r)
{
    return r->config->policy == REPLAY_STRICT ? DMA_STRICT : DMA_DEFERRED;
}

static int open_spaces(struct replay *r)
{
    int err = guest_discover(&r->guest);

    r->spaces = xcalloc(r->t->nr_spaces, sizeof(*r->spaces));
    for (uint32_t i = 0; i < r->t->nr_spaces && !err; i++) {
        const struct space_setup setup = {.guest = &r->guest,
                                          .trace = &r->t->spaces[i],
                                          .policy = dma_policy_of(r),
                                          .standing = r->config->policy == REPLAY_STANDING,
                                          .order = r->config->order};

        err = replay_space_open(&r->spaces[i], &setup);
    }
    return err;
}

/* The allocator gives nothing that the trace has at fixed addresses. */
static int reserve_fixed(struct replay *r)
{
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_ops && !err; i++) {
        const struct trace_op *op = &r->t->ops[i];
        const struct trace_map *m = op->kind == TRACE_MAP ? &r->t->maps[op->index] : NULL;

        if (m && m->fixed && !r->t->spaces[op->space].managed)
            err = replay_space_reserve(&r->spaces[op->space], m->iova, m->size);
    }
    return err;
}

/* ---- The operations ----------------------------------------------------------------------------
 */

int replay_attach(struct replay *r, const struct trace_op *op)
{
    struct replay_space *s = &r->spaces[op->space];
    struct dma_device *dev = &r->devices[op->index];

    *dev = (struct dma_device){.space = &s->dma,
                               .dev = guest_device(op->index),
                               .mask = s->iova_config.last * LINE_PAGE + (LINE_PAGE - 1),
                               .protected = true};
    if (!s->has_device)
        s->device = *dev;
    s->has_device = true;
    return dma_attach(dev);
}

/* Devices that are there go where devices begin. */
int replay_end(struct replay *r, const struct trace_op *op)
{
    struct replay_space *s = &r->spaces[op->space];
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_devices && !err; i++)
        if (r->devices[i].space == &s->dma) {
            err = dma_detach(&r->devices[i]);
            r->devices[i].space = NULL;
        }
    return err ? err : replay_space_end(s);
}

static int play_op(struct replay *r, const struct trace_op *op)
{
    r->guest.now = op->time;
    switch (op->kind) {
    case TRACE_MAP:
        return replay_map(r, op);
    case TRACE_UNMAP:
        return replay_unmap(r, op);
    case TRACE_ATTACH:
        return replay_attach(r, op);
    default:
        return replay_end(r, op);
    }
}

/* What maps, unmaps and flushes cost; what devices and domains cost is left out. */
static void count_cost(struct replay *r, const struct guest_counts *before)
{
    const struct guest_counts *now = &r->guest.counts;
    struct guest_counts *cost = &r->cost;

    cost->submissions += now->submissions - before->submissions;
    cost->hypercalls += now->hypercalls - before->hypercalls;
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

static bool play_counted(struct replay *r, const struct trace_op *op, const char *name)
{
    const struct guest_counts before = r->guest.counts;
    const int err = play_op(r, op);
    char where[340];

    if (op->kind == TRACE_MAP || op->kind == TRACE_UNMAP)
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
        if (!play_counted(r, &r->t->ops[i], name))
            return;
        if (!(i % 256))
            progress_show(progress, name, r->t->ops[i].line, 0);
    }
}

/* ---- After -------------------------------------------------------------------------------------
 */

static void add_stats(struct replay *r)
{
    for (uint32_t i = 0; i < r->t->nr_spaces; i++) {
        struct dma_stats s;

        dma_stats(&r->spaces[i].dma, &s);
        r->dma.maps += s.maps;
        r->dma.unmaps += s.unmaps;
        r->dma.flushes += s.flushes;
        r->dma.hits += s.hits;
        r->dma.misses += s.misses;
        r->dma.standing += s.standing;
        r->dma.lost += s.lost;
    }
}

/* The last flush is part of the cost; then nothing that was unmapped is mapped. */
static int flush_all(struct replay *r)
{
    const struct guest_counts before = r->guest.counts;
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_spaces && !err; i++)
        if (r->spaces[i].open)
            err = dma_flush(&r->spaces[i].dma);
    count_cost(r, &before);
    return err;
}

static void conclude(struct replay *r)
{
    if (!settle(r, "the last flush", flush_all(r)))
        return;
    add_stats(r);
    guest_check(&r->guest);
    r->counts.checks++;
    if (!settle(r, "at the end", replay_final(r)) ||
        !settle(r, "ending what is left", replay_finish(r)))
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
    struct guest_config guest = {
        .machine = config->machine, .nr_devices = t->nr_devices, .nr_contexts = t->nr_spaces + 1};
    int err;

    memset(r, 0, sizeof(*r));
    r->config = config;
    r->t = t;
    if (!frames_map(t, &r->frames, r->error))
        return -E2BIG;
    guest.bytes = r->frames.bytes;
    guest.list_at = r->frames.spare;
    err = guest_open(&r->guest, &guest, r->error);
    if (err)
        return err;
    r->live = xcalloc(t->nr_maps, sizeof(struct dma_mapping *));
    if (settle(r, "before the first line", open_spaces(r)) &&
        settle(r, "before the first line", reserve_fixed(r)))
        play(r, name, progress);
    if (!r->error[0])
        conclude(r);
    end(r);
    return 0;
}

void replay_free(struct replay *r)
{
    for (uint32_t i = 0; r->live && i < r->t->nr_maps; i++)
        free(r->live[i]);
    free(r->live);
    for (uint32_t i = 0; r->spaces && i < r->t->nr_spaces; i++)
        replay_space_free(&r->spaces[i]);
    free(r->spaces);
    frames_free(&r->frames);
}
