/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where tables were changed without the invalidation that belongs to it, a unit may use either
 * (6.2): then a difference counts only if it is still there after everything is flushed on both.
 */
#include "compare.h"

#include <inttypes.h>
#include <string.h>

#include "known.h"
#include "layout.h"

struct play {
    const struct program *p;
    struct unit *u[2];
    struct tally *t;
    struct difference d;
    uint64_t tokens;
    bool stale; /* tables were changed, and nothing said so */
};

static struct shown *shown(struct play *y, unsigned i)
{
    return i ? &y->d.b : &y->d.a;
}

/* True: go on. */
static bool judge(struct play *y, enum difference_kind kind)
{
    const struct known *k;

    y->d.kind = kind;
    if (kind == SAME)
        return true;
    k = known_find(&y->d);
    if (!k)
        return false;
    y->t->known[k - known]++;
    y->t->ended += k->ends;
    y->d.kind = SAME;
    return !k->ends;
}

/* ---- Registers ------------------------------------------------------------------------------- */

static bool compare_register(struct play *y, const struct reg *r)
{
    for (unsigned i = 0; i < 2; i++)
        *shown(y, i) = (struct shown){.value = unit_read(y->u[i], reg_offset(y->u[i], r), r->size)};
    y->d.reg = *r;
    return !((y->d.a.value ^ y->d.b.value) & r->same) || judge(y, DIFFERENT_REGISTER);
}

/* What a step of that kind may change. */
static bool compare_status(struct play *y, enum step_kind kind)
{
    if (kind != STEP_WRITE && kind != STEP_WRITE_HALF && kind != STEP_RAW_WRITE &&
        kind != STEP_GCMD && kind != STEP_CHANGE && kind != STEP_QUEUE && kind != STEP_RECOVER &&
        kind != STEP_FLUSH)
        return true;
    for (unsigned i = 0; i < nr_regs; i++) {
        const unsigned at = regs[i].iotlb ? 0 : regs[i].offset;

        if ((at == VTD_GSTS || at == VTD_FSTS || at == VTD_IQH) && !compare_register(y, &regs[i]))
            return false;
    }
    return true;
}

static bool write_register(struct play *y, const struct step *s)
{
    const struct reg *r = &regs[s->arg[0]];
    const bool half = s->kind == STEP_WRITE_HALF;

    for (unsigned i = 0; i < 2; i++) {
        const unsigned at = reg_offset(y->u[i], r) + (half ? (unsigned)s->arg[1] : 0);

        if (!r->no_queue || !drive_queue_on(y->u[i]))
            unit_write(y->u[i], at, half ? 4 : r->size, half ? (uint32_t)s->arg[2] : s->arg[2]);
    }
    return compare_register(y, r);
}

static bool raw_access(struct play *y, const struct step *s)
{
    const struct reg nothing = {.name = "nothing",
                                .offset = (unsigned)s->arg[0],
                                .size = (unsigned)s->arg[1],
                                .same = ~0ull};

    for (unsigned i = 0; i < 2 && s->kind == STEP_RAW_WRITE; i++)
        unit_write(y->u[i], nothing.offset, nothing.size, s->arg[2]);
    return compare_register(y, &nothing);
}

/* ---- DMA ------------------------------------------------------------------------------------- */

static uint64_t word_at(struct unit *u, unsigned page, unsigned offset)
{
    return unit_load(u, world_page(page) + offset);
}

static unsigned word_offset(const struct step *s)
{
    return (unsigned)(s->arg[1] % WORLD_PAGE) & ~7u;
}

/* The page that has the word there. */
static uint64_t find_word(struct unit *u, unsigned offset, uint64_t word)
{
    for (unsigned i = 0; i < WORLD_PAGES && word; i++) {
        if (word_at(u, i, offset) == word)
            return i;
    }
    return NOWHERE;
}

static void dma_read(struct unit *u, const struct step *s, struct shown *out)
{
    uint64_t word = 0;

    u->ops->dma(u, (uint16_t)s->arg[0], s->arg[1] & ~7ull, &word, sizeof(word), false);
    *out = (struct shown){.value = find_word(u, word_offset(s), word)};
    out->record = drive_faults(u);
}

/* Like what a data page has: as an entry of a table it has reserved bits, and so have its bytes. */
static uint64_t token(uint64_t n)
{
    return 0xda7b000000000001u | n << 1;
}

static void dma_write(struct unit *u, const struct step *s, uint64_t word, struct shown *out)
{
    u->ops->dma(u, (uint16_t)s->arg[0], s->arg[1] & ~7ull, &word, sizeof(word), true);
    *out = (struct shown){.value = find_word(u, word_offset(s), word)};
    out->record = drive_faults(u);
}

