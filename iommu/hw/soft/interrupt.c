/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver: the interrupt remapping table. */
#include "../../spec/x86_msi.h"
#include "internal.h"

static bool is_used(const struct soft_unit *u, unsigned i)
{
    return u->interrupts_used[i / 64] >> i % 64 & 1;
}

static void mark(struct soft_unit *u, unsigned first, unsigned n, bool used)
{
    for (unsigned i = first; i < first + n; i++)
        if (used)
            u->interrupts_used[i / 64] |= BIT64(i % 64);
        else
            u->interrupts_used[i / 64] &= ~BIT64(i % 64);
}

static bool all_are(const struct soft_unit *u, unsigned first, unsigned n, bool used)
{
    for (unsigned i = first; i < first + n; i++)
        if (is_used(u, i) != used)
            return false;
    return true;
}

static struct soft_interrupt_entry *entry(const struct soft_unit *u, unsigned i)
{
    return (struct soft_interrupt_entry *)port_page(u->config.port, u->interrupts) + i;
}

static int alloc(struct hw_unit *unit, unsigned lg2, uint16_t *first)
{
    struct soft_unit *u = soft_of(unit);
    const unsigned n = lg2 <= 8 ? 1u << lg2 : 0;

    for (unsigned i = 0; n && i < SOFT_INTERRUPTS; i += n) {
        if (!all_are(u, i, n, false))
            continue;
        mark(u, i, n, true);
        *first = (uint16_t)i;
        return 0;
    }
    return n ? -ENOSPC : -EINVAL;
}

static int set(struct hw_unit *unit, uint16_t index, rid_t source, const struct hw_interrupt *what)
{
    struct soft_unit *u = soft_of(unit);
    struct soft_interrupt_entry *e;

    if (index >= SOFT_INTERRUPTS || !is_used(u, index) || source.n >> 16 ||
        (unsigned)what->delivery > HW_DELIVER_EXTINT)
        return -EINVAL;
    e = entry(u, index);
    if (e->hi != FIELD_PREP(SOFT_INTERRUPT_SOURCE, source.n)) {
        soft_store(u, &e->lo, 0); /* two words: never present with the other's source */
        soft_store(u, &e->hi, FIELD_PREP(SOFT_INTERRUPT_SOURCE, source.n));
    }
    soft_store(u, &e->lo,
               SOFT_INTERRUPT_PRESENT | (what->logical ? SOFT_INTERRUPT_LOGICAL : 0) |
                   (what->level ? SOFT_INTERRUPT_LEVEL : 0) |
                   FIELD_PREP(SOFT_INTERRUPT_DELIVERY, what->delivery) |
                   FIELD_PREP(SOFT_INTERRUPT_VECTOR, what->vector) |
                   FIELD_PREP(SOFT_INTERRUPT_DESTINATION, what->destination));
    return soft_flush_interrupts(u, index, index);
}

static int release(struct hw_unit *unit, uint16_t first, unsigned lg2)
{
    struct soft_unit *u = soft_of(unit);
    const unsigned n = lg2 <= 8 ? 1u << lg2 : 0;
    int err;

    if (!n || first % n || first + n > SOFT_INTERRUPTS || !all_are(u, first, n, true))
        return -EINVAL;
    for (unsigned i = first; i < first + n; i++)
        soft_store(u, &entry(u, i)->lo, 0);
    err = soft_flush_interrupts(u, first, first + n - 1);
    if (!err)
        mark(u, first, n, false);
    return err;
}

static struct hw_message message(struct hw_unit *unit, uint16_t index, bool several)
{
    (void)unit;
    return (struct hw_message){.address = X86_MSI_FIRST | X86_MSI_REMAPPABLE |
                                          FIELD_PREP(X86_MSI_HANDLE, index) |
                                          (several ? X86_MSI_SHV : 0)};
}

static const struct hw_interrupt_ops ops = {
    .alloc = alloc,
    .set = set,
    .free = release,
    .message = message,
};

/* It knows one format only, compares the source always, and translates as long as it is there. */
enum hw_isolation soft_isolation(struct hw_unit *unit)
{
    return soft_of(unit)->interrupts.n ? HW_ISOLATION_REMAPPED : HW_ISOLATION_NOT_REMAPPING;
}

static size_t slots_size(void)
{
    return sizeof(struct soft_interrupt_slot) * SOFT_INTERRUPTS;
}

int soft_init_interrupts(struct soft_unit *u)
{
    const struct sluice_port *port = u->config.port;
    int err = soft_page(u, &u->interrupts);

    if (err)
        return err;
    u->slots = port->alloc(port->host, slots_size());
    u->hw.interrupts = u->slots ? &ops : NULL;
    return u->slots ? 0 : -ENOMEM;
}

void soft_fini_interrupts(struct soft_unit *u)
{
    const struct sluice_port *port = u->config.port;

    if (u->slots)
        port->free(port->host, u->slots, slots_size());
    if (u->interrupts.n)
        port->free_page(port->host, u->interrupts);
}
