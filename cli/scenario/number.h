/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, PCI addresses and bytes as text. All take untrusted text and answer false for what is
 * wrong. */
#ifndef CLI_SCENARIO_NUMBER_H
#define CLI_SCENARIO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0 to 15, or NO_DIGIT, which is more than any of them. */
#define NO_DIGIT 99
int digit_parse(char c);
/* The first n characters are a number: decimal or 0x, then K, M or G or nothing; *overflow: too
 * big. */
bool number_parse(const char *text, size_t n, uint64_t *out, bool *overflow);
/* [SSSS:]BB:DD.F as segment << 16 | bus << 8 | devfn. */
bool bdf_parse(const char *text, uint32_t *out);
/* Pairs of digits, at least one; `to` has room for strlen / 2. */
bool hex_parse(const char *text, uint8_t *to, size_t *nr);

#endif
