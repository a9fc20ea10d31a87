/* SPDX-License-Identifier: BSD-2-Clause */
/* The second group as a whole: its life, and what the first asks of it. */
#include "back.h"

/* Where nothing translates, there are emulated devices only. */
static int make_refuge(struct vtd_emul *e)
{
    int err = e->d->s->translates ? vtd_emul_hidden(e, &e->back.refuge) : 0;

    if (!err && e->back.refuge)
        e->back.refuge_generation = e->back.refuge->generation;
    return err;
}

int vtd_emul_back_init(struct vtd_emul *e)
{
    int err = vtd_emul_init_iotlb(e);

    if (err)
        return err;
    err = make_refuge(e);
    if (err)
        vtd_emul_fini_iotlb(e);
    return err;
}

int vtd_emul_back_fini(struct vtd_emul *e)
{
    struct vtd_emul_back *b = &e->back;

    if (vtd_emul_remove_all(e) || vtd_emul_reap(e, true) ||
        vtd_emul_end_hidden(e, b->identity, b->identity_generation) ||
        vtd_emul_end_hidden(e, b->refuge, b->refuge_generation))
        return -ERESTART;
    vtd_emul_fini_iotlb(e);
    return 0;
}

void vtd_emul_back_info(const struct vtd_emul *e, struct sluice_viommu_info *out)
{
    out->nr_devices = 0;
    for (const struct vtd_emul_device *dev = e->back.devices; dev; dev = dev->next)
        out->nr_devices++;
    out->nr_spaces = 0;
    for (const struct vtd_emul_space *s = e->back.spaces; s; s = s->next)
        out->nr_spaces++;
    out->synced = e->back.synced;
}

/*
 * First the devices leave what is not theirs any more, then what is left follows its tables, then
 * what nobody uses goes. Each remembers the invalidation that it has seen, so that the others may
 * come and go between the steps.
 */
int vtd_emul_invalidate(struct vtd_emul *e, struct vtd_emul_inv *inv)
{
    int err;

    if (!inv->serial) {
        inv->serial = vtd_emul_serial(e);
        vtd_emul_forget(e, inv);
    }
    err = vtd_emul_apply(e, inv);
    if (!err)
        err = vtd_emul_flush_spaces(e, inv);
    return err ? err : vtd_emul_reap(e, true);
}
