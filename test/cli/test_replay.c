/* SPDX-License-Identifier: BSD-2-Clause */
/* `sluice replay`: traces as they are read, hostile ones too, and what comes out of playing them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/replay/report.h"

static const char *data; /* directory */

/* ---- Reading -----------------------------------------------------------------------------------
 */

static bool read_bytes(const void *bytes, size_t size, struct trace *t, char *error)
{
    struct progress progress = {.out = NULL};
    FILE *file = size ? fmemopen((void *)(uintptr_t)bytes, size, "rb") : fopen("/dev/null", "rb");
    bool right;

    error[0] = 0;
    assert_non_null(file);
    right = trace_read(t, file, "f", &progress, error);
    fclose(file);
    return right;
}

static struct trace *read_text(const char *text)
{
    static struct trace t;
    char error[TRACE_ERROR];

    if (!read_bytes(text, strlen(text), &t, error))
        fail_msg("%s", error);
    return &t;
}

static void refuse_bytes(const void *bytes, size_t size, const char *why)
{
    static struct trace t;
    char error[TRACE_ERROR];

    assert_false(read_bytes(bytes, size, &t, error));
    assert_string_equal(error, why);
    trace_free(&t);
}

static void refuse(const char *text, const char *why)
{
    refuse_bytes(text, strlen(text), why);
}

#define A0 "1 0 A 0000:00:02.0\n"

static void test_lines(void **state)
{
    (void)state;
    refuse("1 0\n", "f:1: expected `TIME DOMAIN OP ...`");
    refuse("# fine\n\n1 0 Q 1\n", "f:3: op 'Q': expected M, U, I, F, R, A, X, C or E");
    refuse("1 0 MM 1\n", "f:1: op 'MM': expected M, U, I, F, R, A, X, C or E");
    refuse("1 0 M 1000 1000 0\n", "f:1: expected `TIME DOMAIN M iova size paddr prot`");
    refuse("1 0 M 1000 1000 0 3 4\n", "f:1: expected `TIME DOMAIN M iova size paddr prot`");
    refuse("x 0 F\n", "f:1: time 'x': expected a decimal number");
    refuse("-1 0 F\n", "f:1: time '-1': expected a decimal number");
    refuse("99999999999999999999 0 F\n",
           "f:1: time '99999999999999999999' does not fit in 64 bits");
    refuse("1 a F\n", "f:1: domain 'a': expected a decimal number");
    refuse("1 4294967295 F\n", "f:1: domain 0xffffffff: expected one below 0xffffffff");
    refuse("1 - F\n", "f:1: F without a domain: expected its number");
    refuse("1 0 A 0000:00:02.0000000\n", "f:1: device '0000:00:02.0000000': expected SSSS:BB:DD.F");
    refuse("1 0 A nic\n", "f:1: device 'nic': expected SSSS:BB:DD.F");
    refuse("1 0 I 0 0 x did=1\n", "f:1: kind 'x': expected p, ph, d or g");
}

static void test_ranges(void **state)
{
    (void)state;
    refuse("1 0 M 0x1000 1000 0 3\n", "f:1: iova '0x1000': expected a hexadecimal number");
    refuse("1 0 M 1000 0 0 3\n", "f:1: size 0: expected one page of 4096 bytes, or more");
    refuse("1 0 M 1001 1000 0 3\n",
           "f:1: 0x1001, 0x1000 bytes: expected whole pages of 4096 bytes");
    refuse("1 0 M 1000 1001 0 3\n",
           "f:1: 0x1000, 0x1001 bytes: expected whole pages of 4096 bytes");
    refuse("1 0 M fffffffffffff000 2000 0 3\n",
           "f:1: 0xfffffffffffff000, 0x2000 bytes: goes beyond 48 bits");
    refuse("1 0 M fffffffff000 2000 0 3\n",
           "f:1: 0xfffffffff000, 0x2000 bytes: goes beyond 48 bits");
    refuse("1 0 M 10000000000000000 1000 0 3\n",
           "f:1: iova '10000000000000000' does not fit in 64 bits");
    refuse("1 0 M 1000 1000 800 3\n",
           "f:1: paddr 0x800: expected the address of a page of 4096 bytes");
    refuse("1 0 M 1000 2000 ffffffffff000 3\n",
           "f:1: paddr 0xffffffffff000, 0x2000 bytes: goes beyond 52 bits");
    refuse("1 0 M 1000 1000 0 fffffffff\n", "f:1: prot 0xfffffffff: expected one below 0xffffffff");
    refuse("1 0 U 1000 0\n", "f:1: size 0: expected one page of 4096 bytes, or more");
    refuse("1 0 U ffffffff000 ffffffffffffff000\n",
           "f:1: size 'ffffffffffffff000' does not fit in 64 bits");
}

