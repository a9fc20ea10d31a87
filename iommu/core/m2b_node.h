/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of the reverse map, and the pages of the port that they come from. */
#ifndef SLUICE_CORE_M2B_NODE_H
#define SLUICE_CORE_M2B_NODE_H

#include "m2b.h"

struct m2b_node {
    struct m2b_node *left, *right; /* spare: left is the next spare one of its page */
    struct domain *user;
    uint64_t mfn, bfn;
    uint64_t lowest, highest; /* the first and the last frame that the subtree names */
    uint32_t nr;
    uint16_t server;
    uint8_t flags;
    uint8_t height; /* of the subtree */
};
_Static_assert(sizeof(struct m2b_node) == 64, "a node is 64 bytes");

/* At the beginning of a page, in the place of a node. */
struct m2b_page {
    struct m2b_page *next, *previous; /* with spare nodes */
    struct m2b_node *spare;
    unsigned nr_used;
};
_Static_assert(sizeof(struct m2b_page) <= sizeof(struct m2b_node), "it has a node's place");

#define M2B_PAGE_NODES (FRAME_SIZE / sizeof(struct m2b_node) - 1)

/* A spare node, which was reserved. */
struct m2b_node *m2b_node_new(struct m2b *m);

/* What is reserved stays; beyond it and a page's worth, a page without nodes is given back. */
void m2b_node_free(struct m2b *m, struct m2b_node *n);

/* All pages, which have no nodes, go back. */
void m2b_free_pages(struct m2b *m);

#endif
