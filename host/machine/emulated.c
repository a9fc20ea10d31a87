/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that emulators are: their accesses come from this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../iommu/spec/x86_msi.h"
#include "backend.h"

int machine_emulated_add(struct machine_domain *d, const char *name, uint32_t sid,
                         struct machine_emulated **out)
{
    struct machine_emulated *e;
    int err;

    if (machine_device(d->m, name) || machine_emulated(d->m, name))
        return machine_fail(d->m, -EEXIST, "there is a device %s already", name);
    e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->m = d->m;
    e->sid = sid;
    e->domain = d;
    snprintf(e->name, sizeof(e->name), "%s", name);
    err = viommu_add_emulated(e);
    if (err) {
        free(e);
        return machine_fail(d->m, err, "%s cannot be behind the vIOMMU of %s", name, d->name);
    }
    e->next = d->m->emulated;
    d->m->emulated = e;
    *out = e;
    return 0;
}

struct machine_emulated *machine_emulated(struct machine *m, const char *name)
{
    struct machine_emulated *e = m->emulated;

    while (e && strcmp(e->name, name))
        e = e->next;
    return e;
}

void emulated_domain_ended(struct machine *m, const struct machine_domain *d)
{
    for (struct machine_emulated *e = m->emulated; e; e = e->next)
        if (e->domain == d)
            e->domain = NULL;
}

void emulated_remove(struct machine *m)
{
    while (m->emulated) {
        struct machine_emulated *e = m->emulated;

        m->emulated = e->next;
        free(e);
    }
}

/* Where the access goes in its guest's memory. */
static int translate(const struct machine_emulated *e, const struct machine_access *access,
                     uint64_t *gpa)
{
    const struct sluice_viommu_request request = {
        .sid = e->sid,
        .has_pasid = access->has_pasid,
        .pasid = access->pasid,
        .iova = *gpa,
        .access = access->write ? PT_WRITE : PT_READ,
    };
    struct sluice_viommu_translation where;
    int err;

    if (!e->domain->has_viommu)
        return 0;
    err = sluice_viommu_translate(e->domain->sluice, e->domain->viommu, &request, &where);
    if (!err)
        *gpa = (where.gpa & ~where.mask) | (*gpa & where.mask);
    return err;
}

/* Within one page. What is no memory does not answer. */
static int move(struct machine_emulated *e, const struct machine_access *access, uint64_t addr,
                char *data, size_t size)
{
    int err = translate(e, access, &addr);

    if (err || addr >= MACHINE_ARG)
        return -EACCES;
    err = access->write ? machine_guest_write(e->domain, addr, data, size)
                        : machine_guest_read(e->domain, addr, data, size);
    return err ? -EACCES : 0;
}

int machine_emulated_dma(struct machine_emulated *e, const struct machine_access *access,
                         enum hw_reason *reason)
{
    uint64_t addr = access->addr;
    char *at = access->data;
    int err = e->domain ? 0 : -EACCES;

    for (size_t n, left = access->size; left && !err; left -= n, addr += n, at += n) {
        n = FRAME_SIZE - addr % FRAME_SIZE;
        if (n > left)
            n = left;
        err = move(e, access, addr, at, n);
    }
    *reason = HW_REASON_NONE;
    if (err)
        *reason = access->write ? HW_REASON_NO_WRITE : HW_REASON_NO_READ;
    return err;
}

int machine_emulated_msi(struct machine_emulated *e, uint64_t addr, uint32_t data,
                         struct machine_delivery *out)
{
    struct hw_message message = {.address = addr, .data = data};
    int err = e->domain ? 0 : -EACCES;

    *out = (struct machine_delivery){.message = addr, .reason = HW_REASON_MSI};
    if (addr < X86_MSI_FIRST || addr > X86_MSI_LAST || addr % 4)
        return machine_fail(e->m, -EINVAL, "a message goes to 0x%x..0x%x, to words of 4 bytes",
                            X86_MSI_FIRST, X86_MSI_LAST);
    if (!err && e->domain->has_viommu)
        err = viommu_remap(e->domain, e->sid, &message);
    if (err)
        return err;
    out->reason = HW_REASON_NONE;
    out->domain = e->domain;
    out->vector = (uint8_t)FIELD_GET(X86_MSI_VECTOR, message.data);
    return 0;
}
