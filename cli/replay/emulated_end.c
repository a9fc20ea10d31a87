/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting the guest's unit up, moving devices, and the end. */
#include "emulated.h"

#include "../scenario/alloc.h"

#include <stdlib.h>
#include <string.h>

#define OWN_PAGES 8u /* of the unit: queue, status, root, contexts */
#define FIRST_DID 2u /* as Linux has it: 0 is not-present entries', 1 its own */

/* ---- Memory ------------------------------------------------------------------------------------
 */

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static size_t unique(uint64_t *keys, size_t nr)
{
    size_t kept = 0;

    qsort(keys, nr, sizeof(*keys), compare);
    for (size_t i = 0; i < nr; i++)
        if (!kept || keys[i] != keys[kept - 1])
            keys[kept++] = keys[i];
    return kept;
}

/* Of operation i: which tables of that level it needs, as keys (NULL: only how many). */
static size_t keys_of(const struct trace *t, const struct trace_op *op, unsigned shift,
                      uint64_t *keys)
{
    const struct trace_map *m = &t->maps[op->index];
    const uint64_t first = m->iova >> shift, last = (m->iova + m->size - 1) >> shift;

    for (uint64_t i = first; keys && i <= last; i++)
        keys[i - first] = (uint64_t)op->space << 48 | i;
    return (size_t)(last - first) + 1;
}

static size_t all_keys(const struct trace *t, unsigned shift, uint64_t *keys)
{
    size_t nr = 0;

    for (uint32_t i = 0; i < t->nr_ops; i++)
        if (t->ops[i].kind == TRACE_MAP)
            nr += keys_of(t, &t->ops[i], shift, keys ? keys + nr : NULL);
    return nr;
}

/* Tables whose entries span less than 1 << shift bytes together. */
static uint64_t tables(const struct trace *t, unsigned shift)
{
    size_t nr = all_keys(t, shift, NULL);
    uint64_t *keys = xcalloc(nr, sizeof(*keys));

    nr = unique(keys, all_keys(t, shift, keys));
    free(keys);
    return nr;
}

uint64_t emulated_memory(const struct trace *t)
{
    return (OWN_PAGES + t->nr_devices * 2ull + t->nr_spaces + tables(t, 21) + tables(t, 30) +
            tables(t, 39)) *
           GVTD_PAGE;
}

/* ---- What the driver accesses ------------------------------------------------------------------
 */

static int store(void *arg, uint64_t gpa, const void *from, size_t size)
{
    struct guest *g = arg;

    return machine_guest_write(g->d, gpa, from, size);
}

static int load(void *arg, uint64_t gpa, void *to, size_t size)
{
    struct guest *g = arg;

    return machine_guest_read(g->d, gpa, to, size);
}

static int reg_read(void *arg, uint64_t reg, unsigned size, uint64_t *value)
{
    struct guest *g = arg;

    return machine_viommu_read(g->d, reg, size, value);
}

static int reg_write(void *arg, uint64_t reg, unsigned size, uint64_t value)
{
    struct guest *g = arg;

    return machine_viommu_write(g->d, reg, size, value, 0);
}

/* ---- Opening -----------------------------------------------------------------------------------
 */

static uint64_t capabilities(const struct replay *r)
{
    return r->config->through == REPLAY_NESTED
               ? SLUICE_VIOMMU_SECOND_STAGE | SLUICE_VIOMMU_SCALABLE | SLUICE_VIOMMU_FIRST_STAGE
               : SLUICE_VIOMMU_SECOND_STAGE;
}

static void give_memory(struct replay *r)
{
    struct gvtd_memory *m = &r->emulated->memory;
    const uint32_t nr = (uint32_t)(emulated_memory(r->t) / GVTD_PAGE);

    *m = (struct gvtd_memory){.port = &r->emulated->port, .base = r->frames.more, .nr = nr};
    m->page = xcalloc(nr, sizeof(*m->page));
    m->idle = xcalloc(nr, sizeof(*m->idle));
    m->leaving = xcalloc(nr, sizeof(*m->leaving));
}

static int open_spaces(struct replay *r)
{
    struct emulated *e = r->emulated;
    int err = 0;

    if (r->t->nr_spaces + FIRST_DID > gvtd_nr_dids(&e->unit))
        return -ENOSPC;
    for (uint32_t i = 0; i < r->t->nr_spaces && !err; i++) {
        struct emulated_space *s = &e->spaces[i];

        s->did = (uint16_t)(i + FIRST_DID);
        s->table.memory = &e->memory;
        gvtd_shape(&e->unit, &s->table);
        err = gvtd_table_init(&s->table);
    }
    return err;
}

