/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small-scope exhaustion: breadth first over distinct states. A state is made again by repeating
 * its shortest path on a fresh machine; from it every operation of the alphabet is tried.
 */
#include "alphabet.h"
#include "blackbox.h"

#include <stdlib.h>
#include <time.h>

#define MOST_DEPTH    16u
#define MOST_FINDINGS 10u

struct state {
    uint32_t parent;
    uint16_t op;
    uint16_t depth;
};

struct search {
    const struct scope *scope;
    struct alphabet alphabet;
    struct state *state; /* in the order of finding, so by depth */
    size_t nr, room;
    uint64_t *seen; /* open hash of digests, 0 is empty */
    size_t nr_seen, slots;
    uint64_t transitions;
    unsigned findings;
    struct blackbox *log;
    FILE *trace;
};

static bool insert(uint64_t *slot, size_t slots, uint64_t digest)
{
    size_t i = (size_t)(digest % slots);

    while (slot[i] && slot[i] != digest)
        i = (i + 1) % slots;
    if (slot[i])
        return false;
    slot[i] = digest;
    return true;
}

static void grow_seen(struct search *s)
{
    size_t slots = s->slots * 2 + 65536;
    uint64_t *bigger = calloc(slots, sizeof(*bigger));

    if (!bigger)
        abort();
    for (size_t i = 0; i < s->slots; i++) {
        if (s->seen[i])
            insert(bigger, slots, s->seen[i]);
    }
    free(s->seen);
    s->seen = bigger;
    s->slots = slots;
}

/* True the first time. */
static bool is_new(struct search *s, uint64_t digest)
{
    if ((s->nr_seen + 1) * 2 > s->slots)
        grow_seen(s);
    if (!insert(s->seen, s->slots, digest ? digest : 1))
        return false;
    s->nr_seen++;
    return true;
}

static void add_state(struct search *s, uint32_t parent, uint16_t op, uint16_t depth)
{
    if (s->nr == s->room) {
        s->room = s->room * 2 + 4096;
        s->state = reallocarray(s->state, s->room, sizeof(*s->state));
        if (!s->state)
            abort();
    }
    s->state[s->nr++] = (struct state){parent, op, depth};
}

static bool step(const struct search *s, struct world *w, uint16_t op)
{
    return world_do(w, &s->alphabet.op[op]) && world_check(w) && s->scope->probe(w) &&
           world_check(w);
}

/* A fresh world in that state. */
static bool reach_state(const struct search *s, struct world *w, size_t at)
{
    uint16_t path[MOST_DEPTH];
    unsigned nr = 0;

    for (size_t i = at; i; i = s->state[i].parent)
        path[nr++] = s->state[i].op;
    if (!world_open(w, s->scope->plan, s->log, s->trace) || !s->scope->probe(w))
        return false;
    while (nr) {
        if (!world_do(w, &s->alphabet.op[path[--nr]]) || !s->scope->probe(w))
            return false;
    }
    return true;
}

/* One operation in a world that is at `here`; true if it stayed there, so that it can be used
 * again. */
static bool try_op(struct search *s, struct world *w, size_t at, uint16_t op, uint64_t here)
{
    bool right = step(s, w, op);
    uint64_t there = ghost_digest(w->g);

    s->transitions++;
    if (right && is_new(s, there))
        add_state(s, (uint32_t)at, op, (uint16_t)(s->state[at].depth + 1));
    if (right && there == here)
        return true;
    s->findings += !world_finish(w, right);
    return false;
}

/* Every operation from one state. */
static void expand(struct search *s, size_t at)
{
    struct world w;
    bool open = false;
    uint64_t here = 0;

    for (uint16_t op = 0; op < s->alphabet.nr && s->findings < MOST_FINDINGS; op++) {
        if (!open && !reach_state(s, &w, at)) {
            s->findings += !world_finish(&w, false);
            return;
        }
        if (!open)
            here = ghost_digest(w.g);
        open = try_op(s, &w, at, op, here);
    }
    if (open)
        s->findings += !world_finish(&w, true);
}

static bool time_is_up(const struct timespec *start, unsigned seconds)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return seconds && now.tv_sec - start->tv_sec >= (time_t)seconds;
}

static void say(const struct search *s, size_t expanded, bool complete, unsigned depth)
{
    unsigned whole = expanded < s->nr ? s->state[expanded].depth : depth;

    printf("%s: %zu distinct states found, every one of %zu operations tried from %zu of them: "
           "%ju transitions; ",
           s->scope->name, s->nr, s->alphabet.nr, expanded, (uintmax_t)s->transitions);
    if (complete)
        printf("complete to depth %u; ", depth);
    else
        printf("complete to depth %u, part of depth %u; ", whole, whole + 1);
    printf("%u findings\n", s->findings);
}

struct exploration {
    const struct budget *budget;
    struct blackbox *log;
};

static unsigned run(void *arg)
{
    const struct exploration *e = arg;
    const struct budget *budget = e->budget;
    unsigned depth = budget->depth < MOST_DEPTH ? budget->depth : MOST_DEPTH;
    struct search s = {.scope = budget->scope,
                       .alphabet = budget->scope->alphabet(),
                       .log = e->log,
                       .trace = budget->trace};
    struct timespec start;
    bool late = false;
    size_t i;

    clock_gettime(CLOCK_MONOTONIC, &start);
    add_state(&s, 0, 0, 0);
    for (i = 0; i < s.nr && s.state[i].depth < depth && !late; i++) {
        if (s.findings >= MOST_FINDINGS)
            break;
        expand(&s, i);
        late = time_is_up(&start, budget->seconds);
    }
    say(&s, i, i == s.nr || s.state[i].depth >= depth, depth);
    free(s.alphabet.op);
    free(s.state);
    free(s.seen);
    return s.findings;
}

unsigned explore(const struct budget *budget)
{
    struct exploration e = {budget, blackbox_create()};
    unsigned findings = 1;

    if (blackbox_run(e.log, run, &e, 0))
        findings = e.log->result;
    else
        report_death(e.log);
    blackbox_destroy(e.log);
    return findings;
}
