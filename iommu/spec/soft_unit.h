/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software unit's in-memory layouts. It is built like VT-d, so that what it demands of core is
 * what hardware demands: a root table by bus, context tables by devfn, a ring of invalidation
 * commands, and a wait command that writes a status word.
 */
#ifndef SLUICE_SPEC_SOFT_UNIT_H
#define SLUICE_SPEC_SOFT_UNIT_H

#include "../port/types.h"

/* Root table: 256 words, one for each bus. */
#define SOFT_ROOT_PRESENT BIT64(0)
#define SOFT_ROOT_TABLE   MASK64(51, 12)

/* Context table: 256 entries of two words, one for each devfn. */
struct soft_context_entry {
    uint64_t lo, hi;
};
_Static_assert(sizeof(struct soft_context_entry) == 16, "a context entry has 16 bytes");
#define SOFT_CONTEXT_PRESENT BIT64(0)
#define SOFT_CONTEXT_ROOT    MASK64(51, 12)
#define SOFT_CONTEXT_LEVELS  MASK64(2, 0)  /* hi */
#define SOFT_CONTEXT_DID     MASK64(23, 8) /* hi */

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
#define SOFT_COMMAND_DEVICE     1u
#define SOFT_COMMAND_SPACE      2u
#define SOFT_COMMAND_RANGE      3u
#define SOFT_COMMAND_ALL        4u /* but for interrupts */
#define SOFT_COMMAND_INTERRUPTS 5u /* first..last of the remapping table */
#define SOFT_COMMAND_WAIT       6u
#define SOFT_COMMAND_FENCE      7u /* what is before it is done before what is behind it */

#endif
