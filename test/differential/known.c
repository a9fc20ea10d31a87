/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `a` is QEMU's, version 7.2 to 10. Each predicate is as narrow as what it is about.
 */
#include "known.h"

#include "layout.h"

/* ---- DMA ------------------------------------------------------------------------------------- */

static bool records(const struct difference *d, bool a, bool b)
{
    return d->kind == DIFFERENT_RECORD && d->a.record.set == a && d->b.record.set == b;
}

static bool is_range_reason(uint8_t reason)
{
    return reason == VTD_REASON_INTERRUPT_RANGE || reason == VTD_REASON_SM_INTERRUPT;
}

static bool is_rights_reason(uint8_t reason)
{
    return reason == VTD_REASON_WRITE || reason == VTD_REASON_READ ||
           reason == VTD_REASON_SM_WRITE || reason == VTD_REASON_SM_READ;
}

static bool large_leaf_over_interrupts(const struct difference *d)
{
    return records(d, true, false) && is_range_reason(d->a.record.reason);
}

static bool cached_without_rights(const struct difference *d)
{
    return records(d, false, true) && is_rights_reason(d->b.record.reason);
}

/* QEMU's machine has firmware where the subject's has nothing: it is read, and is no root table. */
static bool root_in_firmware(const struct difference *d)
{
    return records(d, true, true) && d->a.record.reason == VTD_REASON_ROOT_P &&
           d->b.record.reason == VTD_REASON_ROOT_ACCESS;
}

/* An upper entry without the right, above one that is wrong. */
static bool order_of_checks(const struct difference *d)
{
    const uint8_t a = d->a.record.reason, b = d->b.record.reason;

    return records(d, true, true) && is_rights_reason(a) &&
           (b == VTD_REASON_TABLE_ACCESS || b == VTD_REASON_TABLE_RESERVED || is_range_reason(b));
}

/* What QEMU's reason is in scalable mode. */
static const struct {
    uint8_t qemu, first, last;
} scalable_reasons[] = {
    {VTD_REASON_ROOT_P, 0x39, 0x39},
    {VTD_REASON_CONTEXT_P, 0x41, 0x41},
    {VTD_REASON_CONTEXT_INVALID, 0x78, 0x7b},
    {VTD_REASON_WIDTH, 0x83, 0x84},
    {VTD_REASON_WRITE, 0x85, 0x85},
    {VTD_REASON_READ, 0x86, 0x86},
    {VTD_REASON_WRITE, 0x78, 0x7b},
    {VTD_REASON_READ, 0x78, 0x7b},
    {VTD_REASON_TABLE_ACCESS, 0x78, 0x7b},
    {VTD_REASON_ROOT_ACCESS, 0x38, 0x38},
    {VTD_REASON_CONTEXT_ACCESS, 0x40, 0x40},
    {VTD_REASON_ROOT_RESERVED, 0x3a, 0x3a},
    {VTD_REASON_CONTEXT_RESERVED, 0x42, 0x42},
    {VTD_REASON_TABLE_RESERVED, 0x78, 0x7b},
    {VTD_REASON_SM_PASID_ACCESS, 0x48, 0x5b},
};

static bool legacy_reason(const struct difference *d)
{
    const uint8_t a = d->a.record.reason, b = d->b.record.reason;

    if (!d->scalable || !records(d, true, true))
        return false;
    for (unsigned i = 0; i < sizeof(scalable_reasons) / sizeof(scalable_reasons[0]); i++) {
        if (a == scalable_reasons[i].qemu && b >= scalable_reasons[i].first &&
            b <= scalable_reasons[i].last)
            return true;
    }
    return false;
}

/* A request without PASID, of the device whose RID_PASID it is. */
static bool pasid_in_record(const struct difference *d)
{
    return d->scalable && records(d, true, true) && d->a.record.has_pasid &&
           !d->b.record.has_pasid && d->a.record.reason == d->b.record.reason &&
           d->a.record.address == d->b.record.address && d->a.record.sid == d->b.record.sid;
}

static bool is_dma(const struct difference *d)
{
    return d->kind == DIFFERENT_DMA || d->kind == DIFFERENT_RECORD;
}

static uint64_t pasid_entry(const struct difference *d, unsigned word)
{
    const unsigned device = d->what.arg[0] == WORLD_SID_B;

    return unit_load(d->unit, table_page(PAGE_PASID) + device * 64ull + word * 8ull);
}

