/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every format and geometry beside an obviously right reference: an array that says for each frame
 * of a few windows what it maps to. After every random operation the whole state is compared
 * through pt_walk, pt_lookup and pt_trace; while an operation runs, a walker may see for each frame
 * the old translation, none, or the new one (I6, I9, I11).
 */
#include "machine.h"

enum state { EMPTY, MAPPED, RETIRED };

/* A window is cut into atoms of one size; operations go by whole atoms, so an atom has one state.
 */
struct atom {
    enum state state;
    unsigned attr;
    uint64_t mfn;
};

#define MAX_ATOMS 160u

struct window {
    uint64_t first, atom_frames, nr;
    struct atom atom[MAX_ATOMS];
};

struct fixture {
    struct machine m;
    struct pgtable pt;
    struct window window[6];
    unsigned nr_windows;
    uint64_t op_first, op_last; /* what the running operation may change */
    struct atom op_new;         /* to what; mfn is that of op_first */
};

static struct window *window_of(struct fixture *f, uint64_t dfn)
{
    for (unsigned i = 0; i < f->nr_windows; i++) {
        struct window *w = &f->window[i];

        if (dfn >= w->first && dfn - w->first < w->nr * w->atom_frames)
            return w;
    }
    return NULL;
}

/* What the reference says of one frame. */
static struct atom reference(struct fixture *f, uint64_t dfn)
{
    struct window *w = window_of(f, dfn);
    struct atom a = {.state = EMPTY};

    if (!w)
        return a;
    a = w->atom[(dfn - w->first) / w->atom_frames];
    a.mfn += (dfn - w->first) % w->atom_frames;
    return a;
}

static void reference_set(struct fixture *f, uint64_t first, uint64_t nr, struct atom a)
{
    struct window *w = window_of(f, first);

    assert_int_equal((first - w->first) % w->atom_frames, 0);
    assert_int_equal(nr % w->atom_frames, 0);
    for (uint64_t i = 0; i < nr; i += w->atom_frames) {
        struct atom *to = &w->atom[(first + i - w->first) / w->atom_frames];

        *to = a;
        to->mfn += a.state == EMPTY ? 0 : i;
    }
}

/* As hardware sees it: without PT_MARK. */
static bool same(struct atom a, int r, const struct pt_leaf *leaf)
{
    if (a.state != MAPPED)
        return r == -ENOENT;
    return r == 0 && leaf->mfn.n == a.mfn && leaf->attr == (a.attr & ~PT_MARK);
}

static pt_read reader(const struct fixture *f)
{
    return f->pt.geo.noncoherent ? machine_read_seen : machine_read_arena;
}

static int trace(struct fixture *f, uint64_t dfn, struct pt_leaf *leaf)
{
    return pt_trace(&f->pt.geo, f->pt.root, dfn << FRAME_LG2 | 0x123, reader(f), &f->m, leaf);
}

/* In the middle of an operation. */
static void check_moment(struct fixture *f, uint64_t dfn)
{
    struct atom old = reference(f, dfn), new = f->op_new, none = {.state = EMPTY};
    struct pt_leaf leaf;
    int r = trace(f, dfn, &leaf);

    if (same(old, r, &leaf))
        return;
    assert_true(dfn >= f->op_first && dfn <= f->op_last);
    new.mfn += dfn - f->op_first;
    assert_true(same(new, r, &leaf) || same(none, r, &leaf));
}

static void between(void *arg)
{
    struct fixture *f = arg;

    if (f->op_first <= f->op_last) {
        check_moment(f, f->op_first);
        check_moment(f, f->op_last);
        check_moment(f, f->op_first + machine_random(&f->m) % (f->op_last - f->op_first + 1));
    }
    for (unsigned i = 0; i < 2; i++) {
        struct window *w = &f->window[machine_random(&f->m) % f->nr_windows];

        check_moment(f, w->first + machine_random(&f->m) % (w->nr * w->atom_frames));
    }
}

static void check_frame(struct fixture *f, uint64_t dfn)
{
    struct atom a = reference(f, dfn);
    struct pt_leaf leaf;
    int r = pt_lookup(&f->pt, dfn_of(dfn), 1 + machine_random(&f->m) % 700, &leaf);

    assert_int_equal(r, a.state == EMPTY ? -ENOENT : 0);
    if (!r) {
        assert_int_equal(leaf.dfn.n, dfn);
        assert_int_equal(leaf.mfn.n, a.mfn);
        assert_int_equal(leaf.retired, a.state == RETIRED);
        assert_int_equal(leaf.attr, a.attr);
        assert_true(leaf.nr >= 1);
        for (uint64_t i = leaf.nr > 2 ? leaf.nr - 2 : 0; i < leaf.nr; i++) {
            struct atom b = reference(f, dfn + i);

            assert_true(b.mfn == a.mfn + i && b.state == a.state && b.attr == a.attr);
        }
    }
    assert_true(same(a, trace(f, dfn, &leaf), &leaf));
}

