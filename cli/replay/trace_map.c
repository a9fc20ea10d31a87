/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that map, and lines about devices and domains. */
#include "../scenario/alloc.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>

static uint32_t index_of(const struct trace *t, const struct trace_space *s)
{
    return (uint32_t)(s - t->spaces);
}

static void count_map(struct trace *t, struct trace_space *s, const struct trace_map *m)
{
    struct trace_counts *c = &t->counts;

    c->maps++;
    c->mmio += m->mmio;
    c->pages_mapped += m->size / LINE_PAGE;
    c->live_maps++;
    c->live_pages += m->size / LINE_PAGE;
    if (c->live_maps > c->peak_maps)
        c->peak_maps = c->live_maps;
    if (c->live_pages > c->peak_pages)
        c->peak_pages = c->live_pages;
    if (++s->live > s->peak)
        s->peak = s->live;
    if (m->iova + m->size - 1 > s->highest)
        s->highest = m->iova + m->size - 1;
}

/* Rights that are not known are all. */
static uint8_t rights(uint32_t prot)
{
    const uint8_t known = prot & (LINE_READ | LINE_WRITE);

    return known ? known : LINE_READ | LINE_WRITE;
}

bool trace_map(struct trace_reader *r)
{
    struct trace *t = r->t;
    const struct trace_line *l = &r->line;
    const uint64_t last = l->iova + l->size - 1;
    struct trace_space *s = trace_space(r, true);
    const struct live_piece *there = s ? live_find(&s->tree, l->iova, last) : NULL;
    const uint32_t i = t->nr_maps;

    if (!s)
        return false;
    if (there)
        return trace_wrong(r, "M at 0x%llx: that is mapped since line %u",
                           (unsigned long long)there->first, t->maps[there->map].line);
    if (!trace_add_op(r, TRACE_MAP, index_of(t, s), i, false))
        return false;
    t->maps = xgrow(t->maps, t->nr_maps, &t->room_maps, sizeof(*t->maps));
    t->maps[t->nr_maps++] = (struct trace_map){.iova = l->iova,
                                               .size = l->size,
                                               .paddr = l->paddr,
                                               .line = r->number,
                                               .head = i,
                                               .next = TRACE_NONE,
                                               .sibling = TRACE_NONE,
                                               .prot = rights(l->prot),
                                               .fixed = s->managed || !s->attached,
                                               .mmio = l->prot & LINE_MMIO};
    live_add(&s->tree, l->iova, last, i);
    count_map(t, s, &t->maps[i]);
    return true;
}

static struct trace_device *find_device(struct trace *t, const char *name)
{
    for (uint32_t i = 0; i < t->nr_devices; i++)
        if (!strcmp(t->devices[i].name, name))
            return &t->devices[i];
    return NULL;
}

#define FIRST_ID 2u /* Linux keeps the lower ones */

static bool is_taken(const struct trace *t, uint32_t id)
{
    for (uint32_t i = 0; i < t->nr_spaces; i++)
        if (t->spaces[i].id == id)
            return true;
    return false;
}

/* With its first device it gets the lowest id that is free, and has it until the last one goes. */
static void enter(struct trace *t, struct trace_space *s)
{
    uint32_t id = FIRST_ID;

    while (!s->id && is_taken(t, id))
        id++;
    if (!s->id)
        s->id = id;
    s->nr_devices++;
}

static void leave(struct trace_space *s)
{
    if (s->nr_devices && !--s->nr_devices)
        s->id = 0;
}

void trace_leave(struct trace_space *s)
{
    s->nr_devices = 0;
    s->id = 0;
}

/* The space that a device comes to first is its kernel's; others are somebody's who manages them.
 */
bool trace_attach(struct trace_reader *r)
{
    struct trace *t = r->t;
    struct trace_space *s = trace_space(r, true);
    struct trace_device *dev = find_device(t, r->line.device);

    if (!s)
        return false;
    t->counts.attaches++;
    if (!s->attached)
        s->managed = dev;
    s->attached = true;
    if (!dev && t->nr_devices == TRACE_DEVICES)
        return trace_wrong(r, "device %s: expected at most %u of them", r->line.device,
                           TRACE_DEVICES);
    if (!dev) {
        dev = &t->devices[t->nr_devices++];
        memcpy(dev->name, r->line.device, sizeof(dev->name));
    } else {
        leave(&t->spaces[dev->space]);
    }
    enter(t, s);
    dev->space = (uint16_t)index_of(t, s);
    return trace_add_op(r, TRACE_ATTACH, dev->space, (uint32_t)(dev - t->devices), false);
}
