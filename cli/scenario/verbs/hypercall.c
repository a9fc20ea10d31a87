/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a hypercall as a guest does: its argument structs go into the caller's argument page, what
 * it gives back is read from there. The tables of hypercall_table.c say what lies where.
 */
#include "hypercall.h"

#include "../../../iommu/abi/errno.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(SLOT *(SC_MAX_NESTED + 2) <= FRAME_SIZE / 2,
               "the arguments do not fit in their page");

void arg_store(uint8_t *to, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

uint64_t arg_load(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = size; i > 0; i--)
        value = value << 8 | from[i - 1];
    return value;
}

/* A struct physdev_pci_device has the same bits in another order. */
static uint64_t device_to_abi(uint64_t rid)
{
    return (rid >> 16 & 0xffff) | (rid >> 8 & 0xff) << 16 | (rid & 0xff) << 24;
}

static uint64_t device_from_abi(uint64_t dev)
{
    return (dev & 0xffff) << 16 | (dev >> 16 & 0xff) << 8 | (dev >> 24 & 0xff);
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

bool arg_put(struct player *p, const struct sc_call *call, const struct sc_spec *spec, uint8_t *arg,
             struct outcome *out)
{
    uint64_t value = player_number(p, call, spec->name);

    if (spec->size < 8 && value >> (8 * spec->size)) {
        outcome_cannot(out, "%s=0x%llx does not fit in %u bits", spec->name,
                       (unsigned long long)value, 8u * spec->size);
        return false;
    }
    if (spec->kind == SC_DEVICE)
        value = device_to_abi(value);
    arg_store(arg + spec->offset, value, spec->size);
    return true;
}

/* Fields of entries, which repeat, into the array, if there is memory; and how many there are. */
static void put_entries(struct player *p, struct machine_domain *d, const struct sc_call *call,
                        const struct sc_spec *spec, uint8_t *arg)
{
    const struct sc_verb *verb = call->verb;
    const struct sc_spec *count = sc_spec_find(verb->fields, verb->count);
    const uint64_t array = arg_load(arg + verb->array_at, 8);
    const struct sc_value *value;
    unsigned n = 0;

    while ((value = sc_nth(call, spec->name, n))) {
        uint64_t number = value_number(value, p->vars);

        (void)machine_guest_write(d, array + n++ * verb->entry_size, &number, sizeof(number));
    }
    if (!sc_get(call, verb->count))
        arg_store(arg + count->offset, n, count->size);
}

static bool put_struct(struct player *p, struct machine_domain *d, const struct sc_call *call,
                       uint8_t *arg, uint64_t addr, struct outcome *out)
{
    const struct sc_verb *verb = call->verb;

    for (const struct sc_spec *spec = verb->fields; spec && spec->name; spec++)
        if ((spec->dir & SC_IN) && !spec->entry && !arg_put(p, call, spec, arg, out))
            return false;
    for (const struct sc_spec *spec = verb->fields; spec && spec->name; spec++)
        if (spec->entry && spec->repeat)
            put_entries(p, d, call, spec, arg);
    if (!verb->arg_size || !machine_guest_write(d, addr, arg, verb->arg_size))
        return true;
    outcome_cannot(out, "cannot write the argument at 0x%llx", (unsigned long long)addr);
    return false;
}

static bool put_raw(struct player *p, struct machine_domain *d, const struct sc_call *call,
                    struct request *req, struct outcome *out)
{
    const struct sc_value *bytes = sc_get(call, "bytes");

    req->subop = (int)(uint32_t)player_number(p, call, "subop");
    req->addr = player_number(p, call, "arg");
    /* Where there is no memory the bytes cannot be put, and the call says -EFAULT itself. */
    if (bytes)
        (void)machine_guest_write(d, req->addr, bytes->bytes, bytes->nr_bytes);
    (void)out;
    return true;
}

bool put_call(struct player *p, struct machine_domain *d, const struct sc_call *call, unsigned slot,
              struct request *req, struct outcome *out)
{
    uint8_t arg[SLOT];
    struct request inner;

    if (call->verb->subop == SUBOP_RAW)
        return put_raw(p, d, call, req, out);
    memset(arg, POISON, sizeof(arg));
    req->subop = call->verb->subop;
    req->addr = MACHINE_ARG + (uint64_t)slot * SLOT;
    if (call->inner) {
        if (!put_call(p, d, call->inner, slot + 1, &inner, out))
            return false;
        arg_store(arg + offsetof(struct pv_iommu_remote_cmd, cmd), (uint16_t)inner.subop, 2);
        arg_store(arg + offsetof(struct pv_iommu_remote_cmd, arg), inner.addr, 8);
    }
    return put_struct(p, d, call, arg, req->addr, out);
}

/* ---- Before and after --------------------------------------------------------------------------
 */

/* More than any memory holds. */
#define MOST_GFNS (16u << 20)

static void snapshot_gfns(struct snapshot *s, struct machine_domain *d)
{
    struct pv_iommu_map_list m;
    uint64_t gfn, room;

    memcpy(&m, s->in, sizeof(m));
    room = m.nr_pages < MOST_GFNS ? m.nr_pages : MOST_GFNS;
    while (s->nr_gfns < room && m.gfns.q + s->nr_gfns * sizeof(gfn) >= m.gfns.q &&
           !machine_guest_read(d, m.gfns.q + s->nr_gfns * sizeof(gfn), &gfn, sizeof(gfn)))
        s->nr_gfns++;
    s->gfns = xcalloc(s->nr_gfns + 1, sizeof(*s->gfns));
    (void)machine_guest_read(d, m.gfns.q, s->gfns, s->nr_gfns * sizeof(*s->gfns));
}

static void snapshot_before(struct snapshot *s, struct machine_domain *d, int subop, uint64_t addr)
{
    memset(s, 0, sizeof(*s));
    s->verb = verb_of_subop(subop);
    s->addr = addr;
    s->readable =
        s->verb && s->verb->arg_size && !machine_guest_read(d, addr, s->in, s->verb->arg_size);
    if (s->readable && subop == IOMMU_map_list)
        snapshot_gfns(s, d);
}

static void snapshot_after(struct snapshot *s, struct machine_domain *d)
{
    if (s->readable)
        s->readable = !machine_guest_read(d, s->addr, s->out, s->verb->arg_size);
}

/* A call writes its OUT fields and leaves the rest alone, padding too, unless all of it is OUT. */
static void check_untouched(const struct snapshot *s, struct outcome *out)
{
    bool may[SLOT] = {false}, all_out = true;

    if (!s->readable)
        return;
    for (const struct sc_spec *spec = s->verb->fields; spec && spec->name; spec++) {
        if (spec->entry)
            continue;
        if (spec->dir & SC_OUT)
            memset(may + spec->offset, true, spec->size);
        all_out &= spec->dir == SC_OUT;
    }
    if (all_out)
        return;
    for (size_t i = 0; i < s->verb->arg_size; i++)
        if (!may[i] && s->in[i] != s->out[i])
            outcome_complain(out, "%s changed byte %zu of its argument, which is no OUT field",
                             s->verb->name, i);
}

static void tell_ghost(struct player *p, struct machine_domain *d, const struct observed *o,
                       long status, struct outcome *out)
{
    const struct snapshot *outer = &o->outer, *inner = &o->inner;
    struct ghost_call told = {
        .caller = machine_domain_domid(d),
        .subop = o->subop,
        .in = outer->readable ? outer->in : NULL,
        .out = outer->readable ? outer->out : NULL,
        .inner_in = inner->readable ? inner->in : NULL,
        .inner_out = inner->readable ? inner->out : NULL,
        .status = status,
        .element = o->element,
        .gfns = inner->gfns ? inner->gfns : outer->gfns,
        .nr_gfns = inner->gfns ? inner->nr_gfns : outer->nr_gfns,
    };

    player_told(p, out, ghost_called(p->ghost, &told));
}

static void snapshot_inner(struct snapshot *inner, struct machine_domain *d, int subop,
                           const struct snapshot *outer)
{
    struct pv_iommu_remote_cmd remote;

    memset(inner, 0, sizeof(*inner));
    if (subop != IOMMU_remote_cmd || !outer->readable)
        return;
    memcpy(&remote, outer->in, sizeof(remote));
    snapshot_before(inner, d, remote.cmd, remote.arg.q);
}

unsigned line_continue_every(const struct player *p, const struct sc_line *line)
{
    if (line->every_given)
        return (unsigned)value_number(&line->continue_every, p->vars);
    return p->continue_every;
}

void observe_before(struct observed *o, struct machine_domain *d, const struct request *req)
{
    o->subop = req->subop;
    o->element = false;
    snapshot_before(&o->outer, d, req->subop, req->addr);
    snapshot_inner(&o->inner, d, req->subop, &o->outer);
}

void observe_after(struct observed *o, struct player *p, struct machine_domain *d, long status,
                   struct outcome *out)
{
    snapshot_after(&o->outer, d);
    snapshot_after(&o->inner, d);
    check_untouched(&o->outer, out);
    check_untouched(&o->inner, out);
    tell_ghost(p, d, o, status, out);
}

void observe_end(struct observed *o)
{
    free(o->outer.gfns);
    free(o->inner.gfns);
}

/* ---- Reading -----------------------------------------------------------------------------------
 */

bool arg_poisoned(const uint8_t *at, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        if (at[i] != POISON)
            return false;
    return true;
}

void arg_get(const struct sc_spec *spec, const uint8_t *arg, struct outcome *out)
{
    const uint64_t value = arg_load(arg + spec->offset, spec->size);
    struct got *got =
        outcome_number(out, spec->name, spec->kind == SC_DEVICE ? device_from_abi(value) : value);

    got->untouched = arg_poisoned(arg + spec->offset, spec->size);
}

/* Of the entry that the line asks for. */
static void get_entry(struct player *p, struct machine_domain *d, const struct sc_call *call,
                      const uint8_t *arg, struct outcome *out)
{
    const struct sc_verb *verb = call->verb;
    const uint64_t array = arg_load(arg + verb->array_at, 8);
    uint8_t entry[SLOT];

    if (!verb->entry_size ||
        machine_guest_read(d, array + player_number(p, call, "index") * verb->entry_size, entry,
                           verb->entry_size))
        return;
    for (const struct sc_spec *spec = verb->fields; spec && spec->name; spec++)
        if (spec->entry && (spec->dir & SC_OUT))
            arg_get(spec, entry, out);
}

void get_result(struct player *p, struct machine_domain *d, const struct sc_call *call,
                unsigned slot, struct outcome *out)
{
    const struct sc_call *innermost = sc_innermost(call);
    const struct sc_verb *verb = innermost->verb;
    uint8_t arg[SLOT];

    for (; call->inner; call = call->inner)
        slot++;
    if (!verb->arg_size ||
        machine_guest_read(d, MACHINE_ARG + (uint64_t)slot * SLOT, arg, verb->arg_size))
        return;
    for (const struct sc_spec *spec = verb->fields; spec && spec->name; spec++)
        if (!spec->entry && (spec->dir & SC_OUT))
            arg_get(spec, arg, out);
    get_entry(p, d, innermost, arg, out);
}

void poison_array(struct machine_domain *d)
{
    uint8_t poison[FRAME_SIZE / 2];

    memset(poison, POISON, sizeof(poison));
    (void)machine_guest_write(d, ARRAY, poison, sizeof(poison));
}

static void make_call(struct player *p, struct machine_domain *d, const struct sc_line *line,
                      const struct request *req, struct outcome *out)
{
    struct observed o;

    observe_before(&o, d, req);
    out->status = machine_hypercall(d, req->subop, req->addr, line_continue_every(p, line));
    observe_after(&o, p, d, out->status, out);
    observe_end(&o);
}

void run_hypercall(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    struct request req;

    if (!d)
        return;
    poison_array(d);
    sluice_faults_collect(machine_sluice(p->m)); /* the host does, for who reads them */
    if (line->batch) {
        run_batch(p, d, line, out);
        return;
    }
    if (!put_call(p, d, line->call, 0, &req, out))
        return;
    make_call(p, d, line, &req, out);
    get_result(p, d, line->call, 0, out);
}