static void test_order(void **state)
{
    (void)state;
    refuse(A0 "2 0 M 1000 2000 0 3\n3 0 M 2000 1000 0 3\n",
           "f:3: M at 0x1000: that is mapped since line 2");
    refuse(A0 "2 0 U 1000 1000\n", "f:2: U at 0x1000: nothing is mapped there");
    refuse(A0 "2 0 M 1000 1000 0 3\n3 0 U 1000 2000\n",
           "f:3: U at 0x2000: nothing is mapped there");
    refuse(A0 "2 0 M 1000 1000 0 3\n3 0 U 1000 1000\n4 0 U 1000 1000\n",
           "f:4: U at 0x1000: nothing is mapped there");
    refuse(A0 "2 0 M 1000 4000 0 3\n3 0 U 1000 2000\n",
           "f:3: U cuts what line 2 mapped, 0x1000..0x4fff");
    refuse("1 5 U 1000 1000\n", "f:1: domain 5: nothing was mapped in it, and no device is in it");
    refuse(A0 "2 0 X\n3 0 X\n", "f:3: domain 0: nothing was mapped in it, and no device is in it");
    refuse(A0 "2 0 M 1000 1000 0 3\n3 0 X\n4 0 U 1000 1000\n",
           "f:4: domain 0: nothing was mapped in it, and no device is in it");
}

static void test_too_many(void **state)
{
    char text[40 * 260];
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i <= TRACE_DEVICES; i++)
        n += (size_t)sprintf(text + n, "1 0 A 0000:%02x:00.0\n", i);
    refuse(text, "f:31: device 0000:1e:00.0: expected at most 30 of them");
    n = 0;
    for (unsigned i = 0; i <= TRACE_SPACES; i++)
        n += (size_t)sprintf(text + n, "1 %u M 0 1000 0 3\n", i);
    refuse(text, "f:251: domain 250: expected at most 250 of them");
}

static void test_bytes(void **state)
{
    char text[3000];

    (void)state;
    memset(text, 'a', sizeof(text));
    refuse_bytes(text, sizeof(text), "f:1: the line has more than 1024 bytes");
    memset(text, '#', 1024);
    text[1024] = '\n';
    assert_int_equal(read_text(strndupa(text, 1025))->counts.lines, 1);
    refuse_bytes("1 0 F\n1 0 \0F\n", 13, "f:2: the line has a byte 0: this is no text");
    refuse_bytes("\xfd"
                 "7zXZ\0damaged, all of it",
                 29, "f:1: xz: the data are damaged");
}

static void test_last_line_without_end(void **state)
{
    struct trace *t = read_text(A0 "2 0 M 1000 1000 0 3");

    (void)state;
    assert_int_equal(t->nr_maps, 1);
    trace_free(t);
    assert_int_equal(read_text("")->counts.lines, 0);
}