int emulated_open(struct replay *r)
{
    struct emulated *e = xcalloc(1, sizeof(*e));
    int err;

    r->emulated = e;
    e->port = (struct gvtd_port){&r->guest, store, load, reg_read, reg_write};
    e->spaces = xcalloc(r->t->nr_spaces, sizeof(*e->spaces));
    memset(e->where, 0xff, sizeof(e->where));
    give_memory(r);
    err = guest_viommu(&r->guest, capabilities(r));
    if (!err)
        err = gvtd_open(&e->unit, &e->memory, r->config->through == REPLAY_NESTED);
    return err ? err : open_spaces(r);
}

void emulated_free(struct replay *r)
{
    struct emulated *e = r->emulated;

    if (!e)
        return;
    free(e->memory.page);
    free(e->memory.idle);
    free(e->memory.leaving);
    free(e->spaces);
    free(e);
}

/* ---- Devices -----------------------------------------------------------------------------------
 */

static uint8_t devfn_of(unsigned device)
{
    return guest_device(device).devfn;
}

int emulated_attach(struct replay *r, unsigned device, uint16_t space)
{
    struct emulated *e = r->emulated;
    struct emulated_space *s = &e->spaces[space];

    e->where[device] = space;
    s->nr_devices++;
    r->devices[device].space = &r->spaces[space].dma; /* for samples: where it is */
    return gvtd_attach(&e->unit, devfn_of(device), s->did, &s->table);
}

int emulated_detach(struct replay *r, unsigned device)
{
    struct emulated *e = r->emulated;
    struct emulated_space *s;

    if (e->where[device] == EMULATED_NOWHERE)
        return 0;
    s = &e->spaces[e->where[device]];
    e->where[device] = EMULATED_NOWHERE;
    s->nr_devices--;
    r->devices[device].space = NULL;
    return gvtd_detach(&e->unit, devfn_of(device), s->did);
}

/* ---- The end -----------------------------------------------------------------------------------
 */

/* Nobody can look the guest's tables up but a device. */
static void check_piece(struct replay *r, const struct trace_final *f)
{
    const struct trace_map *m = &r->t->maps[f->map];
    const uint64_t first = frames_gfn(&r->frames, m->paddr) + (f->iova - m->iova) / LINE_PAGE;

    for (uint64_t i = 0; i < f->size / LINE_PAGE && !r->guest.wrong[0]; i++) {
        const struct place p = {.space = f->space,
                                .address = f->iova + i * LINE_PAGE,
                                .gfn = first + i,
                                .size = LINE_PAGE,
                                .prot = m->prot};

        sample_live(r, &p);
        r->counts.finals++;
    }
}

/* Shadows hold what they map. Of tables that hardware walks nothing is held. */
static void check_held(struct replay *r, uint64_t pages)
{
    const uint64_t right = r->config->through == REPLAY_NESTED ? 0 : pages;
    struct sluice_domain_stats stats;

    sluice_domain_stats(machine_domain_sluice(r->guest.d), &stats);
    if (stats.refs != right)
        guest_wrong(&r->guest, "%llu pages are held at the end; right is %llu",
                    (unsigned long long)stats.refs, (unsigned long long)right);
}

int emulated_final(struct replay *r)
{
    uint64_t pages = 0;

    for (uint32_t i = 0; i < r->t->nr_finals; i++) {
        const struct trace_final *f = &r->t->finals[i];

        if (!r->emulated->spaces[f->space].nr_devices)
            continue;
        check_piece(r, f);
        pages += f->size / LINE_PAGE;
    }
    check_held(r, pages);
    return 0;
}

int emulated_finish(struct replay *r)
{
    struct emulated *e = r->emulated;
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_finals && !err; i++) {
        const struct trace_final *f = &r->t->finals[i];

        err = gvtd_unmap(&e->spaces[f->space].table, f->iova, f->size);
    }
    if (!err)
        err = gvtd_flush_all(&e->unit);
    if (!err)
        check_held(r, 0);
    for (unsigned i = 0; i < r->t->nr_devices && !err; i++)
        err = emulated_detach(r, i);
    return err ? err : gvtd_close(&e->unit);
}
