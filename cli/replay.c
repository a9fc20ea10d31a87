/* SPDX-License-Identifier: BSD-2-Clause */
/* `sluice replay`: its command line. */
#include "replay/report.h"

#include "commands.h"
#include "scenario/number.h"
#include "terminal.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of standing blocks: 2 MiB. */
#define MOST_ORDER 9u

enum key {
    KEY_MACHINE = 'm',
    KEY_JSON = 'j',
    KEY_POLICY = 'p',
    KEY_CHECK = 0x100,
    KEY_DMA,
    KEY_ORDER,
    KEY_THROUGH,
};

static const struct argp_option options[] = {
    {"through", KEY_THROUGH, "hypercalls|viommu|nested", 0,
     "How the guest has addresses translated: by hypercalls (the default); by its own driver for "
     "an emulated VT-d, in legacy mode; or in scalable mode with first-stage tables",
     0},
    {"policy", KEY_POLICY, "strict|deferred|standing|traced", 0,
     "How the guest unmaps: at once (the default); hypercalls: with a flush for many, or it leaves "
     "memory mapped for the next time; emulated VT-d: with the trace's own invalidations",
     0},
    {"machine", KEY_MACHINE, "NAME", 0,
     "Play on soft (the default), vtd or vtd-scalable (both start QEMU), or as a guest with an "
     "emulated VT-d: nested-soft, nested-vtd, and both with -scalable",
     0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {"standing-order", KEY_ORDER, "N", 0,
     "standing: what stays mapped are blocks of 1 << N pages around each buffer (9; at most 9), "
     "which its device must be trusted with; 0: the buffers alone",
     0},
    {"check-every", KEY_CHECK, "N", 0,
     "Compare the machine with the model after every N operations (4096), and at the end; 0: only "
     "then",
     0},
    {"dma-every", KEY_DMA, "N", 0,
     "Have a device use every N-th map (64), and try every N-th again after its unmap; 0: none", 0},
    {0},
};

static const char doc[] =
    "Plays TRACE (- for standard input), recorded map and unmap operations of an operating system, "
    "through a guest's DMA layer and everything below it, and says what that cost beside what the "
    "traced system needed. TRACE is text, or text compressed with xz.\v"
    "A line is TIME DOMAIN OP ..., with addresses and sizes in hexadecimal bytes:\n"
    "  M iova size paddr prot   U iova size   I iova size kind   F   R iova   A device   X\n"
    "Lines that begin with # are comments. M, U, A and X are played; the others say what the "
    "traced "
    "system did. docs/replay.md tells more.\n\n"
    "The status is 0 when all came out right, 1 when not, 2 for a bad command line or trace.";

struct arguments {
    struct replay_config config;
    bool json;
    const char *file;
};

static unsigned number_option(struct argp_state *state, const char *text)
{
    uint64_t number;
    bool overflow;

    if (!number_parse(text, strlen(text), &number, &overflow) || number > UINT32_MAX)
        argp_error(state, "'%s': expected a number below 4G", text);
    return (unsigned)number;
}

static void choose_machine(struct argp_state *state, struct replay_config *config, const char *name)
{
    struct words why = {.n = 0};

    config->machine = machine_kind_find(name, &why);
    if (!config->machine)
        argp_failure(state, 2, 0, "%s", why.text);
}

static void choose_policy(struct argp_state *state, struct replay_config *config, const char *name)
{
    for (unsigned i = REPLAY_STRICT; i <= REPLAY_TRACED; i++)
        if (!strcmp(name, replay_policy_name((enum replay_policy)i))) {
            config->policy = (enum replay_policy)i;
            return;
        }
    argp_error(state, "--policy=%s: expected strict, deferred, standing or traced", name);
}

static void choose_through(struct argp_state *state, struct replay_config *config, const char *name)
{
    for (unsigned i = REPLAY_HYPERCALLS; i <= REPLAY_NESTED; i++)
        if (!strcmp(name, replay_through_name((enum replay_through)i))) {
            config->through = (enum replay_through)i;
            return;
        }
    argp_error(state, "--through=%s: expected hypercalls, viommu or nested", name);
}

static void check_choice(struct argp_state *state, const struct replay_config *c)
{
    if (!replay_suits(c->through, c->policy))
        argp_error(state, "--policy=%s does not go with --through=%s: expected %s",
                   replay_policy_name(c->policy), replay_through_name(c->through),
                   c->through == REPLAY_HYPERCALLS ? "strict, deferred or standing"
                                                   : "strict or traced");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case KEY_MACHINE:
        choose_machine(state, &a->config, arg);
        return 0;
    case KEY_POLICY:
        choose_policy(state, &a->config, arg);
        return 0;
    case KEY_THROUGH:
        choose_through(state, &a->config, arg);
        return 0;
    case KEY_JSON:
        a->json = true;
        return 0;
    case KEY_CHECK:
        a->config.check_every = number_option(state, arg);
        return 0;
    case KEY_ORDER:
        a->config.order = number_option(state, arg);
        if (a->config.order > MOST_ORDER)
            argp_error(state, "--standing-order=%s: expected at most %u", arg, MOST_ORDER);
        return 0;
    case KEY_DMA:
        a->config.dma_every = number_option(state, arg);
        return 0;
    case ARGP_KEY_ARG:
        if (a->file)
            argp_error(state, "one TRACE at a time");
        a->file = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which TRACE?");
        return 0;
    case ARGP_KEY_END:
        check_choice(state, &a->config);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int bad(const char *why)
{
    fprintf(stderr, "%s\n", why);
    return 2;
}

static int run(const struct arguments *a, const struct trace *t, const char *name,
               struct progress *progress)
{
    struct replay r;
    int status;

    if (replay_run(&r, &a->config, t, name, progress)) {
        progress_clear(progress);
        status = bad(r.error);
    } else {
        progress_clear(progress);
        (a->json ? replay_print_json : replay_print)(&r, name, stdout);
        status = r.error[0] ? 1 : 0;
    }
    replay_free(&r);
    return status;
}

static int replay_file(const struct arguments *a, FILE *file, const char *name)
{
    struct trace *t = xcalloc(1, sizeof(*t));
    struct progress progress = {.out = NULL};
    char error[TRACE_ERROR];
    int status;

    if (terminal_progress())
        progress_begin(&progress, stderr, 1);
    if (trace_read(t, file, name, &progress, error)) {
        status = run(a, t, name, &progress);
    } else {
        progress_clear(&progress);
        status = bad(error);
    }
    trace_free(t);
    free(t);
    return status;
}

int command_replay(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "TRACE", .doc = doc};
    struct arguments a = {
        .config = {
            .machine = machine_kinds, .order = MOST_ORDER, .check_every = 4096, .dma_every = 64}};
    bool standard;
    FILE *file;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &a);
    standard = !strcmp(a.file, "-");
    file = standard ? stdin : fopen(a.file, "rb");
    if (!file) {
        fprintf(stderr, "%s: %s\n", a.file, strerror(errno));
        return 2;
    }
    status = replay_file(&a, file, standard ? "(stdin)" : a.file);
    if (!standard)
        fclose(file);
    return status;
}
