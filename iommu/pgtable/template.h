/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker, compiled by each format file after it has defined what format.h asks for. Everything
 * here is static; what comes out is `walker`, the table of operations of the format.
 * Included by format files only.
 */
#ifndef SLUICE_PGTABLE_TEMPLATE_H
#define SLUICE_PGTABLE_TEMPLATE_H

#include "ops.h"

#include "dirty.h"
#include "lookup.h"
#include "map.h"
#include "map_list.h"
#include "point.h"
#include "prune.h"
#include "reap.h"
#include "release.h"
#include "retire.h"
#include "split.h"
#include "trace.h"
#include "unmap.h"
#include "walk.h"

_Static_assert(!(FMT_MARK & (FMT_HARDWARE | FMT_LINK | FMT_SYNCED)), "a bit of its own");

static const struct pt_ops walker = {
    .empty = FMT_EMPTY,
    .oa_bits = FMT_OA_BITS,
    .map = map,
    .map_list = map_list,
    .unmap = unmap,
    .retire = retire,
    .check = check,
    .release = release,
    .lookup = lookup,
    .walk = walk,
    .dirty = dirty,
    .point = point,
    .split = split,
    .prune = prune,
    .reap = reap,
    .trace = trace,
};

#endif
