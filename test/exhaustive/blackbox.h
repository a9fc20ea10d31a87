/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was being done when the machine died: worlds run in a child process, and keep their log in
 * memory that the parent sees too.
 */
#ifndef TEST_EXHAUSTIVE_BLACKBOX_H
#define TEST_EXHAUSTIVE_BLACKBOX_H

#include "world.h"

#define BLACKBOX_OPS 16384u

struct blackbox {
    struct plan plan;
    size_t nr; /* operations begun in the world that is open */
    bool finished;
    unsigned result;
    char error[600];
    struct op op[BLACKBOX_OPS];
};

/* Shared with children that are forked later. Never NULL. */
struct blackbox *blackbox_create(void);
void blackbox_destroy(struct blackbox *box);

/*
 * Runs it in a child: true, and box->result is what it returned; or false: it died, and box->error
 * says of what. Taking longer than `seconds` is dying too; 0: no limit.
 */
bool blackbox_run(struct blackbox *box, unsigned (*run)(void *arg), void *arg, unsigned seconds);

#endif
