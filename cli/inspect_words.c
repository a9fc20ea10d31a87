/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, numbers, and a fault in words. */
#include "inspect.h"

#include <inttypes.h>
#include <string.h>

bool inspect_is_in(const struct inspect_device *dev, const struct inspect_domain *d,
                   const struct inspect_context *c)
{
    return !inspect_is_exposed(dev) && dev->info.domain == d->sluice && dev->info.ctx_no == c->no;
}

const char *inspect_owner(const struct inspection *in, const struct sluice_domain *d)
{
    for (unsigned i = 0; i < in->nr_domains; i++)
        if (in->domain[i].sluice == d)
            return in->domain[i].name;
    return NULL;
}

const char *inspect_name_of(const struct inspection *in, uint16_t domid)
{
    for (unsigned i = 0; i < in->nr_domains; i++)
        if (in->domain[i].info.domid == domid)
            return in->domain[i].name;
    return NULL;
}

const char *inspect_region_name(enum sluice_region_type type)
{
    static const char *const name[] = {
        [SLUICE_REGION_DIRECT] = "direct",
        [SLUICE_REGION_DIRECT_RELAXABLE] = "direct-relaxable",
        [SLUICE_REGION_RESERVED] = "reserved",
        [SLUICE_REGION_MSI] = "msi",
        [SLUICE_REGION_SW_MSI] = "sw-msi",
    };

    return name[type];
}

const char *inspect_source_name(enum sluice_region_source source)
{
    return source == SLUICE_REGION_BY_FIRMWARE ? "firmware" : "host";
}

bool inspect_is_exposed(const struct inspect_device *dev)
{
    return dev->info.exposure == SLUICE_EXPOSED_NO_UNIT ||
           dev->info.exposure == SLUICE_EXPOSED_ABSENT;
}

const char *inspect_exposure_words(enum sluice_exposure exposure)
{
    static const char *const words[] = {
        [SLUICE_PROTECTED] = "a unit translates for it",
        [SLUICE_EXPOSED_NO_UNIT] = "firmware describes no unit for it",
        [SLUICE_EXPOSED_ABSENT] = "the machine has no IOMMU",
        [SLUICE_EXPOSED_FAILED] = "its unit failed, and blocks all DMA",
    };

    return words[exposure];
}

const char *inspect_found_name(enum sluice_found found)
{
    static const char *const name[] = {
        [SLUICE_FOUND_NO_CONTEXT] = "no-context",
        [SLUICE_FOUND_NOTHING] = "nothing",
        [SLUICE_FOUND_MAPPING] = "mapping",
        [SLUICE_FOUND_REGION] = "region",
        [SLUICE_FOUND_MSI] = "msi",
        [SLUICE_FOUND_BEYOND] = "beyond",
        [SLUICE_FOUND_NO_MEMORY] = "no-memory",
    };

    return name[found];
}

const char *inspect_whereabouts_name(enum sluice_whereabouts device)
{
    static const char *const name[] = {
        [SLUICE_DEVICE_HERE] = "here",
        [SLUICE_DEVICE_QUARANTINED] = "quarantined",
        [SLUICE_DEVICE_ELSEWHERE] = "elsewhere",
        [SLUICE_DEVICE_GONE] = "gone",
    };

    return name[device];
}

void words_bdf(struct words *w, rid_t rid)
{
    if (rid.n >> 16)
        words_add(w, "%04" PRIx32 ":", rid.n >> 16);
    words_add(w, "%02" PRIx32 ":%02" PRIx32 ".%" PRIx32, rid.n >> 8 & 0xff, rid.n >> 3 & 0x1f,
              rid.n & 7);
}

void words_rights(struct words *w, unsigned attr)
{
    words_add(w, "%s%s%s", attr & PT_READ ? "r" : "", attr & PT_WRITE ? "w" : "",
              attr & PT_SNOOP ? "c" : "");
}

void words_size(struct words *w, unsigned lg2)
{
    words_add(w, "%u%c", 1u << lg2 % 10, "BKMGTPE"[lg2 / 10]);
}

void words_range(struct words *w, uint64_t n, uint64_t nr)
{
    words_add(w, "0x%" PRIx64, n);
    if (nr > 1)
        words_add(w, "-0x%" PRIx64, n + nr - 1);
}

