/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver: one submission is a batch of commands and a wait for its own token, bounded in time. */
#include "internal.h"

#define TIMEOUT_NS 1000000000ull

static struct soft_command encode(const struct hw_inv *inv)
{
    static const unsigned kind[] = {
        [HW_INV_DEVICE] = SOFT_COMMAND_DEVICE, [HW_INV_PASID] = SOFT_COMMAND_PASID,
        [HW_INV_SPACE] = SOFT_COMMAND_SPACE,   [HW_INV_RANGE] = SOFT_COMMAND_RANGE,
        [HW_INV_ALL] = SOFT_COMMAND_ALL,
    };

    return (struct soft_command){
        .what = FIELD_PREP(SOFT_COMMAND_KIND, kind[inv->kind]) |
                FIELD_PREP(SOFT_COMMAND_DID, inv->did) | FIELD_PREP(SOFT_COMMAND_RID, inv->rid.n) |
                (inv->leaf_only ? SOFT_COMMAND_LEAF : 0),
        .first = inv->kind == HW_INV_PASID ? inv->pasid : inv->first.n,
        .last = inv->last.n,
    };
}

static void put(struct soft_unit *u, const struct soft_command *command)
{
    const struct sluice_port *port = u->config.port;
    struct soft_command *ring = port_page(port, u->ring);

    ring[u->tail] = *command;
    if (u->config.geo.noncoherent)
        port->writeback(port->host, &ring[u->tail], sizeof(*ring));
    u->tail = (u->tail + 1) % SOFT_COMMANDS;
}

static int wait_for(struct soft_unit *u, uint64_t token)
{
    const struct sluice_port *port = u->config.port;
    const uint64_t *status = port_page(port, u->status_page);
    const uint64_t start = port->now_ns(port->host);

    while (__atomic_load_n(status, __ATOMIC_ACQUIRE) != token) {
        if (port->now_ns(port->host) - start > TIMEOUT_NS)
            return -ETIMEDOUT;
        port->relax(port->host);
        soft_queue_poll(u);
    }
    return 0;
}

static int finish(struct soft_unit *u)
{
    const struct soft_command wait = {.what = FIELD_PREP(SOFT_COMMAND_KIND, SOFT_COMMAND_WAIT),
                                      .token = ++u->token};

    put(u, &wait);
    if (u->config.hangs && u->config.hangs(u->config.port->host))
        u->hung = true;
    return wait_for(u, wait.token);
}

int soft_flush_interrupts(struct soft_unit *u, unsigned first, unsigned last)
{
    const struct soft_command command = {
        .what = FIELD_PREP(SOFT_COMMAND_KIND, SOFT_COMMAND_INTERRUPTS),
        .first = first,
        .last = last,
    };

    put(u, &command);
    return finish(u);
}

static bool drops_entries(const struct hw_inv *inv)
{
    return inv->kind == HW_INV_DEVICE || inv->kind == HW_INV_PASID;
}

int soft_flush(struct hw_unit *unit, const struct hw_inv *inv, unsigned n)
{
    struct soft_unit *u = soft_of(unit);
    const struct soft_command fence = {.what = FIELD_PREP(SOFT_COMMAND_KIND, SOFT_COMMAND_FENCE)};

    CHECK(u->config.port, 2 * n + 2 < SOFT_COMMANDS);
    for (unsigned i = 0; i < n; i++) {
        const struct soft_command command = encode(&inv[i]);

        if (i && drops_entries(&inv[i - 1]) && !drops_entries(&inv[i]))
            put(u, &fence);
        put(u, &command);
    }
    return finish(u);
}