static char *slurp(const char *name, size_t *size)
{
    char path[1000], *bytes = malloc(1 << 20);
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", data, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* Text and its xz are the same trace; half of that xz is an error. */
static void test_xz(void **state)
{
    static struct trace plain, packed;
    char error[TRACE_ERROR], *text;
    uint8_t *xz = malloc(1 << 20);
    size_t size, n = 0;

    (void)state;
    text = slurp("short_strict.txt", &size);
    assert_int_equal(
        lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, (uint8_t *)text, size, xz, &n, 1 << 20),
        LZMA_OK);
    assert_true(read_bytes(text, size, &plain, error));
    assert_true(read_bytes(xz, n, &packed, error));
    assert_memory_equal(&plain.counts, &packed.counts, sizeof(plain.counts));
    assert_int_equal(plain.nr_ops, packed.nr_ops);
    for (uint32_t i = 0; i < plain.nr_ops; i++)
        assert_true(plain.ops[i].line == packed.ops[i].line &&
                    plain.ops[i].index == packed.ops[i].index);
    trace_free(&plain);
    trace_free(&packed);
    assert_false(read_bytes(xz, n / 2, &packed, error));
    assert_non_null(strstr(error, ": xz: ends in the middle"));
    trace_free(&packed);
    free(text);
    free(xz);
}

/* ---- What a trace means ------------------------------------------------------------------------
 */

/* Maps that one unmap ends are a list, if they came in order and with the same rights. */
static void test_lists(void **state)
{
    struct trace *t = read_text(A0 "2 0 M 1000 1000 0 3\n"
                                   "2 0 M 2000 2000 8000 3\n"
                                   "2 0 M 9000 1000 0 3\n"
                                   "2 0 M 4000 1000 0 3\n"
                                   "3 0 U 1000 4000\n"
                                   "4 0 M 2000 1000 0 1\n"
                                   "4 0 M 1000 1000 0 1\n"
                                   "4 0 M 3000 1000 0 2\n"
                                   "5 0 U 1000 3000\n");

    (void)state;
    assert_int_equal(t->counts.lists, 1);
    assert_int_equal(t->counts.lists_maps, 3);
    assert_int_equal(t->maps[0].next, 1);
    assert_int_equal(t->maps[1].next, 3);
    assert_int_equal(t->maps[3].next, TRACE_NONE);
    assert_int_equal(t->maps[3].head, 0);
    assert_int_equal(t->maps[0].sibling, TRACE_NONE);
    assert_int_equal(t->unmaps[1].map, 5); /* by address: then 4, which came earlier, then 6 */
    assert_int_equal(t->maps[5].next, TRACE_NONE);
    assert_int_equal(t->maps[5].sibling, 4);
    assert_int_equal(t->maps[4].sibling, 6);
    assert_int_equal(t->nr_finals, 1);
    assert_int_equal(t->finals[0].map, 2);
    assert_int_equal(t->counts.peak_maps, 4);
    assert_int_equal(t->counts.peak_pages, 5);
    trace_free(t);
}

/* Who gives the addresses of a domain: its kernel, or somebody who took the device over. */
static void test_fixed(void **state)
{
    struct trace *t = read_text("1 0 M 0 2000 0 3\n" A0 "2 0 M 9000 1000 0 3\n"
                                "3 1 A 0000:00:02.0\n"
                                "3 1 M 0 8000 0 0\n"
                                "3 1 M 8000 1000 fe000000 13\n"
                                "4 1 U 1000 2000\n"
                                "4 1 U 8000 1000\n"
                                "5 0 A 0000:00:02.0\n"
                                "5 1 X\n");

    (void)state;
    assert_true(t->maps[0].fixed);
    assert_false(t->maps[1].fixed);
    assert_true(t->maps[2].fixed);
    assert_int_equal(t->maps[2].prot, LINE_READ | LINE_WRITE);
    assert_true(t->spaces[1].managed && t->spaces[1].ended);
    assert_false(t->spaces[0].managed);
    assert_int_equal(t->counts.mmio, 1);
    assert_int_equal(t->nr_unmaps, 3); /* the cut, and what was left on either side of it */
    assert_true(t->ops[t->nr_ops - 2].left && t->ops[t->nr_ops - 3].left);
    assert_int_equal(t->ops[t->nr_ops - 1].kind, TRACE_END);
    assert_int_equal(t->nr_finals, 2);
    trace_free(t);
}

/* A number is free for another domain after its end; an address, after its unmap. */
static void test_again(void **state)
{
    struct trace *t = read_text(A0 "2 0 M 1000 1000 0 3\n3 0 U 1000 1000\n3 0 M 1000 1000 0 3\n"
                                   "4 0 X\n5 0 M 1000 1000 0 3\n6 0 R 77000\n");

    (void)state;
    assert_int_equal(t->nr_spaces, 2);
    assert_int_equal(t->counts.freed, 1);
    assert_int_equal(t->nr_finals, 1);
    trace_free(t);
}

