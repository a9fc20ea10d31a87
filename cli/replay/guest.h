/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest that a trace is played in: a domain of a machine, its kernel's side of hypercalls, and
 * the ghost model beside them.
 */
#ifndef CLI_REPLAY_GUEST_H
#define CLI_REPLAY_GUEST_H

#include "../../guest/lib/dma.h"
#include "../../host/machine/machine.h"
#include "../../test/model/ghost.h"
#include "../machines.h"

#define GUEST_SUBOPS (IOMMU_read_faults + 1)
#define GUEST_WRONG  600

struct guest_config {
    const struct machine_kind *machine;
    uint64_t bytes;   /* of memory */
    uint64_t list_at; /* FRAMES_BLOCK of it are for arrays of hypercalls */
    unsigned nr_devices;
    unsigned nr_contexts;
};

/* What hypercalls did and cost. */
struct guest_counts {
    uint64_t calls[GUEST_SUBOPS], hypercalls;
    uint64_t submissions; /* to the unit, in hypercalls */
    uint64_t ghost_ns;    /* spent on the model: no cost of the guest's */
    uint64_t exits;       /* accesses to registers of its emulated unit */
    uint64_t synced;      /* pages of its tables that the unit looked at */
};

struct guest {
    struct machine_config config;
    struct machine_slot *slots;
    struct machine *m;
    struct machine_domain *d;
    struct machine_device **devices;
    struct ghost *ghost;
    struct features features;
    struct dma_host host;
    uint64_t now; /* microseconds: the trace's */
    uint64_t list_at;
    struct guest_counts counts;
    char wrong[GUEST_WRONG]; /* what the ghost model, or a check, first found; or "" */
};

/* 0, or why it cannot be: error (of GUEST_WRONG bytes) has the words. */
int guest_open(struct guest *g, const struct guest_config *config, char *error);
/* Frames and objects that leaked. */
unsigned guest_close(struct guest *g);
/* Devices and the domain go; the model is told. */
void guest_end(struct guest *g);

/* The first thing that is wrong stays. */
void guest_wrong(struct guest *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the model answered. */
void guest_told(struct guest *g, bool right);
/* The whole comparison; then caches remember what they can. */
void guest_check(struct guest *g);

/* Its devices are behind an emulated VT-d with these SLUICE_VIOMMU_* from now on. */
int guest_viommu(struct guest *g, uint64_t capabilities);

/* DMA of a device, of which the model is told. */
int guest_dma(struct guest *g, unsigned device, uint64_t address, void *data, size_t size,
              bool write);

struct physdev_pci_device guest_device(unsigned device);
uint64_t guest_ns(void);

/* calls.c: what a kernel supplies to the DMA layer, and asks first. */
void guest_calls_init(struct guest *g);
int guest_discover(struct guest *g);

#endif
