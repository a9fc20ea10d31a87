/* SPDX-License-Identifier: BSD-2-Clause */
/* A line: the event, then the ghost model's comparison, then caches that remember all they can. */
#include "player.h"

#include "scenario/verbs/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a variable holds whose line was not played. */
#define UNSET 0xaaaaaaaaaaaaaaaaull

uint64_t player_number(const struct player *p, const struct sc_call *call, const char *name)
{
    const struct sc_value *value = sc_get(call, name);
    const struct sc_spec *spec = sc_spec_find(call->verb->fields, name);

    if (value)
        return value_number(value, p->vars);
    return spec ? spec->absent : 0;
}

struct machine_domain *player_domain(struct player *p, const char *name, struct outcome *out)
{
    struct machine_domain *d = machine_domain(p->m, name);

    if (d)
        return d;
    out->absent = true;
    outcome_cannot(out, "domain %s does not exist", name);
    return NULL;
}

struct machine_device *player_device(struct player *p, const char *name, struct outcome *out)
{
    struct machine_device *dev = machine_device(p->m, name);

    if (dev)
        return dev;
    out->absent = true;
    outcome_cannot(out, "device %s does not exist", name);
    return NULL;
}

void player_explain(const struct player *p, struct outcome *out)
{
    if (out->status < 0)
        snprintf(out->why, sizeof(out->why), "%s", machine_error(p->m));
}

void player_told(struct player *p, struct outcome *out, bool right)
{
    if (!right && !machine_gone(p->m))
        outcome_complain(out, "ghost model: %s", ghost_error(p->ghost));
}

static void arm(struct player *p, const struct player_config *config)
{
    if (config->sweep == SWEEP_ALLOC)
        machine_fail_alloc(p->m, config->fail_nth);
    if (config->sweep == SWEEP_FLUSH)
        machine_fail_flush(p->m, config->fail_nth);
    if (config->sweep != SWEEP_NONE)
        ghost_allow_failure(p->ghost);
    p->flush_failed = config->sweep == SWEEP_FLUSH;
}

int player_open(struct player *p, const struct player_config *config, char *error)
{
    int err;

    memset(p, 0, sizeof(*p));
    p->sc = config->sc;
    p->continue_every = config->continue_every;
    p->sweep = config->sweep;
    p->layout = config->layout;
    setup_config(config->sc, config->machine, &p->config);
    if (config->stages)
        p->config.stages = config->stages;
    err = machine_create(&p->config, &p->m, error);
    if (err) {
        setup_config_free(&p->config);
        return err;
    }
    machine_continue_every(p->m, config->continue_every);
    p->ghost = ghost_create(p->m, &p->config);
    p->vars = xcalloc(config->sc->nr_vars, sizeof(*p->vars));
    for (unsigned i = 0; i < config->sc->nr_vars; i++)
        p->vars[i] = UNSET;
    arm(p, config);
    return 0;
}

void player_close(struct player *p, struct outcome *out)
{
    char gone[MACHINE_ERROR_SIZE];
    unsigned leaked;

    ghost_destroy(p->ghost);
    leaked = machine_end(p->m, gone);
    setup_config_free(&p->config);
    free(p->vars);
    if (p->gone)
        return; /* the line said it */
    if (gone[0])
        outcome_complain(out, "at the end: the machine is gone: %s", gone);
    else if (leaked && !p->flush_failed)
        outcome_complain(out, "at the end: %u frames or objects leaked", leaked);
}

static void capture(struct player *p, const struct sc_line *line, const struct outcome *out)
{
    for (unsigned i = 0; i < line->nr_captures; i++) {
        const struct got *got = outcome_got(out, line->captures[i].spec);

        if (got && !got->mixed)
            p->vars[line->captures[i].var] = got->number;
    }
}

void player_line(struct player *p, const struct sc_line *line, struct outcome *out)
{
    const char *why;

    outcome_begin(out, line);
    machine_stats(p->m, &p->before);
    line->call->verb->run(p, line, out);
    machine_stats(p->m, &p->after);
    capture(p, line, out);
    why = machine_gone(p->m);
    p->gone = why;
    if (why) {
        outcome_complain(out, "the machine is gone: %s", why);
        return;
    }
    player_told(p, out, ghost_check(p->ghost));
    machine_prefetch(p->m);
}