struct walk_state {
    struct fixture *f;
    uint64_t next, frames;
};

static int visit(void *arg, const struct pt_leaf *leaf)
{
    struct walk_state *s = arg;
    struct window *w = window_of(s->f, leaf->dfn.n);

    assert_non_null(w);
    assert_true(leaf->dfn.n >= s->next);
    assert_int_equal(leaf->nr, UINT64_C(1) << (leaf->lg2 - FRAME_LG2));
    assert_int_equal(leaf->dfn.n & (leaf->nr - 1), 0);
    for (uint64_t i = 0; i < leaf->nr; i += w->atom_frames) {
        struct atom a = reference(s->f, leaf->dfn.n + i);

        assert_true(a.state == (leaf->retired ? RETIRED : MAPPED));
        assert_int_equal(a.mfn, leaf->mfn.n + i);
        assert_int_equal(leaf->attr, a.attr);
    }
    s->next = leaf->dfn.n + leaf->nr;
    s->frames += leaf->nr;
    return 0;
}

static uint64_t reference_frames(struct fixture *f)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < f->nr_windows; i++)
        for (unsigned k = 0; k < f->window[i].nr; k++)
            if (f->window[i].atom[k].state != EMPTY)
                total += f->window[i].atom_frames;
    return total;
}

static void check_all(struct fixture *f)
{
    struct walk_state s = {.f = f};

    assert_int_equal(pt_walk(&f->pt, dfn_of(0), dfn_of(pt_nr_dfns(&f->pt) - 1), visit, &s), 0);
    assert_int_equal(s.frames, reference_frames(f));
    for (unsigned i = 0; i < f->nr_windows; i++) {
        struct window *w = &f->window[i];

        for (uint64_t k = 0; k < w->nr; k++) {
            uint64_t dfn = w->first + k * w->atom_frames;

            check_frame(f, dfn);
            if (w->atom_frames > 1) {
                check_frame(f, dfn + w->atom_frames - 1);
                check_frame(f, dfn + machine_random(&f->m) % w->atom_frames);
            }
        }
        if (w->first)
            check_frame(f, w->first - 1);
        if (w->first + w->nr * w->atom_frames < pt_nr_dfns(&f->pt))
            check_frame(f, w->first + w->nr * w->atom_frames);
    }
}

static struct window *pick(struct fixture *f, uint64_t *dfn, uint64_t *nr)
{
    struct window *w = &f->window[machine_random(&f->m) % f->nr_windows];
    uint64_t first = machine_random(&f->m) % w->nr;
    uint64_t most = w->nr - first;

    *nr = 1 + machine_random(&f->m) % most;
    if (machine_random(&f->m) % 3 == 0)
        *nr = 1;
    *nr *= w->atom_frames;
    *dfn = w->first + first * w->atom_frames;
    return w;
}

/* Aligned as dfn, or by chance, or at an end of machine memory. */
static uint64_t pick_mfn(struct fixture *f, uint64_t dfn, uint64_t nr)
{
    enum pt_format_id id = f->pt.geo.format->id;
    uint64_t end = UINT64_C(1) << (id == PT_FORMAT_LPAE1 || id == PT_FORMAT_LPAE2 ? 36 : 40);

    switch (machine_random(&f->m) % 5) {
    case 0:
        return 0;
    case 1:
        return end - nr;
    case 2:
        return machine_random(&f->m) % (end - nr);
    default:
        return (dfn & 0x3fffffff) + (machine_random(&f->m) % 8 << 30);
    }
}

