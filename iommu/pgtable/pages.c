/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for tables, and the budget that they are counted against. */
#include "pages.h"

#include <stdatomic.h>

#include "ops.h"

/* `used` never exceeds the limit, not even for a moment: readers may take it at its word. */
static int charge(struct pt_pages *pages)
{
    uint32_t used = atomic_load_explicit(&pages->used, memory_order_relaxed);

    do {
        if (used >= pages->limit)
            return -ENOSPC;
    } while (!atomic_compare_exchange_weak_explicit(&pages->used, &used, used + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}

static void uncharge(struct pt_pages *pages)
{
    atomic_fetch_sub_explicit(&pages->used, 1, memory_order_relaxed);
}

static void fill(uint64_t *entry, uint64_t value)
{
    for (unsigned i = 0; i < FRAME_SIZE / sizeof(*entry); i++)
        entry[i] = value;
}

int pt_table_alloc(struct pt_pages *pages, const struct pt_geometry *geo, mfn_t *table)
{
    const struct sluice_port *port = pages->port;
    int r = charge(pages);

    if (r)
        return r;
    r = port->alloc_page(port->host, table);
    if (r) {
        uncharge(pages);
        return r;
    }
    if (geo->format->ops->empty) /* the port's pages are zeroed */
        fill(port_page(port, *table), geo->format->ops->empty);
    if (geo->noncoherent)
        port->writeback(port->host, port_page(port, *table), FRAME_SIZE);
    return 0;
}

void pt_table_free(struct pt_pages *pages, mfn_t table)
{
    pages->port->free_page(pages->port->host, table);
    uncharge(pages);
}
