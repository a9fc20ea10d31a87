/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O request servers. */
#include "ioreq.h"

#include "../abi/frames.h"
#include "../abi/ioreq.h"

#define SIZE_8 3u /* of a value: two slots */

struct ioreq_server {
    struct ioreq_server *next; /* of the target */
    struct domain *emulator, *target;
    uint16_t id;
    bool waits; /* a synchronous request does */
    uint64_t bfn;
    struct buffered_iopage *ring;
    uint32_t nr_slots;
    uint32_t written; /* write_pointer: what the emulator makes of its copy is its own affair */
    void *cookie;
};

static bool concerns(const struct ioreq_server *server, const struct domain *emulator, uint16_t id)
{
    return server->emulator == emulator && (id == IOSERVID_any || server->id == id);
}

bool ioreq_exists(struct m2b_locked l, const struct domain *target, const struct domain *emulator,
                  uint16_t id)
{
    (void)l;
    if (id == IOSERVID_any)
        return true;
    for (const struct ioreq_server *o = target->servers; o; o = o->next)
        if (concerns(o, emulator, id))
            return true;
    return false;
}

static uint32_t slots_of(uint64_t bfn)
{
    return bfn >> 32 ? 2 : 1;
}

/* A read_pointer that makes no sense leaves no room. */
static bool ring_has_room(const struct ioreq_server *server, uint64_t bfn)
{
    const uint32_t read = __atomic_load_n(&server->ring->read_pointer, __ATOMIC_ACQUIRE);
    const uint32_t used = server->written - read;

    return used <= server->nr_slots && server->nr_slots - used >= slots_of(bfn);
}

static bool has_room(const struct ioreq_server *server, uint64_t bfn)
{
    return !server->waits || ring_has_room(server, bfn);
}

bool ioreq_room(struct m2b_locked l, struct domain *target, const struct domain *emulator,
                uint16_t id, uint64_t bfn)
{
    const struct sluice_port *port = l.m->port;
    bool room = true;

    for (const struct ioreq_server *o = target->servers; o; o = o->next) {
        if (!concerns(o, emulator, id) || has_room(o, bfn))
            continue;
        port->ioreq(port->host, o->cookie);
        room = false;
    }
    return room;
}

static void put_slot(struct ioreq_server *server, uint32_t data, unsigned size)
{
    server->ring->buf_ioreq[server->written % server->nr_slots] =
        (struct buf_ioreq){.type = IOREQ_TYPE_SLUICE_INVALIDATE, .size = size & 3, .data = data};
    server->written++;
}

typedef uint64_t __attribute__((__may_alias__)) both_pointers;
_Static_assert(offsetof(struct buffered_iopage, write_pointer) == 4, "they are side by side");

/*
 * Keeps the pointers small, as Xen does: where they wrapped at 1 << 32, neighbouring counts would
 * not be neighbouring slots. Both go down together, or the emulator was faster and it is tried next
 * time.
 */
