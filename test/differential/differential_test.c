/* SPDX-License-Identifier: BSD-2-Clause */
/* That differences are found, shrunk and printed, on units that are nothing but wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "layout.h"
#include "shrink.h"

#define PROGRAMS 60u

struct two {
    struct unit *a, *b;
};

static struct two open_two(const struct fake_faults *faults)
{
    static const struct fake_faults none;
    struct two two = {fake_open(&none), fake_open(faults)};

    assert_non_null(two.a);
    assert_non_null(two.b);
    return two;
}

static void close_two(const struct two *two)
{
    two->a->ops->close(two->a);
    two->b->ops->close(two->b);
}

/* The first program that shows a difference. */
static struct difference search(const struct two *two, struct program *p, struct tally *t)
{
    struct difference d = {0};

    for (unsigned seed = 0; seed < PROGRAMS && d.kind == SAME; seed++) {
        program_random(p, seed, false);
        d = compare(p, two->a, two->b, t);
    }
    return d;
}

static struct difference shrunk(const struct fake_faults *faults, struct program *p)
{
    const struct two two = open_two(faults);
    struct tally t = {0};
    struct difference d = search(&two, p, &t);

    assert_int_not_equal(d.kind, SAME);
    d = shrink(p, &d, two.a, two.b);
    close_two(&two);
    return d;
}

static void test_honest(void **state)
{
    const struct two two = open_two(&(struct fake_faults){0});
    struct tally t = {0};
    struct program p;

    (void)state;
    assert_int_equal(search(&two, &p, &t).kind, SAME);
    assert_int_equal(t.programs, PROGRAMS);
    assert_true(t.dmas > 500 && t.landed > 50 && t.interrupts > 20);
    close_two(&two);
}

static void test_register(void **state)
{
    struct program p;
    const struct difference d = shrunk(&(struct fake_faults){.lost = VTD_IEADDR}, &p);

    (void)state;
    assert_int_equal(d.kind, DIFFERENT_REGISTER);
    assert_string_equal(d.reg.name, "ieaddr");
    assert_int_equal(p.nr, 1);
}

static void test_dma(void **state)
{
    struct program p;
    const struct difference d = shrunk(&(struct fake_faults){.astray = true}, &p);

    (void)state;
    assert_int_equal(d.kind, DIFFERENT_DMA);
    assert_in_range(p.nr, 1, 2);
    assert_int_equal(p.steps[p.nr - 1].kind, STEP_DMA_WRITE);
    assert_true(d.a.value != d.b.value);
}

static void test_interrupt(void **state)
{
    struct program p;
    const struct difference d = shrunk(&(struct fake_faults){.forgetful = true}, &p);

    (void)state;
    assert_int_equal(d.kind, DIFFERENT_MSI);
    assert_int_equal(p.nr, 1);
}

static struct program two_steps(enum step_kind how, enum step_kind dma)
{
    struct program p = {.nr = 4};

    p.steps[0] = (struct step){STEP_FLUSH, {0}};
    p.steps[1] = (struct step){how, {table_page(PAGE_TREES), DATA_HIGH, SCOPE_PAGE}};
    p.steps[2] = (struct step){dma, {WORLD_SID_A, DATA_LOW + 8, 8}};
    p.steps[3] = p.steps[2];
    return p;
}

/* What was not invalidated may be used, and what was may not. */
static void test_stale(void **state)
{
    const struct program stored = two_steps(STEP_STORE, STEP_DMA_WRITE);
    const struct program changed = two_steps(STEP_CHANGE, STEP_DMA_READ);
    struct two two = open_two(&(struct fake_faults){.caches = true});
    struct tally t = {0};

    (void)state;
    assert_int_equal(compare(&stored, two.a, two.b, &t).kind, SAME);
    assert_int_equal(t.stale, 1);
    assert_int_equal(compare(&changed, two.a, two.b, &t).kind, SAME);
    assert_int_equal(t.stale, 1);
    close_two(&two);
    two = open_two(&(struct fake_faults){.caches = true, .deaf = true});
    assert_int_equal(compare(&changed, two.a, two.b, &t).kind, DIFFERENT_DMA);
    close_two(&two);
}

static void test_text(void **state)
{
    char *text[2];
    size_t size;
    FILE *f;

    (void)state;
    for (unsigned seed = 0; seed < PROGRAMS; seed++) {
        struct program p, again;

        program_random(&p, seed, seed & 1);
        f = open_memstream(&text[0], &size);
        program_print(f, &p);
        fclose(f);
        f = fmemopen(text[0], size, "r");
        assert_int_equal(program_parse(f, &again), 0);
        fclose(f);
        f = open_memstream(&text[1], &size);
        program_print(f, &again);
        fclose(f);
        assert_string_equal(text[0], text[1]);
        free(text[0]);
        free(text[1]);
    }
}

static void test_bad_text(void **state)
{
    static const char text[] = "# ok\nlegacy\nread fsts 4\ndma-read 0x28 0x1000\n";
    FILE *f = fmemopen((char *)(uintptr_t)text, sizeof(text) - 1, "r");
    struct program p;

    (void)state;
    assert_int_equal(program_parse(f, &p), 4);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),   cmocka_unit_test(test_register),
        cmocka_unit_test(test_dma),      cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_stale),    cmocka_unit_test(test_text),
        cmocka_unit_test(test_bad_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
