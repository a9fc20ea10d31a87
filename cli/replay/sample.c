/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample.h"

#include <string.h>

bool sample_due(const struct replay *r, unsigned *since)
{
    if (!r->config->dma_every || ++*since < r->config->dma_every)
        return false;
    *since = 0;
    return true;
}

/* Any device that is there now. */
static bool find_device(const struct replay *r, uint16_t space, unsigned *out)
{
    for (unsigned i = 0; i < r->t->nr_devices; i++)
        if (r->devices[i].space == &r->spaces[space].dma) {
            *out = i;
            return true;
        }
    return false;
}

/* Bytes that nothing else has. */
static uint64_t token(struct replay *r)
{
    return (r->counts.dma + r->counts.late + r->counts.blocked + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

struct attempt {
    unsigned device;
    uint64_t address, guest; /* for the device, for the guest */
    bool write;
};

/* The device writes, or reads what the guest wrote: 0 and whether the bytes were right. */
static int attempt(struct replay *r, const struct attempt *a, bool *right)
{
    struct guest *g = &r->guest;
    const uint64_t sent = token(r);
    uint64_t moved = sent, got = 0;
    int err;

    if (!a->write && machine_guest_write(g->d, a->guest, &sent, sizeof(sent)))
        return -EFAULT;
    if (!a->write)
        moved = 0;
    err = guest_dma(g, a->device, a->address, &moved, sizeof(moved), a->write);
    if (err)
        return err;
    if (a->write && machine_guest_read(g->d, a->guest, &got, sizeof(got)))
        return -EFAULT;
    *right = (a->write ? got : moved) == sent;
    return 0;
}

static void live_at(struct replay *r, const struct place *p, unsigned device, uint64_t offset)
{
    const struct attempt a = {.device = device,
                              .address = p->address + offset,
                              .guest = p->gfn * LINE_PAGE + offset,
                              .write = p->prot & LINE_WRITE};
    bool right = false;
    const int err = attempt(r, &a, &right);

    r->counts.dma++;
    if (err)
        guest_wrong(&r->guest, "a device cannot %s 0x%llx, which is mapped",
                    a.write ? "write" : "read", (unsigned long long)a.address);
    else if (!right)
        guest_wrong(&r->guest, "a device's DMA at 0x%llx is not in the guest's page 0x%llx",
                    (unsigned long long)a.address, (unsigned long long)p->gfn);
}

void sample_live(struct replay *r, const struct place *p)
{
    unsigned device;

    if (!find_device(r, p->space, &device))
        return;
    live_at(r, p, device, 0);
    live_at(r, p, device, p->size - sizeof(uint64_t));
}

void sample_late(struct replay *r, const struct place *p, bool flushed)
{
    struct attempt a = {
        .address = p->address, .guest = p->gfn * LINE_PAGE, .write = p->prot & LINE_WRITE};
    bool right = false;
    int err;

    if (!find_device(r, p->space, &a.device))
        return;
    err = attempt(r, &a, &right);
    *(err ? &r->counts.blocked : &r->counts.late) += 1;
    if (!err && flushed)
        guest_wrong(&r->guest, "a device reached 0x%llx after its unmap",
                    (unsigned long long)a.address);
    else if (!err && !right)
        guest_wrong(&r->guest,
                    "a device's DMA at 0x%llx after its unmap is not in the guest's page 0x%llx",
                    (unsigned long long)a.address, (unsigned long long)p->gfn);
}
