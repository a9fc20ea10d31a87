/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulators: how each of their I/O servers is told of frames that it must not use any more, by its
 * ring and by synchronous requests. An emulator of this machine fetches the latter at once, unless
 * it is to be slow, and looks at what it has when the machine's user asks.
 */
#include <stdlib.h>

#include "backend.h"

/* With the library's locks held. */
void ioreq_wanted(void *host, void *cookie)
{
    struct machine_server *s = cookie;

    (void)host;
    s->waited_for = true;
}

void machine_slow_emulators(struct machine *m, bool slow)
{
    m->slow_emulators = slow;
}

/* ---- Servers -----------------------------------------------------------------------------------
 */

static void append(struct machine *m, struct machine_server *s)
{
    struct machine_server **p = &m->servers;

    pthread_mutex_lock(&m->servers_lock);
    while (*p)
        p = &(*p)->next;
    *p = s;
    pthread_mutex_unlock(&m->servers_lock);
}

static void release(struct machine_server *s)
{
    free(s->taken);
    free(s->ring);
    free(s);
}

static int create(struct machine_server *s)
{
    const struct sluice_ioreq_config config = {
        .emulator = s->emulator->sluice,
        .target = s->target->sluice,
        .id = s->id,
        .ring = s->ring,
        .nr_slots = s->nr_slots,
        .cookie = s,
    };

    return s->ring ? sluice_ioreq_create(&config, &s->sluice) : -ENOMEM;
}

static int explain(struct machine *m, const struct machine_server *s, int err)
{
    if (err == -EEXIST)
        return machine_fail(m, err, "%s has an I/O server %u already", s->target->name, s->id);
    if (err == -EINVAL)
        return machine_fail(m, err, "an I/O server has an id below 0xffff and 1 to %d slots",
                            IOREQ_BUFFER_SLOT_NUM);
    return machine_fail(m, err, "no memory for an I/O server");
}

int machine_ioreq_server(struct machine_domain *emulator, struct machine_domain *target,
                         uint16_t id, uint32_t slots)
{
    struct machine_server *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    s->emulator = emulator;
    s->target = target;
    s->target_domid = target->domid;
    s->id = id;
    s->nr_slots = slots;
    s->ring = calloc(1, sizeof(*s->ring));
    err = create(s);
    if (!err) {
        append(emulator->m, s);
        return 0;
    }
    err = explain(emulator->m, s, err);
    release(s);
    return err;
}

int machine_ioreq_server_end(struct machine_domain *emulator, struct machine_domain *target,
                             uint16_t id)
{
    struct machine_server **p = &emulator->m->servers, *s;

    while ((s = *p) && (s->emulator != emulator || s->target != target || s->id != id))
        p = &s->next;
    if (!s)
        return machine_fail(emulator->m, -ENODEV, "%s has no I/O server %u for %s", emulator->name,
                            id, target->name);
    sluice_ioreq_destroy(s->sluice);
    *p = s->next;
    release(s);
    return 0;
}

/* The library's side is gone already. The emulator may still look at what its server was told. */
void ioreq_domain_ended(struct machine *m, const struct machine_domain *d)
{
    struct machine_server **p = &m->servers, *s;

    while ((s = *p)) {
        if (s->target == d) {
            s->target = NULL;
            s->sluice = NULL;
        }
        if (s->emulator != d) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        release(s);
    }
}

/* ---- Synchronous requests ----------------------------------------------------------------------
 */

static bool make_room(struct machine_server *s)
{
    const size_t room = s->room * 2 + 4;
    struct sluice_ioreq *taken;

    if (s->nr_taken < s->room)
        return true;
    taken = realloc(s->taken, room * sizeof(*taken));
    if (!taken)
        return false;
    s->taken = taken;
    s->room = room;
    return true;
}

/* False: there is no memory to keep them in. */
static bool take_all(struct machine_server *s)
{
    s->waited_for = false;
    while (make_room(s)) {
        if (sluice_ioreq_take(s->sluice, &s->taken[s->nr_taken]))
            return true;
        s->nr_taken++;
    }
    s->waited_for = true;
    return false;
}

