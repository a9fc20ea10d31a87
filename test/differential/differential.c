/* SPDX-License-Identifier: BSD-2-Clause */
/* Random programs on two units in lock step; what differs and is not known is a finding. */
#include <argp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "known.h"
#include "shrink.h"

#define SKIP 77 /* what meson takes for skipped */

struct options {
    uint64_t seed;
    unsigned long programs, seconds, findings;
    enum unit_kind subject;
    const char *replay;
    bool only_legacy, only_scalable, print;
};

/* A pair for each mode, made when it is needed. */
struct pair {
    struct unit *reference, *subject;
};

static const struct argp_option options[] = {
    {"seed", 'e', "S", 0, "of the first program (1)", 0},
    {"programs", 'n', "N", 0, "stop after so many; 0: never (0)", 0},
    {"seconds", 's', "S", 0, "stop after S seconds; 0: never (10)", 0},
    {"findings", 'f', "N", 0, "stop after so many findings (3)", 0},
    {"subject", 'u', "WHAT", 0, "emulated (the default), assigned, or qemu: QEMU with itself", 0},
    {"mode", 'm', "MODE", 0, "only legacy, or only scalable", 0},
    {"print", 'p', NULL, 0, "print the program of --seed, and play nothing", 0},
    {"replay", 'r', "FILE", 0, "play this program, and nothing else", 0},
    {0},
};

static unsigned long number(struct argp_state *state, const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 0);

    if (*end || end == text)
        argp_error(state, "not a number: %s", text);
    return value;
}

static enum unit_kind subject(struct argp_state *state, const char *text)
{
    if (!strcmp(text, "qemu"))
        return UNIT_QEMU;
    if (!strcmp(text, "assigned"))
        return UNIT_ASSIGNED;
    if (strcmp(text, "emulated"))
        argp_error(state, "no such subject: %s", text);
    return UNIT_OURS;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'e':
        o->seed = number(state, text);
        return 0;
    case 'n':
        o->programs = number(state, text);
        return 0;
    case 's':
        o->seconds = number(state, text);
        return 0;
    case 'f':
        o->findings = number(state, text);
        return 0;
    case 'u':
        o->subject = subject(state, text);
        return 0;
    case 'm':
        o->only_legacy = !strcmp(text, "legacy");
        o->only_scalable = !strcmp(text, "scalable");
        return 0;
    case 'p':
        o->print = true;
        return 0;
    case 'r':
        o->replay = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void close_pair(struct pair *pair)
{
    if (pair->reference)
        pair->reference->ops->close(pair->reference);
    if (pair->subject)
        pair->subject->ops->close(pair->subject);
    *pair = (struct pair){0};
}

/* Ends the process where there can be none. */
static void open_pair(struct pair *pair, const struct options *o, bool scalable)
{
    const char *why = "";
    bool missing = false;

    if (pair->reference)
        return;
    pair->reference = unit_open(UNIT_QEMU, scalable, &why, &missing);
    if (pair->reference)
        pair->subject = unit_open(o->subject, scalable, &why, &missing);
    if (pair->subject)
        return;
    fprintf(stderr, "%s: %s\n", missing ? "skipped" : "differential", why);
    close_pair(pair);
    exit(missing ? SKIP : 2);
}

static const char *gone(const struct pair *pair)
{
    const char *why = pair->reference->ops->gone(pair->reference);

    return why ? why : pair->subject->ops->gone(pair->subject);
}

static void show(const struct program *p, const struct difference *d, const struct pair *pair)
{
    program_print(stdout, p);
    difference_print(stdout, d, pair->reference, pair->subject);
    fflush(stdout);
}

/* On units that have done nothing yet, if it shows there. */
static void report(const struct program *program, const struct difference *d, struct pair *pair,
                   const struct options *o, uint64_t seed)
{
    struct program p = *program;
    struct difference small;
    const char *why = gone(pair);

    printf("# a difference; seed %" PRIu64 ", step %u of %u\n", seed, d->step + 1, p.nr);
    if (why) {
        printf("# %s\n", why);
        program_print(stdout, &p);
    }
    close_pair(pair);
    if (why)
        return;
    open_pair(pair, o, p.scalable);
    small = shrink(&p, d, pair->reference, pair->subject);
    if (small.kind == SAME)
        printf("# it does not show where this program is the first\n");
    show(small.kind == SAME ? program : &p, small.kind == SAME ? d : &small, pair);
}

/* True: they agree, or it is known why not. */
static bool play(const struct program *p, struct pair *pair, const struct options *o,
                 struct tally *t, uint64_t seed)
{
    struct difference d;

