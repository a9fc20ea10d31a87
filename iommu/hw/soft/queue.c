/* SPDX-License-Identifier: BSD-2-Clause */
/* Device: commands, executed when the unit feels like it and in any order up to the wait. */
#include "internal.h"

static struct soft_command fetch(const struct soft_unit *u, unsigned index)
{
    const unsigned at = index * (unsigned)sizeof(struct soft_command);

    return (struct soft_command){
        .what = soft_read(u, u->ring, at),
        .first = soft_read(u, u->ring, at + 8),
        .last = soft_read(u, u->ring, at + 16),
        .token = soft_read(u, u->ring, at + 24),
    };
}

static void execute(struct soft_unit *u, const struct soft_command *c)
{
    const uint16_t did = (uint16_t)FIELD_GET(SOFT_COMMAND_DID, c->what);
    const rid_t rid = {(uint32_t)FIELD_GET(SOFT_COMMAND_RID, c->what)};

    switch (FIELD_GET(SOFT_COMMAND_KIND, c->what)) {
    case SOFT_COMMAND_DEVICE:
        soft_drop_device(u, rid);
        break;
    case SOFT_COMMAND_PASID:
        soft_drop_pasid(u, rid, (uint32_t)c->first);
        break;
    case SOFT_COMMAND_SPACE:
        soft_drop_space(u, did);
        break;
    case SOFT_COMMAND_RANGE:
        soft_drop_range(u, did, c->first, c->last, c->what & SOFT_COMMAND_LEAF);
        break;
    case SOFT_COMMAND_ALL:
        soft_drop_all(u);
        break;
    case SOFT_COMMAND_INTERRUPTS:
        soft_drop_interrupts(u, c->first, c->last);
        break;
    }
}

/*
 * nr commands between fences: begun anywhere, since their order is nobody's to rely on, and with
 * DMA going on between one and the next.
 */
static void execute_some(struct soft_unit *u, unsigned first, unsigned nr)
{
    const unsigned start = nr ? (unsigned)(soft_mood(u) % nr) : 0;

    for (unsigned i = 0; i < nr; i++) {
        const struct soft_command c = fetch(u, (first + (start + i) % nr) % SOFT_COMMANDS);

        soft_hold(u);
        execute(u, &c);
        soft_let_go(u);
    }
}

static void complete(struct soft_unit *u, uint64_t token)
{
    uint64_t *status = port_page(u->config.port, u->status_page);

    __atomic_store_n(status, token, __ATOMIC_RELEASE);
}

/* Up to the next fence or wait, with it. */
static void execute_batch(struct soft_unit *u)
{
    struct soft_command c;
    unsigned nr = 0;

    for (;; nr++) {
        c = fetch(u, (u->head + nr) % SOFT_COMMANDS);
        if (FIELD_GET(SOFT_COMMAND_KIND, c.what) >= SOFT_COMMAND_WAIT)
            break;
    }
    execute_some(u, u->head, nr);
    u->head = (u->head + nr + 1) % SOFT_COMMANDS;
    if (FIELD_GET(SOFT_COMMAND_KIND, c.what) == SOFT_COMMAND_WAIT)
        complete(u, c.token);
}

void soft_queue_poll(struct soft_unit *u)
{
    if (u->hung || u->head == u->tail)
        return;
    if (u->late) {
        u->late--;
        return;
    }
    while (u->head != u->tail)
        execute_batch(u);
    u->late = u->config.cache_lg2 ? soft_mood(u) % 4 : 0;
}
