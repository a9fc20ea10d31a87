/* SPDX-License-Identifier: BSD-2-Clause */
/* What a unit can offer, and how the guest is told. Nothing is offered that does not work. */
#include "emul.h"

#define ALWAYS                                                                     \
    (SLUICE_VIOMMU_SECOND_STAGE | SLUICE_VIOMMU_REMAPPING | SLUICE_VIOMMU_X2APIC | \
     SLUICE_VIOMMU_SCALABLE)
#define MOST_MASK 18u /* of an invalidation: 1 GiB, the largest leaf */

static bool all_nest(const struct instance *s)
{
    for (unsigned i = 0; i < s->nr_units; i++)
        if (!s->unit[i]->nests)
            return false;
    return s->translates;
}

/* A first stage is not covered by caching mode, so shadows of it would be late. */
int sluice_viommu_query_caps(struct sluice *ss, enum sluice_viommu_type type,
                             uint64_t *capabilities)
{
    const struct instance *s = instance_of(ss);

    if (type != SLUICE_VIOMMU_VTD)
        return -EINVAL;
    *capabilities = ALWAYS;
    if (all_nest(s))
        *capabilities |= SLUICE_VIOMMU_FIRST_STAGE;
    if (s->translates && pasid_max(s))
        *capabilities |= SLUICE_VIOMMU_PASID;
    return 0;
}

bool vtd_emul_can_offer(struct instance *s, uint64_t capabilities)
{
    uint64_t can;

    if (sluice_viommu_query_caps((struct sluice *)(void *)s, SLUICE_VIOMMU_VTD, &can) ||
        capabilities & ~can)
        return false;
    if (capabilities & SLUICE_VIOMMU_X2APIC && !(capabilities & SLUICE_VIOMMU_REMAPPING))
        return false;
    return !(capabilities & (SLUICE_VIOMMU_FIRST_STAGE | SLUICE_VIOMMU_PASID)) ||
           capabilities & SLUICE_VIOMMU_SCALABLE;
}

/* Beside a first stage there are four levels, whatever their addresses: drivers want them in both.
 */
static unsigned sagaw_of(const struct vtd_emul *e)
{
    return e->iova_bits > 39 || e->capabilities & SLUICE_VIOMMU_FIRST_STAGE ? 6 : 2;
}

/* Whatever the units' own tables are: the guest's are composed into them. */
static uint64_t cap_of(const struct vtd_emul *e)
{
    uint64_t cap = VTD_CAP_CM | VTD_CAP_ZLR | VTD_CAP_PSI | VTD_CAP_DWD | VTD_CAP_DRD |
                   VTD_CAP_ESRTPS | VTD_CAP_ESIRTPS;

    cap |= FIELD_PREP(VTD_CAP_ND, 6) | FIELD_PREP(VTD_CAP_MGAW, e->iova_bits - 1);
    cap |= FIELD_PREP(VTD_CAP_SAGAW, sagaw_of(e)) | FIELD_PREP(VTD_CAP_SSLPS, 3);
    cap |= FIELD_PREP(VTD_CAP_FRO, VTD_EMUL_FRCD / 16) | FIELD_PREP(VTD_CAP_MAMV, MOST_MASK);
    cap |= FIELD_PREP(VTD_CAP_NFR, VTD_EMUL_RECORDS - 1);
    if (e->capabilities & SLUICE_VIOMMU_FIRST_STAGE && e->d->s->geo.leaf_sizes & BIT64(30))
        cap |= VTD_CAP_FS1GP;
    return cap;
}

static uint64_t ecap_of_interrupts(const struct vtd_emul *e)
{
    uint64_t ecap = 0;

    if (e->capabilities & SLUICE_VIOMMU_REMAPPING)
        ecap |= VTD_ECAP_IR | FIELD_PREP(VTD_ECAP_MHMV, 15);
    if (e->capabilities & SLUICE_VIOMMU_X2APIC)
        ecap |= VTD_ECAP_EIM;
    return ecap;
}

/* Only whole bits can be told. */
static uint64_t ecap_of_pasids(const struct vtd_emul *e)
{
    const uint64_t nr = (uint64_t)pasid_max(e->d->s) + 1;
    unsigned bits = 1;

    while (bits < 20 && nr >> (bits + 1))
        bits++;
    return VTD_ECAP_PASID | FIELD_PREP(VTD_ECAP_PSS, bits - 1);
}

static uint64_t ecap_of(const struct vtd_emul *e)
{
    uint64_t ecap = VTD_ECAP_C | VTD_ECAP_QI | VTD_ECAP_PT | ecap_of_interrupts(e);

    ecap |= FIELD_PREP(VTD_ECAP_IRO, VTD_EMUL_IVA / 16);
    if (e->d->s->snoop)
        ecap |= VTD_ECAP_SC;
    if (e->capabilities & SLUICE_VIOMMU_SCALABLE)
        ecap |= VTD_ECAP_SMTS | VTD_ECAP_SSTS | VTD_ECAP_SMPWC | VTD_ECAP_RPS;
    if (e->capabilities & SLUICE_VIOMMU_FIRST_STAGE)
        ecap |= VTD_ECAP_FSTS;
    if (e->capabilities & SLUICE_VIOMMU_PASID)
        ecap |= ecap_of_pasids(e);
    return ecap;
}

void vtd_emul_offer(struct vtd_emul *e)
{
    e->cap = cap_of(e);
    e->ecap = ecap_of(e);
}
