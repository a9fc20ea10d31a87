/* SPDX-License-Identifier: BSD-2-Clause */
#include "iova_cache.h"

void iova_return(struct iova_space *s, uint32_t i)
{
    s->taken--;
    s->frames -= iova_size(&s->config.ranges[i]);
    iova_tree_remove(s, s->config.ranges[i].first);
    iova_range_leave(s, i);
    iova_range_drop(s, i);
}

/* An entry that was not reclaimed by now is, and its range is returned. */
static void reclaim_entry(struct iova_space *s, uint64_t entry)
{
    const uint32_t word = iova_entry_word(entry);

    if ((word & IOVA_STATE) != IOVA_KEPT_CPU ||
        !iova_turn(iova_entry_range(s, entry), word, IOVA_FREE))
        return;
    iova_return(s, (uint32_t)(entry >> 32));
}

/* ---- The depot ---------------------------------------------------------------------------------
 */

static void to_depot(struct iova_space *s, struct iova_depot *depot, uint64_t entry)
{
    struct iova_range *r = iova_entry_range(s, entry);

    if (!iova_turn(r, iova_entry_word(entry), IOVA_KEPT_ALL))
        return;
    r->next_kept = depot->head;
    depot->head = (uint32_t)(entry >> 32);
    depot->nr++;
}

/* The first in the depot, with its new word. */
static uint64_t from_depot(struct iova_space *s, struct iova_depot *depot, enum iova_state state)
{
    const uint32_t i = depot->head;
    struct iova_range *r = &s->config.ranges[i];
    const uint32_t word = iova_next_word(iova_word(r), state);

    depot->head = r->next_kept;
    depot->nr--;
    __atomic_store_n(&r->word, word, __ATOMIC_RELEASE);
    return iova_entry(i, word);
}

void iova_refill(struct iova_space *s, struct iova_magazine *m, struct iova_depot *depot)
{
    while (depot->nr && m->nr < IOVA_MAGAZINE / 2) {
        iova_set_entry(m, m->nr, from_depot(s, depot, IOVA_KEPT_CPU));
        iova_set_nr(m, m->nr + 1);
    }
}

void iova_spill(struct iova_space *s, struct iova_magazine *m, struct iova_depot *depot)
{
    const uint32_t half = IOVA_MAGAZINE / 2;

    for (uint32_t k = 0; k < half; k++) {
        if (depot->nr < IOVA_DEPOT)
            to_depot(s, depot, m->entry[k]);
        else
            reclaim_entry(s, m->entry[k]);
    }
    for (uint32_t k = half; k < IOVA_MAGAZINE; k++)
        iova_set_entry(m, k - half, m->entry[k]);
    iova_set_nr(m, IOVA_MAGAZINE - half);
}

static void reclaim_depot(struct iova_space *s, struct iova_depot *depot)
{
    while (depot->nr)
        iova_return(s, (uint32_t)(from_depot(s, depot, IOVA_FREE) >> 32));
}

/* ---- Everything --------------------------------------------------------------------------------
 */

/* Of another processor, which goes on meanwhile: nr is its own. */
static void reclaim_magazine(struct iova_space *s, struct iova_magazine *m)
{
    for (uint32_t k = IOVA_MAGAZINE; k-- > 0;)
        reclaim_entry(s, __atomic_load_n(&m->entry[k], __ATOMIC_ACQUIRE));
}

bool iova_reclaim(struct iova_space *s)
{
    const uint64_t before = s->taken;

    for (unsigned z = 0; z < IOVA_ZONES; z++) {
        for (unsigned k = 0; k < IOVA_KEPT; k++) {
            reclaim_depot(s, &s->depot[z][k]);
            for (uint32_t c = 0; c < s->config.nr_cpus; c++)
                reclaim_magazine(s, &s->config.cpus[c].kept[k][z]);
        }
    }
    return s->taken != before;
}

static uint64_t nr_in_magazine(const struct iova_space *s, const struct iova_magazine *m)
{
    uint64_t nr = 0;

    for (uint32_t k = 0; k < iova_magazine_nr(m); k++) {
        const uint64_t entry = __atomic_load_n(&m->entry[k], __ATOMIC_ACQUIRE);
        const uint32_t word = iova_entry_word(entry);

        nr += (word & IOVA_STATE) == IOVA_KEPT_CPU && iova_word(iova_entry_range(s, entry)) == word;
    }
    return nr;
}

uint64_t iova_kept(const struct iova_space *s)
{
    uint64_t nr = 0;

    for (unsigned z = 0; z < IOVA_ZONES; z++) {
        for (unsigned k = 0; k < IOVA_KEPT; k++) {
            nr += s->depot[z][k].nr;
            for (uint32_t c = 0; c < s->config.nr_cpus; c++)
                nr += nr_in_magazine(s, &s->config.cpus[c].kept[k][z]);
        }
    }
    return nr < s->taken ? nr : s->taken;
}
