/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains of a machine: their memory, and their processor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

#define BLOCK 512u /* frames: 2 MiB */

static uint32_t limit(uint32_t budget)
{
    if (budget == MACHINE_NONE)
        return 0;
    return budget ? budget : SLUICE_NO_LIMIT;
}

static bool in_hole(const struct machine_domain_config *config, uint64_t gfn)
{
    for (unsigned i = 0; i < config->nr_holes; i++)
        if (gfn >= config->holes[i].first >> FRAME_LG2 && gfn <= config->holes[i].last >> FRAME_LG2)
            return true;
    return false;
}

/* Is it to be the frame of its own number? */
static bool is_direct(const struct machine_domain_config *config, uint64_t gfn)
{
    return config->direct_mapped ||
           (gfn >= config->bounce && gfn - config->bounce < config->nr_bounce);
}

static int add_memory(struct machine_domain *d, uint64_t gfn, mfn_t mfn, uint64_t nr)
{
    int err;

    do
        err = sluice_memory_add(d->sluice, gfn_of(gfn), mfn, nr, SLUICE_FRAME_RAM);
    while (err == -ERESTART);
    return err;
}

/* Gives one frame; it is the machine's again if the library does not want it. */
static int give(struct machine_domain *d, uint64_t gfn, mfn_t mfn)
{
    int err = add_memory(d, gfn, mfn, 1);

    if (err && err != -EIO)
        ram_free(&d->m->ram, mfn);
    return err;
}

static int give_direct(struct machine_domain *d, uint64_t gfn)
{
    int err;

    if (ram_is_reserved(&d->m->ram, mfn_of(gfn)))
        return 0; /* a hole of the platform's is one of the domain's */
    err = ram_take(&d->m->ram, mfn_of(gfn));
    if (err == -EBUSY)
        return machine_fail(d->m, err,
                            "%s is direct-mapped, but frame 0x%llx is taken: let it come first, or "
                            "give the machine more ram",
                            d->name, (unsigned long long)gfn);
    if (err)
        return machine_fail(d->m, err, "%s is direct-mapped, but the machine has no frame 0x%llx",
                            d->name, (unsigned long long)gfn);
    return give(d, gfn, mfn_of(gfn));
}

/* Memory that comes back to a direct-mapped domain: the frame that was there, or none. */
static int give_back(struct machine_domain *d, uint64_t gfn)
{
    mfn_t mfn = mfn_of(gfn);
    int err;

    if (!sluice_memory_lookup(d->sluice, gfn_of(gfn), &mfn))
        return -EEXIST;
    err = ram_is_reserved(&d->m->ram, mfn) ? -EINVAL : ram_take(&d->m->ram, mfn);
    if (err == -EBUSY)
        return machine_fail(d->m, err,
                            "%s is direct-mapped, but frame 0x%llx is in use: somebody still maps "
                            "it, or it never was the domain's",
                            d->name, (unsigned long long)gfn);
    if (err)
        return machine_fail(d->m, err, "%s is direct-mapped, but the machine has no frame 0x%llx",
                            d->name, (unsigned long long)gfn);
    return give(d, gfn, mfn);
}

static int give_any(struct machine_domain *d, uint64_t gfn)
{
    mfn_t mfn;
    int err = ram_alloc(&d->m->ram, &mfn);

    if (err)
        return machine_fail(d->m, err, "the machine has no frame left for %s", d->name);
    return give(d, gfn, mfn);
}

static int give_run(struct machine_domain *d, uint64_t gfn, uint64_t nr)
{
    mfn_t mfn;
    int err = ram_alloc_run(&d->m->ram, nr, &mfn);

    if (err)
        return err;
    err = add_memory(d, gfn, mfn, nr);
    for (uint64_t i = 0; err && err != -EIO && i < nr; i++)
        ram_free(&d->m->ram, mfn_add(mfn, i));
    return err;
}

/* May [gfn, gfn + BLOCK) be one run? */
static bool is_block(const struct machine_domain_config *config, uint64_t gfn)
{
    if (config->direct_mapped || config->scattered || gfn % BLOCK ||
        gfn + BLOCK > config->mem >> FRAME_LG2)
        return false;
    for (uint64_t i = 0; i < BLOCK; i++)
        if (in_hole(config, gfn + i) || is_direct(config, gfn + i))
            return false;
    return true;
}

