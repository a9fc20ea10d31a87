/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: a device raises what the guest that owns it has programmed, at that guest, and
 * nothing else; when it changes hands, not even that.
 */
#include "state.h"

#define MSI_BASE   0xfee00000u
#define MSI_END    0xfef00000u
#define REMAPPABLE 0x10u
#define SHV        0x8u

static bool is_remapped(const struct ghost *g, const struct ghost_device *dev)
{
    return !g->no_intremap && !dev->exposed;
}

bool is_unsafe(const struct ghost *g, const struct ghost_device *dev, const struct ghost_domain *d)
{
    return !is_remapped(g, dev) && !d->trusted;
}

/* VT-d 5.1.3 */
static unsigned index_of(uint64_t addr, uint32_t data)
{
    const unsigned handle = (unsigned)(addr >> 5 & 0x7fff) | (addr & 4 ? 0x8000u : 0);

    return handle + (addr & SHV ? data & 0xffff : 0);
}

static bool is_own(const struct ghost_device *dev, rid_t rid, uint64_t addr, uint32_t data)
{
    return dev->domain && dev->programmed && rid.n == dev->source.n && (addr & REMAPPABLE) &&
           index_of(addr, data) == index_of(dev->message, 0);
}

static bool arrived(struct ghost *g, const struct ghost_device *dev,
                    const struct machine_delivery *out)
{
    if (!out->domain || machine_domain_domid(out->domain) != dev->domain->domid)
        return complain(g, "%s: its interrupt arrived at %s, and it belongs to %s", dev->name,
                        out->domain ? machine_domain_name(out->domain) : "no guest",
                        dev->domain->name);
    if (out->vector != dev->vector)
        return complain(g, "%s: vector 0x%x arrived, its guest programmed 0x%x", dev->name,
                        out->vector, dev->vector);
    return true;
}

static bool is_others(const struct ghost *g, const struct ghost_device *dev, uint64_t message)
{
    for (unsigned i = 0; i < g->nr_devices && g->nr_units == 1; i++)
        if (g->devices[i] != dev && g->devices[i]->programmed && g->devices[i]->message == message)
            return true;
    return false;
}

/* The guest's own message: another one goes into the device. */
static bool programmed(struct ghost *g, struct ghost_device *dev, rid_t rid, uint32_t data,
                       int status, const struct machine_delivery *out)
{
    if ((data & 0xff) < 16 || (data >> 8 & 7) > 1)
        return status == -EINVAL
                   ? true
                   : complain(g, "%s: a vector that no guest may have gave %d", dev->name, status);
    if (status)
        return complain(g, "%s: its guest's interrupt gave %d", dev->name, status);
    if (!(out->message & REMAPPABLE) || is_others(g, dev, out->message))
        return complain(g, "%s: programmed with message 0x%jx", dev->name, (uintmax_t)out->message);
    dev->programmed = true;
    dev->message = out->message;
    dev->vector = (uint8_t)data;
    dev->source = rid;
    return arrived(g, dev, out);
}

/* What goes out as it is. */
static bool sent(struct ghost *g, const struct ghost_device *dev, rid_t rid, uint64_t addr,
                 uint32_t data, int status, const struct machine_delivery *out)
{
    const bool own = is_own(dev, rid, addr, data);

    if (status == -EACCES && out->reason != HW_REASON_MSI)
        return complain(g, "%s: an interrupt was blocked for a wrong reason: %s", dev->name,
                        sluice_reason_name(out->reason));
    if (status == -EACCES)
        return own ? complain(g, "%s: its own interrupt was blocked", dev->name) : true;
    if (status)
        return complain(g, "%s: an interrupt gave %d", dev->name, status);
    if (own)
        return arrived(g, dev, out);
    if (g->coarse && !(addr & REMAPPABLE))
        return true; /* QEMU's unit lets every such message through */
    return complain(g, "%s: raised vector 0x%x with message 0x%jx, which is not its own", dev->name,
                    out->vector, (uintmax_t)addr);
}

/* Nothing is between it and the processor. */
static bool sent_plainly(struct ghost *g, const struct ghost_device *dev, uint32_t data, int status,
                         const struct machine_delivery *out)
{
    if (status || out->domain || out->vector != (data & 0xff))
        return complain(g, "%s: an interrupt that is not remapped gave %d, vector 0x%x", dev->name,
                        status, out->vector);
    return true;
}

