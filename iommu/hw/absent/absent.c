/* SPDX-License-Identifier: BSD-2-Clause */
/* A unit that is not there. */
#include "absent.h"

static int prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid)
{
    (void)unit;
    (void)rid;
    (void)pasid;
    return -ENODEV;
}

/* prepare() never succeeded, so nothing can be pointed anywhere. */
static void point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space)
{
    (void)rid;
    (void)pasid;
    CHECK(unit->port, !space);
}

static int flush(struct hw_unit *unit, const struct hw_inv *inv, unsigned n)
{
    (void)unit;
    (void)inv;
    (void)n;
    return -EIO;
}

static enum hw_isolation isolation(struct hw_unit *unit)
{
    (void)unit;
    return HW_ISOLATION_NOT_REMAPPING;
}

static unsigned drain_faults(struct hw_unit *unit, struct hw_fault *out, unsigned max,
                             uint64_t *lost)
{
    (void)unit;
    (void)out;
    (void)max;
    (void)lost;
    return 0;
}

static void quiesce(struct hw_unit *unit)
{
    (void)unit;
}

static const struct hw_ops ops = {
    .name = "absent",
    .prepare = prepare,
    .point = point,
    .flush = flush,
    .isolation = isolation,
    .drain_faults = drain_faults,
    .quiesce = quiesce,
};

void absent_init(struct hw_unit *unit, const struct sluice_port *port)
{
    memset(unit, 0, sizeof(*unit));
    unit->ops = &ops;
    unit->port = port;
}
