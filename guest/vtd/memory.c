/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <string.h>

int gvtd_set(struct gvtd_memory *m, uint32_t page, unsigned word, const uint64_t *values,
             unsigned nr)
{
    memmove(&m->page[page][word], values, nr * sizeof(*values));
    return m->port->store(m->port->arg, gvtd_address(m, page) + word * sizeof(*values),
                          &m->page[page][word], nr * sizeof(*values));
}

int gvtd_page(struct gvtd_memory *m, uint32_t *out)
{
    static const uint64_t empty[GVTD_WORDS];

    if (m->nr_idle)
        *out = m->idle[--m->nr_idle];
    else if (m->used < m->nr)
        *out = m->used++;
    else
        return -ENOMEM;
    return gvtd_set(m, *out, 0, empty, GVTD_WORDS);
}

void gvtd_leave(struct gvtd_memory *m, uint32_t page)
{
    m->leaving[m->nr_leaving++] = page;
}

void gvtd_left(struct gvtd_memory *m)
{
    while (m->nr_leaving)
        m->idle[m->nr_idle++] = m->leaving[--m->nr_leaving];
}