static void test_frames(void **state)
{
    struct trace *t = read_text(A0 "2 0 M 1000 1000 123456000 3\n2 0 M 2000 1000 3ff000 3\n"
                                   "2 0 M 3000 400000 500000 3\n"
                                   "2 0 M 403000 1000 600000 3\n");
    struct frames_map f;
    char error[TRACE_ERROR];

    (void)state;
    assert_true(frames_map(t, &f, error));
    assert_int_equal(frames_gfn(&f, 0x3ff000), 0x1ff);
    assert_int_equal(frames_gfn(&f, 0x500000), 0x300); /* what touched still does */
    assert_int_equal(frames_gfn(&f, 0x123456000), 4 * 512 + 0x56);
    assert_int_equal(f.spare, 5 * FRAMES_BLOCK);
    assert_int_equal(f.bytes, 6 * FRAMES_BLOCK);
    frames_free(&f);
    trace_free(t);
    t = read_text(A0 "2 0 M 1000 400001000 0 3\n");
    assert_false(frames_map(t, &f, error));
    assert_string_equal(error, "the trace maps more than 16 GiB of different memory");
    frames_free(&f);
    trace_free(t);
}

/* An invalidation of a whole domain may have nothing but its id in the unit, as Linux gives them.
 */
static void test_invalidations(void **state)
{
    struct trace *t = read_text("1 0 A 0000:00:02.0\n1 1 A 0000:00:03.0\n"
                                "2 - I 0 0 d did=3\n"
                                "2 - I 0 0 d did=9\n"
                                "2 1 I 4000 2000 ph did=9\n"
                                "2 1 I 0 0 g did=3\n"
                                "3 2 A 0000:00:02.0\n" /* 0 has no device any more */
                                "4 - I 0 0 d did=2\n"
                                "5 2 X\n"
                                "6 - I 0 0 d did=2\n"
                                "7 3 I 0 0 d\n");
    static const uint16_t spaces[] = {
        1, TRACE_EVERYWHERE, 1, TRACE_EVERYWHERE, 2, TRACE_EVERYWHERE, TRACE_EVERYWHERE};
    uint32_t nr = 0;

    (void)state;
    for (uint32_t i = 0; i < t->nr_ops; i++)
        if (t->ops[i].kind == TRACE_INVALIDATE)
            assert_int_equal(t->ops[i].space, spaces[nr++]);
    assert_int_equal(nr, 7);
    assert_int_equal(t->invalidations[2].iova, 0x4000);
    assert_true(t->invalidations[2].leaf_only && !t->invalidations[1].leaf_only);
    trace_free(t);
    refuse("1 0 I 0 0 d 3\n", "f:1: '3': expected did=N");
    refuse("1 0 I 0 0 d did=x\n", "f:1: did 'x': expected a decimal number");
}

/* ---- Playing -----------------------------------------------------------------------------------
 */

static struct replay_config config_of(enum replay_policy policy)
{
    return (struct replay_config){
        .machine = machine_kinds, .policy = policy, .order = 9, .check_every = 16, .dma_every = 3};
}

static void play(const struct trace *t, enum replay_policy policy, struct replay *r)
{
    static struct replay_config config;
    struct progress progress = {.out = NULL};

    config = config_of(policy);
    assert_int_equal(replay_run(r, &config, t, "f", &progress), 0);
}

static void play_right(const struct trace *t, enum replay_policy policy, struct replay *r)
{
    play(t, policy, r);
    assert_string_equal(r->error, "");
    assert_int_equal(r->leaked, 0);
}

static void read_file(const char *name, struct trace *t)
{
    char error[TRACE_ERROR], *bytes;
    size_t size;

    bytes = slurp(name, &size);
    assert_true(read_bytes(bytes, size, t, error));
    free(bytes);
}

