/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trace that was read, as what is to be played: operations in the order of the file, each with
 * what only the rest of the file tells. A map that is unmapped together with the next ones is one
 * list with them; what is mapped at the end is known.
 */
#ifndef CLI_REPLAY_TRACE_H
#define CLI_REPLAY_TRACE_H

#include "line.h"
#include "live.h"

#include <stdio.h>

#define TRACE_NONE    UINT32_MAX
#define TRACE_OPS     (UINT32_C(1) << 23) /* at the most */
#define TRACE_SPACES  250u
#define TRACE_DEVICES 30u
#define TRACE_ERROR   600

/*
 * A map. Addresses are the traced system's. In a space whose addresses its kernel's allocator gave,
 * ours gives its own, and maps that one unmap ends are mapped together, as the list that they are:
 * `next` leads on, from the first to the last, in order of time and address.
 */
struct trace_map {
    uint64_t iova, size, paddr;
    uint32_t line;
    uint32_t head, next; /* of the list; itself, TRACE_NONE: one alone */
    uint32_t sibling;    /* the head of another list of the same unmap, or TRACE_NONE */
    uint8_t prot;        /* LINE_READ | LINE_WRITE */
    bool fixed;          /* at the traced address */
    bool mmio;           /* no memory: not played */
};

struct trace_unmap {
    uint64_t iova, size;
    uint32_t map; /* the first; of those that are not fixed the head of a list */
};

/* What the traced system's driver submitted. */
struct trace_invalidation {
    uint64_t iova, size; /* of kind p */
    char kind;           /* p, d or g */
    bool leaf_only;
};

enum trace_kind { TRACE_MAP, TRACE_UNMAP, TRACE_INVALIDATE, TRACE_ATTACH, TRACE_END };

#define TRACE_EVERYWHERE UINT16_MAX /* the space of an invalidation: of all, or it is not known */

struct trace_op {
    uint64_t time;
    uint32_t index; /* of maps, unmaps, invalidations or devices */
    uint32_t line;
    uint16_t space;
    uint8_t kind;
    bool left; /* an unmap of what the end of the space ends */
};

/* A domain of the trace, from its first map or device to its end. */
struct trace_space {
    uint32_t number;
    bool attached; /* a device came */
    bool managed;  /* the first that came was in another one before: somebody chooses addresses */
    bool ended;
    unsigned nr_devices; /* that are in it */
    uint32_t id;         /* in the unit, as Linux gives them; 0: none */
    uint64_t highest;    /* byte */
    uint64_t live, peak; /* maps */
    live_tree tree;
};

struct trace_device {
    char name[16];
    uint16_t space; /* where it is */
};

/* What is mapped at the end, by space. */
struct trace_final {
    uint64_t iova, size;
    uint32_t map;
    uint16_t space;
};

/* What the traced system did. */
struct trace_counts {
    uint64_t lines, events;
    uint64_t maps, unmaps, pages_mapped, pages_unmapped;
    uint64_t mmio;                               /* maps that are not played */
    uint64_t lists, lists_maps;                  /* of two maps or more; and their maps */
    uint64_t invalidations, pages, domains, all; /* I, by kind */
    uint64_t drains, freed;                      /* F, R */
    uint64_t attaches, ends, context, interrupt; /* A, X, C, E */
    uint64_t live_maps, live_pages, peak_maps, peak_pages;
};

struct trace {
    struct trace_op *ops;
    uint32_t nr_ops, room_ops;
    struct trace_map *maps;
    uint32_t nr_maps, room_maps;
    struct trace_unmap *unmaps;
    uint32_t nr_unmaps, room_unmaps;
    struct trace_invalidation *invalidations;
    uint32_t nr_invalidations, room_invalidations;
    struct trace_final *finals;
    uint32_t nr_finals, room_finals;
    struct trace_space spaces[TRACE_SPACES];
    uint32_t nr_spaces;
    struct trace_device devices[TRACE_DEVICES];
    uint32_t nr_devices;
    struct trace_counts counts;
    uint64_t latest; /* time */
};

struct progress;

/* false: error, of TRACE_ERROR bytes, says what is wrong and in which line of `name`. */
bool trace_read(struct trace *t, FILE *file, const char *name, struct progress *progress,
                char *error);
void trace_free(struct trace *t);

/* ---- Between the files of trace*.c -------------------------------------------------------------
 */

struct trace_reader {
    struct trace *t;
    struct trace_line line;
    uint32_t number; /* of the line */
    char why[LINE_WHY];
};

/* Always false; why[] has the words. */
bool trace_wrong(struct trace_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool trace_add_op(struct trace_reader *r, enum trace_kind kind, uint32_t space, uint32_t index,
                  bool left);
/* The space that lives under that number. With `make` it begins, if there is none. */
struct trace_space *trace_space(struct trace_reader *r, bool make);
bool trace_map(struct trace_reader *r);
bool trace_unmap(struct trace_reader *r);
bool trace_invalidate(struct trace_reader *r);
bool trace_attach(struct trace_reader *r);
bool trace_end(struct trace_reader *r);
/* The space has no devices any more. */
void trace_leave(struct trace_space *s);
/* At the end of the file. */
void trace_settle(struct trace *t);

#endif
