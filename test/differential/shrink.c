/* SPDX-License-Identifier: BSD-2-Clause */
#include "shrink.h"

#include <string.h>

static struct program without(const struct program *p, unsigned first, unsigned n)
{
    struct program out = *p;

    memmove(&out.steps[first], &out.steps[first + n], (p->nr - first - n) * sizeof(p->steps[0]));
    out.nr -= n;
    return out;
}

static bool alike(const struct difference *a, const struct difference *b)
{
    return a->kind == b->kind && a->reg.offset == b->reg.offset &&
           a->a.record.reason == b->a.record.reason && a->b.record.reason == b->b.record.reason;
}

/* Takes it, if the difference is still there. */
static bool attempt(struct program *p, const struct program *smaller, struct difference *found,
                    struct unit *a, struct unit *b)
{
    struct tally t = {0};
    const struct difference d = compare(smaller, a, b, &t);

    if (!alike(&d, found))
        return false;
    *p = *smaller;
    *found = d;
    if (d.step + 1 < p->nr)
        p->nr = d.step + 1;
    return true;
}

struct difference shrink(struct program *p, const struct difference *d, struct unit *a,
                         struct unit *b)
{
    struct difference found = *d;
    struct program whole = *p;

    if (!attempt(p, &whole, &found, a, b))
        return (struct difference){0};
    for (unsigned n = p->nr / 2; n; n /= 2) {
        for (unsigned first = p->nr; first-- > 0;) {
            struct program smaller;

            if (first + n > p->nr)
                continue;
            smaller = without(p, first, n);
            if (a->ops->gone(a) || b->ops->gone(b))
                return found;
            attempt(p, &smaller, &found, a, b);
        }
    }
    return found;
}