/* Neighbouring powers of two as one range: 4K 2M 1G, or 4K-256G. */
static void add_sizes(struct words *w, uint64_t sizes)
{
    for (unsigned first = FRAME_LG2, last; first < 64; first = last + 1) {
        last = first;
        if (!(sizes >> first & 1))
            continue;
        while (last < 63 && sizes >> (last + 1) & 1)
            last++;
        words_add(w, " ");
        words_size(w, first);
        if (last == first)
            continue;
        words_add(w, "-");
        words_size(w, last);
    }
}

void words_unit(struct words *w, const struct sluice_unit_info *u, const char *between)
{
    if (!u->translates) {
        words_add(w, "%s: translates nothing, protects nothing", u->name);
        return;
    }
    words_add(w, "%s%s: %u levels, %u bits, leaves of", u->name,
              u->scalable ? ", scalable mode" : "", u->geo.levels, u->geo.iova_bits);
    add_sizes(w, u->geo.leaf_sizes);
    words_add(w, ", tables %s, %" PRIu32 " tags%s", u->geo.format->name, u->nr_tags, between);
    words_add(w, "invalidation by %s, %s walks, %s snoop control, %s caching mode%s",
              u->queued ? "queue" : "registers", u->geo.noncoherent ? "non-coherent" : "coherent",
              u->snoop ? "with" : "no", u->caching_mode ? "with" : "no", between);
    words_add(w, "%s interrupt remapping", u->remaps ? "with" : "no");
}

const struct inspect_device *inspect_device_of(const struct inspection *in,
                                               const struct inspect_fault *f)
{
    for (unsigned i = 0; i < in->nr_devices; i++)
        if (in->device[i].sluice == f->fault.device)
            return &in->device[i];
    return NULL;
}

static void add_who(struct words *w, const struct inspection *in, const struct inspect_domain *d,
                    const struct inspect_fault *f)
{
    const struct inspect_device *dev = inspect_device_of(in, f);

    words_add(w, "%s (", dev ? dev->name : "a device");
    words_bdf(w, dev ? dev->rid : f->fault.rid);
    if (dev && dev->rid.n != f->fault.rid.n) {
        words_add(w, ", as ");
        words_bdf(w, f->fault.rid);
    }
    words_add(w, ") tried to %s dfn 0x%" PRIx64 " in context %u of %s: ",
              f->fault.write ? "write to" : "read", f->fault.addr >> FRAME_LG2, f->fault.ctx_no,
              d->name);
}

static void add_mapping(struct words *w, const struct inspect_fault *f)
{
    const struct sluice_explanation *why = &f->why;
    const unsigned wanted = f->fault.write ? PT_WRITE : PT_READ;

    words_add(w, "gfn 0x%" PRIx64 " is mapped there", why->gfn.n);
    if (why->attr & wanted) {
        words_add(w, " now, ");
        words_rights(w, why->attr);
    } else {
        words_add(w, " for %s only", f->fault.write ? "reading" : "writing");
    }
    words_add(w, " (the walk%s found a leaf of ", why->guest ? " of the guest's own table" : "");
    words_size(w, why->lg2);
    words_add(w, ")");
}

static void add_found(struct words *w, const struct inspect_fault *f)
{
    const struct sluice_explanation *why = &f->why;

    switch (why->found) {
    case SLUICE_FOUND_NO_CONTEXT:
        words_add(w, "there is no such context any more");
        break;
    case SLUICE_FOUND_NOTHING:
        words_add(w, "nothing is mapped there (the walk%s found an empty entry at level %u)",
                  why->guest ? " of the guest's own table" : "", why->level);
        break;
    case SLUICE_FOUND_MAPPING:
        add_mapping(w, f);
        break;
    case SLUICE_FOUND_REGION:
        words_add(w, "a reserved region (%s) is there, 0x%" PRIx64 "-0x%" PRIx64,
                  inspect_region_name(why->region.type), why->region.first, why->region.last);
        break;
    case SLUICE_FOUND_MSI:
        words_add(w, "the interrupt window is there, which is no memory");
        break;
    case SLUICE_FOUND_BEYOND:
        words_add(w, "the context is only %u bits wide", why->iova_bits);
        break;
    case SLUICE_FOUND_NO_MEMORY:
        words_add(w, "the guest's own table leads to gfn 0x%" PRIx64 ", which is not for devices",
                  why->gfn.n);
        break;
    }
}

