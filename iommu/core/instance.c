/* SPDX-License-Identifier: BSD-2-Clause */
/* The instance: units and what they have in common, tags for cached translations. */
#include "instance.h"

#define DEFER_NS 10000000u

static bool is_page_range(uint64_t first, uint64_t last)
{
    return first < last && !(first % FRAME_SIZE) && !((last + 1) % FRAME_SIZE);
}

static int set_msi_window(struct instance *s, const struct sluice_msi_window *w)
{
    s->msi_window = *w;
    if (!w->base && !w->length)
        s->msi_window =
            (struct sluice_msi_window){SLUICE_MSI_BASE, SLUICE_MSI_LENGTH, w->lowest, w->highest};
    w = &s->msi_window;
    if (!w->length || w->base > UINT64_MAX - w->length ||
        !is_page_range(w->base, w->base + w->length - 1))
        return -EINVAL;
    return w->highest && !is_page_range(w->lowest, w->highest) ? -EINVAL : 0;
}

int sluice_create(const struct sluice_config *config, struct sluice **out)
{
    const struct sluice_port *port = config->port;
    struct instance *s = port->alloc(port->host, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    s->port = port;
    s->nr_dids = MAX_DIDS;
    s->snoop = true;
    s->nests = true;
    s->allow_unsafe = config->allow_unsafe_interrupts;
    s->defer_ns = config->defer_ns ? config->defer_ns : DEFER_NS;
    s->dids = port->alloc(port->host, MAX_DIDS / 8);
    err = s->dids ? set_msi_window(s, &config->msi_window) : -ENOMEM;
    if (!err)
        err = frames_init(&s->frames, port, config->nr_frames);
    if (err) {
        if (s->dids)
            port->free(port->host, s->dids, MAX_DIDS / 8);
        port->free(port->host, s, sizeof(*s));
        return err;
    }
    m2b_init(&s->m2b, port);
    s->dids[0] = 1; /* tag 0 stays unused: VT-d's caching mode claims it (section 6.2.2.1) */
    *out = (struct sluice *)(void *)s;
    return 0;
}

void sluice_destroy(struct sluice *ss)
{
    struct instance *s = instance_of(ss);
    const struct sluice_port *port = s->port;

    CHECK(port, !s->domains && !s->devices);
    m2b_fini(&s->m2b);
    frames_fini(&s->frames);
    port->free(port->host, s->dids, MAX_DIDS / 8);
    port->free(port->host, s, sizeof(*s));
}

/* The most that both can do, in one format. */
static int common_geometry(struct pt_geometry *a, const struct pt_geometry *b)
{
    if (a->format != b->format || a->levels != b->levels)
        return -EINVAL;
    if (b->iova_bits < a->iova_bits)
        a->iova_bits = b->iova_bits;
    a->leaf_sizes &= b->leaf_sizes;
    a->noncoherent |= b->noncoherent;
    a->dirty &= b->dirty;
    return 0;
}

int sluice_add_unit(struct sluice *ss, struct hw_unit *unit)
{
    struct instance *s = instance_of(ss);

    if (s->nr_units == SLUICE_MAX_UNITS || s->domains)
        return s->domains ? -EBUSY : -ENOSPC;
    if (unit->translates) {
        if (s->translates && common_geometry(&s->geo, &unit->geo))
            return -EINVAL;
        if (!s->translates)
            s->geo = unit->geo;
        s->translates = true;
        s->snoop &= unit->snoop && unit->geo.format->has_snoop;
        s->caching_mode |= unit->caching_mode;
        s->nests &= unit->nests;
        if (unit->nr_dids < s->nr_dids)
            s->nr_dids = unit->nr_dids;
    }
    unit->index = (uint8_t)s->nr_units;
    s->unit[s->nr_units++] = unit;
    return 0;
}

int did_alloc(struct instance *s, uint16_t *did)
{
    struct instance_locked l = instance_lock(s);
    uint32_t n;

    for (n = 0; n < s->nr_dids; n++) {
        if (!~s->dids[n / 64]) {
            n |= 63;
            continue;
        }
        if (!(s->dids[n / 64] >> n % 64 & 1))
            break;
    }
    if (n < s->nr_dids)
        s->dids[n / 64] |= BIT64(n % 64);
    instance_unlock(l);
    *did = (uint16_t)n;
    return n < s->nr_dids ? 0 : -ENOSPC;
}

void did_free(struct instance *s, uint16_t did)
{
    struct instance_locked l = instance_lock(s);

    s->dids[did / 64] &= ~BIT64(did % 64);
    instance_unlock(l);
}

void instance_event(const struct instance *s, enum sluice_event_kind kind, int error,
                    const char *where, uint64_t a, uint64_t b)
{
    const struct sluice_event event = {kind, error, where, a, b};

    s->port->event(s->port->host, &event);
}
