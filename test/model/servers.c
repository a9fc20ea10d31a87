/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O servers, and the requests that their emulators are owed. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

static bool is_server(const struct ghost_server *s, uint16_t emulator, uint16_t target)
{
    return s->emulator == emulator && s->target == target && !s->ended;
}

bool server_exists(const struct ghost *g, uint16_t emulator, uint16_t target, uint16_t id)
{
    for (unsigned i = 0; i < g->nr_servers; i++) {
        if (is_server(&g->servers[i], emulator, target) && g->servers[i].id == id)
            return true;
    }
    return false;
}

static unsigned slots_of(uint64_t bfn)
{
    return bfn >> 32 ? 2 : 1;
}

static bool fits(const struct ghost_server *s, uint64_t bfn)
{
    uint64_t used = 0;

    for (size_t i = 0; i < s->nr_owed; i++)
        used += s->owed[i].sync ? 0 : slots_of(s->owed[i].bfn);
    return used + slots_of(bfn) <= s->nr_slots;
}

/* A domain that ends waits for nobody: what does not fit into the ring need not arrive. */
static void tell(struct ghost_server *s, uint64_t bfn, bool ends)
{
    bool sync = !fits(s, bfn);

    if (s->nr_owed == s->room) {
        s->room = s->room * 2 + 16;
        s->owed = must_alloc(s->owed, s->room, sizeof(*s->owed));
    }
    s->owed[s->nr_owed++] = (struct ghost_owed){bfn, sync, sync && ends};
}

void servers_tell(struct ghost *g, const struct ghost_tuple *t, uint16_t target, bool ends)
{
    for (unsigned i = 0; i < g->nr_servers && !t->nobody; i++) {
        struct ghost_server *s = &g->servers[i];

        if (is_server(s, t->user->domid, target) &&
            (t->server == IOSERVID_any || t->server == s->id))
            tell(s, t->bfn, ends);
    }
}

static void remove_server(struct ghost *g, unsigned i)
{
    free(g->servers[i].owed);
    memmove(g->servers + i, g->servers + i + 1, (--g->nr_servers - i) * sizeof(*g->servers));
}

/* A synchronous request that nobody has fetched is gone. */
static void end_target(struct ghost_server *s)
{
    s->ended = true;
    for (size_t i = 0; i < s->nr_owed; i++)
        s->owed[i].perhaps |= s->owed[i].sync;
}

void servers_end(struct ghost *g, uint16_t domid)
{
    for (unsigned i = 0; i < g->nr_servers;) {
        if (g->servers[i].target == domid)
            end_target(&g->servers[i]);
        if (g->servers[i].emulator == domid)
            remove_server(g, i);
        else
            i++;
    }
}

bool ghost_ioreq_server(struct ghost *g, uint16_t emulator, uint16_t target, uint16_t id,
                        uint32_t nr_slots, int status)
{
    struct verdict v = {0};

    event_begins(g, status);
    if (!find_domain(g, emulator) || !find_domain(g, target))
        return status ? true : complain(g, "a server of, or for, a domain that is not there");
    may_if(&v, emulator == target || id == IOSERVID_any, -EINVAL);
    may_if(&v, !nr_slots || nr_slots > IOREQ_BUFFER_SLOT_NUM, -EINVAL);
    for (unsigned i = 0; i < g->nr_servers; i++)
        may_if(&v,
               is_server(&g->servers[i], g->servers[i].emulator, target) && g->servers[i].id == id,
               -EEXIST);
    if (!judge(g, &v, status, "creating an I/O server"))
        return false;
    if (status)
        return true;
    g->servers = must_alloc(g->servers, g->nr_servers + 1, sizeof(*g->servers));
    g->servers[g->nr_servers++] = (struct ghost_server){
        .emulator = emulator, .target = target, .id = id, .nr_slots = nr_slots};
    return true;
}

bool ghost_ioreq_server_destroyed(struct ghost *g, uint16_t target, uint16_t id)
{
    event_begins(g, 0);
    for (unsigned i = 0; i < g->nr_servers; i++) {
        if (g->servers[i].target == target && g->servers[i].id == id && !g->servers[i].ended) {
            remove_server(g, i);
            return true;
        }
    }
    return complain(g, "domain %u has no I/O server %u", target, id);
}

/*
 * The ring keeps the order, and so do synchronous requests. What may have come too late and is
 * passed over did not come.
 */
static bool take(struct ghost_server *s, uint64_t bfn, bool sync)
{
    for (size_t i = 0; i < s->nr_owed; i++) {
        const struct ghost_owed *o = &s->owed[i];

        if (o->sync != sync)
            continue;
        if (o->bfn == bfn) {
            memmove(s->owed + i, s->owed + i + 1, (--s->nr_owed - i) * sizeof(*s->owed));
            return true;
        }
        if (!o->perhaps)
            return false;
    }
    return false;
}

static const struct ghost_owed *first_owed(const struct ghost_server *s)
{
    for (size_t i = 0; i < s->nr_owed; i++) {
        if (!s->owed[i].perhaps)
            return &s->owed[i];
    }
    return NULL;
}

static bool nothing_is_owed(struct ghost *g, uint16_t emulator, uint16_t id)
{
    for (unsigned i = 0; i < g->nr_servers; i++) {
        const struct ghost_server *s = &g->servers[i];
        const struct ghost_owed *o = first_owed(s);

        if (s->emulator == emulator && s->id == id && o && !s->spoiled)
            return complain(g, "I/O server %u of domain %u for %u: INVALIDATE of bfn 0x%jx is lost",
                            id, emulator, s->target, (uintmax_t)o->bfn);
    }
    return true;
}

static bool is_spoiled(const struct ghost *g, uint16_t emulator, uint16_t id)
{
    for (unsigned i = 0; i < g->nr_servers; i++) {
        if (g->servers[i].emulator == emulator && g->servers[i].id == id && g->servers[i].spoiled)
            return true;
    }
    return false;
}

void ghost_ioreq_spoiled(struct ghost *g, uint16_t emulator, uint16_t id)
{
    for (unsigned i = 0; i < g->nr_servers; i++)
        g->servers[i].spoiled |= g->servers[i].emulator == emulator && g->servers[i].id == id;
}

bool ghost_ioreq(struct ghost *g, uint16_t emulator, uint16_t target, uint16_t id, int status,
                 uint8_t type, uint64_t bfn)
{
    event_begins(g, status);
    if (status == -ENODATA)
        return nothing_is_owed(g, emulator, id);
    if (status)
        return complain(g, "asking for a request gave %d", status);
    if (type != IOREQ_TYPE_SLUICE_INVALIDATE && !is_spoiled(g, emulator, id))
        return complain(g, "a request of type %u", type);
    for (unsigned i = 0; i < g->nr_servers; i++) {
        struct ghost_server *s = &g->servers[i];

        if (s->emulator == emulator && s->target == target && s->id == id &&
            (s->spoiled || take(s, bfn, false) || take(s, bfn, true)))
            return true;
    }
    return complain(g, "I/O server %u of domain %u for %u: INVALIDATE of bfn 0x%jx is not due", id,
                    emulator, target, (uintmax_t)bfn);
}