static void op_map(struct fixture *f)
{
    static const unsigned max_lg2[] = {12, 21, 30, 63};
    uint64_t dfn, nr, done, room = 0;
    struct window *w = pick(f, &dfn, &nr);
    struct atom a = {.state = MAPPED, .mfn = pick_mfn(f, dfn, nr)};
    unsigned attr = 1 + (unsigned)(machine_random(&f->m) % 3),
             lg2 = max_lg2[machine_random(&f->m) % 4];
    bool starved = machine_random(&f->m) % 6 == 0;
    int r;

    if (w->atom_frames > 1000 && lg2 < 30) /* too many small leaves for a test of seconds */
        return;
    if (f->pt.geo.format->has_snoop && machine_random(&f->m) % 2)
        attr |= PT_SNOOP;
    if (machine_random(&f->m) % 2)
        attr |= PT_MARK;
    a.attr = machine_attr(f->pt.geo.format->id, attr);
    if (w->atom_frames > 1000)
        a.mfn &= ~(w->atom_frames - 1);
    while (room < nr && reference(f, dfn + room).state == EMPTY)
        room += w->atom_frames;
    f->op_first = dfn;
    f->op_last = dfn + nr - 1;
    f->op_new = a;
    if (starved)
        f->m.fail_in = (long)(machine_random(&f->m) % 3);
    r = machine_map(&f->pt, dfn, a.mfn, nr, lg2, attr, &done);
    f->m.fail_in = -1;
    if (r == -ENOMEM && starved) {
        struct pt_freed freed = {0};
        uint64_t undone;

        /* Anything may be done by then: undo to whole atoms. */
        assert_true(done < nr && done <= room);
        if (done % w->atom_frames) {
            uint64_t whole = done - done % w->atom_frames;

            f->op_new.state = MAPPED;
            reference_set(f, dfn, whole, a);
            f->op_first = dfn + whole;
            f->op_last = dfn + done - 1;
            f->op_new.mfn += whole;
            assert_int_equal(machine_unmap(&f->pt, dfn + whole, done - whole, &freed, &undone), 0);
            done = whole;
        }
    } else {
        assert_int_equal(done, room);
        assert_int_equal(r, room < nr ? -EEXIST : 0);
    }
    if (done)
        reference_set(f, dfn, done, a);
}

/* What pt_unmap should do, from the leaves that are there. */
static int predict_unmap(struct fixture *f, uint64_t dfn, uint64_t nr, uint64_t *frames)
{
    for (*frames = 0; *frames < nr;) {
        struct pt_leaf leaf;
        uint64_t size;

        if (pt_lookup(&f->pt, dfn_of(dfn + *frames), 1, &leaf) || leaf.retired)
            return -ENOENT;
        size = UINT64_C(1) << (leaf.lg2 - FRAME_LG2);
        if (((dfn + *frames) & (size - 1)) || size > nr - *frames)
            return -EINVAL;
        *frames += size;
    }
    return 0;
}

/* Walks the runs in step with the range: each frame that is gone must be next in them. */
struct run_reader {
    const struct pt_freed *freed;
    unsigned run;
    uint64_t at;
};

static void next_freed(struct run_reader *r, uint64_t mfn, uint64_t nr)
{
    while (nr) {
        uint64_t left;

        assert_true(r->run < r->freed->nr_runs);
        left = r->freed->run[r->run].nr - r->at;
        assert_int_equal(r->freed->run[r->run].first.n + r->at, mfn);
        left = left < nr ? left : nr;
        r->at += left;
        mfn += left;
        nr -= left;
        if (r->at == r->freed->run[r->run].nr) {
            r->run++;
            r->at = 0;
        }
    }
}

static void runs_end(const struct run_reader *r)
{
    assert_int_equal(r->run, r->freed->nr_runs);
}

static void op_unmap(struct fixture *f)
{
    uint64_t dfn, nr, done, frames;
    struct window *w = pick(f, &dfn, &nr);
    struct pt_freed freed = {0};
    struct run_reader runs = {.freed = &freed};
    int expected = predict_unmap(f, dfn, nr, &frames), r;
    bool retired = false;

    assert_int_equal(pt_check(&f->pt, dfn_of(dfn), nr), expected);
    f->op_first = dfn;
    f->op_last = dfn + nr - 1;
    f->op_new.state = EMPTY;
    r = machine_unmap(&f->pt, dfn, nr, &freed, &done);
    assert_int_equal(r, expected);
    assert_int_equal(done, frames);
    assert_int_equal(done % w->atom_frames, 0);
    for (uint64_t i = 0; i < done; i += w->atom_frames) {
        struct atom a = reference(f, dfn + i);
        struct pt_leaf leaf;

        assert_true(a.state == MAPPED);
        if (!pt_lookup(&f->pt, dfn_of(dfn + i), 1, &leaf)) {
            assert_true(leaf.retired);
            assert_int_equal(leaf.mfn.n, a.mfn);
            a.state = RETIRED;
            a.attr &= PT_MARK;
            retired = true;
        } else {
            next_freed(&runs, a.mfn, w->atom_frames);
            a.state = EMPTY;
        }
        reference_set(f, dfn + i, w->atom_frames, a);
    }
    runs_end(&runs);
    assert_int_equal(freed.retired, retired);
}

