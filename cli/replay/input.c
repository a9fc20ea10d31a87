/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of the file, decoded if they are xz, cut into lines. Never more than a buffer is held. */
#include "input.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER      65536u
#define XZ_MEMLIMIT (UINT64_C(256) << 20)

static const uint8_t xz_magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};

struct input {
    FILE *file;
    bool begun, xz, ended; /* ended: there is nothing behind what is in `text` */
    lzma_stream lzma;
    uint8_t raw[BUFFER];
    char text[BUFFER];
    size_t at, end; /* of text */
    char line[INPUT_LINE + 1];
    char why[128];
};

struct input *input_open(FILE *file)
{
    struct input *in = calloc(1, sizeof(*in));

    if (in)
        in->file = file;
    return in;
}

void input_close(struct input *in)
{
    if (!in)
        return;
    lzma_end(&in->lzma);
    free(in);
}

static bool fail(struct input *in, const char *why)
{
    snprintf(in->why, sizeof(in->why), "%s", why);
    return false;
}

static bool read_raw(struct input *in, uint8_t *to, size_t room, size_t *nr)
{
    *nr = fread(to, 1, room, in->file);
    return !ferror(in->file) || fail(in, strerror(errno));
}

static const char *xz_error(lzma_ret ret)
{
    switch (ret) {
    case LZMA_MEM_ERROR:
        return "xz: no memory";
    case LZMA_MEMLIMIT_ERROR:
        return "xz: needs more than 256 MiB to decompress";
    case LZMA_OPTIONS_ERROR:
        return "xz: made with options that are not supported";
    case LZMA_BUF_ERROR:
        return "xz: ends in the middle";
    default:
        return "xz: the data are damaged";
    }
}

/* The first bytes tell what it is; they are the first of the input. */
static bool begin(struct input *in)
{
    size_t nr;

    in->begun = true;
    if (!read_raw(in, in->raw, sizeof(in->raw), &nr))
        return false;
    in->xz = nr >= sizeof(xz_magic) && !memcmp(in->raw, xz_magic, sizeof(xz_magic));
    if (in->xz) {
        in->lzma = (lzma_stream)LZMA_STREAM_INIT;
        in->lzma.next_in = in->raw;
        in->lzma.avail_in = nr;
        if (lzma_stream_decoder(&in->lzma, XZ_MEMLIMIT, LZMA_CONCATENATED))
            return fail(in, xz_error(LZMA_MEM_ERROR));
        return true;
    }
    memcpy(in->text, in->raw, nr);
    in->end = nr;
    return true;
}

static bool fill_text(struct input *in)
{
    if (!read_raw(in, (uint8_t *)in->text, sizeof(in->text), &in->end))
        return false;
    in->ended = !in->end;
    return true;
}

static bool fill_xz(struct input *in)
{
    lzma_ret ret = LZMA_OK;

    in->lzma.next_out = (uint8_t *)in->text;
    in->lzma.avail_out = sizeof(in->text);
    while (ret == LZMA_OK && in->lzma.avail_out) {
        size_t nr = in->lzma.avail_in;

        if (!nr && !read_raw(in, in->raw, sizeof(in->raw), &nr))
            return false;
        if (!in->lzma.avail_in)
            in->lzma.next_in = in->raw;
        in->lzma.avail_in = nr;
        ret = lzma_code(&in->lzma, nr ? LZMA_RUN : LZMA_FINISH);
    }
    if (ret != LZMA_OK && ret != LZMA_STREAM_END)
        return fail(in, xz_error(ret));
    in->end = sizeof(in->text) - in->lzma.avail_out;
    in->ended = ret == LZMA_STREAM_END;
    return true;
}

/* More text; in->ended: there is none. */
static bool fill(struct input *in)
{
    in->at = 0;
    in->end = 0;
    if (!in->begun && !begin(in))
        return false;
    if (in->end || in->ended)
        return true;
    return in->xz ? fill_xz(in) : fill_text(in);
}

/* Moves what there is of the line; true with *done: its end was seen. */
static bool take(struct input *in, size_t *nr, bool *done)
{
    const char *end = memchr(in->text + in->at, '\n', in->end - in->at);
    const size_t n = end ? (size_t)(end - (in->text + in->at)) : in->end - in->at;

    if (n > INPUT_LINE - *nr)
        return fail(in, "the line has more than 1024 bytes");
    memcpy(in->line + *nr, in->text + in->at, n);
    *nr += n;
    in->at += n + (end ? 1 : 0);
    *done = end;
    return true;
}

enum input_got input_next(struct input *in, const char **text)
{
    bool done = false;
    size_t nr = 0;

    *text = in->why;
    while (!done) {
        if (in->at == in->end) {
            if (!in->ended && !fill(in))
                return INPUT_GOT_ERROR;
            if (in->at == in->end && in->ended)
                break;
        }
        if (!take(in, &nr, &done))
            return INPUT_GOT_ERROR;
    }
    if (!done && !nr)
        return INPUT_GOT_END;
    in->line[nr] = 0;
    if (strlen(in->line) != nr) {
        fail(in, "the line has a byte 0: this is no text");
        return INPUT_GOT_ERROR;
    }
    *text = in->line;
    return INPUT_GOT_LINE;
}