static bool same_record(const struct record *a, const struct record *b)
{
    return a->set == b->set && a->address == b->address && a->sid == b->sid &&
           a->reason == b->reason && a->write == b->write && a->has_pasid == b->has_pasid &&
           a->pasid == b->pasid;
}

/* The words that a write could hit, to put them back. */
static void save(struct unit *u, unsigned offset, uint64_t *words)
{
    for (unsigned i = 0; i < WORLD_PAGES; i++)
        words[i] = word_at(u, i, offset);
}

static void put_back(struct unit *u, unsigned offset, const uint64_t *words)
{
    for (unsigned i = 0; i < WORLD_PAGES; i++) {
        if (word_at(u, i, offset) != words[i])
            unit_store(u, world_page(i) + offset, words[i]);
    }
}

/* A write that landed in different places leaves no trace. */
static void perform(struct play *y, const struct step *s)
{
    const uint64_t word = token(++y->tokens);
    uint64_t words[WORLD_PAGES];

    save(y->u[0], word_offset(s), words); /* the same on both */
    for (unsigned i = 0; i < 2; i++) {
        if (s->kind == STEP_DMA_READ)
            dma_read(y->u[i], s, shown(y, i));
        else
            dma_write(y->u[i], s, word, shown(y, i));
    }
    for (unsigned i = 0; i < 2 && y->d.a.value != y->d.b.value; i++)
        put_back(y->u[i], word_offset(s), words);
}

/* True: everything is flushed now, and the step is to be done again. */
static bool may_be_stale(struct play *y, enum difference_kind kind)
{
    y->d.kind = kind;
    if (!y->stale || kind == SAME || known_find(&y->d))
        return false;
    for (unsigned i = 0; i < 2; i++)
        drive_flush(y->u[i]);
    y->stale = false;
    y->t->stale++;
    return true;
}

static enum difference_kind dma_difference(const struct play *y)
{
    if (y->d.a.value != y->d.b.value)
        return DIFFERENT_DMA;
    return same_record(&y->d.a.record, &y->d.b.record) ? SAME : DIFFERENT_RECORD;
}

