/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software unit's in-memory layouts. It is built like VT-d, so that what it demands of core is
 * what hardware demands: a root table by bus, context tables by devfn, a directory and tables of
 * PASIDs for each device, a ring of invalidation commands, and a wait command that writes a status
 * word.
 */
#ifndef SLUICE_SPEC_SOFT_UNIT_H
#define SLUICE_SPEC_SOFT_UNIT_H

#include "../port/types.h"

/* Words that lead to a table: the root table's 256, a context entry's first, a directory's 512. */
#define SOFT_TABLE_PRESENT BIT64(0)
#define SOFT_TABLE_ADDRESS MASK64(51, 12)

/* Context table: 256 entries, one for each devfn. */
struct soft_context_entry {
    uint64_t directory; /* of its PASIDs */
    uint64_t reserved;
};
_Static_assert(sizeof(struct soft_context_entry) == 16, "a context entry has 16 bytes");

/* PASID table: 128 entries. Requests without a PASID use entry 0. */
struct soft_pasid_entry {
    uint64_t word[4];
};
_Static_assert(sizeof(struct soft_pasid_entry) == 32, "a PASID entry has 32 bytes");
#define SOFT_PASIDS             (FRAME_SIZE / sizeof(struct soft_pasid_entry))
#define SOFT_DIRECTORY          (FRAME_SIZE / sizeof(uint64_t))
#define SOFT_MAX_PASID          (SOFT_PASIDS * SOFT_DIRECTORY - 1)
#define SOFT_PASID_PRESENT      BIT64(0)
#define SOFT_PASID_ROOT         MASK64(51, 12) /* of the second stage */
#define SOFT_PASID_LEVELS       MASK64(2, 0)   /* 1: of the second stage */
#define SOFT_PASID_DID          MASK64(23, 8)  /* 1 */
#define SOFT_PASID_FIRST        BIT64(0) /* 2: there is a first stage; the rest describes it */
#define SOFT_PASID_FIRST_ROOT   MASK64(63, 12) /* 2: an address that the second stage translates */
#define SOFT_PASID_FORMAT       MASK64(3, 0)   /* 3: enum pt_format_id */
#define SOFT_PASID_FIRST_LEVELS MASK64(6, 4)   /* 3 */
#define SOFT_PASID_WIDTH        MASK64(14, 8)  /* 3: address bits */
#define SOFT_PASID_SIZES        MASK64(63, 16) /* 3: bit k: it has leaves of 1 << (12 + k) bytes */

/*
 * Interrupt remapping table: one page. Messages are those of x86 (spec/x86_msi.h).
 */
struct soft_interrupt_entry {
    uint64_t lo, hi;
};
_Static_assert(sizeof(struct soft_interrupt_entry) == 16, "an interrupt entry has 16 bytes");
#define SOFT_INTERRUPTS            (FRAME_SIZE / sizeof(struct soft_interrupt_entry))
#define SOFT_INTERRUPT_PRESENT     BIT64(0)
#define SOFT_INTERRUPT_LOGICAL     BIT64(1)
#define SOFT_INTERRUPT_LEVEL       BIT64(2)
#define SOFT_INTERRUPT_DELIVERY    MASK64(6, 4)
#define SOFT_INTERRUPT_VECTOR      MASK64(15, 8)
#define SOFT_INTERRUPT_DESTINATION MASK64(63, 32)
#define SOFT_INTERRUPT_SOURCE      MASK64(31, 0) /* hi: the requester that may use it */

/* Commands. One ring of one page. */
struct soft_command {
    uint64_t what; /* SOFT_COMMAND_* and its fields */
    uint64_t first, last;
    uint64_t token; /* wait: the value to write to the status word */
};
_Static_assert(sizeof(struct soft_command) == 32, "a command has 32 bytes");
#define SOFT_COMMANDS           (FRAME_SIZE / sizeof(struct soft_command))
#define SOFT_COMMAND_KIND       MASK64(3, 0)
#define SOFT_COMMAND_LEAF       BIT64(4) /* table pointers stay valid */
#define SOFT_COMMAND_DID        MASK64(31, 16)
#define SOFT_COMMAND_RID        MASK64(63, 32)
#define SOFT_COMMAND_DEVICE     1u /* the requester, and all its PASIDs */
#define SOFT_COMMAND_SPACE      2u
#define SOFT_COMMAND_RANGE      3u
#define SOFT_COMMAND_ALL        4u /* but for interrupts */
#define SOFT_COMMAND_INTERRUPTS 5u /* first..last of the remapping table */
#define SOFT_COMMAND_PASID      6u /* of the requester; which one is in `first` */
#define SOFT_COMMAND_WAIT       7u
#define SOFT_COMMAND_FENCE      8u /* what is before it is done before what is behind it */

#endif
