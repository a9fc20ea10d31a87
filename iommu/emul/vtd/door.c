/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of viommu.h on a unit that is there: lock it, and pass on. */
#include "emul.h"

struct vtd_emul *vtd_emul_enter(struct sluice_domain *d, uint32_t id)
{
    struct vtd_emul *e = (struct vtd_emul *)(void *)domain_of(d)->viommu;

    if (!e || id != VTD_EMUL_ID)
        return NULL;
    e->port->lock(e->port->host, &e->lock);
    return e;
}

void vtd_emul_leave(struct vtd_emul *e)
{
    e->port->unlock(e->port->host, &e->lock);
}

int sluice_viommu_read(struct sluice_domain *d, uint32_t id, uint64_t offset, unsigned size,
                       uint64_t *value)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);

    if (!e)
        return -ENODEV;
    e->front.reads++;
    vtd_emul_collect(e);
    *value = vtd_emul_read(e, offset, size);
    vtd_emul_leave(e);
    return 0;
}

int sluice_viommu_write(struct sluice_domain *d, uint32_t id, uint64_t offset, unsigned size,
                        uint64_t value)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    int err;

    if (!e)
        return -ENODEV;
    e->front.writes++;
    vtd_emul_write(e, offset, size, value);
    err = vtd_emul_work(e);
    vtd_emul_leave(e);
    return err;
}

int sluice_viommu_run(struct sluice_domain *d, uint32_t id)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    int err;

    if (!e)
        return -ENODEV;
    err = vtd_emul_work(e);
    vtd_emul_leave(e);
    return err;
}

int sluice_viommu_poll(struct sluice_domain *d, uint32_t id)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);

    if (!e)
        return -ENODEV;
    vtd_emul_collect(e);
    vtd_emul_leave(e);
    return 0;
}

int sluice_viommu_interrupt(struct sluice_domain *d, uint32_t id, uint32_t sid,
                            const struct hw_message *message, struct hw_interrupt *out)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    int err = -ENOENT;

    if (!e)
        return -ENODEV;
    if (vtd_emul_has_device(e, sid))
        err = vtd_emul_remap(e, (uint16_t)sid, message, out);
    vtd_emul_leave(e);
    return err;
}

int sluice_viommu_save(struct sluice_domain *d, uint32_t id, void *to, size_t *size)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    const size_t room = *size;

    if (!e)
        return -ENODEV;
    *size = vtd_emul_state_size();
    if (room >= *size) {
        vtd_emul_collect(e);
        vtd_emul_save(e, to);
    }
    vtd_emul_leave(e);
    return room >= *size ? 0 : -ENOSPC;
}

int sluice_viommu_restore(struct sluice_domain *d, uint32_t id, const void *from, size_t size)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    int err;

    if (!e)
        return -ENODEV;
    err = vtd_emul_restore(e, from, size);
    if (!err)
        err = vtd_emul_work(e);
    vtd_emul_leave(e);
    return err;
}

int sluice_viommu_info(struct sluice_domain *d, uint32_t id, struct sluice_viommu_info *out)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    const struct vtd_emul_front *f;

    if (!e)
        return -ENODEV;
    f = &e->front;
    *out = (struct sluice_viommu_info){
        .type = SLUICE_VIOMMU_VTD,
        .base = e->base,
        .capabilities = e->capabilities,
        .translating = f->gsts & VTD_GCMD_TE,
        .remapping = f->gsts & VTD_GCMD_IRE,
        .scalable = vtd_emul_is_scalable(e),
        .queued = f->gsts & VTD_GCMD_QIE,
        .reads = f->reads,
        .writes = f->writes,
        .invalidations = f->invalidations,
        .faults = f->faults,
        .faults_lost = f->faults_lost,
    };
    vtd_emul_back_info(e, out);
    vtd_emul_leave(e);
    return 0;
}
