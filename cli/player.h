/* SPDX-License-Identifier: BSD-2-Clause */
/* One scenario on one machine, with the ghost model beside it. */
#ifndef CLI_PLAYER_H
#define CLI_PLAYER_H

#include "../host/machine/machine.h"
#include "../test/model/ghost.h"
#include "machines.h"
#include "outcome.h"

/* Where domains' memory is: as the file says; or the hardware domain's, or else the first's, at
 * its machine addresses; or nobody's, all scattered, as by cache colouring. */
enum layout { LAYOUT_WRITTEN, LAYOUT_DIRECT, LAYOUT_COLOURED };

enum sweep { SWEEP_NONE, SWEEP_ALLOC, SWEEP_FLUSH };

struct player {
    const struct scenario *sc;
    struct machine *m;
    struct ghost *ghost;
    struct machine_config config;
    uint64_t *vars;
    unsigned continue_every;
    enum layout layout;
    enum sweep sweep;  /* which failure is injected from outside; the file's own are left out */
    bool flush_failed; /* one was asked for: frames may be lost for good */
    bool gone;         /* the hardware is: nothing that comes after it counts */
    struct machine_stats before; /* the last line */
    struct machine_stats after;
};

struct player_config {
    const struct scenario *sc;
    const struct machine_kind *machine;
    unsigned continue_every;
    enum sweep sweep;
    unsigned fail_nth;
    enum layout layout;
    unsigned stages; /* of its units, whatever the scenario says; 0: what it says */
};

/* A fresh machine for the scenario: 0, or why there is none: error (of
 * MACHINE_ERROR_SIZE bytes) has the words.
 * -EOPNOTSUPP: this kind of machine cannot be what the scenario wants. */
int player_open(struct player *p, const struct player_config *config, char *error);
/* Ends everything. Complains into *out about what leaked. */
void player_close(struct player *p, struct outcome *out);
/* Plays one line: event, ghost model, comparison. outcome_end() afterwards. */
void player_line(struct player *p, const struct sc_line *line, struct outcome *out);

/* ---- For verbs ---------------------------------------------------------------------------------
 */

/* The field's number, or what stands in its table for an absent one. */
uint64_t player_number(const struct player *p, const struct sc_call *call, const char *name);
/* The domain (device) that the line is about, or NULL with *out filled in. */
struct machine_domain *player_domain(struct player *p, const char *name, struct outcome *out);
struct machine_device *player_device(struct player *p, const char *name, struct outcome *out);
/* What the machine says about an event of the host's that failed. */
void player_explain(const struct player *p, struct outcome *out);
/* What the ghost model answered. */
void player_told(struct player *p, struct outcome *out, bool right);

#endif
