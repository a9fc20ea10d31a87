/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a machine looks like inside, as `sluice inspect` shows it: first copied out of the machine
 * (inspect_gather.c), then printed as text or as JSON. docs/inspect.md has the fields.
 */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "machines.h"
#include "outcome.h"

#include <stdio.h>

#define INSPECT_FEW 16u /* runs, and faults of a domain, that are shown without --all */

/* ---- The command -------------------------------------------------------------------------------
 */

int command_inspect(int argc, char **argv);

struct inspect_options {
    const struct machine_kind *machine;
    unsigned at; /* play up to and including that line; 0: to the first `break`, or the end */
    bool json;
    bool all;
    bool utf8;
    FILE *out, *err;
    FILE *progress; /* NULL: nobody is watching */
};

/* Plays the text and shows the machine. 0; 1: this machine cannot play it; 2: it is no scenario. */
int inspect_text(const struct inspect_options *options, const char *name, const char *text,
                 size_t size);

/* ---- What is there -----------------------------------------------------------------------------
 */

/* Neighbouring frames with the same rights in leaves of the same size. */
struct inspect_run {
    uint64_t dfn, gfn, nr;
    unsigned attr;
    uint8_t lg2;
    bool region; /* a direct region: gfn is a machine frame, nobody's */
};

struct inspect_context {
    uint16_t no;
    struct sluice_context_info info;
    uint64_t tables;
    uint64_t retired; /* frames that a failed flush left behind, out of reach or not */
    struct inspect_run *run;
    unsigned nr_runs, room; /* kept */
    uint64_t total_runs;
};

struct inspect_fault {
    struct sluice_fault fault;
    struct sluice_explanation why;
};

struct inspect_domain {
    const char *name;
    struct sluice_domain *sluice;
    struct sluice_domain_info info;
    struct sluice_domain_stats stats;
    uint64_t frames, exits;
    struct inspect_context *context;
    unsigned nr_contexts;
    struct inspect_fault *fault;
    unsigned nr_faults, faults_room;
};

struct inspect_device {
    const char *name;
    rid_t rid;
    struct sluice_device *sluice;
    struct sluice_device_info info;
    enum hw_isolation isolation; /* of its interrupts */
    int unit;                    /* index, or negative */
};

/* Frames of a domain that gave them up, or ended; whoever maps them still holds them. */
struct inspect_held {
    uint16_t domid;
    uint64_t gfn, nr;
    uint32_t refs; /* of each */
};

struct inspection {
    struct arena arena;
    const struct scenario *sc;
    const char *machine, *hardware;
    bool utf8;     /* the reader's terminal can draw lines */
    unsigned line; /* the last that was played; 0: none */
    bool ended;    /* there are no more lines */
    unsigned few;  /* how much of long lists is kept */
    struct machine_stats stats;
    struct sluice_unit_info unit[SLUICE_MAX_UNITS];
    unsigned nr_units;
    struct inspect_domain *domain;
    unsigned nr_domains;
    struct inspect_device *device;
    unsigned nr_devices;
    struct inspect_held *held;
    unsigned nr_held, held_room;
};

/* Fills in everything behind `few`. Fault records stay where they are. */
void inspect_gather(struct inspection *in, struct machine *m);
/* The runs of a context. */
void inspect_fold(struct inspection *in, struct machine *m, const struct inspect_domain *d,
                  struct inspect_context *c);
/* Room for one more of `size` bytes behind the `nr` that an array of the arena has. */
void *inspect_grow(struct inspection *in, void *array, unsigned nr, unsigned *room, size_t size);

/* ---- Showing -----------------------------------------------------------------------------------
 */

void inspect_print(const struct inspection *in, FILE *out);
/* Units, domains with their contexts, devices: what a machine is like, without its faults. */
void inspect_print_brief(const struct inspection *in, FILE *out);
void inspect_print_tree(const struct inspection *in, FILE *out);
void inspect_print_json(const struct inspection *in, FILE *out);

/* Is the device in that context? */
bool inspect_is_in(const struct inspect_device *dev, const struct inspect_domain *d,
                   const struct inspect_context *c);
/* Names of domains, or NULL. */
const char *inspect_owner(const struct inspection *in, const struct sluice_domain *d);
/* The device of a record, or NULL: it is gone. */
const struct inspect_device *inspect_device_of(const struct inspection *in,
                                               const struct inspect_fault *f);
const char *inspect_name_of(const struct inspection *in, uint16_t domid);
const char *inspect_region_name(enum sluice_region_type type);
const char *inspect_source_name(enum sluice_region_source source);
/* Nothing keeps the device from any memory. */
bool inspect_is_exposed(const struct inspect_device *dev);
/* Why it is not protected. */
const char *inspect_exposure_words(enum sluice_exposure exposure);
const char *inspect_found_name(enum sluice_found found);
const char *inspect_whereabouts_name(enum sluice_whereabouts device);

void words_bdf(struct words *w, rid_t rid);                 /* 00:05.0, or 0001:00:05.0 */
void words_rights(struct words *w, unsigned attr);          /* rw, r, wc ... */
void words_size(struct words *w, unsigned lg2);             /* 4K */
void words_range(struct words *w, uint64_t n, uint64_t nr); /* 0x900-0x903 */
/* What the unit can do; `between` parts what it walks from how it behaves. */
void words_unit(struct words *w, const struct sluice_unit_info *u, const char *between);
void words_fault(struct words *w, const struct inspection *in, const struct inspect_domain *d,
                 const struct inspect_fault *f);
/* Why the device was stopped just now; `recorded`: a unit has left a record of it. */
void words_blocked(struct words *w, const struct inspection *in, const char *device, bool recorded);

#endif
