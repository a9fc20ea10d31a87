/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's unit: its beginning and its end. */
#include "emul.h"

static void release(struct vtd_emul *e)
{
    e->port->free(e->port->host, e, sizeof(*e));
}

/* Whose faults are collected now finds it, or finds none. */
static void publish(struct domain *d, struct viommu *v)
{
    struct instance_locked l = instance_lock(d->s);

    d->viommu = v;
    instance_unlock(l);
}

static int fini(struct vtd_emul *e)
{
    int err;

    e->port->lock(e->port->host, &e->lock);
    err = vtd_emul_back_fini(e);
    e->port->unlock(e->port->host, &e->lock);
    if (err)
        return -ERESTART;
    publish(e->d, NULL);
    release(e);
    return 0;
}

static bool end(struct viommu *v)
{
    return fini((struct vtd_emul *)(void *)v);
}

/* 0: what does not fit. */
static unsigned width_of(const struct domain *d, unsigned wanted)
{
    const unsigned most = d->s->translates ? d->s->geo.iova_bits : 48;

    if (!wanted)
        wanted = most >= 48 ? 48 : 39;
    return (wanted == 39 || wanted == 48) && wanted <= most ? wanted : 0;
}

static bool is_right(struct domain *d, const struct sluice_viommu_config *config)
{
    struct memory_locked l;
    unsigned rights;
    uint64_t nr;
    mfn_t mfn;
    int err;

    if (config->type != SLUICE_VIOMMU_VTD || config->base % SLUICE_VIOMMU_SIZE ||
        !width_of(d, config->iova_bits) || !vtd_emul_can_offer(d->s, config->capabilities))
        return false;
    l = memory_lock(&d->memory);
    err = memory_find(l, gfn_of(config->base >> FRAME_LG2), 1, &mfn, &nr, &rights);
    memory_unlock(l);
    return err;
}

static struct vtd_emul *allocate(struct domain *d, const struct sluice_viommu_config *config)
{
    const struct sluice_port *port = d->s->port;
    struct vtd_emul *e = port->alloc(port->host, sizeof(*e));

    if (!e)
        return NULL;
    e->viommu = (struct viommu){.fault = vtd_emul_note_fault, .end = end};
    e->d = d;
    e->port = port;
    e->base = config->base;
    e->capabilities = config->capabilities | SLUICE_VIOMMU_SECOND_STAGE;
    e->iova_bits = width_of(d, config->iova_bits);
    vtd_emul_offer(e);
    vtd_emul_reset(e);
    return e;
}

int sluice_viommu_create(struct sluice_domain *sd, const struct sluice_viommu_config *config,
                         uint32_t *id)
{
    struct domain *d = domain_of(sd);
    struct vtd_emul *e;
    int err;

    if (d->viommu)
        return -E2BIG;
    if (!is_right(d, config))
        return -EINVAL;
    e = allocate(d, config);
    if (!e)
        return -ENOMEM;
    err = vtd_emul_back_init(e);
    if (err) {
        release(e);
        return err;
    }
    publish(d, &e->viommu);
    *id = VTD_EMUL_ID;
    return 0;
}

int sluice_viommu_destroy(struct sluice_domain *sd, uint32_t id)
{
    struct viommu *v = domain_of(sd)->viommu;

    return v && id == VTD_EMUL_ID ? fini((struct vtd_emul *)(void *)v) : -ENODEV;
}
