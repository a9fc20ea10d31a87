/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of a scenario, in groups. A group is a table of rows {name, fields, function}; a new
 * verb is a new row. Tables end with a row without a name.
 */
#ifndef CLI_SCENARIO_VERBS_VERBS_H
#define CLI_SCENARIO_VERBS_VERBS_H

#include "../../player.h"

extern const struct sc_verb setup_verbs[];     /* machine, require, domain, destroy */
extern const struct sc_verb device_verbs[];    /* device, assign, unassign */
extern const struct sc_verb hypercall_verbs[]; /* the sub-ops of the contexts ABI, and raw */
extern const struct sc_verb frames_verbs[];    /* those of the frames ABI */
extern const struct sc_verb feature_verbs[];   /* what a domain is told about its memory */
extern const struct sc_verb ioreq_verbs[];     /* emulators */
extern const struct sc_verb memory_verbs[];    /* a guest's processor */
extern const struct sc_verb dma_verbs[];       /* devices */
extern const struct sc_verb doorbell_verbs[];  /* messages for them */
extern const struct sc_verb host_verbs[];      /* memory management, faults, failures */
extern const struct sc_verb look_verbs[];      /* looking inside */
extern const struct sc_verb vtd_verbs[];       /* a guest's accesses to its emulated VT-d */

/* All groups; ends with NULL. */
extern const struct sc_verb *const verb_groups[];

/* "read" and "write" as the `access` of a DMA. */
extern const struct sc_word access_words[];

/* The hypercall row with that number, or NULL. */
const struct sc_verb *verb_of_subop(int subop);
/* How a verb is written, from its table: for help. */
void verb_print(const struct sc_verb *verb, struct words *w);

/* What `machine` and the devices' direct regions say about the machine. */
void setup_config(const struct scenario *sc, const struct machine_kind *machine,
                  struct machine_config *config);
void setup_config_free(struct machine_config *config);

/* The requester ids of a device line, at most 8: itself and its aliases. False: there are more. */
bool device_rids(const struct sc_call *call, rid_t *rids, unsigned *nr);

/*
 * The domain gets an emulated VT-d, if it is to have one: its line says viommu=vtd, or nothing and
 * this is the first line about it. A status.
 */
long viommu_give(struct player *p, struct machine_domain *d);
/* What the domain's line says of it. */
enum viommu_said { VIOMMU_NOT_SAID, VIOMMU_NONE, VIOMMU_VTD };
enum viommu_said viommu_said(const struct sc_call *domain);
extern const struct sc_word viommu_words[], viommu_caps_words[];

/* Is the device an emulator, which no machine has to have? */
bool is_emulated(const struct sc_call *device);

/* The pattern that a line writes: bytes=, u64=, or fill=. NULL with *out filled in. Freed by
 * free(). */
uint8_t *data_of_line(struct player *p, const struct sc_line *line, size_t *size,
                      struct outcome *out);
/* How many bytes a line is about: len=, or as many as it gives or expects. False with *out filled
 * in. */
bool size_of_line(struct player *p, const struct sc_line *line, size_t *size, struct outcome *out);

#endif