static bool step_dma(struct play *y, const struct step *s)
{
    if (s->arg[1] >> 20 == 0xfee || s->arg[1] < TABLES)
        return true;
    y->t->dmas++;
    perform(y, s);
    if (may_be_stale(y, dma_difference(y)))
        perform(y, s);
    y->t->landed += y->d.a.value != NOWHERE;
    y->t->faults += y->d.a.record.set;
    y->t->reasons[y->d.a.record.reason] += y->d.a.record.set;
    if (s->kind == STEP_DMA_WRITE && y->d.a.value < NR_TABLES)
        y->stale = true;
    return judge(y, dma_difference(y));
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

static bool same_interrupt(const struct shown *a, const struct shown *b)
{
    if (a->value != b->value)
        return false;
    return !a->value || (a->interrupt.vector == b->interrupt.vector &&
                         a->interrupt.destination == b->interrupt.destination &&
                         a->interrupt.logical == b->interrupt.logical &&
                         a->interrupt.level == b->interrupt.level);
}

static void send(struct play *y, const struct step *s)
{
    for (unsigned i = 0; i < 2; i++) {
        struct shown *out = shown(y, i);

        *out = (struct shown){0};
        out->value = y->u[i]->ops->msi(y->u[i], (uint16_t)s->arg[0], s->arg[1], (uint32_t)s->arg[2],
                                       &out->interrupt);
        out->record = drive_faults(y->u[i]);
    }
}

static enum difference_kind msi_difference(const struct play *y)
{
    if (!same_interrupt(&y->d.a, &y->d.b))
        return DIFFERENT_MSI;
    return same_record(&y->d.a.record, &y->d.b.record) ? SAME : DIFFERENT_RECORD;
}

static bool step_msi(struct play *y, const struct step *s)
{
    send(y, s);
    if (may_be_stale(y, msi_difference(y)))
        send(y, s);
    y->t->interrupts += y->d.a.value;
    return judge(y, msi_difference(y));
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void on_each(struct play *y, const struct step *s)
{
    for (unsigned i = 0; i < 2; i++) {
        struct unit *u = y->u[i];

        if (s->kind == STEP_STORE || s->kind == STEP_CHANGE)
            unit_store(u, s->arg[0], s->arg[1]);
        if (s->kind == STEP_CHANGE)
            drive_invalidate(u, s);
        else if (s->kind == STEP_QUEUE)
            drive_queue(u, s->arg[0], s->arg[1]);
        else if (s->kind == STEP_RECOVER)
            drive_recover(u);
        else if (s->kind == STEP_GCMD)
            drive_gcmd(u, s->arg[0], s->arg[1]);
        else if (s->kind == STEP_FLUSH)
            drive_flush(u);
    }
    if (s->kind == STEP_STORE)
        y->stale = true;
    if (s->kind == STEP_FLUSH || (s->kind == STEP_CHANGE && s->arg[2] == SCOPE_ALL))
        y->stale = false;
}

static bool step(struct play *y, const struct step *s)
{
    switch (s->kind) {
    case STEP_READ:
        return compare_register(y, &regs[s->arg[0]]);
    case STEP_WRITE:
    case STEP_WRITE_HALF:
        return write_register(y, s);
    case STEP_RAW_READ:
    case STEP_RAW_WRITE:
        return raw_access(y, s);
    case STEP_DMA_READ:
    case STEP_DMA_WRITE:
        return step_dma(y, s);
    case STEP_MSI:
        return step_msi(y, s);
    default:
        on_each(y, s);
        return true;
    }
}

static bool compare_memory(struct play *y)
{
    uint8_t page[2][WORLD_PAGE];

    for (unsigned i = 0; i < WORLD_PAGES; i++) {
        for (unsigned k = 0; k < 2; k++)
            y->u[k]->ops->load(y->u[k], world_page(i), page[k], WORLD_PAGE);
        if (!memcmp(page[0], page[1], WORLD_PAGE))
            continue;
        for (y->d.addr = world_page(i);
             page[0][y->d.addr % WORLD_PAGE] == page[1][y->d.addr % WORLD_PAGE]; y->d.addr++)
            ;
        y->d.addr &= ~7ull;
        y->d.a = (struct shown){.value = unit_load(y->u[0], y->d.addr)};
        y->d.b = (struct shown){.value = unit_load(y->u[1], y->d.addr)};
        return judge(y, DIFFERENT_MEMORY);
    }
    return true;
}

struct difference compare(const struct program *p, struct unit *a, struct unit *b, struct tally *t)
{
    struct play y = {
        .p = p, .u = {a, b}, .t = t, .d = {.scalable = p->scalable, .unit = a}, .stale = true};

    t->programs++;
    drive_reset(a);
    drive_reset(b);
    for (y.d.step = 0; y.d.step < p->nr; y.d.step++) {
        t->steps++;
        y.d.what = p->steps[y.d.step];
        y.d.reg = (struct reg){0};
        if (!step(&y, &y.d.what) || !compare_status(&y, y.d.what.kind))
            return y.d;
    }
    compare_memory(&y);
    return y.d;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void print_shown(FILE *f, const char *name, const struct difference *d,
                        const struct shown *s)
{
    fprintf(f, "  %-9s ", name);
    if (d->kind == DIFFERENT_REGISTER || d->kind == DIFFERENT_MEMORY)
        fprintf(f, "0x%" PRIx64 "\n", s->value);
    else if (d->kind == DIFFERENT_MSI && s->value)
        fprintf(f, "vector 0x%x for %u%s%s", s->interrupt.vector, s->interrupt.destination,
                s->interrupt.logical ? ", logical" : "", s->interrupt.level ? ", level" : "");
    else if (d->kind == DIFFERENT_MSI || s->value == NOWHERE)
        fputs("nowhere", f);
    else
        fprintf(f, "at 0x%" PRIx64, world_page((unsigned)s->value));
    if (d->kind == DIFFERENT_REGISTER || d->kind == DIFFERENT_MEMORY)
        return;
    if (s->record.set)
        fprintf(f, "; fault 0x%02x, %s of 0x%" PRIx64 " by 0x%04x%s\n", s->record.reason,
                s->record.write ? "write" : "read", s->record.address, s->record.sid,
                s->record.has_pasid ? " with a PASID" : "");
    else
        fputs("; no fault record\n", f);
}

void difference_print(FILE *f, const struct difference *d, const struct unit *a,
                      const struct unit *b)
{
    fputs("# ", f);
    if (d->kind == DIFFERENT_REGISTER)
        fprintf(f, "register %s (compared: 0x%" PRIx64 ") after: ", d->reg.name, d->reg.same);
    if (d->kind == DIFFERENT_MEMORY)
        fprintf(f, "memory at 0x%" PRIx64 " at the end; last: ", d->addr);
    step_print(f, &d->what);
    fputs("# ", f);
    print_shown(f, a->name, d, &d->a);
    fputs("# ", f);
    print_shown(f, b->name, d, &d->b);
}
