/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls for benches: what fails ends the program. */
#ifndef SLUICE_BENCH_CALLS_H
#define SLUICE_BENCH_CALLS_H

#include "../host/machine/machine.h"

/* Pages begin at these frames. */
#define CALLS_GFN 0x1000u
#define CALLS_DFN 0x100000u

/* A context of a domain, and how many pages a call is about. */
struct range {
    struct machine_domain *d;
    uint16_t ctx_no;
    uint32_t nr_pages;
};

void must(long status);
void call(struct machine_domain *d, int subop, void *arg, size_t size);
uint16_t new_context(struct machine_domain *d);
uint16_t new_deferred(struct machine_domain *d);
void map(const struct range *r, uint64_t at);
/* A list of the same number of frames, not in order, in the argument page; and mapping it. */
#define LIST_PAGES 256u
void put_list(const struct range *r, uint64_t at);
void map_list(const struct range *r, uint64_t at);
void unmap(const struct range *r, uint64_t at);
/* The device of the domain goes to the context. */
void attach(const struct range *r, uint8_t devfn);

uint64_t submissions(const struct machine *m);

#endif
