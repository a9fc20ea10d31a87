/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of a trace. docs/replay.md has the format. */
#ifndef CLI_REPLAY_LINE_H
#define CLI_REPLAY_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_PAGE     UINT64_C(4096)
#define LINE_ADDRESS  48u /* bits of a device address, at the most */
#define LINE_NO_SPACE UINT32_MAX
#define LINE_WHY      200

/* Bits of prot. */
#define LINE_READ  1u
#define LINE_WRITE 2u
#define LINE_MMIO  0x10u

struct trace_line {
    char op; /* as in the text; 0: a comment, or nothing */
    uint64_t time;
    uint32_t domain; /* LINE_NO_SPACE: none */
    uint64_t iova, size, paddr;
    uint32_t prot;
    char kind;       /* of I: p, d or g */
    bool leaf_only;  /* of I: ph */
    uint32_t id;     /* of I: the domain's id in the unit; LINE_NO_SPACE: not said */
    char device[16]; /* of A */
};

/* false: why, of LINE_WHY bytes, says what was expected. */
bool line_parse(const char *text, struct trace_line *out, char *why);

#endif
