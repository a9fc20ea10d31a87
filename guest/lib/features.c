/* SPDX-License-Identifier: BSD-2-Clause */
#include "features.h"

#include <stddef.h>

#define NOT_WRITTEN 1 /* status of an element: no error, and not what a hypervisor writes */

int features_read(uint32_t submap, bool hardware, struct features *out)
{
    const bool direct = submap >> XENFEAT_direct_mapped & 1;
    const bool not_direct = submap >> XENFEAT_not_direct_mapped & 1;

    if (direct && not_direct)
        return -EINVAL;
    out->assumed = !direct && !not_direct;
    out->direct_mapped = out->assumed ? hardware : direct;
    return 0;
}

/* The hypervisor does not have the hypercall. */
static bool is_absent(long err)
{
    return err == -ENOSYS || err == -EOPNOTSUPP;
}

static int ask_memory(const struct features_host *host, bool hardware, struct features *out)
{
    struct xen_feature_info info = {.submap_idx = 0};
    const long err = host->version ? host->version(host->arg, XENVER_get_features, &info) : -ENOSYS;

    if (is_absent(err))
        return features_read(0, hardware, out);
    return err < 0 ? (int)err : features_read(info.submap, hardware, out);
}

static int ask_contexts(const struct features_host *host, struct features *out)
{
    struct pv_iommu_capabilities caps = {.pgsize_mask = 0};
    const long err =
        host->contexts ? host->contexts(host->arg, IOMMU_query_capabilities, &caps) : -ENOSYS;

    if (is_absent(err) || err == -ENODEV) /* no IOMMU behind this domain */
        return 0;
    if (err < 0)
        return (int)err;
    if (!caps.pgsize_mask)
        return -EIO;
    out->contexts = true;
    out->caps = caps;
    return 0;
}

static int ask_frames(const struct features_host *host, struct features *out)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_query_caps, .status = NOT_WRITTEN};
    const long err = host->frames ? host->frames(host->arg, &op) : -ENOSYS;

    if (is_absent(err))
        return 0;
    if (err < 0)
        return (int)err;
    if (op.status > 0)
        return -EIO;
    if (op.status == -ENODEV) /* no such sub-op */
        return 0;
    if (op.status < 0)
        return op.status;
    out->frames = true;
    out->choose = op.flags & IOMMU_QUERY_map_cap;
    out->all = op.flags & IOMMU_QUERY_map_all_mfns;
    out->order = (uint8_t)((op.flags & IOMMU_page_order_mask) >> IOMMU_page_order_shift);
    return 0;
}

int features_discover(const struct features_host *host, bool hardware, struct features *out)
{
    int err;

    *out = (struct features){.assumed = false};
    err = ask_memory(host, hardware, out);
    if (!err)
        err = ask_contexts(host, out);
    if (!err)
        err = ask_frames(host, out);
    if (err)
        *out = (struct features){.assumed = false};
    return err;
}
