/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doorbells, as Arm has them: a message is an ordinary write, which the unit translates like any
 * other. The interrupt controller knows from the bus whose it is.
 */
#include "backend.h"

int doorbells_check(struct machine *m)
{
    const struct machine_config *c = &m->config;

    if (c->nr_doorbells > MACHINE_DOORBELLS)
        return machine_fail(m, -EINVAL, "at most %u doorbells", MACHINE_DOORBELLS);
    for (unsigned i = 0; i < c->nr_doorbells; i++)
        if (c->doorbells[i] < c->ram || c->doorbells[i] % 4 || c->doorbells[i] >> 44)
            return machine_fail(m, -EINVAL,
                                "a doorbell is a register of 4 bytes behind the machine's RAM, "
                                "which ends at 0x%llx",
                                (unsigned long long)c->ram);
    return 0;
}

void doorbell_written(struct machine_device *dev, uint64_t maddr)
{
    const struct machine_config *c = &dev->m->config;

    for (unsigned i = 0; i < c->nr_doorbells; i++)
        dev->rang |= c->doorbells[i] == maddr;
}

int doorbell_message(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
                     struct machine_delivery *out)
{
    int err;

    dev->rang = false;
    err = machine_dma(dev, rid, 0, addr, &data, sizeof(data), true, &out->reason);
    if (err)
        return err;
    if (!dev->rang)
        return machine_fail(dev->m, -EINVAL, "no doorbell is where %s sees 0x%llx", dev->name,
                            (unsigned long long)addr);
    out->domain = (struct machine_domain *)(uintptr_t)interrupt_owner(dev);
    out->vector = (uint8_t)data;
    return 0;
}