static uint64_t context_word(const struct difference *d, unsigned word)
{
    return unit_load(d->unit, table_page(PAGE_CONTEXT) + d->what.arg[0] * 32 + word * 8ull);
}

static bool is_silent(const struct difference *d)
{
    return context_word(d, 0) & VTD_SM_CONTEXT_FPD ||
           unit_load(d->unit, table_page(PAGE_PASID_DIR)) & VTD_PASID_DIR_FPD ||
           pasid_entry(d, 0) & VTD_PASID_FPD;
}

/* Ours blocks it with that reason, or so that nobody hears of it. */
static bool says(const struct difference *d, uint8_t reason)
{
    if (!d->scalable || !is_dma(d) || d->b.value != NOWHERE)
        return false;
    return d->b.record.set ? d->b.record.reason == reason : is_silent(d);
}

/* First stage or nested, of which neither unit has told that it can. */
static bool unsupported_type(const struct difference *d)
{
    const uint64_t type = FIELD_GET(VTD_PASID_PGTT, pasid_entry(d, 0));

    return says(d, VTD_REASON_SM_PASID_INVALID) &&
           (type == VTD_PGTT_FIRST || type == VTD_PGTT_NESTED);
}

/* No unit here has anything for words 2 to 7, nor for word 1 beside the domain id. */
static bool has_reserved_bits(const struct difference *d)
{
    uint64_t bits = pasid_entry(d, 0) & (MASK64(63, 52) | MASK64(11, 9) | BIT64(5));

    bits |= pasid_entry(d, 1) & ~VTD_PASID_DID;
    for (unsigned i = 2; i < 8; i++)
        bits |= pasid_entry(d, i);
    return bits;
}

static bool pasid_reserved_bits(const struct difference *d)
{
    const uint64_t dir = unit_load(d->unit, table_page(PAGE_PASID_DIR));

    return (says(d, VTD_REASON_SM_PASID_DIR_RESERVED) && dir & (MASK64(63, 52) | MASK64(11, 2))) ||
           (says(d, VTD_REASON_SM_PASID_RESERVED) && has_reserved_bits(d));
}

/* DTE, PASIDE, PRE, RID_PRIV: reserved where ECAP does not have what they are for. */
static bool context_features(const struct difference *d)
{
    const uint64_t features = VTD_SM_CONTEXT_DTE | VTD_SM_CONTEXT_PASIDE | VTD_SM_CONTEXT_PRE;

    return says(d, VTD_REASON_SM_CONTEXT_RESERVED) &&
           (context_word(d, 0) & features || context_word(d, 1) & VTD_SM_CONTEXT_RID_PRIV);
}

static bool width_of_passthrough(const struct difference *d)
{
    const uint64_t aw = FIELD_GET(VTD_PASID_AW, pasid_entry(d, 0));

    return d->scalable && is_dma(d) && d->a.record.reason == VTD_REASON_SM_PASID_ACCESS &&
           FIELD_GET(VTD_PASID_PGTT, pasid_entry(d, 0)) == VTD_PGTT_PASSTHROUGH &&
           (aw < VTD_AW(3) || aw > VTD_AW(4));
}

/* An entry on the way has FPD, so there is to be no record of what is wrong. */
static bool recorded_in_spite(const struct difference *d)
{
    return records(d, true, false) && (d->a.record.reason == VTD_REASON_CONTEXT_RESERVED ||
                                       d->a.record.reason == VTD_REASON_SM_PASID_ACCESS);
}

/* ---- The queue ------------------------------------------------------------------------------- */

static bool queue_stopped(const struct difference *d)
{
    return d->kind == DIFFERENT_REGISTER && d->what.kind == STEP_QUEUE &&
           d->reg.offset == VTD_FSTS && d->b.value & ~d->a.value & VTD_FSTS_IQE;
}

/* The descriptor at fault is still there, and is met again. */
static bool resumes_at_once(const struct difference *d)
{
    return d->kind == DIFFERENT_REGISTER && d->what.kind == STEP_WRITE &&
           regs[d->what.arg[0]].offset == VTD_FSTS && d->reg.offset == VTD_FSTS &&
           d->b.value & ~d->a.value & VTD_FSTS_IQE;
}