static int give_one(struct machine_domain *d, const struct machine_domain_config *config,
                    uint64_t gfn)
{
    if (in_hole(config, gfn))
        return 0;
    return is_direct(config, gfn) ? give_direct(d, gfn) : give_any(d, gfn);
}

static int give_memory(struct machine_domain *d, const struct machine_domain_config *config)
{
    const uint64_t nr = config->mem >> FRAME_LG2;
    uint64_t gfn = 0;
    int err = 0;

    if (config->contiguous)
        return nr ? give_run(d, 0, nr) : 0;
    while (gfn < nr && !err) {
        if (is_block(config, gfn) && !give_run(d, gfn, BLOCK)) {
            gfn += BLOCK;
            continue;
        }
        err = give_one(d, config, gfn++);
    }
    return err;
}

static int copy_controls(struct machine_domain *d, const struct machine_domain_config *config)
{
    d->controls = calloc(config->nr_controls + 1, sizeof(*d->controls));
    if (!d->controls)
        return -ENOMEM;
    for (unsigned i = 0; i < config->nr_controls; i++)
        snprintf(d->controls[i], NAME_SIZE, "%s", config->controls[i]);
    d->nr_controls = config->nr_controls;
    return 0;
}

static int create(struct machine_domain *d, const struct machine_domain_config *config)
{
    const struct sluice_domain_config c = {
        .domid = config->domid,
        .guest = d,
        .max_ctx_no = config->max_ctx_no ? config->max_ctx_no : 15,
        .blocked = d->m->config.blocked,
        .direct_mapped = config->direct_mapped,
        .trusted = config->hardware || config->trusted,
        .space = config->space,
        .window = config->window,
        .budget_contexts = limit(config->budget_contexts),
        .budget_tables = limit(config->budget_tables),
        .budget_refs = limit(config->budget_refs),
    };
    int err = sluice_domain_create(d->m->sluice, &c, &d->sluice);

    if (err == -EEXIST)
        return machine_fail(d->m, err, "there is a domain with id %u already", config->domid);
    if (err == -EBUSY)
        return machine_fail(d->m, err, "%s cannot have every frame: another domain has that",
                            config->name);
    if (err == -EINVAL && config->window)
        return machine_fail(d->m, err, "window=0x%llx: the machine's frames do not fit behind it",
                            (unsigned long long)config->window);
    return err ? machine_fail(d->m, err, "domain %s cannot be made", config->name) : 0;
}

/* What direct-mapped domains give back is for them, as they can have no other frame there. */
static void keep_frames(struct machine *m)
{
    uint64_t end = 0;

    for (const struct machine_domain *d = m->domains; d; d = d->next)
        if (d->direct_mapped && d->end > end)
            end = d->end;
    ram_keep(&m->ram, end);
}

static void release(struct machine_domain *d)
{
    free(d->controls);
    free(d);
}

int machine_domain_add(struct machine *m, const struct machine_domain_config *config,
                       struct machine_domain **out)
{
    struct machine_domain *d;
    int err;

    if (config->domid >= 0x7ff0)
        return machine_fail(m, -EINVAL, "ids from 0x7ff0 on are reserved (DOMID_SELF is 0x7ff0)");
    if (config->mem % FRAME_SIZE)
        return machine_fail(m, -EINVAL, "mem of %s is not whole pages", config->name);
    if (machine_domain(m, config->name))
        return machine_fail(m, -EEXIST, "there is a domain %s already", config->name);
    d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->m = m;
    d->domid = config->domid;
    d->hardware = config->hardware;
    d->direct_mapped = config->direct_mapped;
    d->end = config->mem >> FRAME_LG2;
    snprintf(d->name, sizeof(d->name), "%s", config->name);
    err = copy_controls(d, config);
    if (!err)
        err = create(d, config);
    if (err) {
        release(d);
        return err;
    }
    d->next = m->domains;
    m->domains = d;
    keep_frames(m);
    err = give_memory(d, config);
    if (err)
        (void)machine_domain_destroy(m, d);
    else
        *out = d;
    return err;
}

