/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes of the reverse map: pages of the port, cut into nodes. */
#include "m2b_node.h"

static void link_page(struct m2b *m, struct m2b_page *p)
{
    p->previous = NULL;
    p->next = m->pages;
    if (p->next)
        p->next->previous = p;
    m->pages = p;
}

static void unlink_page(struct m2b *m, struct m2b_page *p)
{
    if (p->previous)
        p->previous->next = p->next;
    else
        m->pages = p->next;
    if (p->next)
        p->next->previous = p->previous;
}

static mfn_t frame_of(const struct m2b *m, const void *p)
{
    return mfn_of((uint64_t)((const char *)p - (const char *)m->port->direct_map) >> FRAME_LG2);
}

static void give_back(struct m2b *m, struct m2b_page *p)
{
    unlink_page(m, p);
    m->nr_spare -= M2B_PAGE_NODES;
    m->nr_pages--;
    m->port->free_page(m->port->host, frame_of(m, p));
}

static int get_page(struct m2b *m)
{
    struct m2b_page *p;
    struct m2b_node *node;
    mfn_t frame;

    if (m->port->alloc_page(m->port->host, &frame))
        return -ENOMEM;
    p = port_page(m->port, frame);
    node = port_page(m->port, frame);
    for (size_t i = 1; i <= M2B_PAGE_NODES; i++) {
        node[i].left = p->spare;
        p->spare = &node[i];
    }
    link_page(m, p);
    m->nr_spare += M2B_PAGE_NODES;
    m->nr_pages++;
    return 0;
}

int m2b_reserve(struct m2b_locked l, unsigned n)
{
    l.m->nr_reserved = n;
    while (l.m->nr_spare < n)
        if (get_page(l.m))
            return -ENOMEM;
    return 0;
}

struct m2b_node *m2b_node_new(struct m2b *m)
{
    struct m2b_page *p = m->pages;
    struct m2b_node *n;

    CHECK(m->port, p);
    n = p->spare;
    p->spare = n->left;
    p->nr_used++;
    m->nr_spare--;
    if (!p->spare)
        unlink_page(m, p);
    return n;
}

void m2b_node_free(struct m2b *m, struct m2b_node *n)
{
    struct m2b_page *p = port_page(m->port, frame_of(m, n));

    if (!p->spare)
        link_page(m, p);
    n->left = p->spare;
    p->spare = n;
    p->nr_used--;
    m->nr_spare++;
    if (!p->nr_used && m->nr_spare >= m->nr_reserved + 2 * M2B_PAGE_NODES)
        give_back(m, p);
}

void m2b_free_pages(struct m2b *m)
{
    while (m->pages) {
        CHECK(m->port, !m->pages->nr_used);
        give_back(m, m->pages);
    }
}

uint64_t m2b_bytes(const struct m2b *m)
{
    return m->nr_pages * FRAME_SIZE;
}
