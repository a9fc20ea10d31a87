/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt remapping (chapter 5, 9.9). An entry belongs to one requester id, so a device can raise
 * what was set up for it and nothing else.
 */
#include "../../spec/x86_msi.h"
#include "internal.h"

#define PER_PAGE_LG2 8u /* entries of a page */

static size_t bitmap_size(unsigned lg2)
{
    return ((size_t)1 << lg2 < 64 ? 64 : (size_t)1 << lg2) / 8;
}

static bool is_used(const struct vtd_ir *ir, unsigned i)
{
    return ir->used[i / 64] >> i % 64 & 1;
}

static void mark(struct vtd_ir *ir, unsigned first, unsigned n, bool used)
{
    for (unsigned i = first; i < first + n; i++)
        if (used)
            ir->used[i / 64] |= BIT64(i % 64);
        else
            ir->used[i / 64] &= ~BIT64(i % 64);
}

static struct vtd_irte *irte(const struct vtd_unit *u, unsigned i)
{
    return (struct vtd_irte *)port_page(u->config.port, u->ir.table) + i;
}

void vtd_ir_forget_table(struct vtd_unit *u)
{
    const struct sluice_port *port = u->config.port;

    if (u->ir.used)
        port->free(port->host, u->ir.used, bitmap_size(u->ir.lg2));
    u->ir = (struct vtd_ir){0};
    u->hw.interrupts = NULL;
}

void vtd_ir_release(struct vtd_unit *u)
{
    const struct sluice_port *port = u->config.port;
    const bool own = u->ir.own;
    const mfn_t table = u->ir.table;

    vtd_ir_forget_table(u);
    if (own)
        port->free_page(port->host, table);
}

static int allocate(struct vtd_unit *u, const struct vtd_ir_config *config)
{
    const struct sluice_port *port = u->config.port;
    struct vtd_ir *ir = &u->ir;
    int err;

    *ir = (struct vtd_ir){.table = config->table, .lg2 = config->lg2, .x2apic = config->x2apic};
    ir->used = port->alloc(port->host, bitmap_size(ir->lg2));
    if (!ir->used)
        return -ENOMEM;
    if (config->table.n)
        return 0;
    err = vtd_page(u, &ir->table);
    ir->own = !err;
    return err;
}

static void write_back_table(const struct vtd_unit *u)
{
    const struct sluice_port *port = u->config.port;

    if (u->noncoherent)
        port->writeback(port->host, irte(u, 0), sizeof(struct vtd_irte) << u->ir.lg2);
}

/* The table first, then nothing cached of an older one, then on (5.1.4); CFI stays off. */
static int start(struct vtd_unit *u)
{
    int err;

    write_back_table(u);
    vtd_write64(u, VTD_IRTA,
                FIELD_PREP(VTD_IRTA_IRTA, u->ir.table.n) | FIELD_PREP(VTD_IRTA_S, u->ir.lg2 - 1u) |
                    (u->ir.x2apic ? VTD_IRTA_EIME : 0));
    err = vtd_flush_write_buffer(u);
    if (!err)
        err = vtd_pulse(u, VTD_GCMD_SIRTP);
    if (!err)
        err = vtd_flush_ir_all(u);
    if (!err)
        err = vtd_set(u, VTD_GCMD_IRE);
    u->ir.enabled = !err;
    return err;
}

static int check_config(const struct vtd_unit *u, const struct vtd_ir_config *config)
{
    if (!config->lg2 || config->lg2 > 16)
        return -EINVAL;
    if (!config->table.n && config->lg2 > PER_PAGE_LG2)
        return -EINVAL;
    if (!(u->ecap & VTD_ECAP_IR) || !u->queued)
        return -EOPNOTSUPP;
    if (config->x2apic && !(u->ecap & VTD_ECAP_EIM))
        return -EOPNOTSUPP;
    return 0;
}

static int enable(struct vtd_unit *u, const struct vtd_ir_config *config)
{
    int err;

    if (u->dead)
        return -EIO;
    if (u->ir.used)
        return -EBUSY;
    err = check_config(u, config);
    if (err)
        return err;
    err = allocate(u, config);
    if (err) {
        vtd_ir_release(u);
        return err;
    }
    err = start(u);
    if (err) { /* like core does when a flush of its own fails */
        u->hw.failed = true;
        vtd_give_up(u);
    }
    return err;
}

static bool all_are(const struct vtd_ir *ir, unsigned first, unsigned n, bool used)
{
    for (unsigned i = first; i < first + n; i++)
        if (is_used(ir, i) != used)
            return false;
    return true;
}

static int take(struct vtd_unit *u, unsigned lg2, uint16_t *first)
{
    struct vtd_ir *ir = &u->ir;

    if (u->dead)
        return -EIO;
    if (lg2 > ir->lg2)
        return -EINVAL;
    for (unsigned i = 0; i < 1u << ir->lg2; i += 1u << lg2) {
        if (!all_are(ir, i, 1u << lg2, false))
            continue;
        mark(ir, i, 1u << lg2, true);
        *first = (uint16_t)i;
        return 0;
    }
    return -ENOSPC;
}

static int ir_alloc(struct hw_unit *unit, unsigned lg2, uint16_t *first)
{
    struct vtd_unit *u = vtd_of(unit);
    int err;

    vtd_lock(u);
    err = take(u, lg2, first);
    vtd_unlock(u);
    return err;
}

