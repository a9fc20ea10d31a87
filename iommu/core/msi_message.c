/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to doorbells, as devices see them. */
#include "doorbell.h"
#include "msi_window.h"

void msi_window_show(struct group *g, const struct context *c)
{
    const struct region_use *u = c && c->domain ? msi_window_of(c) : NULL;

    for (struct device *dev = g->devices; dev; dev = dev->sibling)
        dev->msi_window = u && device_region(dev, SLUICE_REGION_SW_MSI) ? u->first.n << FRAME_LG2
                                                                        : SLUICE_NO_WINDOW;
}

static bool is_translated(const struct device *dev)
{
    return group_is_protected(dev->group) && !device_region(dev, SLUICE_REGION_MSI);
}

int sluice_device_compose_msi(struct sluice_device *sdev, unsigned index, uint32_t data,
                              struct hw_message *out)
{
    const struct device *dev = device_of(sdev);
    const struct device_doorbell *at;
    uint64_t window;

    if (index >= dev->nr_doorbells)
        return -EINVAL;
    at = &dev->doorbells[index];
    *out = (struct hw_message){.address = at->maddr, .data = data};
    if (!is_translated(dev))
        return 0;
    window = dev->msi_window;
    if (window == SLUICE_NO_WINDOW)
        return -EPERM;
    out->address = window + (at->doorbell->page << FRAME_LG2) + at->maddr % FRAME_SIZE;
    return 0;
}
