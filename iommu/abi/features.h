/* SPDX-License-Identifier: MIT */
/*
 * What a domain is told about its memory: two bits of the features that Xen shows to every domain,
 * with Xen's numbers.
 *
 *     long xen_version(XENVER_get_features, struct xen_feature_info *info);    x86: hypercall 17
 *
 * Usable alone, in C and C++, by guest and hypervisor, and beside Xen's own headers.
 *
 * Exactly one of the two is set, whatever the architecture. With neither, the hypervisor is older
 * than they are: there, the hardware domain is direct-mapped and others are not. They say nothing
 * about IOMMUs: whether a device's addresses are translated is a fact about that device.
 */
#ifndef SLUICE_ABI_FEATURES_H
#define SLUICE_ABI_FEATURES_H

#include <stdint.h>

/* Bits of submap 0. */
#define XENFEAT_not_direct_mapped 16 /* the domain's gfns are not machine frames */
#define XENFEAT_direct_mapped     17 /* each gfn of the domain's own memory is its machine frame */

#ifndef __XEN_PUBLIC_VERSION_H__
#define XENVER_get_features 6

struct xen_feature_info {
    uint32_t submap_idx; /* IN: which 32 bits */
    uint32_t submap;     /* OUT */
};
#endif

#ifndef __cplusplus
_Static_assert(sizeof(struct xen_feature_info) == 8, "Xen's struct");
#endif

#endif