bool ioreq_serve(struct machine *m)
{
    bool all = true;

    pthread_mutex_lock(&m->servers_lock);
    for (struct machine_server *s = m->servers; s; s = s->next)
        if (s->waited_for)
            all &= !m->slow_emulators && take_all(s);
    pthread_mutex_unlock(&m->servers_lock);
    return all;
}

/* ---- The emulator looks ------------------------------------------------------------------------
 */

#define TWO_SLOTS 3 /* `size` of a value of 8 bytes */

/* The hypervisor may take the same from both pointers at any time: they are read as one. */
static bool ring_is_empty(struct buffered_iopage *ring, uint32_t *read)
{
    uint32_t write;

    do {
        *read = __atomic_load_n(&ring->read_pointer, __ATOMIC_ACQUIRE);
        write = __atomic_load_n(&ring->write_pointer, __ATOMIC_ACQUIRE);
    } while (*read != __atomic_load_n(&ring->read_pointer, __ATOMIC_ACQUIRE));
    return *read == write;
}

/* As any emulator does it (abi/ioreq.h). */
static int next_in_ring(struct machine_server *s, struct sluice_ioreq *out)
{
    struct buffered_iopage *ring = s->ring;
    struct buf_ioreq slot;
    uint32_t read, nr = 1;

    if (ring_is_empty(ring, &read))
        return -ENODATA;
    slot = ring->buf_ioreq[read % s->nr_slots];
    *out = (struct sluice_ioreq){.type = slot.type, .bfn = slot.data};
    if (slot.size == TWO_SLOTS)
        out->bfn |= (uint64_t)ring->buf_ioreq[(read + nr++) % s->nr_slots].data << 32;
    __atomic_fetch_add(&ring->read_pointer, nr, __ATOMIC_RELEASE);
    return 0;
}

static int next_taken(struct machine_server *s, struct sluice_ioreq *out)
{
    if (!s->nr_taken)
        return -ENODATA;
    *out = s->taken[0];
    s->nr_taken--;
    for (size_t i = 0; i < s->nr_taken; i++)
        s->taken[i] = s->taken[i + 1];
    return 0;
}

static int next_synchronous(struct machine_server *s, struct sluice_ioreq *out)
{
    if (!s->sluice)
        return -ENODATA;
    s->waited_for = false;
    return sluice_ioreq_take(s->sluice, out);
}

static int next_beside_ring(struct machine_server *s, struct sluice_ioreq *out)
{
    return next_taken(s, out) ? next_synchronous(s, out) : 0;
}

static int next_request(struct machine_server *s, struct sluice_ioreq *out)
{
    return next_in_ring(s, out) ? next_beside_ring(s, out) : 0;
}

int machine_ioreq_next(struct machine_domain *emulator, uint16_t id, struct sluice_ioreq *out,
                       uint16_t *target)
{
    struct machine *m = emulator->m;
    int err = -ENODEV;

    pthread_mutex_lock(&m->servers_lock);
    for (struct machine_server *s = m->servers; s && err; s = s->next) {
        if (s->emulator != emulator || s->id != id)
            continue;
        *target = s->target_domid;
        err = next_request(s, out);
    }
    pthread_mutex_unlock(&m->servers_lock);
    return err;
}

/* The youngest: another domain may have had that id before. */
static struct machine_server *find(struct machine_domain *emulator, uint16_t target, uint16_t id)
{
    struct machine_server *found = NULL;

    for (struct machine_server *s = emulator->m->servers; s; s = s->next)
        if (s->emulator == emulator && s->target_domid == target && s->id == id)
            found = s;
    return found;
}

struct buffered_iopage *machine_ioreq_ring(struct machine_domain *emulator, uint16_t target,
                                           uint16_t id)
{
    struct machine *m = emulator->m;
    struct machine_server *s;

    pthread_mutex_lock(&m->servers_lock);
    s = find(emulator, target, id);
    pthread_mutex_unlock(&m->servers_lock);
    return s ? s->ring : NULL;
}

int machine_ioreq_synchronous(struct machine_domain *emulator, uint16_t target, uint16_t id,
                              struct sluice_ioreq *out)
{
    struct machine *m = emulator->m;
    struct machine_server *s;
    int err = -ENODEV;

    pthread_mutex_lock(&m->servers_lock);
    s = find(emulator, target, id);
    if (s)
        err = next_beside_ring(s, out);
    pthread_mutex_unlock(&m->servers_lock);
    return err;
}
