/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace as lines: a file of text, or of text compressed with xz, whatever it is called. */
#ifndef CLI_REPLAY_INPUT_H
#define CLI_REPLAY_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define INPUT_LINE 1024u /* bytes of a line, at the most */

struct input;

/* `file` stays the caller's. NULL: no memory. */
struct input *input_open(FILE *file);
void input_close(struct input *in);

enum input_got { INPUT_GOT_LINE, INPUT_GOT_END, INPUT_GOT_ERROR };
/* The next line, without its end, until the next call. Of an error *text says what is wrong. */
enum input_got input_next(struct input *in, const char **text);

#endif
