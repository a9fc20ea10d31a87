/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reader's terminal can do. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

/* Its locale, once main() has set it, can draw lines. */
bool terminal_utf8(void);
/* Standard output is one, and colours are wanted. */
bool terminal_colour(void);
/* Standard error is one: progress is seen. */
bool terminal_progress(void);

#endif