static bool unchecked_descriptor(const struct difference *d)
{
    const uint64_t type = d->what.arg[0] & 0xf;

    return queue_stopped(d) && (type == VTD_DESC_IEC || type == VTD_DESC_PIOTLB ||
                                type == VTD_DESC_PASID || type == VTD_DESC_DEVTLB);
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

static bool remapping_faults(const struct difference *d)
{
    return records(d, false, true) && d->what.kind == STEP_MSI &&
           d->b.record.reason >= VTD_REASON_IR_FIRST && d->b.record.reason <= VTD_REASON_IR_LAST;
}

static bool compatibility_format(const struct difference *d)
{
    return d->kind == DIFFERENT_MSI && d->a.value && d->b.record.reason == VTD_REASON_IR_COMPAT;
}

/* SVT 2: the buses from the upper byte of SID to the lower. */
static bool swapped_buses(const struct difference *d)
{
    const uint64_t index =
        (d->what.arg[1] >> 5 & 0x7fff) + (d->what.arg[1] & BIT64(3) ? d->what.arg[2] & 0xffff : 0);

    if (d->kind != DIFFERENT_MSI || index >= 256)
        return false;
    return FIELD_GET(VTD_IRTE_SVT, unit_load(d->unit, table_page(PAGE_REMAP) + index * 16 + 8)) ==
           VTD_SVT_BUS;
}

const struct known known[] = {
    {"a large leaf that reaches into the interrupt range",
     "3.14: requests whose result is in the range are blocked; QEMU blocks the whole leaf",
     large_leaf_over_interrupts, false},
    {"a right that a cached entry lacks",
     "7.1.3, reasons 5 and 6: QEMU blocks the request without a record", cached_without_rights,
     false},
    {"reasons of scalable mode",
     "7.1.3, tables of scalable mode: QEMU records those of legacy mode, and 0x58 for all that is "
     "wrong with PASID tables",
     legacy_reason, false},
    {"a PASID in the record of a request without PASID",
     "11.4.7.6: PP is for requests with one; QEMU sets it once it has looked RID_PASID up",
     pasid_in_record, false},
    {"PASID entries for a first stage or for nesting",
     "9.6, 7.1.3 reason 0x5b: neither is reported in ECAP; QEMU takes them for second stages",
     unsupported_type, false},
    {"reserved fields of PASID directory and table entries",
     "7.1.3, reasons 0x52 and 0x5a: QEMU does not look", pasid_reserved_bits, false},
    {"features in a context entry that ECAP does not report",
     "9.4: DTE, PASIDE, PRE and RID_PRIV are reserved then; QEMU ignores them", context_features,
     false},
    {"address width of a PASID entry that passes through",
     "9.6: AW is for second stages; QEMU wants it to be one that it has", width_of_passthrough,
     false},
    {"faults that FPD silences",
     "7.1.3: reasons 0xb and those of PASID tables are qualified by FPD; QEMU records them",
     recorded_in_spite, false},
    {"rights of an upper entry, and a lower one that is wrong",
     "3.7, 7.1.3: no order is given; QEMU looks at rights on the way, ours at the end",
     order_of_checks, false},
    {"a root table in firmware",
     "7.1.3, reasons 1 and 8: whether there is memory just below 4 GiB is the platform's",
     root_in_firmware, false},
    {"descriptors that QEMU does not look at",
     "6.5.2: an invalid one stops the queue, with reserved bits set or of a type that the unit or "
     "the mode does not have; QEMU takes any of interrupt entries, PASIDs and device TLBs",
     unchecked_descriptor, true},
    {"when the queue goes on after an error",
     "6.5.2.11: when IQE is cleared; QEMU waits for a write to IQT", resumes_at_once, true},
    {"faults of interrupt remapping", "5.1.4.1: they are recorded; QEMU records none",
     remapping_faults, false},
    {"sources verified by bus number",
     "9.9, SVT 10b: from SID[15:8] to SID[7:0]; QEMU takes the upper byte for the last",
     swapped_buses, false},
    {"interrupts in compatibility format",
     "5.1.2.1, 11.4.4.1: blocked unless CFI is on; QEMU has no CFI and lets them pass",
     compatibility_format, false},
};
const unsigned nr_known = sizeof(known) / sizeof(known[0]);

const struct known *known_find(const struct difference *d)
{
    for (unsigned i = 0; i < nr_known; i++) {
        if (known[i].is(d))
            return &known[i];
    }
    return NULL;
}
