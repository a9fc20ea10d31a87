/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where devices are. Whenever the guest invalidates what hardware may have cached of their entries,
 * these are looked at again, and the real devices follow: to the identity map, to the context of a
 * table, or to the refuge, where nothing is mapped but their own regions. Looking at more entries
 * than the guest names is allowed, as hardware may forget what it likes.
 */
#include "back.h"

#include "../../core/attach.h"
#include "../../core/steer.h"

/* Once in an invalidation: there may be a million PASIDs. */
static void tell(const struct vtd_emul *e, int err, struct vtd_emul_device *dev)
{
    if (dev->told == dev->begun)
        return;
    dev->told = dev->begun;
    instance_event(e->d->s, SLUICE_EVENT_ERROR, err, "vtd_emul_apply", dev->sid, dev->rid.n);
}

uint32_t vtd_emul_serial(struct vtd_emul *e)
{
    if (!++e->back.serial)
        e->back.serial = 1;
    return e->back.serial;
}

/* ---- One place ---------------------------------------------------------------------------------
 */

static int move_device(struct vtd_emul *e, const struct vtd_emul_device *dev,
                       const struct context *to, uint32_t generation)
{
    struct reattach move = {
        .rid = dev->rid, .ctx_no = to->no, .generation = generation, .viommu = true};

    return attach_device(e->d, &move);
}

static int move_pasid(struct vtd_emul *e, const struct vtd_emul_device *dev, uint32_t pasid,
                      const struct context *to, uint32_t generation)
{
    int err = pasid_move(e->d, dev->rid, pasid, to->no, generation, true);

    return err == -ENODEV ? pasid_attach(e->d, dev->rid, pasid, to->no, generation, true) : err;
}

/* `space` is NULL where `to` is a context of the unit's, or the domain's context 0. */
static int move(struct vtd_emul *e, const struct vtd_emul_device *dev, struct vtd_emul_place *place,
                const struct context *to, struct vtd_emul_space *space)
{
    const uint32_t generation = to->generation;
    int err = place->pasid ? move_pasid(e, dev, place->pasid, to, generation)
                           : move_device(e, dev, to, generation);

    if (err && err != -EIO) /* the unit blocks; where it was, it may be for ever */
        return err;
    if (space)
        space->users++;
    if (place->space)
        place->space->users--;
    place->space = space;
    return err;
}

/* Needs no memory. Only a device that has left the domain, or a failed unit, is not blocked. */
static int block(struct vtd_emul *e, const struct vtd_emul_device *dev,
                 struct vtd_emul_place *place)
{
    int err;

    if (!place->pasid) {
        err = move(e, dev, place, e->back.refuge, NULL);
        if (err != -ENODEV)
            return err;
    } else {
        err = pasid_detach(e->d, dev->rid, place->pasid, true);
    }
    if (place->space)
        place->space->users--;
    place->space = NULL;
    return err == -EIO ? err : 0;
}

static int go(struct vtd_emul *e, const struct vtd_emul_device *dev, struct vtd_emul_place *place,
              const struct vtd_emul_target *t)
{
    struct vtd_emul_space *space;
    struct context *to;
    int err;

    if (t->kind == VTD_EMUL_BLOCKED)
        return block(e, dev, place);
    if (t->kind == VTD_EMUL_THROUGH) {
        err = vtd_emul_identity(e, &to);
        return err ? err : move(e, dev, place, to, NULL);
    }
    err = vtd_emul_space(e, t, &space);
    return err ? err : move(e, dev, place, space->c, space);
}

static bool is_lacking(int err)
{
    return err == -ENOMEM || err == -ENOSPC || err == -EBUSY || err == -EINVAL;
}

/* What it leaves may be what is lacking: once more without that, and not again when that restarts.
 */
static int go_if_possible(struct vtd_emul *e, const struct vtd_emul_device *dev,
                          struct vtd_emul_place *place, const struct vtd_emul_target *t)
{
    int err;

