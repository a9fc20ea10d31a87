/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration must keep to, so that what QEMU is told is well-formed and its complaints
 * are about QEMU.
 */
#include <string.h>

#include "internal.h"

static bool good_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    return name && name[0] && strchr(letters, name[0]) && strspn(name, others) == strlen(name) &&
           strlen(name) < 64;
}

static bool is_bridge(const struct qemu_device *d)
{
    return d->model == QEMU_PCI_BRIDGE || d->model == QEMU_PCIE_PCI_BRIDGE ||
           d->model == QEMU_ROOT_PORT || d->model == QEMU_OPEN_ROOT;
}

/* The device of that name among the first `nr`. */
static const struct qemu_device *named(const struct qemu_config *config, unsigned nr,
                                       const char *name)
{
    for (unsigned i = 0; i < nr; i++)
        if (!strcmp(config->devices[i].name, name))
            return &config->devices[i];
    return NULL;
}

static int check_device(struct qemu *q, const struct qemu_config *config, unsigned i)
{
    const struct qemu_device *d = &config->devices[i], *bridge;

    if (!good_name(d->name))
        return qemu_fail(q, -EINVAL, "device %u: bad name", i);
    if (named(config, i, d->name))
        return qemu_fail(q, -EINVAL, "%s: the name is taken", d->name);
    if ((unsigned)d->model > QEMU_OPEN_ROOT || d->slot > 31 || d->function > 7)
        return qemu_fail(q, -EINVAL, "%s: bad model, slot or function", d->name);
    if (!d->bridge)
        return d->slot && d->slot < 31
                   ? 0
                   : qemu_fail(q, -EINVAL, "%s: slot %u is the chipset's", d->name, d->slot);
    bridge = named(config, i, d->bridge);
    if (!bridge || !is_bridge(bridge))
        return qemu_fail(q, -EINVAL, "%s: no bridge %s before it", d->name, d->bridge);
    return 0;
}

int config_check(struct qemu *q, const struct qemu_config *config)
{
    if (q->ram_size % MIB || q->ram_size < 16 * MIB || q->ram_size > 1024 * GIB)
        return qemu_fail(q, -EINVAL, "RAM must be whole MiB, 16 MiB to 1 TiB");
    if (config->aw_bits && config->aw_bits != 39 && config->aw_bits != 48)
        return qemu_fail(q, -EINVAL, "QEMU's VT-d has 39 or 48 bits, not %u", config->aw_bits);
    if (config->nr_devices > QEMU_DEVICES_MAX)
        return qemu_fail(q, -EINVAL, "more than %d devices", QEMU_DEVICES_MAX);
    for (unsigned i = 0; i < config->nr_devices; i++) {
        int ret = check_device(q, config, i);

        if (ret)
            return ret;
    }
    return 0;
}
