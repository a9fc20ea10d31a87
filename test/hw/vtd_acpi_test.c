/* SPDX-License-Identifier: BSD-2-Clause */
/* DMAR tables: a good one, each truncation of it, and what firmware gets wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../iommu/hw/vtd/acpi.h"
#include "vtd_dmar.h"

struct seen {
    unsigned units, reserved, ats, scopes, quirks[DMAR_NR_QUIRKS];
    struct dmar_unit unit[8];
    struct dmar_reserved range[8];
    struct dmar_scope scope[16];
    bool deny;
    int stop_at; /* this many calls from now one fails; 0: none */
};

static int step(struct seen *s)
{
    return s->stop_at && !--s->stop_at ? -ERANGE : 0;
}

static int see_unit(void *arg, const struct dmar_unit *u)
{
    struct seen *s = arg;

    s->unit[s->units++ % 8] = *u;
    return step(s);
}

static int see_reserved(void *arg, const struct dmar_reserved *r)
{
    struct seen *s = arg;

    s->range[s->reserved++ % 8] = *r;
    return step(s);
}

static int see_ats(void *arg, const struct dmar_ats *a)
{
    struct seen *s = arg;

    (void)a;
    s->ats++;
    return step(s);
}

static int see_scope(void *arg, enum dmar_owner owner, const struct dmar_scope *scope_)
{
    struct seen *s = arg;

    (void)owner;
    s->scope[s->scopes++ % 16] = *scope_;
    return step(s);
}

static bool is_reserved(void *arg, mfn_t first, mfn_t last)
{
    struct seen *s = arg;

    assert_true(first.n <= last.n);
    return !s->deny;
}

static int see_quirk(void *arg, enum dmar_quirk quirk, uint32_t offset)
{
    struct seen *s = arg;

    (void)offset;
    s->quirks[quirk]++;
    return step(s);
}

static int parse(const void *bytes, size_t size, struct seen *s)
{
    const struct dmar_visitor v = {s,         see_unit,    see_reserved, see_ats,
                                   see_scope, is_reserved, see_quirk};

    return dmar_parse(bytes, size, &v);
}

static unsigned nr_quirks(const struct seen *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < DMAR_NR_QUIRKS; i++)
        n += s->quirks[i];
    return n;
}

static void good(struct table *t)
{
    start(t);
    unit(t, 0, 0, 0xfed90000);
    scope(t, 1, 0, 0, 2, 0);
    put(t, 0x0a02, 2); /* a bridge two hops away: type 2, size 10 */
    put(t, 0, 3);
    put(t, 0, 1);
    put(t, 0x001c, 2);
    put(t, 0x0100, 2);
    end(t);
    unit(t, 1, 0, 0xfed91000);
    scope(t, 3, 2, 0xf0, 0x1f, 7);
    scope(t, 4, 0, 0, 0x1f, 0);
    end(t);
    rmrr(t, 0x7a000000, 0x7a0fffff);
    scope(t, 1, 0, 0, 0x14, 0);
    end(t);
    begin(t, 2);
    put(t, 1, 2);
    put(t, 0, 2);
    end(t);
    begin(t, 3); /* affinity: not for us */
    put(t, 0, 16);
    end(t);
    seal(t);
}

static void a_good_table_is_understood(void **state)
{
    struct seen s = {0};
    struct table t;

    (void)state;
    good(&t);
    assert_int_equal(parse(t.byte, t.size, &s), 0);
    assert_int_equal(dmar_flags(t.byte), 1);
    assert_int_equal(s.units, 2);
    assert_int_equal(s.unit[0].base, 0xfed90000);
    assert_false(s.unit[0].include_all);
    assert_true(s.unit[1].include_all);
    assert_int_equal(s.reserved, 1);
    assert_int_equal(s.range[0].first.n, 0x7a000);
    assert_int_equal(s.range[0].last.n, 0x7a0ff);
    assert_int_equal(s.ats, 1);
    assert_int_equal(s.scopes, 5);
    assert_int_equal(s.scope[1].type, DMAR_SCOPE_BRIDGE);
    assert_int_equal(s.scope[1].nr_hops, 2);
    assert_int_equal(s.scope[2].type, DMAR_SCOPE_IOAPIC);
    assert_int_equal(s.scope[2].id, 2);
    assert_int_equal(nr_quirks(&s), 0);
}

/* The bytes end where the allocation does, so that the sanitizer sees one too many. */
static int parse_exactly(const struct table *t, size_t size, struct seen *s)
{
    uint8_t *bytes = malloc(size ? size : 1);
    int err;

    assert_non_null(bytes);
    memcpy(bytes, t->byte, size);
    err = parse(bytes, size, s);
    free(bytes);
    return err;
}

