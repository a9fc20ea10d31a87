/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's command line.
 *
 * The processor sleeps; with icount and sleep=off the virtual clock then jumps to the next timer at
 * once, so that device models that wait on purpose (edu's DMA) do not. pit=off and hpet=off, or
 * their timers would keep it busy for ever.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

static void __attribute__((format(printf, 2, 3))) add(struct launch *l, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    if (l->nr_args == LAUNCH_ARGS_MAX || vasprintf(&text, format, args) < 0)
        l->full = true;
    else
        l->args[l->nr_args++] = text;
    va_end(args);
}

static void add_machine(struct launch *l, const struct qemu *q)
{
    unsigned long long mib = q->ram_size / MIB;

    add(l, "-M");
    add(l, "q35,pit=off,hpet=off,memory-backend=ram");
    add(l, "-m");
    add(l, "%lluM", mib);
    add(l, "-object");
    add(l, "memory-backend-file,id=ram,size=%lluM,mem-path=/proc/self/fd/%d,share=on", mib, l->ram);
    add(l, "-accel");
    add(l, "tcg");
    add(l, "-icount");
    add(l, "shift=0,sleep=off");
    add(l, "-bios");
    add(l, "/proc/self/fd/%d", l->bios);
    add(l, "-display");
    add(l, "none");
    add(l, "-nodefaults");
    add(l, "-no-user-config");
}

static void add_sockets(struct launch *l)
{
    add(l, "-chardev");
    add(l, "socket,id=qtest,fd=%d", l->qtest);
    add(l, "-qtest");
    add(l, "chardev:qtest");
    add(l, "-qtest-log");
    add(l, "/dev/null");
    add(l, "-chardev");
    add(l, "socket,id=qmp,fd=%d", l->qmp);
    add(l, "-mon");
    add(l, "chardev=qmp,mode=control");
}

/* Must come before the devices that are behind it. */
static void add_iommu(struct launch *l, const struct qemu_config *config)
{
    if (config->iommu == QEMU_IOMMU_NONE)
        return;
    add(l, "-device");
    add(l, "intel-iommu,aw-bits=%u,intremap=%s%s%s", config->aw_bits ? config->aw_bits : 48,
        config->intremap ? "on" : "off",
        config->scalable ? ",x-scalable-mode=on,x-pasid-mode=on" : "",
        config->caching_mode ? ",caching-mode=on" : "");
}

static void add_trace(struct launch *l, const struct qemu_config *config)
{
    if (config->quiet)
        return;
    add(l, "-trace");
    add(l, "vtd_ir_remap");
    add(l, "-trace");
    add(l, "apic_deliver_irq");
}

static bool same_bus(const struct qemu_device *a, const struct qemu_device *b)
{
    if (!a->bridge || !b->bridge)
        return !a->bridge && !b->bridge;
    return !strcmp(a->bridge, b->bridge);
}

/* Function 0 says whether there are others. */
static bool has_siblings(const struct qemu_config *config, const struct qemu_device *d)
{
    for (unsigned i = 0; i < config->nr_devices; i++) {
        const struct qemu_device *other = &config->devices[i];

        if (other != d && other->slot == d->slot && same_bus(other, d))
            return true;
    }
    return false;
}

/* A bridge's bus gets the bridge's id as its name, among the bridge's properties: hence the prefix,
 * which no property has. */
static void add_device(struct launch *l, const struct qemu_config *config, unsigned i)
{
    static const char *const models[] = {
        [QEMU_EDU] = "edu",
        [QEMU_NVME] = "nvme",
        [QEMU_PCI_BRIDGE] = "pci-bridge,shpc=off",
        [QEMU_PCIE_PCI_BRIDGE] = "pcie-pci-bridge",
        [QEMU_ROOT_PORT] = "pcie-root-port",
        [QEMU_OPEN_ROOT] = "pxb-pcie,bypass_iommu=on",
    };
    const struct qemu_device *d = &config->devices[i];
    char more[96] = "";

    if (d->model == QEMU_NVME) {
        add(l, "-drive");
        add(l, "if=none,id=drive-%s,format=raw,cache=unsafe,file=/proc/self/fd/%d", d->name,
            l->images[i]);
        snprintf(more, sizeof(more), ",serial=%u,drive=drive-%s", i, d->name);
    } else if (d->model == QEMU_EDU) {
        snprintf(more, sizeof(more), ",dma_mask=0x%llx",
                 ~0ull >> (d->mask && d->mask < 64 ? 64 - d->mask : 0));
    } else if (d->model == QEMU_PCI_BRIDGE) {
        snprintf(more, sizeof(more), ",chassis_nr=%u", i + 1);
    } else if (d->model == QEMU_ROOT_PORT) {
        snprintf(more, sizeof(more), ",chassis=%u,slot=%u", i + 1, i + 1);
    } else if (d->model == QEMU_OPEN_ROOT) {
        snprintf(more, sizeof(more), ",bus_nr=%u", d->bus);
    }
    add(l, "-device");
    add(l, "%s,id=dev-%s%s%s,addr=%x.%x%s%s", models[d->model], d->name,
        d->bridge ? ",bus=dev-" : ",bus=", d->bridge ? d->bridge : "pcie.0", d->slot, d->function,
        has_siblings(config, d) ? ",multifunction=on" : "", more);
}

int launch_args(struct qemu *q, const struct qemu_config *config, struct launch *l)
{
    add(l, "%s", l->binary);
    add_machine(l, q);
    add_sockets(l);
    add_iommu(l, config);
    add_trace(l, config);
    for (unsigned i = 0; i < config->nr_devices; i++)
        add_device(l, config, i);
    return l->full ? qemu_fail(q, -ENOMEM, "QEMU's arguments: no memory") : 0;
}