    if (!place->left) {
        err = go(e, dev, place, t);
        if (!is_lacking(err))
            return err;
        err = block(e, dev, place);
        if (err)
            return err;
        place->left = true;
    }
    err = vtd_emul_reap(e, false);
    return err ? err : go(e, dev, place, t);
}

static int apply_place(struct vtd_emul *e, struct vtd_emul_device *dev,
                       struct vtd_emul_place *place, const struct vtd_emul_target *t)
{
    int err = go_if_possible(e, dev, place, t);

    if (err == -ERESTART)
        return err;
    place->left = false;
    place->lacking = is_lacking(err);
    place->did = t->kind == VTD_EMUL_BLOCKED ? 0 : t->did;
    if (err && err != -EIO)
        (void)block(e, dev, place);
    if (err && err != -ENODEV && err != -ENOENT) /* it has not left the domain */
        tell(e, err, dev);
    return 0;
}

/* ---- With PASIDs -------------------------------------------------------------------------------
 */

static struct vtd_emul_place *find_pasid(const struct vtd_emul_device *dev, uint32_t pasid)
{
    struct vtd_emul_place *p = dev->pasids;

    while (p && p->pasid != pasid)
        p = p->next;
    return p;
}

static void release(struct vtd_emul *e, struct vtd_emul_device *dev, struct vtd_emul_place *place)
{
    struct vtd_emul_place **p = &dev->pasids;

    while (*p != place)
        p = &(*p)->next;
    *p = place->next;
    e->port->free(e->port->host, place, sizeof(*place));
}

static struct vtd_emul_place *new_place(struct vtd_emul *e, struct vtd_emul_device *dev,
                                        uint32_t pasid)
{
    struct vtd_emul_place *p = e->port->alloc(e->port->host, sizeof(*p));

    if (!p) {
        tell(e, -ENOMEM, dev);
        return NULL;
    }
    p->pasid = pasid;
    p->next = dev->pasids;
    dev->pasids = p;
    return p;
}

/* A place that is blocked is none. */
static int apply_pasid(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t pasid,
                       uint32_t serial)
{
    struct vtd_emul_place *p = find_pasid(dev, pasid);
    struct vtd_emul_target t;
    int err;

    if (!pasid || (p && p->done == serial))
        return 0;
    vtd_emul_find(e, dev->sid, true, pasid, &t);
    if (!p && t.kind == VTD_EMUL_BLOCKED)
        return 0;
    if (!p)
        p = new_place(e, dev, pasid);
    err = p ? apply_place(e, dev, p, &t) : 0;
    if (err || !p)
        return err;
    p->done = serial;
    if (t.kind == VTD_EMUL_BLOCKED || p->lacking)
        release(e, dev, p);
    return 0;
}

/* Before any other: what is new has no place yet. */
static int apply_known_pasids(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t serial)
{
    struct vtd_emul_place *next;

    for (struct vtd_emul_place *p = dev->pasids; p; p = next) {
        int err;

        next = p->next;
        if (p->done == serial)
            continue;
        err = apply_pasid(e, dev, p->pasid, serial);
        if (err)
            return err;
        if (e->port->preempt(e->port->host))
            return -ERESTART;
    }
    return 0;
}

/* Each once: of those that do not fit nothing is left that says that they were tried. */
static int apply_table(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t nr,
                       uint32_t serial)
{
    const uint32_t end = (nr + 1) * VTD_PASID_TABLE_ENTRIES;

    if (!vtd_emul_has_pasids(e, dev->sid, nr))
        dev->cursor = end;
    for (; dev->cursor < end; dev->cursor++) {
        int err = apply_pasid(e, dev, dev->cursor, serial);

        if (err)
            return err;
    }
    return 0;
}