static void op_release(struct fixture *f)
{
    uint64_t dfn, nr;
    struct window *w = pick(f, &dfn, &nr);
    struct pt_freed freed = {0};
    struct run_reader runs = {.freed = &freed};

    f->op_first = 1;
    f->op_last = 0;
    machine_release(&f->pt, dfn, nr, &freed);
    for (uint64_t i = 0; i < nr; i += w->atom_frames) {
        struct atom a = reference(f, dfn + i), none = {.state = EMPTY};
        struct pt_leaf leaf;

        if (a.state != RETIRED || !pt_lookup(&f->pt, dfn_of(dfn + i), 1, &leaf))
            continue;
        next_freed(&runs, a.mfn, w->atom_frames);
        reference_set(f, dfn + i, w->atom_frames, none);
    }
    runs_end(&runs);
    /* Whole windows: nothing that is whole in the range may stay when the runs had room. */
    if (dfn == w->first && nr == w->nr * w->atom_frames && freed.nr_runs < PT_FREED_RUNS)
        for (uint64_t i = 0; i < nr; i += w->atom_frames)
            assert_true(reference(f, dfn + i).state != RETIRED);
}

static void op_split(struct fixture *f)
{
    uint64_t dfn, nr;
    struct window *w = pick(f, &dfn, &nr);
    unsigned lg2 = 12 + (unsigned)(machine_random(&f->m) % 20);
    struct pt_leaf before, after;
    bool split, mapped;
    int r;

    if (w->atom_frames > 1000)
        return;
    f->op_first = 1;
    f->op_last = 0;
    mapped = !pt_lookup(&f->pt, dfn_of(dfn), 1, &before) && !before.retired;
    if (mapped && before.lg2 > 24)
        return;
    if (machine_random(&f->m) % 3 == 0)
        f->m.fail_in = (long)(machine_random(&f->m) % 3);
    r = pt_split(&f->pt, dfn_of(dfn), lg2, &split);
    assert_true(r == 0 || (r == -ENOMEM && f->m.fail_in == 0));
    f->m.fail_in = -1;
    if (!mapped || r)
        return;
    assert_int_equal(split, before.lg2 > lg2);
    assert_int_equal(pt_lookup(&f->pt, dfn_of(dfn), 1, &after), 0);
    assert_true(after.lg2 <= (before.lg2 > lg2 ? lg2 : before.lg2));
}

static void op_prune(struct fixture *f)
{
    dfn_t cursor = dfn_of(0);
    uint64_t end = pt_nr_dfns(&f->pt);
    uint32_t used = f->m.pages.used, n;
    mfn_t pages[3];

    f->op_first = 1;
    f->op_last = 0;
    while (cursor.n < end) {
        n = pt_prune(&f->pt, &cursor, dfn_of(end - 1), pages, 3);
        assert_true(n <= 3);
        assert_int_equal(f->m.pages.used, used);
        pt_free_pages(&f->pt, pages, n);
        used -= n;
    }
}

static void op_touch(struct fixture *f)
{
    uint64_t dfn, nr;

    pick(f, &dfn, &nr);
    if (f->pt.geo.dirty)
        machine_touch(&f->m, &f->pt, dfn);
}

static void add_window(struct fixture *f, uint64_t first, uint64_t atom_frames, uint64_t nr)
{
    uint64_t end = pt_nr_dfns(&f->pt), last = first + nr * atom_frames - 1;

    if (first >= end || last >= end || last < first)
        return;
    for (unsigned i = 0; i < f->nr_windows; i++) {
        struct window *w = &f->window[i];

        if (first < w->first + w->nr * w->atom_frames && last >= w->first)
            return;
    }
    memset(&f->window[f->nr_windows], 0, sizeof(f->window[0]));
    f->window[f->nr_windows].first = first;
    f->window[f->nr_windows].atom_frames = atom_frames;
    f->window[f->nr_windows++].nr = nr;
}

static unsigned shift_of(const struct pt_geometry *geo, unsigned level)
{
    unsigned shift = 0;

    for (unsigned i = 0; i < level; i++)
        shift += geo->format->level_bits[i];
    return shift;
}

