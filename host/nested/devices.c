/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of a nested machine: the outer machine's. What stopped them, the unit's records say. */
#include "nested.h"

static struct nested_state *state_of(const struct machine_device *dev)
{
    return dev->m->state;
}

int nested_add_device(struct machine_device *dev, const struct machine_device_config *config)
{
    struct nested_state *state = state_of(dev);

    dev->state = nested_outer_device(state, config->rids[0]);
    if (!dev->state)
        return machine_fail(dev->m, -ENODEV, "the machine has no such device");
    dev->unit = &state->unit.unit.hw;
    return 0;
}

void nested_remove_device(struct machine_device *dev)
{
    (void)dev;
}

rid_t nested_appears(struct machine_device *dev, rid_t rid)
{
    return machine_device_appears(dev->state, rid);
}

/* Blocked below: a record says why, as far as the guest's unit is concerned. */
static enum hw_reason reason_of(struct machine_device *dev, enum hw_reason below)
{
    struct hw_fault fault;

    if (vtd_faults_look(dev->unit, dev->rids[0], &fault))
        return fault.reason;
    return dev->unit->failed ? HW_REASON_UNIT : below;
}

static int judge(struct machine_device *dev, int err, enum hw_reason below, enum hw_reason *reason)
{
    if (err == -EACCES)
        *reason = reason_of(dev, below);
    else if (err && err != -ERANGE)
        machine_fail(dev->m, err, "%s", machine_error(state_of(dev)->outer));
    return err;
}

int nested_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
               size_t size, bool write, enum hw_reason *reason)
{
    enum hw_reason below;
    int err = machine_dma(dev->state, rid, pasid, addr, data, size, write, &below);

    return judge(dev, err, below, reason);
}

int nested_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
                enum hw_reason *reason)
{
    enum hw_reason below;
    int err = machine_disk(dev->state, lba, count, addr, write, &below);

    return judge(dev, err, below, reason);
}

/* What arrives at the guest below, or where nothing is remapped at its processor, arrives here. */
int nested_message(struct machine_device *dev, rid_t rid, const struct hw_message *message,
                   bool dma, struct hw_interrupt *out, enum hw_reason *reason)
{
    struct nested_state *state = state_of(dev);
    struct machine_delivery delivery;
    int err = dma ? interrupt_send(dev->state, rid, message, true, &delivery)
                  : machine_msi(dev->state, rid, message->address, message->data, &delivery);

    if (!err && delivery.domain != state->guest && !dev->m->config.no_intremap) {
        delivery.reason = HW_REASON_MSI; /* not for anybody that is here */
        err = -EACCES;
    }
    if (err == -EACCES)
        *reason = dev->unit->failed ? HW_REASON_UNIT : delivery.reason;
    else if (err)
        machine_fail(dev->m, err, "%s", machine_error(state->outer));
    else
        *out = (struct hw_interrupt){.vector = delivery.vector};
    return err;
}

/* What the outer machine demands is none of the memory here, and nobody may map anything there. */
bool nested_region(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out)
{
    struct nested_state *state = m->state;

    if (!machine_region(state->outer, rid, index, out))
        return false;
    out->type = SLUICE_REGION_RESERVED;
    out->prot = 0;
    return true;
}

/* ---- Caches of the outer machine's unit --------------------------------------------------------
 */

void nested_prefetch(struct machine_device *dev, uint32_t pasid, dfn_t dfn)
{
    const struct machine_backend *outer = state_of(dev)->outer->backend;

    if (outer->prefetch)
        outer->prefetch(dev->state, pasid, dfn);
}

void nested_prefetch_interrupt(struct machine_device *dev, uint16_t index)
{
    struct machine_device *outer = dev->state;

    (void)index;
    if (outer->m->backend->prefetch && outer->interrupt.domain)
        outer->m->backend->prefetch_interrupt(outer, outer->interrupt.index);
}

struct shown {
    const struct nested_state *state;
    void (*visit)(void *arg, const struct machine_cached *c);
    void *arg;
};

/* With the frame's number here. One that is outside of the guest's memory keeps its own. */
static void show(void *arg, const struct machine_cached *cached)
{
    const struct shown *s = arg;
    struct machine_cached c = *cached;

    if (c.attr)
        c.mfn.n -= s->state->first.n;
    s->visit(s->arg, &c);
}

void nested_cached(struct machine_device *dev,
                   void (*visit)(void *arg, const struct machine_cached *c), void *arg)
{
    struct shown shown = {state_of(dev), visit, arg};

    if (shown.state->outer->backend->cached)
        shown.state->outer->backend->cached(dev->state, show, &shown);
}
