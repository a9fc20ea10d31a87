/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit_kinds.h"

struct unit *unit_open(enum unit_kind kind, bool scalable, const char **why, bool *missing)
{
    if (kind == UNIT_QEMU)
        return unit_open_qemu(scalable, why, missing);
    *missing = false;
    return unit_open_ours(scalable, kind == UNIT_ASSIGNED, why);
}
