/* SPDX-License-Identifier: BSD-2-Clause */
#include "requester.h"

static bool is_among(rid_t rid, const rid_t *all, unsigned nr)
{
    while (nr--)
        if (all[nr].n == rid.n)
            return true;
    return false;
}

static rid_t device_0(rid_t bridge, uint8_t bus)
{
    return rid_of((uint16_t)(bridge.n >> 16), bus, 0);
}

unsigned hw_requester_ids(rid_t function, const struct hw_bridge *up, unsigned nr, rid_t *out)
{
    unsigned n = 0;

    out[n++] = function;
    for (unsigned i = 0; i < nr; i++) {
        const rid_t rid =
            up[i].kind == HW_BRIDGE_TO_PCI ? device_0(up[i].rid, up[i].secondary) : up[i].rid;

        if (up[i].kind != HW_BRIDGE_EXPRESS && !is_among(rid, out, n))
            out[n++] = rid;
    }
    return n;
}
