/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulators: their I/O servers, and what they are told. */
#include "verbs.h"

#include "../../../iommu/abi/errno.h"

static const struct sc_spec server_fields[] = {
    {.name = "domid", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "id", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "ring", .dir = SC_IN, .kind = SC_NUMBER, .size = 4, .absent = IOREQ_BUFFER_SLOT_NUM},
    {.name = NULL},
};
static const struct sc_spec server_end_fields[] = {
    {.name = "domid", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "id", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = NULL},
};
static const struct sc_spec request_fields[] = {
    {.name = "id", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "type", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = "bfn", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = NULL},
};

/* The server's target; NULL with -ENXIO: there is no such domain. */
static struct machine_domain *target_of(struct player *p, const struct sc_call *call,
                                        struct outcome *out)
{
    const uint64_t domid = player_number(p, call, "domid");
    struct machine_domain *t;

    for (unsigned i = 0; (t = machine_domain_at(p->m, i)); i++)
        if (machine_domain_domid(t) == domid)
            return t;
    out->status = -ENXIO;
    return NULL;
}

/* False: the line's numbers are no server's. */
static bool server_of(struct player *p, const struct sc_call *call, uint16_t *id, uint32_t *slots,
                      struct outcome *out)
{
    const uint64_t number = player_number(p, call, "id"), ring = player_number(p, call, "ring");

    if (number > UINT16_MAX || ring > UINT32_MAX) {
        outcome_cannot(out, "expected an id of 16 bits and a ring of 32");
        return false;
    }
    *id = (uint16_t)number;
    *slots = (uint32_t)ring;
    return true;
}

/* Both domains of a line about a server, and the rest of it. False: *out says what is missing. */
static bool parties_of(struct player *p, const struct sc_line *line, struct machine_domain **d,
                       struct machine_domain **target, uint16_t *id, uint32_t *slots,
                       struct outcome *out)
{
    *d = player_domain(p, line->subject, out);
    if (!*d || !server_of(p, line->call, id, slots, out))
        return false;
    *target = target_of(p, line->call, out);
    return *target;
}

static void run_server(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d, *t;
    uint32_t slots;
    uint16_t id;

    if (!parties_of(p, line, &d, &t, &id, &slots, out))
        return;
    out->status = machine_ioreq_server(d, t, id, slots);
    player_explain(p, out);
    player_told(p, out,
                ghost_ioreq_server(p->ghost, machine_domain_domid(d), machine_domain_domid(t), id,
                                   slots, (int)out->status));
}

static void run_server_end(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d, *t;
    uint32_t slots;
    uint16_t id;

    if (!parties_of(p, line, &d, &t, &id, &slots, out))
        return;
    out->status = machine_ioreq_server_end(d, t, id);
    player_explain(p, out);
    if (!out->status)
        player_told(p, out, ghost_ioreq_server_destroyed(p->ghost, machine_domain_domid(t), id));
}

static void run_request(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    struct sluice_ioreq req = {.type = 0};
    uint16_t id, target;
    uint32_t slots;

    if (!d || !server_of(p, line->call, &id, &slots, out))
        return;
    out->status = machine_ioreq_next(d, id, &req, &target);
    if (out->status == -ENODEV)
        return;
    if (!out->status) {
        outcome_text(out, "type", req.type == IOREQ_TYPE_SLUICE_INVALIDATE ? "invalidate" : "?");
        outcome_number(out, "bfn", req.bfn);
    }
    player_told(p, out,
                ghost_ioreq(p->ghost, machine_domain_domid(d), target, id, (int)out->status,
                            req.type, req.bfn));
}

const struct sc_verb ioreq_verbs[] = {
    {.name = "ioreq_server", .subject = SC_OF_DOMAIN, .fields = server_fields, .run = run_server},
    {.name = "ioreq_server_end",
     .subject = SC_OF_DOMAIN,
     .fields = server_end_fields,
     .run = run_server_end},
    {.name = "ioreq", .subject = SC_OF_DOMAIN, .fields = request_fields, .run = run_request},
    {.name = NULL},
};
