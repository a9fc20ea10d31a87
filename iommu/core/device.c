/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and groups: what there is, and whose. Moving them is attach.c's. */
#include "device.h"

#include "attach.h"
#include "doorbell.h"
#include "isolation.h"
#include "reserved.h"

static bool has_rid(const struct device *dev, rid_t rid)
{
    for (unsigned i = 0; i < dev->nr_rids; i++)
        if (dev->rids[i].n == rid.n)
            return true;
    return false;
}

struct device *device_find(struct instance_locked l, rid_t rid)
{
    struct device *dev = l.s->devices;

    while (dev && !has_rid(dev, rid))
        dev = dev->next;
    return dev;
}

struct group *group_of_domain(struct domain *d)
{
    struct instance_locked l = instance_lock(d->s);
    struct device *dev = d->s->devices;
    struct group *g;

    while (dev && dev->group->domain != d)
        dev = dev->next;
    g = dev ? dev->group : NULL;
    instance_unlock(l);
    return g;
}

const struct sluice_region *device_region(const struct device *dev, enum sluice_region_type type)
{
    for (unsigned i = 0; i < dev->nr_regions; i++)
        if (dev->regions[i].type == type)
            return &dev->regions[i];
    return NULL;
}

static bool region_ok(const struct sluice_region *r)
{
    const bool direct =
        r->type == SLUICE_REGION_DIRECT || r->type == SLUICE_REGION_DIRECT_RELAXABLE;

    if (direct && (!r->prot || (r->prot & ~(PT_READ | PT_WRITE))))
        return false;
    return r->first <= r->last && !(r->first % FRAME_SIZE) && !((r->last + 1) % FRAME_SIZE) &&
           (r->type <= SLUICE_REGION_MSI || r->type == SLUICE_REGION_SW_MSI) &&
           r->source <= SLUICE_REGION_BY_FIRMWARE;
}

static unsigned nr_of(const struct sluice_device_config *config, enum sluice_region_type type)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < config->nr_regions; i++)
        nr += config->regions[i].type == type;
    return nr;
}

/* Messages go one way: untranslated, or through one window. */
static int check_messages(const struct instance *s, const struct sluice_device_config *config)
{
    const unsigned windows = nr_of(config, SLUICE_REGION_SW_MSI);

    if (windows <= (nr_of(config, SLUICE_REGION_MSI) ? 0 : 1))
        return 0;
    instance_event(s, SLUICE_EVENT_PLATFORM, -EINVAL, "sluice_device_add", config->rids[0].n,
                   windows);
    return -EINVAL;
}

/* A window may be moved out of the way of others; they may not overlap each other. */
static bool overlap(const struct sluice_region *a, const struct sluice_region *b)
{
    return a->type != SLUICE_REGION_SW_MSI && b->type != SLUICE_REGION_SW_MSI &&
           a->first <= b->last && b->first <= a->last;
}

static int check_regions(const struct instance *s, const struct sluice_device_config *config)
{
    for (unsigned i = 0; i < config->nr_regions; i++) {
        if (!region_ok(&config->regions[i]))
            return -EINVAL;
        for (unsigned j = 0; j < i; j++)
            if (overlap(&config->regions[i], &config->regions[j]))
                return -EINVAL;
    }
    return check_messages(s, config);
}

/* Devices of one group may share a requester id: that is what makes them one. */
static bool is_taken(struct instance_locked l, const struct sluice_device_config *config, rid_t rid)
{
    const struct group *group = config->group ? device_of(config->group)->group : NULL;

    for (const struct device *dev = l.s->devices; dev; dev = dev->next)
        if (has_rid(dev, rid) && (dev->group != group || dev->rids[0].n == config->rids[0].n))
            return true;
    return false;
}

static int check_config(struct instance *s, const struct sluice_device_config *config)
{
    struct instance_locked l;
    int err;

    if (!config->nr_rids || config->nr_rids > 256 || config->nr_regions > 256 ||
        config->nr_doorbells > SLUICE_MAX_DOORBELLS)
        return -EINVAL;
    if (config->group && device_of(config->group)->group->unit != config->unit)
        return -EINVAL;
    err = check_regions(s, config);
    if (err)
        return err;
    l = instance_lock(s);
    for (unsigned i = 0; i < config->nr_rids; i++)
        if (is_taken(l, config, config->rids[i]))
            err = -EEXIST;
    instance_unlock(l);
    return err;
}

/* A device with doorbells has a window, unless its messages are not translated. */
static bool needs_window(const struct sluice_device_config *config)
{
    return config->nr_doorbells && !nr_of(config, SLUICE_REGION_SW_MSI) &&
           !nr_of(config, SLUICE_REGION_MSI);
}

static void add_window(struct device *dev, const struct sluice_msi_window *w)
{
    dev->regions[dev->nr_regions++] = (struct sluice_region){.first = w->base,
                                                             .last = w->base + w->length - 1,
                                                             .type = SLUICE_REGION_SW_MSI,
                                                             .source = SLUICE_REGION_BY_HOST};
}

static struct device *allocate(struct instance *s, const struct sluice_device_config *config)
{
    const unsigned nr_regions = config->nr_regions + needs_window(config);
    const size_t regions = sizeof(*config->regions) * nr_regions;
    const size_t rids = sizeof(*config->rids) * config->nr_rids;
    const size_t size = sizeof(struct device) + regions + rids;
    struct device *dev = s->port->alloc(s->port->host, size);