static void check_short(const char *name, enum replay_policy policy)
{
    static struct trace t;
    struct replay r;
    uint64_t pages = 0;

    read_file(name, &t);
    play_right(&t, policy, &r);
    for (uint32_t i = 0; i < t.nr_finals; i++)
        pages += t.finals[i].size / LINE_PAGE;
    assert_int_equal(r.counts.finals, pages);
    assert_true(r.counts.dma > 100 && r.counts.checks > 10);
    assert_true(r.counts.calls < t.counts.maps);
    if (policy == REPLAY_STRICT) {
        assert_true(r.counts.blocked > 10);
        assert_int_equal(r.counts.late, 0);
        assert_int_equal(r.cost.submissions, t.counts.unmaps - t.counts.mmio);
    } else {
        assert_true(r.counts.late > 10);
        assert_true(r.cost.submissions * 10 < t.counts.unmaps);
    }
    if (policy == REPLAY_STANDING)
        assert_true(r.cost.hypercalls < replay_maps(&r) / 2 && r.dma.hits > 100);
    replay_free(&r);
    trace_free(&t);
}

static void test_short(void **state)
{
    (void)state;
    for (unsigned policy = REPLAY_STRICT; policy <= REPLAY_STANDING; policy++) {
        check_short("short_strict.txt", (enum replay_policy)policy);
        check_short("short_lazy.txt.xz", (enum replay_policy)policy);
    }
}

/* ---- Through an emulated VT-d ------------------------------------------------------------------
 */

static void play_emulated(const struct trace *t, enum replay_through through,
                          enum replay_policy policy, struct replay *r)
{
    static struct replay_config config;
    struct progress progress = {.out = NULL};

    config = config_of(policy);
    config.through = through;
    assert_int_equal(replay_run(r, &config, t, "f", &progress), 0);
    assert_string_equal(r->error, "");
    assert_int_equal(r->leaked, 0);
}

static void check_emulated(const char *name, enum replay_through through, enum replay_policy policy)
{
    static struct trace t;
    struct replay r;
    uint64_t pages = 0;

    read_file(name, &t);
    play_emulated(&t, through, policy, &r);
    for (uint32_t i = 0; i < t.nr_finals; i++)
        pages += t.finals[i].size / LINE_PAGE;
    assert_int_equal(r.counts.finals, pages);
    assert_true(r.counts.dma > 100 && r.counts.checks > 10 && r.counts.blocked > 10);
    assert_int_equal(r.cost.hypercalls, 0);
    if (policy == REPLAY_STRICT)
        assert_int_equal(r.counts.late, 0);
    else
        assert_true(r.counts.late > 10);
    assert_true(!r.counts.peak_frames == (through == REPLAY_NESTED));
    replay_free(&r);
    trace_free(&t);
}

static void test_emulated(void **state)
{
    (void)state;
    for (unsigned through = REPLAY_VIOMMU; through <= REPLAY_NESTED; through++)
        for (unsigned policy = REPLAY_STRICT; policy <= REPLAY_TRACED; policy++)
            if (replay_suits((enum replay_through)through, (enum replay_policy)policy)) {
                check_emulated("short_strict.txt", (enum replay_through)through,
                               (enum replay_policy)policy);
                check_emulated("short_lazy.txt.xz", (enum replay_through)through,
                               (enum replay_policy)policy);
            }
}

/* Of a trace whose end leaves nothing to be flushed but by the last invalidation of `traced`. */
static void check_exits(const char *text, enum replay_through through, enum replay_policy policy,
                        uint64_t exits)
{
    struct trace *t = read_text(text);
    struct replay r;

    play_emulated(t, through, policy, &r);
    assert_int_equal(r.cost.exits, exits + (policy == REPLAY_TRACED));
    replay_free(&r);
    trace_free(t);
}