static void every_truncation_is_survived(void **state)
{
    struct table t, cut;

    (void)state;
    good(&t);
    for (size_t size = 0; size < t.size; size++) {
        struct seen s = {0};

        assert_int_equal(parse_exactly(&t, size, &s), -EINVAL); /* says that it is longer */
        assert_int_equal(s.units, 0);
        if (size < 48)
            continue;
        cut = t;
        cut.size = size;
        seal(&cut); /* says that it is as short as it is */
        (void)parse_exactly(&cut, size, &s);
    }
}

static void every_byte_changed_is_survived(void **state)
{
    struct table t, changed;

    (void)state;
    good(&t);
    for (size_t at = 48; at < t.size; at++)
        for (unsigned value = 0; value < 256; value += 5) {
            struct seen s = {0};

            changed = t;
            changed.byte[at] = (uint8_t)value;
            seal(&changed);
            (void)parse_exactly(&changed, changed.size, &s);
        }
}

static void a_wrong_sum_is_refused(void **state)
{
    struct seen s = {0};
    struct table t;

    (void)state;
    good(&t);
    t.byte[60] ^= 1;
    assert_int_equal(parse(t.byte, t.size, &s), -EINVAL);
    good(&t);
    t.byte[0] = 'd';
    assert_int_equal(parse(t.byte, t.size, &s), -EINVAL);
    assert_int_equal(s.units, 0);
}

static void a_structure_without_size_is_refused(void **state)
{
    struct seen s = {0};
    struct table t;

    (void)state;
    good(&t);
    put(&t, 0, 16); /* but zeros to the end are padding */
    seal(&t);
    assert_int_equal(parse(t.byte, t.size, &s), 0);
    assert_int_equal(s.quirks[DMAR_QUIRK_PADDING], 1);
    put(&t, 1, 1);
    seal(&t);
    s = (struct seen){0};
    assert_int_equal(parse(t.byte, t.size, &s), -EINVAL);
    assert_int_equal(s.units, 0);
}

static void units_that_cannot_be(void **state)
{
    struct seen s = {0};
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 1, 0, 0);
    end(&t);
    unit(&t, 0, 0, 0xfed90008);
    end(&t);
    unit(&t, 0, 0, 1ull << 39);
    end(&t);
    unit(&t, 0, 0, 0xfed90000);
    scope(&t, 1, 0, 0, 3, 0);
    end(&t);
    unit(&t, 0, 0, 0xfed90000);
    scope(&t, 1, 0, 0, 3, 0);
    scope(&t, 1, 0, 0, 4, 0);
    end(&t);
    seal(&t);
    assert_int_equal(parse(t.byte, t.size, &s), 0);
    assert_int_equal(s.units, 2);
    assert_false(s.unit[0].duplicate);
    assert_true(s.unit[1].duplicate);
    assert_int_equal(s.scopes, 2);
    assert_int_equal(s.quirks[DMAR_QUIRK_UNIT_BASE], 3);
    assert_int_equal(s.quirks[DMAR_QUIRK_UNIT_DUPLICATE], 1);
    assert_int_equal(s.quirks[DMAR_QUIRK_SCOPE_OVERLAP], 1);
    assert_int_equal(s.quirks[DMAR_QUIRK_INCLUDE_ALL_NONE], 1);
}

static void catch_alls_are_one_a_segment(void **state)
{
    struct seen s = {0};
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 1, 0, 0xfed90000);
    end(&t);
    unit(&t, 1, 0, 0xfed91000);
    end(&t);
    unit(&t, 1, 1, 0xfed92000);
    end(&t);
    unit(&t, 0, 2, 0xfed93000);
    end(&t);
    unit(&t, 0, 2, 0xfed94000);
    end(&t);
    seal(&t);
    assert_int_equal(parse(t.byte, t.size, &s), 0);
    assert_true(s.unit[0].include_all && !s.unit[1].include_all && s.unit[2].include_all);
    assert_int_equal(s.quirks[DMAR_QUIRK_INCLUDE_ALL_MORE], 1);
    assert_int_equal(s.quirks[DMAR_QUIRK_INCLUDE_ALL_NONE], 1);
}

