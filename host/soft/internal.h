/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the software machine. */
#ifndef HOST_SOFT_INTERNAL_H
#define HOST_SOFT_INTERNAL_H

#include "../../iommu/hw/absent/absent.h"
#include "../../iommu/hw/soft/soft.h"
#include "machine.h"

#include <pthread.h>

#define NAME_SIZE  32u
#define ERROR_SIZE 160u

/* RAM, and which frames of it are free. */
struct ram {
    char *base;
    char *view; /* what a walker that does not snoop sees; base, if it does */
    uint64_t size, nr;
    uint8_t *used; /* by frame */
    uint32_t *stack;
    uint64_t depth, capacity; /* a frame may be on the stack and used: it is skipped then */
    uint64_t nr_used;
    pthread_mutex_t lock;
};

struct machine_domain {
    struct machine *m;
    struct machine_domain *next;
    char name[NAME_SIZE];
    uint16_t domid;
    bool hardware;
    bool direct_mapped;
    char (*controls)[NAME_SIZE];
    unsigned nr_controls;
    struct sluice_domain *sluice;
    char arg[FRAME_SIZE]; /* the page at MACHINE_ARG */
};

struct machine_device {
    struct machine *m;
    struct machine_device *next;
    char name[NAME_SIZE];
    enum machine_device_kind kind;
    rid_t rids[8];
    unsigned nr_rids;
    struct soft_unit *unit; /* NULL: its addresses are machine addresses */
    struct sluice_device *sluice;
    struct machine_domain *owner; /* of one that no unit protects */
    char *disk;
    size_t disk_size;
};

struct machine {
    struct sluice_port port;
    struct machine_config config;
    struct ram ram;
    struct sluice *sluice;
    struct soft_unit *units;
    struct hw_unit absent;
    struct machine_domain *domains;
    struct machine_device *devices;
    char error[ERROR_SIZE];
    unsigned fail_alloc, fail_flush;
    bool failed;
    unsigned preempt_every, preempt_count;
    uint64_t clock;
    _Atomic uint64_t allocs, frees, exits, lost;
};

/* Says what is wrong, and returns err. */
int machine_fail(struct machine *m, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* port.c */
void port_init(struct machine *m);

/* ram.c */
int ram_init(struct ram *ram, uint64_t size, bool noncoherent, uint64_t seed);
void ram_fini(struct ram *ram);
int ram_alloc(struct ram *ram, mfn_t *out);                  /* any frame; zeroed. -ENOMEM */
int ram_alloc_run(struct ram *ram, uint64_t nr, mfn_t *out); /* neighbours. -ENOMEM */
int ram_take(struct ram *ram, mfn_t frame);                  /* this one. -EBUSY, -EINVAL */
void ram_free(struct ram *ram, mfn_t frame);
void *ram_at(const struct ram *ram, uint64_t maddr);

#endif
