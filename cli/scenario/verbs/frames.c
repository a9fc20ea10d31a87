/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a call of the frames ABI as a guest does: the array goes into the caller's argument page,
 * and each element's status and outputs are read from there.
 */
#include "frames.h"

#include "../../../iommu/abi/errno.h"

#include <stdlib.h>
#include <string.h>

#define MOST_OPS (FRAME_SIZE / sizeof(struct pv_iommu_op))
/* Elements of an array that is somewhere in the guest's memory: more than any memory holds. */
#define MOST_RAW (16u << 20)

/* An array before and after a call. */
struct array {
    struct pv_iommu_op *in, *out;
    uint32_t nr;
};

static void array_init(struct array *a, uint32_t nr)
{
    a->in = xcalloc(nr, sizeof(*a->in));
    a->out = xcalloc(nr, sizeof(*a->out));
    a->nr = nr;
}

static void array_fini(struct array *a)
{
    free(a->in);
    free(a->out);
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

static bool shares_field(const struct sc_spec *spec)
{
    return !strcmp(spec->name, "flags") || !strcmp(spec->name, "order");
}

static bool put_flags(struct player *p, const struct sc_call *call, struct pv_iommu_op *op,
                      struct outcome *out)
{
    const uint64_t flags = player_number(p, call, "flags"), order = player_number(p, call, "order");

    if (flags > UINT16_MAX || order > IOMMU_page_order_mask >> IOMMU_page_order_shift) {
        outcome_cannot(out, "expected flags of 16 bits and an order of 6");
        return false;
    }
    op->flags = (uint16_t)(flags | IOMMU_page_order(order));
    return true;
}

static bool put_op(struct player *p, const struct sc_call *call, struct pv_iommu_op *op,
                   struct outcome *out)
{
    memset(op, POISON, sizeof(*op));
    op->subop_id = (uint16_t)call->verb->subop;
    for (const struct sc_spec *spec = call->verb->fields; spec->name; spec++)
        if ((spec->dir & SC_IN) && !shares_field(spec) &&
            !arg_put(p, call, spec, (uint8_t *)op, out))
            return false;
    return call->verb->subop == IOMMUOP_query_caps || put_flags(p, call, op, out);
}

static bool put_array(struct player *p, const struct sc_call *call, struct array *a,
                      struct outcome *out)
{
    for (uint32_t i = 0; i < a->nr; i++, call = call->next)
        if (!put_op(p, call, &a->in[i], out))
            return false;
    return true;
}

/* ---- Reading -----------------------------------------------------------------------------------
 */

/* Only `status` and OUT fields may have changed. */
static void check_untouched(const struct sc_verb *verb, const struct pv_iommu_op *in,
                            const struct pv_iommu_op *out, struct outcome *first)
{
    const uint8_t *before = (const uint8_t *)in, *after = (const uint8_t *)out;
    bool may[sizeof(*in)] = {false};

    memset(may + offsetof(struct pv_iommu_op, status), true, sizeof(in->status));
    for (const struct sc_spec *spec = verb->fields; spec->name; spec++)
        if ((spec->dir & SC_OUT) && strcmp(spec->name, "order"))
            memset(may + spec->offset, true, spec->size);
    for (size_t i = 0; i < sizeof(*in); i++)
        if (!may[i] && before[i] != after[i])
            outcome_complain(first, "%s changed byte %zu of its element, which is no OUT field",
                             verb->name, i);
}

static void get_query(const struct pv_iommu_op *op, struct outcome *out)
{
    const uint64_t order = FIELD_GET((uint64_t)IOMMU_page_order_mask, op->flags);
    const bool untouched = arg_poisoned((const uint8_t *)&op->flags, sizeof(op->flags));

    outcome_number(out, "flags", op->flags & ~(unsigned)IOMMU_page_order_mask)->untouched =
        untouched;
    outcome_number(out, "order", order)->untouched = untouched;
}

static void get_op(const struct sc_verb *verb, const struct pv_iommu_op *op, struct outcome *out)
{
    out->status = op->status;
    if (verb->subop == IOMMUOP_query_caps) {
        get_query(op, out);
        return;
    }
    for (const struct sc_spec *spec = verb->fields; spec->name; spec++)
        if (spec->dir & SC_OUT)
            arg_get(spec, (const uint8_t *)op, out);
}

/* What the call itself gave back, where that is an error, is the result of the first element, and
 * of those that it left alone. */
static void get_array(const struct sc_call *call, const struct array *a, long result,
                      struct outcome *first)
{
    struct outcome *out = first;

    for (uint32_t i = 0; i < a->nr; i++, call = call->next, out = out->next) {
        const bool untouched =
            arg_poisoned((const uint8_t *)&a->out[i].status, sizeof(a->out[i].status));

        check_untouched(call->verb, &a->in[i], &a->out[i], first);
        get_op(call->verb, &a->out[i], out);
        if (!result && untouched)
            outcome_complain(first, "element %u has no status", i);
        if (result && (!i || untouched))
            out->status = result;
    }
}

/* ---- Calling -----------------------------------------------------------------------------------
 */

static void call_array(struct player *p, struct machine_domain *d, const struct sc_line *line,
                       struct array *a, struct outcome *out)
{
    const size_t size = a->nr * sizeof(*a->in);
    long result;

    (void)machine_guest_write(d, MACHINE_ARG, a->in, size);
    result = machine_frames_call(d, MACHINE_ARG, a->nr, line_continue_every(p, line));
    (void)machine_guest_read(d, MACHINE_ARG, a->out, size);
    get_array(line->call, a, result, out);
    player_told(p, out,
                ghost_frames(p->ghost, machine_domain_domid(d), a->in, a->out, a->nr, result));
}

void run_frames(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    struct array a;
    uint32_t nr = 0;

    for (const struct sc_call *call = line->call; call; call = call->next)
        nr++;
    if (nr > MOST_OPS)
        outcome_cannot(out, "%u elements, expected at most %zu", nr, MOST_OPS);
    if (!d || nr > MOST_OPS)
        return;
    array_init(&a, nr);
    if (put_array(p, line->call, &a, out))
        call_array(p, d, line, &a, out);
    array_fini(&a);
}

/* As many elements, of at most `count`, as there is memory for at addr. */
static uint32_t count_readable(struct machine_domain *d, uint64_t addr, uint32_t count)
{
    struct pv_iommu_op op;
    uint32_t n = 0;

    while (n < count && n < MOST_RAW && addr + n * sizeof(op) >= addr &&
           !machine_guest_read(d, addr + n * sizeof(op), &op, sizeof(op)))
        n++;
    return n;
}

void run_frames_raw(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    const uint64_t addr = player_number(p, line->call, "arg");
    const uint64_t count = player_number(p, line->call, "count");
    const struct sc_value *bytes = sc_get(line->call, "bytes");
    struct array a;

    if (count > UINT32_MAX)
        outcome_cannot(out, "expected a count of 32 bits");
    if (!d || count > UINT32_MAX)
        return;
    /* Where there is no memory the bytes cannot be put, and the call says -EFAULT itself. */
    if (bytes)
        (void)machine_guest_write(d, addr, bytes->bytes, bytes->nr_bytes);
    array_init(&a, count_readable(d, addr, (uint32_t)count));
    (void)machine_guest_read(d, addr, a.in, a.nr * sizeof(*a.in));
    out->status = machine_frames_call(d, addr, (uint32_t)count, line_continue_every(p, line));
    (void)machine_guest_read(d, addr, a.out, a.nr * sizeof(*a.out));
    player_told(p, out,
                ghost_frames(p->ghost, machine_domain_domid(d), a.nr ? a.in : NULL,
                             a.nr ? a.out : NULL, a.nr, out->status));
    array_fini(&a);
}