static void add_windows(struct fixture *f)
{
    const struct pt_geometry *geo = &f->pt.geo;
    uint64_t end = pt_nr_dfns(&f->pt);

    f->nr_windows = 0;
    add_window(f, 0, 1, MAX_ATOMS);
    add_window(f, end - MAX_ATOMS, 1, MAX_ATOMS);
    if (geo->levels < 2)
        return;
    add_window(f, (UINT64_C(1) << shift_of(geo, 1)) * 3 - 80, 1, MAX_ATOMS);
    if (geo->levels < 3)
        return;
    add_window(f, (UINT64_C(1) << shift_of(geo, 2)) - ((uint64_t)2 << shift_of(geo, 1)),
               UINT64_C(1) << shift_of(geo, 1), 6);
    if (geo->leaf_sizes >> (shift_of(geo, 2) + FRAME_LG2 - 9))
        add_window(f, (UINT64_C(1) << shift_of(geo, 2)) * 5, UINT64_C(1) << shift_of(geo, 2), 3);
}

static void run_geometry(const struct pt_geometry *geo, unsigned nr_ops)
{
    static void (*const ops[])(struct fixture *) = {
        op_map, op_map, op_map, op_unmap, op_unmap, op_release, op_split, op_prune, op_touch};
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    machine_init(&f->m);
    f->m.seed += geo->levels * 77u + geo->leaf_sizes;
    assert_int_equal(pt_init(&f->pt, geo, &f->m.pages), 0);
    add_windows(f);
    f->m.between = between;
    f->m.between_arg = f;
    for (unsigned i = 0; i < nr_ops; i++) {
        ops[machine_random(&f->m) % (sizeof(ops) / sizeof(ops[0]))](f);
        f->op_first = 1;
        f->op_last = 0;
        check_all(f);
    }
    assert_int_equal(machine_reap(&f->pt), reference_frames(f));
    machine_fini(&f->m);
    free(f);
}

/* Some narrower spaces too: not all of the top table exists then. */
static void run_flags(struct pt_geometry geo)
{
    for (unsigned i = 0; i < 4; i++) {
        geo.noncoherent = i & 1;
        geo.dirty = i & 2;
        if (geo.dirty && !geo.format->has_dirty)
            continue;
        run_geometry(&geo, 150);
        if (i == 0 && geo.levels > 1) {
            struct pt_geometry narrow = geo;

            narrow.iova_bits = (uint8_t)(narrow.iova_bits - 3);
            run_geometry(&narrow, 60);
        }
    }
}

static void run_format(enum pt_format_id id)
{
    static const uint64_t subsets[] = {
        UINT64_C(1) << 12,
        UINT64_C(1) << 12 | UINT64_C(1) << 21 | UINT64_C(1) << 30,
        UINT64_C(1) << 12 | UINT64_C(1) << 30,
        UINT64_C(1) << 12 | UINT64_C(1) << 16 | UINT64_C(1) << 22 | UINT64_C(1) << 31,
        ~UINT64_C(0),
    };
    const struct pt_format *format = pt_format(id);

    for (unsigned levels = format->min_levels; levels <= format->max_levels; levels++) {
        struct pt_geometry geo = machine_geometry(id, levels);
        uint64_t tried[5];

        for (unsigned i = 0; i < 5; i++) {
            bool again = false;

            tried[i] = subsets[i] & format->leaf_sizes;
            for (unsigned k = 0; k < i; k++)
                again |= tried[k] == tried[i];
            geo.leaf_sizes = tried[i];
            if (!again)
                run_flags(geo);
        }
    }
}

static void vtdss(void **state)
{
    (void)state;
    run_format(PT_FORMAT_VTDSS);
}

static void x86(void **state)
{
    (void)state;
    run_format(PT_FORMAT_X86);
}

static void amdv1(void **state)
{
    (void)state;
    run_format(PT_FORMAT_AMDV1);
}

static void lpae1(void **state)
{
    (void)state;
    run_format(PT_FORMAT_LPAE1);
}

static void lpae2(void **state)
{
    (void)state;
    run_format(PT_FORMAT_LPAE2);
}

static void fake(void **state)
{
    (void)state;
    run_format(PT_FORMAT_FAKE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(vtdss), cmocka_unit_test(x86),   cmocka_unit_test(amdv1),
        cmocka_unit_test(lpae1), cmocka_unit_test(lpae2), cmocka_unit_test(fake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
