/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device: interrupt messages, through the remapping table by way of its cache. An entry stays
 * cached until a command drops it; its neighbours come along.
 */
#include "../../spec/x86_msi.h"
#include "internal.h"

static struct soft_interrupt_entry fetch(const struct soft_unit *u, unsigned index)
{
    const unsigned at = index * (unsigned)sizeof(struct soft_interrupt_entry);

    return (struct soft_interrupt_entry){.lo = soft_read(u, u->interrupts, at),
                                         .hi = soft_read(u, u->interrupts, at + 8)};
}

/* Not-present entries are cached in caching mode only. */
static void fill(struct soft_unit *u, unsigned index)
{
    const struct soft_interrupt_entry e = fetch(u, index);

    if (!u->config.cache_lg2 || u->slots[index].valid)
        return;
    if (e.lo & SOFT_INTERRUPT_PRESENT || u->config.caching_mode)
        u->slots[index] = (struct soft_interrupt_slot){true, e};
}

void soft_peek_interrupt(struct soft_unit *u, uint16_t index)
{
    if (u->interrupts.n && index < SOFT_INTERRUPTS)
        fill(u, index);
}

static struct soft_interrupt_entry look_up(struct soft_unit *u, unsigned index)
{
    if (index)
        fill(u, index - 1);
    fill(u, index);
    if (index + 1 < SOFT_INTERRUPTS)
        fill(u, index + 1);
    return u->slots[index].valid ? u->slots[index].entry : fetch(u, index);
}

void soft_drop_interrupts(struct soft_unit *u, uint64_t first, uint64_t last)
{
    for (uint64_t i = first; u->slots && i <= last && i < SOFT_INTERRUPTS; i++)
        u->slots[i].valid = false;
}

static uint64_t index_of(uint64_t address, uint32_t data)
{
    const uint64_t handle =
        FIELD_GET(X86_MSI_HANDLE, address) | (address & X86_MSI_HANDLE_HIGH ? BIT64(15) : 0);

    return handle + (address & X86_MSI_SHV ? data & 0xffff : 0);
}

struct hw_interrupt soft_plain_interrupt(uint64_t address, uint32_t data)
{
    return (struct hw_interrupt){
        .destination = (uint32_t)FIELD_GET(X86_MSI_DESTINATION, address),
        .vector = (uint8_t)FIELD_GET(X86_MSI_VECTOR, data),
        .delivery = (enum hw_delivery)FIELD_GET(X86_MSI_DELIVERY, data),
        .logical = address & X86_MSI_LOGICAL,
        .level = data & X86_MSI_LEVEL,
    };
}

static bool remap(struct soft_unit *u, rid_t rid, uint64_t address, uint32_t data,
                  struct hw_interrupt *out)
{
    const uint64_t index = index_of(address, data);
    struct soft_interrupt_entry e;

    if (!(address & X86_MSI_REMAPPABLE) || index >= SOFT_INTERRUPTS)
        return false;
    e = look_up(u, (unsigned)index);
    if (!(e.lo & SOFT_INTERRUPT_PRESENT) || FIELD_GET(SOFT_INTERRUPT_SOURCE, e.hi) != rid.n)
        return false;
    *out = (struct hw_interrupt){
        .destination = (uint32_t)FIELD_GET(SOFT_INTERRUPT_DESTINATION, e.lo),
        .vector = (uint8_t)FIELD_GET(SOFT_INTERRUPT_VECTOR, e.lo),
        .delivery = (enum hw_delivery)FIELD_GET(SOFT_INTERRUPT_DELIVERY, e.lo),
        .logical = e.lo & SOFT_INTERRUPT_LOGICAL,
        .level = e.lo & SOFT_INTERRUPT_LEVEL,
    };
    return true;
}

static enum hw_reason request(struct soft_unit *u, rid_t rid, uint64_t address, uint32_t data,
                              struct hw_interrupt *out)
{
    if (u->blocked && u->interrupts.n)
        return HW_REASON_UNIT;
    if (address < X86_MSI_FIRST || address > X86_MSI_LAST || address % 4)
        return HW_REASON_MSI;
    if (u->interrupts.n)
        return remap(u, rid, address, data, out) ? HW_REASON_NONE : HW_REASON_MSI;
    *out = soft_plain_interrupt(address, data);
    return HW_REASON_NONE;
}

int soft_interrupt(struct soft_unit *u, rid_t rid, uint64_t address, uint32_t data,
                   struct hw_interrupt *delivered, enum hw_reason *reason)
{
    struct hw_fault fault = {.rid = rid, .addr = address, .write = true};

    *reason = request(u, rid, address, data, delivered);
    if (*reason == HW_REASON_NONE)
        return 0;
    fault.reason = *reason;
    soft_record(u, &fault);
    return -EACCES;
}

static void visit_entry(const struct soft_interrupt_entry *e, unsigned index,
                        soft_visit_interrupt visit, void *arg)
{
    if (e->lo & SOFT_INTERRUPT_PRESENT)
        visit(arg, (uint16_t)index, (rid_t){(uint32_t)FIELD_GET(SOFT_INTERRUPT_SOURCE, e->hi)},
              (uint8_t)FIELD_GET(SOFT_INTERRUPT_VECTOR, e->lo));
}

void soft_visit_interrupts(struct soft_unit *u, soft_visit_interrupt visit, void *arg)
{
    if (u->blocked || !u->interrupts.n)
        return;
    for (unsigned i = 0; i < SOFT_INTERRUPTS; i++) {
        const struct soft_interrupt_entry e = fetch(u, i);

        visit_entry(&e, i, visit, arg);
        if (u->slots[i].valid)
            visit_entry(&u->slots[i].entry, i, visit, arg);
    }
}
