/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small world for exploration: a software machine with its ghost model, and one operation after
 * the other done on both. What was done is logged, so that a finding can be repeated, shortened and
 * printed as a scenario.
 */
#ifndef TEST_EXHAUSTIVE_WORLD_H
#define TEST_EXHAUSTIVE_WORLD_H

#include "../model/ghost.h"

#include <stdio.h>

#define PLAN_DOMAINS 3u
#define PLAN_DEVICES 3u
#define PLAN_SERVERS 3u

struct op;

struct plan_server {
    uint8_t emulator, target; /* indices of domains */
    uint16_t id;
    uint32_t nr_slots;
};

/* What a world starts from. */
struct plan {
    struct machine_config machine;
    struct machine_domain_config domain[PLAN_DOMAINS];
    unsigned nr_domains;
    struct machine_device_config device[PLAN_DEVICES]; /* .group is set from group_with */
    unsigned nr_devices;
    uint8_t owner[PLAN_DEVICES];     /* index of a domain */
    int8_t group_with[PLAN_DEVICES]; /* index of an earlier device, or -1 */
    struct plan_server server[PLAN_SERVERS];
    unsigned nr_servers;
    bool slow_emulators;
    const struct op *prologue; /* done before anything else */
    unsigned nr_prologue;
    bool failures; /* failures will be injected */
};

enum op_kind {
    OP_QUERY,
    OP_ALLOC,
    OP_FREE,
    OP_MAP,
    OP_UNMAP,
    OP_LOOKUP,
    OP_REATTACH,
    OP_ATTACH_PASID,
    OP_DETACH_PASID,
    OP_FLUSH,
    OP_BALLOON,
    OP_POPULATE,
    OP_ASSIGN,
    OP_UNASSIGN,
    OP_DESTROY,
    OP_CREATE, /* again, after OP_DESTROY; its servers are not */
    OP_FRAMES, /* one element, or two: elements.c */
    OP_IOREQ,
    OP_SERVER_END,
    OP_DMA,
    OP_FAIL_ALLOC,
    OP_FAIL_FLUSH,
};

struct op {
    enum op_kind kind;
    uint8_t domain; /* index: whom it acts on */
    uint8_t caller; /* index: of hypercalls; another one than `domain` makes it a remote_cmd */
    uint8_t device; /* index */
    bool write;
    uint16_t ctx;
    uint32_t flags, nr, pgsize, every;
    uint8_t pasid;
    uint8_t frames; /* OP_FRAMES: IOMMUOP_*; `domain` is the target, ctx the server, dfn the bfn */
    bool all;       /* OP_IOREQ: until there are no more */
    bool again;     /* ... an unmap: and then a map of gfn in its place, in one array */
    uint64_t gfn, dfn; /* of DMA: dfn is the page, flags the bytes, from the page's start */
};

struct blackbox;
struct scope;

struct world {
    const struct plan *plan;
    struct machine *m;
    struct ghost *g;
    struct blackbox *log; /* of the operations, or NULL */
    FILE *trace;          /* each operation, before it is done; or NULL */
    char error[600];
};

/* False: error says what is wrong already. world_close in any case. */
bool world_open(struct world *w, const struct plan *plan, struct blackbox *log, FILE *trace);
/* Everything is torn down; false: something is left over. */
bool world_close(struct world *w);

/* Does it and tells the model. Whom it is about may be gone: then nothing happens. */
bool world_do(struct world *w, const struct op *op);
/* The whole comparison. */
bool world_check(struct world *w);

/* The elements of an OP_FRAMES; how many. */
#define MOST_ELEMENTS 2u
unsigned frames_elements(const struct plan *plan, const struct op *op,
                         struct pv_iommu_op elements[MOST_ELEMENTS]);

/* ---- Scenario text: print.c
 * ---------------------------------------------------------------------- */

void print_plan(FILE *f, const struct plan *plan);
void print_op(FILE *f, const struct plan *plan, const struct op *op);

/*
 * Closes the world. If that or what was before (`right`) went wrong: prints the log, shortened
 * while it still fails, and returns false.
 */
bool world_finish(struct world *w, bool right);
/* The same for a world that died with the process it was in. */
void report_death(const struct blackbox *box);

/* ---- Exploration
 * ---------------------------------------------------------------------------------- */

struct budget {
    const struct scope *scope;
    unsigned depth, seconds;
    FILE *trace;
};
/* Each returns the number of findings. */
unsigned explore(const struct budget *budget);
unsigned wander(unsigned walks, uint64_t seed, const struct budget *budget);

#endif