/* All that the directory has. */
static int apply_new_pasids(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t serial)
{
    const uint32_t nr = vtd_emul_pasid_tables(e, dev->sid);

    while (dev->cursor / VTD_PASID_TABLE_ENTRIES < nr) {
        int err = apply_table(e, dev, dev->cursor / VTD_PASID_TABLE_ENTRIES, serial);

        if (err)
            return err;
        if (e->port->preempt(e->port->host))
            return -ERESTART;
    }
    return 0;
}

/* ---- Devices -----------------------------------------------------------------------------------
 */

static int apply_own(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t serial)
{
    struct vtd_emul_target t;
    int err;

    if (dev->own.done == serial)
        return 0;
    vtd_emul_find(e, dev->sid, false, 0, &t);
    err = apply_place(e, dev, &dev->own, &t);
    if (!err)
        dev->own.done = serial;
    return err;
}

static int apply_device(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t serial,
                        const uint32_t *pasid)
{
    int err;

    if (dev->begun != serial)
        dev->cursor = 0;
    dev->begun = serial;
    err = apply_own(e, dev, serial);
    if (err)
        return err;
    if (pasid)
        return apply_pasid(e, dev, *pasid, serial);
    err = dev->cursor ? 0 : apply_known_pasids(e, dev, serial);
    return err ? err : apply_new_pasids(e, dev, serial);
}

int vtd_emul_apply_device(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t serial)
{
    return apply_device(e, dev, serial, NULL);
}

static uint16_t function_mask(unsigned fm)
{
    static const uint8_t ignored[] = {0, 4, 6, 7};

    return (uint16_t)~ignored[fm & 3];
}

/* Context entries of scalable mode have no did, and those that were not present have 0. */
static bool is_meant(const struct vtd_emul *e, const struct vtd_emul_device *dev,
                     const struct vtd_emul_inv *inv)
{
    if (!dev->dev)
        return false;
    if (inv->kind == VTD_EMUL_INV_PASIDS || inv->kind == VTD_EMUL_INV_ROOT)
        return true;
    if (inv->kind != VTD_EMUL_INV_CONTEXTS)
        return false;
    if (inv->granularity == VTD_G_DEVICE)
        return !((dev->sid ^ inv->sid) & function_mask(inv->fm));
    return inv->granularity == VTD_G_GLOBAL || vtd_emul_is_scalable(e) ||
           dev->own.did == inv->did || dev->own.lacking;
}

static struct vtd_emul_device *next_meant(const struct vtd_emul *e, const struct vtd_emul_inv *inv)
{
    struct vtd_emul_device *dev = e->back.devices;

    while (dev && (dev->done == inv->serial || !is_meant(e, dev, inv)))
        dev = dev->next;
    return dev;
}

int vtd_emul_apply(struct vtd_emul *e, const struct vtd_emul_inv *inv)
{
    const bool one = inv->kind == VTD_EMUL_INV_PASIDS && inv->granularity == VTD_G_PASID_ONE;
    struct vtd_emul_device *dev;

    while ((dev = next_meant(e, inv))) {
        int err = apply_device(e, dev, inv->serial, one ? &inv->pasid : NULL);

        if (err)
            return err;
        dev->done = inv->serial;
        if (e->port->preempt(e->port->host) && next_meant(e, inv))
            return -ERESTART;
    }
    return 0;
}

/* ---- Away from the unit ------------------------------------------------------------------------
 */

int vtd_emul_release_device(struct vtd_emul *e, struct vtd_emul_device *dev)
{
    int err, failed = 0;

    while (dev->pasids) {
        if (block(e, dev, dev->pasids))
            failed = -EIO;
        release(e, dev, dev->pasids);
        if (e->port->preempt(e->port->host))
            return -ERESTART;
    }
    err = move(e, dev, &dev->own, &e->d->ctx[0], NULL);
    if (err == -ERESTART)
        return err;
    if (err)
        failed = block(e, dev, &dev->own) || err == -EIO ? -EIO : failed;
    steer_give_back(e->d, dev->rid);
    return failed;
}