    if (!dev)
        return NULL;
    dev->size = size;
    dev->msi_window = SLUICE_NO_WINDOW;
    dev->nr_rids = config->nr_rids;
    dev->nr_regions = config->nr_regions;
    dev->regions = (struct sluice_region *)(void *)(dev + 1);
    dev->rids = (rid_t *)(void *)(dev->regions + nr_regions);
    if (config->nr_regions)
        memcpy(dev->regions, config->regions, sizeof(*config->regions) * config->nr_regions);
    if (needs_window(config))
        add_window(dev, &s->msi_window);
    memcpy(dev->rids, config->rids, rids);
    return dev;
}

static struct group *new_group(struct instance *s, struct hw_unit *unit)
{
    struct group *g = s->port->alloc(s->port->host, sizeof(*g));

    if (!g)
        return NULL;
    g->s = s;
    g->unit = unit;
    g->pages = (struct pt_pages){.port = s->port, .limit = SLUICE_NO_LIMIT};
    return g;
}

static void free_group(struct group *g)
{
    g->s->port->free(g->s->port->host, g, sizeof(*g));
}

static void free_device(struct instance *s, struct device *dev)
{
    doorbells_put(s, dev);
    s->port->free(s->port->host, dev, dev->size);
}

static void enlist(struct instance *s, struct device *dev, struct group *g)
{
    struct instance_locked l = instance_lock(s);

    dev->group = g;
    dev->sibling = g->devices;
    g->devices = dev;
    dev->next = s->devices;
    s->devices = dev;
    instance_unlock(l);
}

static void delist(struct instance *s, struct device *dev)
{
    struct instance_locked l = instance_lock(s);
    struct device **p = &s->devices;

    while (*p != dev)
        p = &(*p)->next;
    *p = dev->next;
    p = &dev->group->devices;
    while (*p != dev)
        p = &(*p)->sibling;
    *p = dev->sibling;
    instance_unlock(l);
}

/* Into its group, which is parked with its new member, or as it was. */
static int join(struct instance *s, struct device *dev, struct group *g)
{
    int err;

    if (g->devices)
        attach_unpark(g);
    enlist(s, dev, g);
    err = attach_park(g);
    if (!err)
        return 0;
    delist(s, dev);
    if (g->devices)
        (void)attach_park(g); /* or stays blocked */
    return err;
}

int sluice_device_add(struct sluice *ss, const struct sluice_device_config *config,
                      struct sluice_device **out)
{
    struct instance *s = instance_of(ss);
    struct group *g = config->group ? device_of(config->group)->group : NULL;
    struct device *dev;
    int err = check_config(s, config);

    if (err)
        return err;
    if (g && g->domain)
        return -EBUSY;
    dev = allocate(s, config);
    if (!dev)
        return -ENOMEM;
    err = doorbells_get(s, dev, config->doorbells, config->nr_doorbells);
    if (!err && !g)
        g = new_group(s, config->unit);
    if (err || !g) {
        free_device(s, dev);
        return err ? err : -ENOMEM;
    }
    err = join(s, dev, g);
    if (err) {
        if (!g->devices)
            free_group(g);
        free_device(s, dev);
        return err;
    }
    *out = (struct sluice_device *)(void *)dev;
    return 0;
}

int sluice_device_remove(struct sluice_device *sdev)
{
    struct device *dev = device_of(sdev);
    struct group *g = dev->group;
    struct instance *s = g->s;

    if (g->domain)
        return -EBUSY;
    attach_unpark(g);
    delist(s, dev);
    free_device(s, dev);
    if (g->devices)
        (void)attach_park(g); /* or stays blocked */
    else
        free_group(g);
    return 0;
}

/* First who may have it at all; a unit that fails later is attach's. */
static int assign(struct domain_locked l, struct group *g)
{
    const enum hw_isolation now = isolation_of(g);
    int err;

    if (l.d->dying)
        return -ENODEV;
    if (now == HW_ISOLATION_FAILED)
        return -EIO;
    err = isolation_check(l.d, g, now);
    if (!err)
        err = attach_assign(l, g);
    if (g->domain)
        isolation_tell(g, now);
    return err;
}

int sluice_device_assign(struct sluice_device *sdev, struct sluice_domain *sd)
{
    struct group *g = device_of(sdev)->group;
    struct domain *d = domain_of(sd);
    struct domain_locked l;
    int err;

    if (g->domain)
        return -EBUSY;
    l = domain_lock(d);
    err = assign(l, g);
    domain_unlock(l);
    return err;
}

int sluice_device_unassign(struct sluice_device *sdev)
{
    struct group *g = device_of(sdev)->group;

    return g->domain ? attach_quarantine(g) : -ENODEV;
}

static enum sluice_exposure exposure(const struct group *g)
{
    if (!g->unit)
        return SLUICE_EXPOSED_NO_UNIT;
    if (!g->unit->translates)
        return SLUICE_EXPOSED_ABSENT;
    return g->unit->failed ? SLUICE_EXPOSED_FAILED : SLUICE_PROTECTED;
}

void sluice_device_info(struct sluice_device *sdev, struct sluice_device_info *out)
{
    const struct device *dev = device_of(sdev);
    const struct group *g = dev->group;

    out->domain = (struct sluice_domain *)(void *)g->domain;
    out->ctx_no = g->domain ? g->ctx_no : 0;
    out->nr_pasids = g->nr_pasids;
    out->nr_interrupts = dev->nr_interrupts;
    out->unsafe = g->domain && g->unsafe;
    out->exposure = exposure(g);
    out->protected = out->exposure == SLUICE_PROTECTED;
    out->msi_window = dev->msi_window;
}