static void wrap_pointers(struct ioreq_server *server)
{
    const uint32_t n = server->nr_slots;
    both_pointers *both = (both_pointers *)(void *)server->ring;
    uint64_t old = __atomic_load_n(both, __ATOMIC_RELAXED), new;
    uint32_t pointer[2]; /* read, write */

    memcpy(pointer, &old, sizeof(pointer));
    if (pointer[0] < n || pointer[1] != server->written || server->written - pointer[0] > n)
        return;
    pointer[1] -= pointer[0] - pointer[0] % n;
    pointer[0] %= n;
    memcpy(&new, pointer, sizeof(new));
    if (__atomic_compare_exchange_n(both, &old, new, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        server->written = pointer[1];
}

static void send(struct ioreq_server *server, uint64_t bfn)
{
    const struct sluice_port *port = server->target->s->port;

    if (ring_has_room(server, bfn)) {
        put_slot(server, (uint32_t)bfn, slots_of(bfn) == 2 ? SIZE_8 : 2);
        if (slots_of(bfn) == 2)
            put_slot(server, (uint32_t)(bfn >> 32), SIZE_8);
        __atomic_store_n(&server->ring->write_pointer, server->written, __ATOMIC_RELEASE);
        wrap_pointers(server);
        return;
    }
    if (server->waits)
        return;
    server->waits = true;
    server->bfn = bfn;
    port->ioreq(port->host, server->cookie);
}

void ioreq_send(struct m2b_locked l, struct domain *target, const struct domain *emulator,
                uint16_t id, uint64_t bfn)
{
    (void)l;
    for (struct ioreq_server *o = target->servers; o; o = o->next)
        if (concerns(o, emulator, id))
            send(o, bfn);
}

static int enlist(struct m2b_locked l, struct ioreq_server *server)
{
    (void)l;
    for (const struct ioreq_server *o = server->target->servers; o; o = o->next)
        if (o->id == server->id)
            return -EEXIST;
    server->next = server->target->servers;
    server->target->servers = server;
    return 0;
}

int sluice_ioreq_create(const struct sluice_ioreq_config *config, struct sluice_ioreq_server **out)
{
    struct domain *target = domain_of(config->target);
    const struct sluice_port *port = target->s->port;
    struct ioreq_server *server;
    struct m2b_locked l;
    int err;

    if (config->id == IOSERVID_any || config->emulator == config->target)
        return -EINVAL;
    if (!config->ring || (uintptr_t)config->ring % sizeof(both_pointers))
        return -EINVAL;
    if (!config->nr_slots || config->nr_slots > IOREQ_BUFFER_SLOT_NUM)
        return -EINVAL;
    server = port->alloc(port->host, sizeof(*server));
    if (!server)
        return -ENOMEM;
    *server = (struct ioreq_server){.emulator = domain_of(config->emulator),
                                    .target = target,
                                    .id = config->id,
                                    .ring = config->ring,
                                    .nr_slots = config->nr_slots,
                                    .cookie = config->cookie};
    memset(server->ring, 0, sizeof(*server->ring));
    l = m2b_lock(&target->s->m2b);
    err = enlist(l, server);
    m2b_unlock(l);
    if (err)
        port->free(port->host, server, sizeof(*server));
    else
        *out = (struct sluice_ioreq_server *)(void *)server;
    return err;
}

static void end(struct m2b_locked l, struct ioreq_server **at)
{
    struct ioreq_server *server = *at;

    *at = server->next;
    l.m->port->free(l.m->port->host, server, sizeof(*server));
}

void sluice_ioreq_destroy(struct sluice_ioreq_server *s)
{
    struct ioreq_server *server = (struct ioreq_server *)(void *)s, **at;
    struct m2b_locked l = m2b_lock(&server->target->s->m2b);

    for (at = &server->target->servers; *at != server; at = &(*at)->next)
        ;
    end(l, at);
    m2b_unlock(l);
}

int sluice_ioreq_take(struct sluice_ioreq_server *s, struct sluice_ioreq *out)
{
    struct ioreq_server *server = (struct ioreq_server *)(void *)s;
    struct m2b_locked l = m2b_lock(&server->target->s->m2b);
    int err = server->waits ? 0 : -ENODATA;

    if (!err)
        *out = (struct sluice_ioreq){IOREQ_TYPE_SLUICE_INVALIDATE, server->bfn};
    server->waits = false;
    m2b_unlock(l);
    return err;
}

void ioreq_end(struct domain *d)
{
    struct m2b_locked l = m2b_lock(&d->s->m2b);
    struct instance_locked il = instance_lock(d->s);

    for (struct domain *target = d->s->domains; target; target = target->next)
        for (struct ioreq_server **at = &target->servers; *at;)
            if ((*at)->emulator == d || target == d)
                end(l, at);
            else
                at = &(*at)->next;
    instance_unlock(il);
    m2b_unlock(l);
}
