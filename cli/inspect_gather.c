/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies out of a machine what is shown of it. */
#include "inspect.h"

#include "scenario/verbs/regions.h"

#include <stdlib.h>
#include <string.h>

void *inspect_grow(struct inspection *in, void *array, unsigned nr, unsigned *room, size_t size)
{
    void *bigger;

    if (nr < *room)
        return array;
    *room = *room ? 2 * *room : 16;
    bigger = arena_alloc(&in->arena, *room, size);
    if (nr)
        memcpy(bigger, array, nr * size);
    return bigger;
}

static void gather_units(struct inspection *in, struct sluice *s)
{
    in->nr_units = sluice_nr_units(s);
    for (unsigned i = 0; i < in->nr_units; i++)
        (void)sluice_unit_info(s, i, &in->unit[i]);
}

static void gather_contexts(struct inspection *in, struct machine *m, struct inspect_domain *d)
{
    struct sluice_context_info info;

    d->context = arena_alloc(&in->arena, d->info.max_ctx_no + 1u, sizeof(*d->context));
    for (unsigned no = 0; no <= d->info.max_ctx_no; no++) {
        struct inspect_context *c = &d->context[d->nr_contexts];

        if (sluice_context_info(d->sluice, (uint16_t)no, &info))
            continue;
        c->no = (uint16_t)no;
        c->info = info;
        (void)sluice_context_tables(d->sluice, c->no, &c->tables);
        inspect_fold(in, m, d, c);
        d->nr_contexts++;
    }
}

static void gather_faults(struct inspection *in, struct inspect_domain *d)
{
    struct inspect_fault f;

    while (!sluice_fault_peek(d->sluice, d->nr_faults, &f.fault)) {
        (void)sluice_fault_explain(d->sluice, &f.fault, &f.why);
        d->fault = inspect_grow(in, d->fault, d->nr_faults, &d->faults_room, sizeof(f));
        d->fault[d->nr_faults++] = f;
    }
}

/* The machine's lists begin with the newest. */
static void gather_domains(struct inspection *in, struct machine *m)
{
    while (machine_domain_at(m, in->nr_domains))
        in->nr_domains++;
    in->domain = arena_alloc(&in->arena, in->nr_domains, sizeof(*in->domain));
    for (unsigned i = 0; i < in->nr_domains; i++) {
        struct machine_domain *md = machine_domain_at(m, in->nr_domains - 1 - i);
        struct inspect_domain *d = &in->domain[i];

        d->name = machine_domain_name(md);
        d->sluice = machine_domain_sluice(md);
        d->exits = machine_domain_exits(md);
        sluice_domain_info(d->sluice, &d->info);
        gather_contexts(in, m, d);
        gather_faults(in, d);
        sluice_domain_stats(d->sluice, &d->stats);
    }
}

/* By its line, since the library knows nothing of a device that no unit protects. */
static const char *declared_name(const struct scenario *sc, struct machine *m,
                                 const struct machine_device *dev)
{
    for (unsigned i = 0; i < sc->nr_lines; i++) {
        const struct sc_line *line = &sc->lines[i];
        const char *name = is_device_line(line) ? line->call->set[0].value.text : NULL;

        if (name && machine_device(m, name) == dev)
            return name;
    }
    return "?";
}

static void gather_devices(struct inspection *in, struct machine *m)
{
    while (machine_device_at(m, in->nr_devices))
        in->nr_devices++;
    in->device = arena_alloc(&in->arena, in->nr_devices, sizeof(*in->device));
    for (unsigned i = 0; i < in->nr_devices; i++) {
        struct machine_device *md = machine_device_at(m, in->nr_devices - 1 - i);
        struct inspect_device *dev = &in->device[i];

        dev->rid = machine_device_rid(md);
        dev->sluice = machine_device_sluice(md);
        dev->name = declared_name(in->sc, m, md);
        dev->isolation = sluice_device_isolation(dev->sluice);
        dev->unit = sluice_device_unit(dev->sluice);
        sluice_device_info(dev->sluice, &dev->info);
    }
}

static void note_owned(struct inspection *in, const struct sluice_frame_info *frame)
{
    for (unsigned i = 0; i < in->nr_domains; i++) {
        struct inspect_domain *d = &in->domain[i];

        if (d->info.domid != frame->owner)
            continue;
        d->frames++;
    }
}

static void note_held(struct inspection *in, const struct sluice_frame_info *frame)
{
    in->held = inspect_grow(in, in->held, in->nr_held, &in->held_room, sizeof(*in->held));
    in->held[in->nr_held++] = (struct inspect_held){
        .domid = frame->owner, .gfn = frame->gfn.n, .nr = 1, .refs = frame->refs};
}

static int compare_held(const void *pa, const void *pb)
{
    const struct inspect_held *a = pa, *b = pb;

    if (a->domid != b->domid)
        return a->domid < b->domid ? -1 : 1;
    if (a->gfn != b->gfn)
        return a->gfn < b->gfn ? -1 : 1;
    return a->refs < b->refs ? -1 : a->refs > b->refs;
}

/* Neighbours with as many references become one. */
static void fold_held(struct inspection *in)
{
    unsigned nr = 0;

    if (in->nr_held)
        qsort(in->held, in->nr_held, sizeof(*in->held), compare_held);
    for (unsigned i = 0; i < in->nr_held; i++) {
        struct inspect_held *last = nr ? &in->held[nr - 1] : NULL;
        const struct inspect_held *h = &in->held[i];

        if (last && last->domid == h->domid && last->refs == h->refs &&
            last->gfn + last->nr == h->gfn)
            last->nr++;
        else
            in->held[nr++] = *h;
    }
    in->nr_held = nr;
}

static void gather_frames(struct inspection *in, struct sluice *s)
{
    struct sluice_frame_info frame;

    for (uint64_t mfn = 0; !sluice_frame_info(s, mfn_of(mfn), &frame); mfn++)
        if (frame.owned)
            note_owned(in, &frame);
        else if (frame.refs)
            note_held(in, &frame);
    fold_held(in);
}

void inspect_gather(struct inspection *in, struct machine *m)
{
    struct sluice *s = machine_sluice(m);

    machine_stats(m, &in->stats);
    in->hardware = machine_hardware(m);
    sluice_faults_collect(s);
    gather_units(in, s);
    gather_devices(in, m);
    gather_domains(in, m);
    gather_frames(in, s);
}