/* Only caching mode wants an invalidation after a map; where the trace has it, it is that one. */
static void test_exits(void **state)
{
    static const char plain[] = A0 "2 0 M 1000 1000 0 3\n3 0 U 1000 1000\n"
                                   "3 0 I 1000 1000 p did=2\n";
    static const char caching[] = A0 "2 0 M 1000 1000 0 3\n2 0 I 1000 1000 p did=2\n"
                                     "3 0 U 1000 1000\n3 0 I 1000 1000 p did=2\n";
    static const char list[] = A0 "2 0 M 1000 1000 0 3\n2 0 M 2000 2000 9000 3\n"
                                  "3 0 U 1000 3000\n3 0 I 1000 4000 p did=2\n";
    static const char nobody[] = "2 0 M 1000 1000 0 3\n3 0 U 1000 1000\n";

    (void)state;
    check_exits(plain, REPLAY_VIOMMU, REPLAY_STRICT, 2);
    check_exits(plain, REPLAY_VIOMMU, REPLAY_TRACED, 2);
    check_exits(plain, REPLAY_NESTED, REPLAY_STRICT, 1);
    check_exits(plain, REPLAY_NESTED, REPLAY_TRACED, 1);
    check_exits(caching, REPLAY_VIOMMU, REPLAY_TRACED, 2);
    check_exits(caching, REPLAY_NESTED, REPLAY_TRACED, 1);
    check_exits(list, REPLAY_VIOMMU, REPLAY_TRACED, 2);
    check_exits(nobody, REPLAY_VIOMMU, REPLAY_STRICT, 0);
}

/* What a driver has to flush before or after a map even where maps are not cached. */
static void test_flushed_for_a_map(void **state)
{
    static const char again[] = A0 "2 0 M 1000 1000 0 3\n3 0 U 1000 1000\n"
                                   "4 0 M 1000 1000 5000 3\n";
    static const char larger[] = A0 "2 0 M 201000 1000 0 3\n3 0 U 201000 1000\n"
                                    "3 0 I 201000 1000 p did=2\n"
                                    "4 0 M 200000 200000 200000 3\n";

    (void)state;
    check_exits(again, REPLAY_NESTED, REPLAY_TRACED, 1);
    check_exits(larger, REPLAY_NESTED, REPLAY_TRACED, 2);
}

/* What the machine refuses is said with the line that asked for it. */
static void test_refused(void **state)
{
    struct trace *t = read_text("1 0 M fee00000 1000 0 3\n");
    struct replay r;

    (void)state;
    play(t, REPLAY_STRICT, &r);
    assert_string_equal(r.error, "f:1: EADDRNOTAVAIL");
    replay_free(&r);
    trace_free(t);
    t = read_text("");
    play_right(t, REPLAY_STRICT, &r);
    replay_free(&r);
    trace_free(t);
}

/* Devices come and a domain ends, and nothing is mapped. */
static void test_no_maps(void **state)
{
    struct trace *t = read_text("1 0 A 0000:00:02.0\n2 1 A 0000:00:03.0\n3 1 X\n");
    struct replay r;

    (void)state;
    play_right(t, REPLAY_DEFERRED, &r);
    assert_int_equal(r.counts.finals, 0);
    replay_free(&r);
    trace_free(t);
}

static void test_json(void **state)
{
    struct trace *t =
        read_text(A0 "2 0 M 1000 1000 0 3\n3 0 U 1000 1000\n4 0 I 1000 1000 p did=1\n");
    json_t *o, *here, *verdict;
    struct replay r;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    play_right(t, REPLAY_STRICT, &r);
    replay_print_json(&r, "f", out);
    fclose(out);
    o = json_loads(text, 0, NULL);
    here = json_object_get(o, "here");
    verdict = json_object_get(o, "verdict");
    assert_true(json_is_true(json_object_get(verdict, "right")));
    assert_int_equal(json_integer_value(json_object_get(here, "hypercalls")), 2);
    assert_true(json_real_value(json_object_get(here, "flushes_per_unmap")) == 1.0);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(o, "traced"), "invalidations")), 1);
    json_decref(o);
    free(text);
    replay_free(&r);
    trace_free(t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_last_line_without_end),
        cmocka_unit_test(test_xz),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_maps),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_invalidations),
        cmocka_unit_test(test_emulated),
        cmocka_unit_test(test_exits),
        cmocka_unit_test(test_flushed_for_a_map),
    };

    if (argc != 2)
        return 2;
    data = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