/*
 * Do the tables explain what the hardware said? An empty entry is one without rights, and some
 * hardware calls it that.
 */
static bool is_told(const struct inspect_fault *f)
{
    const struct sluice_explanation *why = &f->why;
    const bool nothing = why->found == SLUICE_FOUND_NOTHING;
    const bool mapped = why->found == SLUICE_FOUND_MAPPING;

    if (why->found == SLUICE_FOUND_NO_MEMORY)
        return true;
    switch (f->fault.reason) {
    case HW_REASON_NOT_PRESENT:
        return nothing;
    case HW_REASON_NO_READ:
        return nothing || (mapped && !(why->attr & PT_READ));
    case HW_REASON_NO_WRITE:
        return nothing || (mapped && !(why->attr & PT_WRITE));
    case HW_REASON_WIDTH:
        return why->found == SLUICE_FOUND_BEYOND;
    case HW_REASON_MSI:
        return why->found == SLUICE_FOUND_MSI;
    default:
        return false;
    }
}

/* Whoever did it: the domain, or one that acts for it. */
static void add_unmap(struct words *w, const struct sluice_explanation *why)
{
    const uint64_t nr = why->unmap_last.n - why->unmap_first.n + 1;

    words_add(w, "; dfn%s ", nr > 1 ? "s" : "");
    words_range(w, why->unmap_first.n, nr);
    words_add(w, " %s unmapped there", nr > 1 ? "were" : "was");
    if (why->calls_since)
        words_add(w, " %" PRIu64 " call%s ago", why->calls_since, why->calls_since > 1 ? "s" : "");
    else
        words_add(w, ", no call since");
}

static void add_device(struct words *w, const struct inspect_fault *f)
{
    switch (f->why.device) {
    case SLUICE_DEVICE_HERE:
        if (f->why.ctx_no != f->fault.ctx_no)
            words_add(w, "; the device is in context %u now", f->why.ctx_no);
        break;
    case SLUICE_DEVICE_QUARANTINED:
        words_add(w, "; the device is in quarantine now");
        break;
    case SLUICE_DEVICE_ELSEWHERE:
        words_add(w, "; the device is another domain's now");
        break;
    case SLUICE_DEVICE_GONE:
        words_add(w, "; the device is gone");
        break;
    }
}

void words_fault(struct words *w, const struct inspection *in, const struct inspect_domain *d,
                 const struct inspect_fault *f)
{
    add_who(w, in, d, f);
    add_found(w, f);
    if (!is_told(f))
        words_add(w, "; it was blocked as %s", sluice_reason_name(f->fault.reason));
    if (f->why.unmapped)
        add_unmap(w, &f->why);
    add_device(w, f);
}

static const struct inspect_device *device_named(const struct inspection *in, const char *name)
{
    for (unsigned i = 0; i < in->nr_devices; i++)
        if (!strcmp(in->device[i].name, name))
            return &in->device[i];
    return NULL;
}

/* The newest record about it in its domain. */
static bool add_newest(struct words *w, const struct inspection *in,
                       const struct inspect_device *dev)
{
    for (unsigned i = 0; i < in->nr_domains; i++) {
        const struct inspect_domain *d = &in->domain[i];

        for (unsigned k = d->nr_faults; d->sluice == dev->info.domain && k--;) {
            if (d->fault[k].fault.device != dev->sluice)
                continue;
            words_fault(w, in, d, &d->fault[k]);
            return true;
        }
    }
    return false;
}

void words_blocked(struct words *w, const struct inspection *in, const char *device, bool recorded)
{
    const struct inspect_device *dev = device_named(in, device);

    if (dev && dev->info.domain && recorded && add_newest(w, in, dev))
        return;
    words_add(w, "%s ", device);
    if (dev && !inspect_is_exposed(dev) && !dev->info.domain)
        words_add(w, "is nobody's; in quarantine it reaches nothing");
    else
        words_add(w, "was stopped; hardware left no record that says why");
}
