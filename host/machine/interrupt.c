/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of devices. The host plays the hypervisor: it programs devices with messages of its
 * own, and gives guests theirs when its vectors arrive. A device has one message here.
 */
#include "../../iommu/spec/x86_msi.h"
#include "backend.h"

#define FIRST_VECTOR 0x30u /* of those that the host gives to guests' devices */
#define LAST_VECTOR  0xefu

static bool in_window(uint64_t addr)
{
    return addr >= X86_MSI_FIRST && addr <= X86_MSI_LAST && addr % 4 == 0;
}

bool interrupt_is_message(uint64_t addr, size_t size, bool write)
{
    return write && size == 4 && in_window(addr);
}

const struct machine_domain *interrupt_owner(const struct machine_device *dev)
{
    const struct machine_domain *d = dev->m->domains;
    struct sluice_device_info info;

    sluice_device_info(dev->sluice, &info);
    while (d && d->sluice != info.domain)
        d = d->next;
    return d;
}

static bool is_remapped(const struct machine_device *dev)
{
    return dev->unit && dev->unit->interrupts;
}

/* ---- Setting up --------------------------------------------------------------------------------
 */

static void drop_vector(struct machine_device *dev)
{
    if (dev->interrupt.vector)
        dev->m->vectors[dev->interrupt.vector] = NULL;
    dev->interrupt.vector = 0;
}

void interrupts_settle(struct machine *m)
{
    for (struct machine_device *dev = m->devices; dev; dev = dev->next) {
        if (!dev->interrupt.domain || dev->interrupt.domain == interrupt_owner(dev))
            continue;
        drop_vector(dev);
        dev->interrupt = (struct machine_interrupt){.domain = NULL};
    }
}

static uint8_t free_vector(const struct machine *m)
{
    for (unsigned v = FIRST_VECTOR; v <= LAST_VECTOR; v++)
        if (!m->vectors[v])
            return (uint8_t)v;
    return 0;
}

/* What a guest programs is data: anything but an ordinary vector is refused. */
static bool guest_may(uint32_t data)
{
    return FIELD_GET(X86_MSI_VECTOR, data) >= X86_FIRST_VECTOR &&
           FIELD_GET(X86_MSI_DELIVERY, data) <= HW_DELIVER_LOWEST;
}

static unsigned source_of(const struct machine_device *dev, rid_t rid)
{
    unsigned i = 0;

    while (dev->rids[i].n != rid.n)
        i++;
    return i;
}

static int take_entry(struct machine_device *dev)
{
    int err;

    if (dev->interrupt.domain)
        return 0;
    err = sluice_interrupt_alloc(dev->sluice, 0, &dev->interrupt.index);
    if (!err)
        dev->interrupt.domain = interrupt_owner(dev);
    return err;
}

/* The new vector is the device's before the entry names it, the old one until it does not. */
static int set_entry(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data)
{
    struct machine_interrupt *i = &dev->interrupt;
    const struct hw_interrupt what = {.vector = free_vector(dev->m)};
    int err;

    if (!what.vector)
        return machine_fail(dev->m, -ENOSPC, "the host has no vector left for %s", dev->name);
    err = sluice_interrupt_set(dev->sluice, i->index, source_of(dev, rid), &what);
    if (err)
        return err;
    drop_vector(dev);
    dev->m->vectors[what.vector] = dev;
    i->vector = what.vector;
    i->addr = addr;
    i->data = data;
    i->rid = rid;
    return 0;
}

static bool is_set_up(const struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data)
{
    const struct machine_interrupt *i = &dev->interrupt;

    return i->vector && i->addr == addr && i->data == data && i->rid.n == rid.n;
}

/* The guest programs its device: what the device gets is the host's. */
static int program(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
                   struct hw_message *out)
{
    int err;

    if (!guest_may(data))
        return machine_fail(dev->m, -EINVAL,
                            "a guest's message has a vector from 16, delivered as fixed or lowest");
    err = take_entry(dev);
    if (!err && !is_set_up(dev, rid, addr, data))
        err = set_entry(dev, rid, addr, data);
    if (!err)
        err = sluice_interrupt_message(dev->sluice, dev->interrupt.index, false, out);
    return err;
}

/* ---- Sending -----------------------------------------------------------------------------------
 */

/* A vector of the host's is the guest's whose device it was given to. */
static void arrive(const struct machine *m, uint8_t vector, struct machine_domain **domain,
                   uint8_t *guest_vector)
{
    const struct machine_device *dev = m->vectors[vector];

    *domain = dev ? (struct machine_domain *)(uintptr_t)dev->interrupt.domain : NULL;
    *guest_vector = dev ? (uint8_t)FIELD_GET(X86_MSI_VECTOR, dev->interrupt.data) : vector;
}

int interrupt_send(struct machine_device *dev, rid_t rid, const struct hw_message *message,
                   bool dma, struct machine_delivery *out)
{
    struct hw_interrupt what = {.vector = 0};
    int err;

    *out = (struct machine_delivery){.message = message->address};
    err = dev->m->backend->message(dev, rid, message, dma, &what, &out->reason);
    if (!err)
        arrive(dev->m, what.vector, &out->domain, &out->vector);
    else if (err == -EACCES)
        machine_faults_collect(dev->m);
    return err;
}

/* Does the guest that owns it program it with that, and the host with something else? */
static bool is_guests(const struct machine_device *dev, const struct hw_message *message)
{
    return is_remapped(dev) && interrupt_owner(dev) && !(message->address & X86_MSI_REMAPPABLE);
}

int machine_msi(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
                struct machine_delivery *out)
{
    struct hw_message message = {.address = addr, .data = data};
    int err = 0;

    *out = (struct machine_delivery){.message = addr};
    if (!device_sends_as(dev, rid))
        return machine_fail(dev->m, -EINVAL, "%s does not send as that requester", dev->name);
    if (!in_window(addr) && dev->m->config.nr_doorbells)
        return doorbell_message(dev, rid, addr, data, out);
    if (!in_window(addr))
        return machine_fail(dev->m, -EINVAL, "a message goes to 0x%x..0x%x, to words of 4 bytes",
                            X86_MSI_FIRST, X86_MSI_LAST);
    if (dev->behind)
        err = viommu_remap(dev->behind, sid_of(dev), &message);
    if (err == -EACCES)
        out->reason = HW_REASON_MSI;
    if (!err && is_guests(dev, &message))
        err = program(dev, rid, message.address, message.data, &message);
    return err ? err : interrupt_send(dev, rid, &message, false, out);
}

int interrupt_dma(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
                  enum hw_reason *reason)
{
    const struct hw_message message = {.address = addr, .data = data};
    struct machine_delivery out;
    int err = interrupt_send(dev, rid, &message, true, &out);

    *reason = out.reason;
    return err;
}

/* ---- Looking inside ----------------------------------------------------------------------------
 */

struct entries {
    const struct machine *m;
    void (*visit)(void *arg, const struct machine_entry *e);
    void *arg;
};

static void visit_entry(void *arg, uint16_t index, rid_t source, uint8_t vector)
{
    const struct entries *entries = arg;
    struct machine_entry e = {.source = source, .index = index};
    struct machine_domain *domain;

    arrive(entries->m, vector, &domain, &e.vector);
    e.domain = domain;
    entries->visit(entries->arg, &e);
}

void machine_entries(struct machine *m, void (*visit)(void *arg, const struct machine_entry *e),
                     void *arg)
{
    struct entries entries = {m, visit, arg};

    if (m->backend->entries)
        m->backend->entries(m, visit_entry, &entries);
}