bool ghost_msi(struct ghost *g, struct machine_device *machine, rid_t rid, uint64_t addr,
               uint32_t data, int status, const struct machine_delivery *out)
{
    struct ghost_device *dev = find_device(g, machine);

    event_begins(g, status);
    if (!dev)
        return complain(g, "an interrupt of a device that the model does not have");
    if (is_injected(g, status) ||
        (status == -EACCES && out->reason == HW_REASON_UNIT && g->may_fail))
        return true;
    if (g->nr_doorbells && has_rid(dev, rid) && (addr < MSI_BASE || addr >= MSI_END))
        return doorbell_msi(g, dev, rid, addr, data, status, out);
    if (!has_rid(dev, rid) || addr < MSI_BASE || addr >= MSI_END || addr % 4)
        return status == -EINVAL ? true : complain(g, "%s: no message gave %d", dev->name, status);
    if (!is_remapped(g, dev))
        return sent_plainly(g, dev, data, status, out);
    if (is_behind(dev))
        return behind_msi(g, dev, rid, status, out);
    if (dev->domain && !(addr & REMAPPABLE))
        return programmed(g, dev, rid, data, status, out);
    return sent(g, dev, rid, addr, data, status, out);
}

bool message_dma(const struct ghost *g, const struct ghost_device *dev, rid_t rid, uint64_t addr)
{
    if (!is_remapped(g, dev) || g->coarse)
        return true;
    return dev->programmed && rid.n == dev->source.n && (addr & REMAPPABLE) &&
           (addr & SHV || index_of(addr, 0) == index_of(dev->message, 0));
}

struct entries {
    struct ghost *g;
    bool right;
};

static void visit(void *arg, const struct machine_entry *e)
{
    struct entries *entries = arg;
    const struct ghost_device *dev = find_requester(entries->g, e->source);

    if (!entries->right)
        return;
    if (!dev || !dev->domain || !dev->programmed || dev->source.n != e->source.n ||
        index_of(dev->message, 0) != e->index)
        entries->right =
            complain(entries->g, "requester 0x%x can use interrupt entry %u, which is not its own",
                     e->source.n, e->index);
    else if (!e->domain || machine_domain_domid(e->domain) != dev->domain->domid ||
             e->vector != dev->vector)
        entries->right =
            complain(entries->g, "%s: interrupt entry %u leads to vector 0x%x of %s", dev->name,
                     e->index, e->vector, e->domain ? machine_domain_name(e->domain) : "no guest");
}

/* What is said of a device is true, and nobody has one that he must not have. */
static bool check_isolation(struct ghost *g, const struct ghost_device *dev)
{
    const bool unsafe = dev->domain && is_unsafe(g, dev, dev->domain);
    struct sluice_device_info info;

    sluice_device_info(dev->real, &info);
    if (hw_isolates(sluice_device_isolation(dev->real)) != is_remapped(g, dev))
        return complain(g, "%s: its interrupts are said to be %s", dev->name,
                        sluice_isolation_name(sluice_device_isolation(dev->real)));
    if (unsafe && !g->allow_unsafe)
        return complain(g, "%s: %s has it, and it can raise any interrupt", dev->name,
                        dev->domain->name);
    if (info.unsafe != unsafe)
        return complain(g, "%s: is said to be %s", dev->name, info.unsafe ? "unsafe" : "safe");
    return true;
}

/* After a failure of the unit entries may be lost, but then it delivers none. */
bool check_interrupts(struct ghost *g)
{
    struct entries entries = {g, true};

    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];
        struct sluice_device_info info;

        sluice_device_info(dev->real, &info);
        if (!g->failed && !check_isolation(g, dev))
            return false;
        if (g->failed || dev->pasid || info.nr_interrupts == dev->programmed)
            continue;
        return complain(g, "%s: has %u interrupt entries, right is %u", dev->name,
                        info.nr_interrupts, dev->programmed);
    }
    if (!g->failed)
        machine_entries(g->m, visit, &entries);
    return entries.right;
}