static void reserved_memory_that_cannot_be(void **state)
{
    static const struct {
        uint64_t base, limit;
        enum dmar_quirk quirk;
        unsigned shown;
    } row[] = {
        {0x2000, 0x1fff, DMAR_QUIRK_RMRR_INVERTED, 0},
        {0x2000, 0x2fff, DMAR_NR_QUIRKS, 1},
        {0x2008, 0x2fff, DMAR_QUIRK_RMRR_UNALIGNED, 1},
        {0x2000, 0x3000, DMAR_QUIRK_RMRR_UNALIGNED, 1},
        {0xfedff000, 0xfee00fff, DMAR_QUIRK_RMRR_MSI, 0},
        {0x1000, 0xffffffffffffffff, DMAR_QUIRK_RMRR_MSI, 0},
        {0x8000000000, 0x8000000fff, DMAR_QUIRK_RMRR_MSI, 0},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct seen s = {0};
        struct table t;

        start(&t);
        rmrr(&t, row[i].base, row[i].limit);
        end(&t);
        seal(&t);
        assert_int_equal(parse(t.byte, t.size, &s), 0);
        assert_int_equal(s.reserved, row[i].shown);
        assert_int_equal(nr_quirks(&s), row[i].quirk != DMAR_NR_QUIRKS);
        if (row[i].quirk != DMAR_NR_QUIRKS)
            assert_int_equal(s.quirks[row[i].quirk], 1);
        s = (struct seen){.deny = true};
        assert_int_equal(parse(t.byte, t.size, &s), 0);
        assert_int_equal(s.reserved, 0);
    }
}

static void broken_scopes_end_the_list(void **state)
{
    static const uint8_t size[] = {0, 5, 6, 7, 9, 10, 255};

    (void)state;
    for (unsigned i = 0; i < sizeof(size); i++) {
        struct seen s = {0};
        struct table t;

        start(&t);
        unit(&t, 1, 0, 0xfed90000);
        scope(&t, 1, 0, 0, 3, 0);
        t.byte[t.size + 1] = 0;
        scope(&t, 1, 0, 0, 4, 0);
        t.byte[t.size - 7] = size[i];
        end(&t);
        unit(&t, 0, 0, 0xfed91000);
        scope(&t, 9, 0, 0, 5, 0); /* no such type */
        end(&t);
        seal(&t);
        assert_int_equal(parse(t.byte, t.size, &s), 0);
        assert_int_equal(s.units, 2);
        assert_int_equal(s.scopes, 1);
        assert_int_equal(s.quirks[DMAR_QUIRK_SCOPE_BROKEN], 2);
    }
}

static void the_host_can_stop_anywhere(void **state)
{
    struct table t;
    int err = -ERANGE;

    (void)state;
    good(&t);
    put(&t, 0, 4);
    seal(&t);
    for (int n = 1; err; n++) {
        struct seen s = {.stop_at = n};

        err = parse(t.byte, t.size, &s);
        assert_true(!err || err == -ERANGE);
    }
}

static int secondary(void *arg, rid_t bridge, uint8_t *bus)
{
    unsigned *calls = arg;

    ++*calls;
    if (bridge.n != 0x200e0)
        return -ENODEV;
    *bus = 7;
    return 0;
}

static void paths_are_followed(void **state)
{
    const uint8_t good_path[] = {0x1c, 0, 3, 1}, bad[] = {0x1d, 0, 3, 1}, wild[] = {32, 0};
    struct dmar_scope s = {.type = DMAR_SCOPE_ENDPOINT, .nr_hops = 2, .path = good_path};
    unsigned calls = 0;
    rid_t rid;

    (void)state;
    assert_int_equal(dmar_resolve(&s, 2, secondary, &calls, &rid), 0);
    assert_int_equal(rid.n, 0x20719);
    s.path = bad;
    assert_int_equal(dmar_resolve(&s, 2, secondary, &calls, &rid), -ENODEV);
    s.path = wild;
    s.nr_hops = 1;
    assert_int_equal(dmar_resolve(&s, 2, secondary, &calls, &rid), -EINVAL);
    s.nr_hops = 0;
    assert_int_equal(dmar_resolve(&s, 2, secondary, &calls, &rid), -EINVAL);
    assert_int_equal(calls, 2);
}

static void quirks_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DMAR_NR_QUIRKS; i++)
        assert_non_null(dmar_quirk_name((enum dmar_quirk)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_table_is_understood),
        cmocka_unit_test(every_truncation_is_survived),
        cmocka_unit_test(every_byte_changed_is_survived),
        cmocka_unit_test(a_wrong_sum_is_refused),
        cmocka_unit_test(a_structure_without_size_is_refused),
        cmocka_unit_test(units_that_cannot_be),
        cmocka_unit_test(catch_alls_are_one_a_segment),
        cmocka_unit_test(reserved_memory_that_cannot_be),
        cmocka_unit_test(broken_scopes_end_the_list),
        cmocka_unit_test(the_host_can_stop_anywhere),
        cmocka_unit_test(paths_are_followed),
        cmocka_unit_test(quirks_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