    open_pair(pair, o, p->scalable);
    d = compare(p, pair->reference, pair->subject, t);
    if (d.kind == SAME && !gone(pair))
        return true;
    report(p, &d, pair, o, seed);
    return false;
}

static void summary(const struct tally *t, double since)
{
    printf("%" PRIu64 " programs, %" PRIu64 " steps, %" PRIu64 " DMAs (%" PRIu64
           " performed in memory), %" PRIu64 " faults, %" PRIu64 " interrupts in %.1f s\n",
           t->programs, t->steps, t->dmas, t->landed, t->faults, t->interrupts, since);
    printf("%" PRIu64 " times a stale entry made a difference; %" PRIu64
           " programs ended early at a known difference\n",
           t->stale, t->ended);
    for (unsigned i = 0; i < 256; i++) {
        if (t->reasons[i])
            printf("  %6" PRIu64 "  faults of reason 0x%02x\n", t->reasons[i], i);
    }
    for (unsigned i = 0; i < nr_known; i++) {
        if (t->known[i])
            printf("  %6" PRIu64 "  %s\n", t->known[i], known[i].name);
    }
    fflush(stdout);
}

static bool wanted(const struct options *o, bool scalable)
{
    return scalable ? !o->only_legacy : !o->only_scalable;
}

static unsigned run(const struct options *o, struct pair *pairs)
{
    const double start = seconds();
    double told = start;
    struct tally t = {0};
    unsigned findings = 0;
    uint64_t seed = o->seed;

    for (; (!o->programs || t.programs < o->programs) && findings < o->findings; seed++) {
        const bool scalable = seed & 1;
        struct program p;

        if (o->seconds && seconds() - start > (double)o->seconds)
            break;
        if (!wanted(o, scalable))
            continue;
        program_random(&p, seed, scalable);
        findings += !play(&p, &pairs[scalable], o, &t, seed);
        if (seconds() - told > 60) {
            summary(&t, seconds() - start);
            told = seconds();
        }
    }
    summary(&t, seconds() - start);
    return findings;
}

static int print(const struct options *o)
{
    struct program p;

    program_random(&p, o->seed, o->seed & 1);
    program_print(stdout, &p);
    return 0;
}

static int replay(const struct options *o, struct pair *pairs)
{
    FILE *f = fopen(o->replay, "r");
    struct program p;
    struct tally t = {0};
    struct difference d;
    unsigned line;

    if (!f) {
        perror(o->replay);
        return 2;
    }
    line = program_parse(f, &p);
    fclose(f);
    if (line) {
        fprintf(stderr, "%s:%u: no step\n", o->replay, line);
        return 2;
    }
    open_pair(&pairs[0], o, p.scalable);
    d = compare(&p, pairs[0].reference, pairs[0].subject, &t);
    if (d.kind != SAME)
        show(&p, &d, &pairs[0]);
    summary(&t, 0);
    return d.kind != SAME;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Plays random programs on the emulated VT-d and on QEMU's; findings are programs.",
    };
    struct options o = {.seed = 1, .seconds = 10, .findings = 3, .subject = UNIT_OURS};
    struct pair pairs[2] = {{0}};
    int ret;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return 2;
    if (o.print)
        return print(&o);
    ret = o.replay ? replay(&o, pairs) : !!run(&o, pairs);
    close_pair(&pairs[0]);
    close_pair(&pairs[1]);
    return ret;
}
