/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random walks: longer than exhaustion can go, over machines of all kinds and a wider alphabet:
 * larger pages, many pages at once, continuations, budgets, reserved regions, groups, injected
 * failures.
 */
#include "blackbox.h"
#include "walk.h"

#include <stdlib.h>
#include <time.h>

#define STEPS         150u
#define MOST_FINDINGS 3u
#define WALK_SECONDS  15u

uint64_t dice_roll(struct dice *d)
{
    d->state += 0x9e3779b97f4a7c15u;
    uint64_t z = d->state;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t dice_below(struct dice *d, uint64_t n)
{
    return dice_roll(d) % n;
}

bool dice_once_in(struct dice *d, uint64_t n)
{
    return !dice_below(d, n);
}

struct walk {
    const struct budget *budget;
    struct blackbox *log;
    uint64_t seed;
};

static unsigned walk(void *arg)
{
    const struct walk *walk = arg;
    struct dice dice = {walk->seed};
    struct plan plan = random_plan(&dice);
    struct world w;
    bool right = world_open(&w, &plan, walk->log, walk->budget->trace);

    for (unsigned i = 0; i < STEPS && right; i++) {
        struct op op = random_op(&dice, &plan);

        right = world_do(&w, &op) && world_check(&w);
    }
    return !world_finish(&w, right);
}

/* True when it found something. */
static bool finds(struct walk *w)
{
    bool found;

    if (blackbox_run(w->log, walk, w, WALK_SECONDS)) {
        found = w->log->result;
    } else {
        found = true;
        report_death(w->log);
    }
    if (found)
        printf("# that was exhaustive --random=1 --seed=%ju\n\n", (uintmax_t)w->seed);
    return found;
}

unsigned wander(unsigned walks, uint64_t seed, const struct budget *budget)
{
    struct walk w = {.budget = budget, .log = blackbox_create()};
    unsigned findings = 0, done = 0;
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    now = start;
    for (; done < walks && findings < MOST_FINDINGS; done++) {
        w.seed = seed + done;
        findings += finds(&w);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (budget->seconds && now.tv_sec - start.tv_sec >= (time_t)budget->seconds) {
            done++;
            break;
        }
    }
    blackbox_destroy(w.log);
    printf("%u walks of %u operations; %u findings\n", done, STEPS, findings);
    return findings;
}
