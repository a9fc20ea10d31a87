/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain of the trace as a space of the DMA layer, with the memory that this wants. */
#ifndef CLI_REPLAY_SPACE_H
#define CLI_REPLAY_SPACE_H

#include "guest.h"
#include "trace.h"

/* A flush after so many unmaps or microseconds, as Linux has it, or pages. */
#define SPACE_QUEUE       256u
#define SPACE_QUEUE_US    10000u
#define SPACE_QUEUE_PAGES 65536u

/* What stays mapped: so many pages at the most. */
#define SPACE_STANDING (UINT64_C(1) << 18)

struct space_range {
    uint64_t first, last;
};

struct replay_space {
    struct dma_space dma;
    struct dma_device device; /* the first that came, for whom buffers are mapped */
    bool open, has_device;
    /* Ranges of fixed addresses that were unmapped since the last flush. */
    struct space_range unmapped[SPACE_QUEUE];
    uint32_t nr_unmapped;
    /* Memory of the DMA layer. */
    struct iova_host iova_host;
    struct iova_space iova;
    struct iova_config iova_config;
    struct dma_space_config config;
};

struct space_setup {
    struct guest *guest;
    const struct trace_space *trace;
    enum dma_policy policy;
    bool standing;
    unsigned order; /* of the blocks that stand */
};

int replay_space_open(struct replay_space *s, const struct space_setup *setup);
/* Nothing is mapped and no device is in it. */
int replay_space_end(struct replay_space *s);
void replay_space_free(struct replay_space *s);

/* Addresses that the allocator is not to give. */
int replay_space_reserve(struct replay_space *s, uint64_t iova, uint64_t size);

/* As dma_map_at and dma_unmap_at; where it has to be, the map is after a flush. */
int replay_space_map_at(struct replay_space *s, uint64_t iova, uint64_t gfn, uint64_t size,
                        unsigned prot);
int replay_space_unmap_at(struct replay_space *s, uint64_t iova, uint64_t size);

enum dma_direction replay_space_direction(unsigned prot);

#endif
