/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which memory the guest needs: blocks of 2 MiB that the trace names, packed from frame 0 on in
 * their order. So a trace of a large machine plays on a small one, and what lay side by side does.
 */
#ifndef CLI_REPLAY_FRAMES_H
#define CLI_REPLAY_FRAMES_H

#include "trace.h"

#define FRAMES_BLOCK (UINT64_C(2) << 20)
#define FRAMES_MOST  (UINT64_C(16) << 30) /* bytes of memory */

/* Where interrupts are written to, and registers are, there is no memory: whole blocks. */
#define FRAMES_HOLE     UINT64_C(0xfec00000)
#define FRAMES_HOLE_END UINT64_C(0xff000000)

struct frames_run {
    uint64_t first, last; /* blocks of the traced system */
    uint64_t at;          /* where the first one is here */
};

struct frames_map {
    struct frames_run *runs; /* sorted */
    size_t nr;
    uint64_t spare; /* address of one more block, behind them */
    uint64_t more;  /* and of what frames_more() added */
    uint64_t bytes; /* of memory, all that and holes included */
};

/* false: the trace names too much memory. */
bool frames_map(const struct trace *t, struct frames_map *out, char *error);
/* The guest gets so many bytes in one piece behind all others. */
void frames_more(struct frames_map *f, uint64_t bytes);
void frames_free(struct frames_map *f);
/* The guest frame of an address that the trace maps. */
uint64_t frames_gfn(const struct frames_map *f, uint64_t paddr);

#endif