int machine_domain_destroy(struct machine *m, struct machine_domain *d)
{
    struct machine_domain **p = &m->domains;
    int err;

    preempt_begin(m, m->host_every);
    while ((err = sluice_domain_destroy(d->sluice)) == -ERESTART)
        ;
    preempt_end(m);
    ioreq_domain_ended(m, d);
    viommu_domain_ended(m, d);
    emulated_domain_ended(m, d);
    interrupts_settle(m);
    while (*p != d)
        p = &(*p)->next;
    *p = d->next;
    keep_frames(m);
    release(d);
    return err;
}

struct machine_domain *machine_domain(struct machine *m, const char *name)
{
    struct machine_domain *d = m->domains;

    while (d && strcmp(d->name, name))
        d = d->next;
    return d;
}

struct machine_domain *machine_domain_at(struct machine *m, unsigned index)
{
    struct machine_domain *d = m->domains;

    while (d && index--)
        d = d->next;
    return d;
}

struct sluice_domain *machine_domain_sluice(struct machine_domain *d)
{
    return d->sluice;
}

const char *machine_domain_name(const struct machine_domain *d)
{
    return d->name;
}

uint16_t machine_domain_domid(const struct machine_domain *d)
{
    return d->domid;
}

/* Where a guest address is, up to the end of its page; NULL: nowhere. */
static char *guest_at(struct machine_domain *d, uint64_t gpa)
{
    mfn_t mfn;

    if (gpa >= MACHINE_ARG && gpa < MACHINE_ARG + FRAME_SIZE)
        return d->arg + (gpa - MACHINE_ARG);
    if (sluice_memory_lookup(d->sluice, gfn_of(gpa >> FRAME_LG2), &mfn))
        return NULL;
    return (char *)ram_at(&d->m->ram, mfn.n << FRAME_LG2) + gpa % FRAME_SIZE;
}

static size_t in_page(uint64_t gpa, size_t size)
{
    const size_t left = FRAME_SIZE - gpa % FRAME_SIZE;

    return size < left ? size : left;
}

static int guest_check(struct machine_domain *d, uint64_t gpa, size_t size)
{
    if (size && gpa > UINT64_MAX - (size - 1))
        return -ENOENT;
    for (size_t n; size; size -= n, gpa += n) {
        n = in_page(gpa, size);
        if (!guest_at(d, gpa))
            return -ENOENT;
    }
    return 0;
}

int machine_guest_read(struct machine_domain *d, uint64_t gpa, void *to, size_t size)
{
    char *at = to;
    int err = guest_check(d, gpa, size);

    for (size_t n; !err && size; size -= n, gpa += n, at += n) {
        n = in_page(gpa, size);
        memcpy(at, guest_at(d, gpa), n);
    }
    return err;
}

int machine_guest_write(struct machine_domain *d, uint64_t gpa, const void *from, size_t size)
{
    const char *at = from;
    int err = guest_check(d, gpa, size);

    for (size_t n; !err && size; size -= n, gpa += n, at += n) {
        n = in_page(gpa, size);
        memcpy(guest_at(d, gpa), at, n);
    }
    return err;
}

static int remove_memory(struct machine_domain *d, uint64_t gfn, uint64_t nr)
{
    int err;

    preempt_begin(d->m, d->m->host_every);
    do
        err = sluice_memory_remove(d->sluice, gfn_of(gfn), nr);
    while (err == -ERESTART && ioreq_serve(d->m));
    preempt_end(d->m);
    return err;
}

int machine_balloon_out(struct machine_domain *d, uint64_t gfn, uint64_t nr)
{
    return remove_memory(d, gfn, nr);
}

int machine_populate(struct machine_domain *d, uint64_t gfn, uint64_t nr)
{
    uint64_t n;
    int err = nr ? 0 : -EINVAL;

    for (n = 0; n < nr && !err; n++)
        err = d->direct_mapped ? give_back(d, gfn + n) : give_any(d, gfn + n);
    if (err && n > 1 && remove_memory(d, gfn, n - 1) == -EIO)
        err = -EIO;
    return err;
}

uint64_t machine_domain_exits(const struct machine_domain *d)
{
    return d->exits;
}
