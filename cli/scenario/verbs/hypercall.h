/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypercall as a line writes it. */
#ifndef CLI_SCENARIO_VERBS_HYPERCALL_H
#define CLI_SCENARIO_VERBS_HYPERCALL_H

#include "verbs.h"

/* The row of `raw`: number and argument are the line's. */
#define SUBOP_RAW (-1)

struct request {
    int subop;
    uint64_t addr;
};

/* Untouched outputs show. */
#define POISON 0xaa

/* Where arrays of arguments are, if a line does not say otherwise: the rest of the page. */
#define ARRAY (MACHINE_ARG + FRAME_SIZE / 2)

/* A number where an argument has it: `size` bytes, low ones first. */
void arg_store(uint8_t *to, uint64_t value, unsigned size);
uint64_t arg_load(const uint8_t *from, unsigned size);
/* The field of a call into its argument; false with *out filled in: it does not fit. */
bool arg_put(struct player *p, const struct sc_call *call, const struct sc_spec *spec, uint8_t *arg,
             struct outcome *out);
/* What the field holds after the call. */
void arg_get(const struct sc_spec *spec, const uint8_t *arg, struct outcome *out);
bool arg_poisoned(const uint8_t *at, unsigned size);
/* After how many chances the calls of a line are interrupted; 0: never. */
unsigned line_continue_every(const struct player *p, const struct sc_line *line);

/* Space of one argument struct in the page; a remote's command has the next one. */
#define SLOT 64

/* Writes a call's argument into a slot, and that of its command behind it. False with *out. */
bool put_call(struct player *p, struct machine_domain *d, const struct sc_call *call, unsigned slot,
              struct request *req, struct outcome *out);
/* What a call gave back, from its slot and its array. */
void get_result(struct player *p, struct machine_domain *d, const struct sc_call *call,
                unsigned slot, struct outcome *out);
void poison_array(struct machine_domain *d);

/* One argument struct as it was before the call and after it. */
struct snapshot {
    const struct sc_verb *verb; /* NULL: an unknown sub-op */
    uint64_t addr;
    bool readable;
    uint8_t in[SLOT], out[SLOT];
    uint64_t *gfns; /* of a map_list: what of its array can be read */
    uint64_t nr_gfns;
};

/* A call, and the command inside it. After it the ghost model is told. */
struct observed {
    int subop;
    bool element; /* of a batch */
    struct snapshot outer, inner;
};
void observe_before(struct observed *o, struct machine_domain *d, const struct request *req);
void observe_after(struct observed *o, struct player *p, struct machine_domain *d, long status,
                   struct outcome *out);
void observe_end(struct observed *o);

/* The calls of the line as elements of one batch. */
void run_batch(struct player *p, struct machine_domain *d, const struct sc_line *line,
               struct outcome *out);
void run_hypercall(struct player *p, const struct sc_line *line, struct outcome *out);

#endif