static struct vtd_irte encode(const struct vtd_unit *u, rid_t source,
                              const struct hw_interrupt *what)
{
    const uint64_t target = u->ir.x2apic ? FIELD_PREP(VTD_IRTE_DST, what->destination)
                                         : FIELD_PREP(VTD_IRTE_DST8, what->destination);

    return (struct vtd_irte){
        .lo = VTD_IRTE_P | (what->logical ? VTD_IRTE_DM : 0) | (what->level ? VTD_IRTE_TM : 0) |
              FIELD_PREP(VTD_IRTE_DLM, what->delivery) | FIELD_PREP(VTD_IRTE_V, what->vector) |
              target,
        .hi = FIELD_PREP(VTD_IRTE_SID, source.n & 0xffff) | FIELD_PREP(VTD_IRTE_SQ, VTD_SQ_ALL) |
              FIELD_PREP(VTD_IRTE_SVT, VTD_SVT_SID),
    };
}

/*
 * Two words, and hardware may read between their stores. The word with the target and P is one
 * store; only for another source is the entry not present for a moment.
 */
static void write_entry(const struct vtd_unit *u, struct vtd_irte *at, struct vtd_irte e)
{
    if (at->hi != e.hi) {
        vtd_store(u, &at->lo, 0);
        vtd_store(u, &at->hi, e.hi);
    }
    vtd_store(u, &at->lo, e.lo);
}

static int flush(struct vtd_unit *u, unsigned first, unsigned lg2)
{
    int err = vtd_flush_write_buffer(u);

    return err ? err : vtd_flush_ir(u, (uint16_t)first, lg2);
}

static bool can_be(const struct vtd_unit *u, rid_t source, const struct hw_interrupt *what)
{
    if (source.n >> 16 != u->config.segment || (unsigned)what->delivery > HW_DELIVER_EXTINT)
        return false;
    return u->ir.x2apic || what->destination <= 0xff;
}

static int set(struct vtd_unit *u, uint16_t index, rid_t source, const struct hw_interrupt *what)
{
    if (u->dead)
        return -EIO;
    if (index >= 1u << u->ir.lg2 || !is_used(&u->ir, index) || !can_be(u, source, what))
        return -EINVAL;
    write_entry(u, irte(u, index), encode(u, source, what));
    return flush(u, index, 0);
}

static int ir_set(struct hw_unit *unit, uint16_t index, rid_t source,
                  const struct hw_interrupt *what)
{
    struct vtd_unit *u = vtd_of(unit);
    int err;

    vtd_lock(u);
    err = set(u, index, source, what);
    vtd_unlock(u);
    return err;
}

static int release(struct vtd_unit *u, unsigned first, unsigned lg2)
{
    const unsigned n = lg2 <= u->ir.lg2 ? 1u << lg2 : 0;
    int err;

    if (u->dead)
        return -EIO;
    if (!n || first % n || first + n > 1u << u->ir.lg2)
        return -EINVAL;
    if (!all_are(&u->ir, first, n, true))
        return -EINVAL;
    for (unsigned i = first; i < first + n; i++)
        vtd_store(u, &irte(u, i)->lo, 0);
    err = flush(u, first, lg2);
    if (!err)
        mark(&u->ir, first, n, false);
    return err;
}

static int ir_free(struct hw_unit *unit, uint16_t first, unsigned lg2)
{
    struct vtd_unit *u = vtd_of(unit);
    int err;

    vtd_lock(u);
    err = release(u, first, lg2);
    vtd_unlock(u);
    return err;
}

/* Remappable format (5.1.2.2) */
struct hw_message vtd_ir_message(uint16_t index, bool several)
{
    return (struct hw_message){
        .address = X86_MSI_FIRST | X86_MSI_REMAPPABLE | FIELD_PREP(X86_MSI_HANDLE, index & 0x7fff) |
                   (index & 0x8000 ? X86_MSI_HANDLE_HIGH : 0) | (several ? X86_MSI_SHV : 0),
    };
}

static struct hw_message ir_message(struct hw_unit *unit, uint16_t index, bool several)
{
    (void)unit;
    return vtd_ir_message(index, several);
}

static const struct hw_interrupt_ops interrupt_ops = {
    .alloc = ir_alloc,
    .set = ir_set,
    .free = ir_free,
    .message = ir_message,
};

int vtd_ir_enable(struct vtd_unit *u, const struct vtd_ir_config *config)
{
    int err;

    vtd_lock(u);
    err = enable(u, config);
    if (!err)
        u->hw.interrupts = &interrupt_ops;
    vtd_unlock(u);
    return err;
}

/*
 * As hardware says (11.4.4.2), not as it was told; registers that are gone read as all ones, which
 * is not isolated. Every entry compares the requester id (encode).
 */
enum hw_isolation vtd_isolation(struct hw_unit *unit)
{
    const struct vtd_unit *u = vtd_of(unit);
    const uint32_t status = vtd_read32(u, VTD_GSTS);

    if (!(u->ecap & VTD_ECAP_IR) || !u->ir.enabled || !(status & VTD_GCMD_IRE))
        return HW_ISOLATION_NOT_REMAPPING;
    if (!(status & VTD_GCMD_TE))
        return HW_ISOLATION_NOT_TRANSLATING;
    return status & VTD_GCMD_CFI ? HW_ISOLATION_COMPATIBLE : HW_ISOLATION_REMAPPED;
}

void vtd_ir_block_all(struct vtd_unit *u)
{
    if (!u->ir.enabled)
        return;
    for (unsigned i = 0; i < 1u << u->ir.lg2; i++)
        vtd_store(u, &irte(u, i)->lo, 0);
}

int vtd_ir_forget(struct vtd_unit *u)
{
    if (!u->ir.enabled)
        return 0;
    return u->queued ? vtd_flush_ir_all(u) : -EIO;
}
