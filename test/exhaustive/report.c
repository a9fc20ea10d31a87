/* SPDX-License-Identifier: BSD-2-Clause */
/* A finding is shortened by dropping lines while it still fails, then printed as a scenario. */
#include "blackbox.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_REPLAYS   3000u
#define MOST_SECONDS   20
#define REPLAY_SECONDS 2u
#define SETTLE         40u /* comparisons until each frame had its turn */

struct replay {
    const struct plan *plan;
    const struct op *ops;
    size_t nr;
    bool death;           /* the finding is that it dies */
    struct blackbox *box; /* of the replays */
    time_t end;           /* no more shortening from here on */
};

/* 1 when the operations end in a finding; box->nr says how many of them it took. */
static unsigned replay(void *arg)
{
    const struct replay *r = arg;
    struct world w;
    bool right;

    if (!freopen("/dev/null", "w", stderr))
        return 0; /* dying is told once */
    right = world_open(&w, r->plan, r->box, NULL);
    for (size_t i = 0; i < r->nr && right; i++)
        right = world_do(&w, &r->ops[i]) && world_check(&w);
    for (unsigned k = 0; k < SETTLE && right; k++)
        right = world_check(&w);
    right &= world_close(&w);
    if (!right)
        snprintf(r->box->error, sizeof(r->box->error), "%s", w.error);
    return !right;
}

static bool fails_still(const struct replay *r, const struct op *ops, size_t nr)
{
    struct replay other = *r;

    other.ops = ops;
    other.nr = nr;
    if (!blackbox_run(r->box, replay, &other, REPLAY_SECONDS))
        return true;
    return !r->death && r->box->result;
}

static bool is_enough(const struct replay *r, unsigned replays)
{
    return replays >= MOST_REPLAYS || time(NULL) >= r->end;
}

/* Drops `size` operations at a time wherever that changes nothing; returns how many are left. */
static size_t drop_chunks(const struct replay *r, struct op *ops, size_t nr, size_t size,
                          unsigned *replays)
{
    struct op *fewer = calloc(nr + 1, sizeof(*fewer));
    size_t at = 0;

    if (!fewer)
        abort();
    while (at + size <= nr && !is_enough(r, *replays)) {
        memcpy(fewer, ops, at * sizeof(*ops));
        memcpy(fewer + at, ops + at + size, (nr - at - size) * sizeof(*ops));
        ++*replays;
        if (fails_still(r, fewer, nr - size)) {
            nr = r->box->nr < nr - size ? r->box->nr : nr - size;
            memcpy(ops, fewer, nr * sizeof(*ops));
        } else {
            at += size;
        }
    }
    free(fewer);
    return nr;
}

static size_t shorten(const struct replay *r, struct op *ops, size_t nr)
{
    unsigned replays = 0;
    size_t before;

    do {
        before = nr;
        for (size_t size = nr / 2; size; size /= 2)
            nr = drop_chunks(r, ops, nr, size, &replays);
    } while (nr < before && !is_enough(r, replays));
    return nr;
}

static void report(FILE *f, const struct plan *plan, const struct op *log, size_t nr,
                   const char *error, bool death)
{
    struct op *ops = calloc(nr + 1, sizeof(*ops));
    struct replay r = {
        .plan = plan, .death = death, .box = blackbox_create(), .end = time(NULL) + MOST_SECONDS};

    if (!ops)
        abort();
    alarm(0); /* what was found is found */
    if (nr)
        memcpy(ops, log, nr * sizeof(*ops));
    if (fails_still(&r, ops, nr))
        nr = shorten(&r, ops, r.box->nr < nr ? r.box->nr : nr);
    else
        fprintf(f, "# does not repeat itself; the whole log:\n");
    if (fails_still(&r, ops, nr))
        error = r.box->error;
    fprintf(f, "# %s\n", error);
    print_plan(f, plan);
    for (size_t i = 0; i < nr; i++)
        print_op(f, plan, &ops[i]);
    fprintf(f, "check\n\n");
    free(ops);
    blackbox_destroy(r.box);
}

bool world_finish(struct world *w, bool right)
{
    right &= world_close(w);
    if (!right)
        report(stdout, w->plan, w->log->op, w->log->nr, w->error, false);
    return right;
}

void report_death(const struct blackbox *box)
{
    report(stdout, &box->plan, box->op, box->nr, box->error, true);
}
