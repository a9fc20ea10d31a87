/* SPDX-License-Identifier: BSD-2-Clause */
/* Records: which are free, which are to be unmapped, and finding one by page or by bus frame. */
#ifndef GUEST_FRAME_RECORD_H
#define GUEST_FRAME_RECORD_H

#include <stddef.h>

#include "frame_service.h"

#define FRAME_NONE UINT32_MAX

enum frame_state {
    FRAME_FREE,
    FRAME_CLAIMED, /* the operating system's */
    FRAME_ASKED,   /* in the batch */
    FRAME_MAPPED,
    FRAME_INVALID, /* mapped, but its guest gave it up: not for new users */
    FRAME_OWED,    /* without users, to be unmapped */
    FRAME_BAD,     /* the bus frame is somebody else's */
};

void frame_records_init(struct frame_service *s, uint64_t first);

/* Takes a free one out, the lowest that was never used first; FRAME_NONE. */
uint32_t frame_record_take(struct frame_service *s, enum frame_state state);
void frame_record_free(struct frame_service *s, uint32_t i);
/* For good, if it stands for a bus frame. */
void frame_record_spoil(struct frame_service *s, uint32_t i);

/* Can be found from now on: by page until it is invalid, by bus frame once there is one. */
void frame_record_enter_page(struct frame_service *s, uint32_t i);
void frame_record_enter_bfn(struct frame_service *s, uint32_t i);
void frame_record_leave_page(struct frame_service *s, uint32_t i);
void frame_record_leave_bfn(struct frame_service *s, uint32_t i);

/* FRAME_NONE: the client has no such mapping. */
uint32_t frame_find_page(const struct frame_service *s, const struct frame_client *c, uint64_t gfn,
                         unsigned flags);
uint32_t frame_find_bfn(const struct frame_service *s, const struct frame_client *c, uint64_t bfn);

/* A mapped one is without users from now on. */
void frame_record_owe(struct frame_service *s, uint32_t i);

/* frame_unmap.c: unmaps what is owed. */
int frame_settle(struct frame_service *s);
/* frame_service.c: runs the batch; an element that was not run has the call's error as status. */
#define FRAME_NOT_RUN 1
long frame_run(struct frame_service *s);

/* frame_invalidate.c: handles the requests that wait; what is done with becomes owed. */
int frame_listen(struct frame_client *c);

#endif
