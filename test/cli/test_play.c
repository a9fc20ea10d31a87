/* SPDX-License-Identifier: BSD-2-Clause */
/* What `sluice play` says and how it ends. All of scenarios/ is played by meson.build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/run.h"
#include "../../host/machine/backend.h"

struct result {
    int status;
    char *out, *err;
    size_t out_size, err_size;
};

static struct run run_begin(struct result *r, const struct report_ops *ops)
{
    struct run run = {.machine = machine_kinds, .report = {.ops = ops, .machine = "soft"}};

    memset(r, 0, sizeof(*r));
    run.report.out = open_memstream(&r->out, &r->out_size);
    run.err = open_memstream(&r->err, &r->err_size);
    return run;
}

static void run_finish(struct run *run, struct result *r)
{
    r->status = run_end(run);
    fclose(run->report.out);
    fclose(run->err);
}

static void result_free(struct result *r)
{
    free(r->out);
    free(r->err);
}

/* Plays one text; `change` may set options. */
static struct result play(const char *text, const struct report_ops *ops,
                          void (*change)(struct run *run))
{
    struct result r;
    struct run run = run_begin(&r, ops);

    if (change)
        change(&run);
    run_text(&run, "f", text, strlen(text));
    run_finish(&run, &r);
    return r;
}

static void expect_with(const char *text, void (*change)(struct run *run), int status,
                        const char *out)
{
    struct result r = play(text, &report_text, change);

    assert_string_equal(r.out, out);
    assert_int_equal(r.status, status);
    result_free(&r);
}

static void on_vtd(struct run *run)
{
    run->machine = &machine_kinds[1];
}

static void expect(const char *text, int status, const char *out, const char *err)
{
    struct result r = play(text, &report_text, NULL);

    assert_string_equal(r.out, out);
    assert_string_equal(r.err, err);
    assert_int_equal(r.status, status);
    result_free(&r);
}

#define DOMAIN "domain d id=1 mem=1M\n"
#define DEVICE "device nic 00:05.0 owner=d\n"

static void test_pass(void **state)
{
    (void)state;
    expect("", 0, "1 passed, 0 failed, 0 skipped\n", "");
    expect(DOMAIN DEVICE "nic: dma_write addr=0x1000 len=8 fill=1\nd: read gfn=1 len=8 => 0 fill=1",
           0, "1 passed, 0 failed, 0 skipped\n", "");
}

static void test_mismatch(void **state)
{
    struct result r = play(DOMAIN "d: query_capabilities => 0 max_ctx_no=3\n", &report_text, NULL);

    (void)state;
    expect(DOMAIN "d: free_context ctx_no=7  # no such context\ncheck\n", 1,
           "f:2: d: free_context ctx_no=7\n  expected 0\n  got EINVAL\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
    assert_non_null(strstr(r.out, "\n  expected 0 max_ctx_no=3\n  got 0 max_iova_addr="));
    assert_non_null(strstr(r.out, " max_ctx_no=15\n0 passed, 1 failed"));
    result_free(&r);
}

static void test_mismatch_of_dma(void **state)
{
    (void)state;
    expect(DOMAIN DEVICE "nic: dma_write addr=0x900000 len=8 fill=1 => blocked access=read\n", 1,
           "f:3: nic: dma_write addr=0x900000 len=8 fill=1 => blocked access=read\n"
           "  expected blocked access=read\n  got blocked access=write reason=not-present\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
    expect(DOMAIN "d: write gfn=0 u64=1\nd: read gfn=0 len=8 => 0 fill=1\n", 1,
           "f:3: d: read gfn=0 len=8 => 0 fill=1\n  expected 0 fill=1\n"
           "  got 0 fill=mixed bytes=0100000000000000\n0 passed, 1 failed, 0 skipped\n",
           "");
}

/* A domain keeps 64 records; what came before them is told. */
/* The last that its units do is to end it. */
static bool ended;

static void end_units(struct machine *m)
{
    soft_backend.remove_units(m);
    ended = true;
}

static const char *end_is_told(struct machine *m)
{
    (void)m;
    return ended ? "it ended" : NULL;
}

static struct machine_backend ending;

static void end_at_last(struct run *run)
{
    static struct machine_kind kind;

    ending = soft_backend;
    ending.remove_units = end_units;
    ending.gone = end_is_told;
    kind = *run->machine;
    kind.backend = &ending;
    run->machine = &kind;
    ended = false;
}

static void test_gone_at_the_end(void **state)
{
    struct result r = play(DOMAIN, &report_text, end_at_last);

    (void)state;
    assert_non_null(strstr(r.out, "at the end: the machine is gone: it ended"));
    assert_int_equal(r.status, 1);
    result_free(&r);
}

/* Firmware has the device at 00:05.0 use a frame. */
static bool firmware_region(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out)
{
    (void)m;
    *out = (struct sluice_region){0x20000, 0x20fff, SLUICE_REGION_DIRECT, PT_READ | PT_WRITE, 0};
    return rid.n == 0x28 && !index;
}

static void with_firmware(struct run *run)
{
    static struct machine_backend backend;
    static struct machine_kind kind;

    backend = soft_backend;
    backend.region = firmware_region;
    kind = *run->machine;
    kind.backend = &backend;
    run->machine = &kind;
}

/* The owner has no memory there, and the device reaches the frame itself. */
static void test_regions_of_firmware(void **state)
{
    struct result r = play(DOMAIN DEVICE "device other 00:06.0 reserved=0x20000-0x20fff:direct\n"
                                         "d: read gfn=0x20 len=8 => ENOENT\n"
                                         "nic: dma_write addr=0x20000 len=8 fill=1 => ok\n",
                           &report_text, with_firmware);

    (void)state;
    assert_string_equal(r.out, "1 passed, 0 failed, 0 skipped\n");
    result_free(&r);
}

static void test_lost_faults(void **state)
{
    static const char dma[] = "nic: dma_write addr=0x900000 len=8 fill=1 => blocked\n";
    char text[70 * sizeof(dma) + 200] = DOMAIN DEVICE;

    (void)state;
    for (unsigned i = 0; i < 70; i++)
        strcat(text, dma);
    strcat(text, "d: faults => 64 dfn=0x900 lost=6\nd: faults => 0 lost=0\n");
    expect(text, 0, "1 passed, 0 failed, 0 skipped\n", "");
}

static void test_syntax_error(void **state)
{
    (void)state;
    expect(DOMAIN "\nd: map_pages gfn=oops\n", 2, "0 passed, 1 failed, 0 skipped\n",
           "f:3: gfn: 'oops' is no number, expected decimal or 0x, K M G, or $variable\n");
}

static void test_skipped(void **state)
{
    (void)state;
    expect_with("require nvme\nrequire pasid\n" DOMAIN "d: noop => EINVAL\n", on_vtd, 0,
                "f: skipped: needs pasid, which machine vtd does not have\n"
                "0 passed, 0 failed, 1 skipped\n");
}

/* A unit comes with the first line about it, unless the domain's line says otherwise. */
static void test_viommu(void **state)
{
    (void)state;
    expect(DOMAIN "d: vtd.read reg=0 => 0 value=0x11\n", 1,
           "f:2: d: vtd.read reg=0 => 0 value=0x11\n  expected 0 value=0x11\n"
           "  got 0 value=0x10\n0 passed, 1 failed, 0 skipped\n",
           "");
    expect("domain e id=2 mem=1M viommu=none\ne: vtd.read reg=0 => ENODEV\n"
           "e: vtd.write reg=0x18 value=0 => ENODEV\ne: vtd.event => ENODEV\n",
           0, "1 passed, 0 failed, 0 skipped\n", "");
    expect("domain e id=2 mem=1M viommu_caps=pasid\n", 1,
           "f:1: domain e id=2 mem=1M viommu_caps=pasid\n  expected 0\n"
           "  got EINVAL (e: the machine cannot offer such a vIOMMU)\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
    expect(DOMAIN "d: vtd.write reg=0x20 value=0x123456789000\n" /* 8 bytes, as it needs them */
                  "d: vtd.read reg=0x20 size=8 => 0 value=0x123456789000\n",
           0, "1 passed, 0 failed, 0 skipped\n", "");
}

/* An emulator is its owner's device, and no device of the machine. */
static void test_emulated(void **state)
{
    (void)state;
    expect(DOMAIN "device emu 00:0a.0 owner=d kind=emulated\n"
                  "emu: dma_write addr=0x3000 len=8 fill=7 => ok\nd: read gfn=3 len=8 => 0 fill=7\n"
                  "emu: dma_read addr=0x7ffffffff000 len=8 => blocked access=read\n"
                  "emu: msi addr=0xfee00000 data=0x41 => delivered vector=0x41 guest=d\n"
                  "emu: msi addr=0x1000 data=0x41 => EINVAL\n"
                  "d: reattach_device dev=emu ctx_no=0 => ENODEV\n",
           0, "1 passed, 0 failed, 0 skipped\n", "");
    expect(DOMAIN "device emu 00:0a.0 kind=emulated\n", 1,
           "f:2: device emu 00:0a.0 kind=emulated\n  expected 0\n"
           "  got whose is it? expected owner=\n0 passed, 1 failed, 0 skipped\n",
           "");
}

/* A machine that is a guest of another plays as any other. */
static void nested(struct run *run)
{
    struct words why = {.n = 0};

    run->machine = machine_kind_find("nested-soft", &why);
}

static void test_nested_machine(void **state)
{
    struct result r =
        play(DOMAIN DEVICE "nic: dma_write addr=0x3000 len=8 fill=7 => ok\n"
                           "nic: dma_write addr=0x800000 len=8 fill=7 => blocked reason=no-write\n"
                           "d: faults => 1 device=nic dfn=0x800\n",
             &report_text, nested);

    (void)state;
    assert_string_equal(r.out, "1 passed, 0 failed, 0 skipped\n");
    result_free(&r);
}

static void test_later_interfaces(void **state)
{
    (void)state;
    expect("machine pasid=off\n" DOMAIN DEVICE "nic: dma_write addr=0 len=1 pasid=3 => ok\n", 1,
           "f:4: nic: dma_write addr=0 len=1 pasid=3 => ok\n  expected ok\n"
           "  got EOPNOTSUPP (this machine was made without PASIDs)\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
}

static void two_stages(struct run *run)
{
    run->stages = 2;
}

/* Units that cannot be so are no failure of the file's. */
static void test_stages(void **state)
{
    (void)state;
    expect_with("machine coherent=off stages=1\n" DOMAIN, two_stages, 0,
                "f: skipped: a unit that does not snoop has one stage: guests do not write their "
                "tables back\n0 passed, 0 failed, 1 skipped\n");
    expect_with("machine stages=1\n" DOMAIN, two_stages, 0, "1 passed, 0 failed, 0 skipped\n");
    expect("machine stages=3\n" DOMAIN, 1,
           "f:1: a unit has one or two stages\n0 passed, 1 failed, 0 skipped\n", "");
}

static void test_unreadable(void **state)
{
    struct result r;
    struct run run = run_begin(&r, &report_text);

    (void)state;
    run_file(&run, "/nonexistent/file.scn");
    run_finish(&run, &r);
    assert_int_equal(r.status, 2);
    assert_string_equal(r.out, "0 passed, 1 failed, 0 skipped\n");
    assert_string_equal(r.err, "/nonexistent/file.scn: No such file or directory\n");
    result_free(&r);
}

static void test_machine_refused(void **state)
{
    struct result r = play("# first\nmachine aw=200\n", &report_text, NULL);

    (void)state;
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.out, "f:2: "));
    result_free(&r);
}

static void trace(struct run *run)
{
    run->report.trace = true;
}

static void test_trace(void **state)
{
    struct result r = play(DOMAIN "d: noop\nd: alloc_context\n", &report_text, trace);

    (void)state;
    assert_non_null(strstr(r.out, "f:2: d: noop\n  0  (exits 1, submissions 0, allocations 0)\n"));
    assert_non_null(strstr(r.out, "f:3: d: alloc_context\n  0 ctx_no=1  (exits 1, "));
    result_free(&r);
}

static void test_untouched_output(void **state)
{
    (void)state;
    expect(DOMAIN "d: alloc_context alloc_flags=0x4000 => EINVAL ctx_no=0\n", 1,
           "f:2: d: alloc_context alloc_flags=0x4000 => EINVAL ctx_no=0\n"
           "  expected EINVAL ctx_no=0\n  got EINVAL ctx_no=untouched\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
}

static void keep_going(struct run *run)
{
    run->keep_going = true;
}

static void test_keep_going(void **state)
{
    static const char text[] = DOMAIN "d: noop => EINVAL\nd: noop\nd: noop => ENOENT\n";
    struct result r = play(text, &report_text, keep_going);

    (void)state;
    assert_string_equal(r.out, "f:2: d: noop => EINVAL\n  expected EINVAL\n  got 0\n"
                               "f:4: d: noop => ENOENT\n  expected ENOENT\n  got 0\n"
                               "0 passed, 1 failed, 0 skipped\n");
    assert_int_equal(r.status, 1);
    result_free(&r);
}

static void test_variables(void **state)
{
    (void)state;
    expect(DOMAIN "d: alloc_context -> $a, ctx_no=$b\n"
                  "d: map_pages ctx_no=$b gfn=5 dfn=9 map_flags=r => 0 mapped=1 -> $n\n"
                  "d: lookup_page ctx_no=$a dfn=9 -> $g => 0\n"
                  "d: refs gfn=$g => 2\n"
                  "d: free_context ctx_no=$n\n",
           0, "1 passed, 0 failed, 0 skipped\n", "");
}

/* Several calls on a line: a result each, in every report. */
#define ARRAY                                                                                   \
    "d: frames.map_page bfn=0x800 gfn=1 flags=rw ; frames.unmap_page bfn=9 ; frames.query_caps" \
    " => 0 ; 0 ; 0 order=5\n"

static void test_arrays(void **state)
{
    (void)state;
    expect(DOMAIN ARRAY, 1,
           "f:2: " ARRAY "  expected 0 ; 0 ; 0 order=5\n"
           "  got 0 ; ENOENT ; 0 flags=map_cap order=9\n0 passed, 1 failed, 0 skipped\n",
           "");
}

static void test_arrays_in_tour(void **state)
{
    struct result r = play(DOMAIN ARRAY, &report_tour, NULL);

    (void)state;
    assert_non_null(strstr(r.out, "    done; refused: ENOENT (nothing is there); done, flags="));
    result_free(&r);
}

static void test_arrays_in_json(void **state)
{
    struct result r = play(DOMAIN ARRAY, &report_json, NULL);
    json_t *root = json_loads(r.out, 0, NULL), *got;

    (void)state;
    got = json_array_get(json_object_get(root, "files"), 0);
    got = json_object_get(json_array_get(json_object_get(got, "lines"), 0), "got");
    assert_int_equal(json_array_size(got), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(got, 1), "status")), -2);
    json_decref(root);
    result_free(&r);
}

static void test_frames_limits(void **state)
{
    (void)state;
    expect(DOMAIN "d: frames.unmap_page bfn=1 order=64 => any\n", 1,
           "f:2: d: frames.unmap_page bfn=1 order=64 => any\n  expected any\n"
           "  got expected flags of 16 bits and an order of 6\n0 passed, 1 failed, 0 skipped\n",
           "");
    expect(DOMAIN "d: refs gfn=1 mfn=1 => any\n", 1,
           "f:2: d: refs gfn=1 mfn=1 => any\n  expected any\n"
           "  got which frame? expected one of gfn=, dfn=, mfn=\n0 passed, 1 failed, 0 skipped\n",
           "");
}

/* The device is there all the same, and nobody's: the lines behind it say that, or fail too. */
static void test_unsafe_device(void **state)
{
    (void)state;
    expect("machine intremap=off\ndomain d id=1 mem=1M\ndevice nic 00:05.0 owner=d\n", 1,
           "f:3: device nic 00:05.0 owner=d\n  expected 0\n  got EPERM (nic can raise any "
           "interrupt (not-remapping), and d is not the hardware domain; `machine msi=unsafe` "
           "allows that)\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
    expect("machine intremap=off\ndomain d id=1 mem=1M\ndevice nic 00:05.0 owner=d => EPERM\n"
           "unassign nic => ENODEV\nassign nic d => 0\n",
           1,
           "f:5: assign nic d => 0\n  expected 0\n  got EPERM (nic can raise any interrupt "
           "(not-remapping), and d is not the hardware domain; `machine msi=unsafe` allows that)\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
    expect("domain d id=1 mem=1M\ndevice nic 00:05.0 owner=d => EPERM\n", 1,
           "f:2: device nic 00:05.0 owner=d => EPERM\n  expected EPERM\n  got 0\n"
           "0 passed, 1 failed, 0 skipped\n",
           "");
}

static void test_tour(void **state)
{
    static const char text[] =
        "# SPDX-License-Identifier: none\n# Once upon a time.\n" DOMAIN DEVICE
        "nic: dma_read addr=0x900000 len=8 => blocked # quietly\n";
    struct result r = play(text, &report_tour, NULL);

    (void)state;
    assert_non_null(strstr(r.out, "Once upon a time.\n  > domain d id=1 mem=1M\n"
                                  "    memory of this process, no hardware\n    unit 0, soft: "));
    assert_non_null(strstr(r.out, "  > nic: dma_read addr=0x900000 len=8\n"
                                  "    blocked: nic (00:05.0) tried to read dfn 0x900 in context 0 "
                                  "of d: nothing\n    is mapped there (the walk found an empty "
                                  "entry at level 1)\n\nUnits\n"));
    assert_null(strstr(r.out, "SPDX"));
    assert_int_equal(r.status, 0);
    result_free(&r);
}

static const char late[] = DOMAIN DEVICE
    "d: alloc_context -> $c\n"
    "d: reattach_device dev=nic ctx_no=$c\n"
    "d: map_pages ctx_no=$c gfn=0x10 dfn=0x900 map_flags=rw nr_pages=2 => 0 mapped=2\n"
    "break\n"
    "d: unmap_pages ctx_no=$c dfn=0x900 nr_pages=2\n"
    "d: noop\n"
    "nic: dma_write addr=0x901000 len=8 fill=1 => blocked\n"
    "d: faults => 1\n"
    "destroy d\n"
    "nic: dma_write addr=0x901000 len=8 fill=1 => blocked\n";

static void test_tour_shows_and_explains(void **state)
{
    struct result r = play(late, &report_tour, NULL);
    const char *units = strstr(r.out, "\nUnits\n");

    (void)state;
    assert_non_null(strstr(r.out, "nr_pages=2\n    done, mapped=2\n\nUnits\n"));
    assert_non_null(units);
    assert_null(strstr(units + 1, "\nUnits\n")); /* at its break, and not again at the end */
    assert_non_null(strstr(units, "  `- context 1: the domain's own, device nic; tag 2, 4 tables\n"
                                  "       dfn 0x900-0x901  -> gfn 0x10-0x11  rw  4K\n"));
    assert_non_null(strstr(units, "at level 0); dfns\n    0x900-0x901 were unmapped there 1 call "
                                  "ago\n  > d: faults"));
    assert_non_null(strstr(units, "    blocked: nic is nobody's; in quarantine it reaches "
                                  "nothing\n"));
    assert_int_equal(r.status, 0);
    result_free(&r);
}

static void test_json(void **state)
{
    struct result r = play(DOMAIN "d: free_context ctx_no=7\n", &report_json, NULL);
    json_t *root = json_loads(r.out, 0, NULL), *file, *line;

    (void)state;
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "failed")), 1);
    file = json_array_get(json_object_get(root, "files"), 0);
    assert_string_equal(json_string_value(json_object_get(file, "machine")), "soft");
    assert_string_equal(json_string_value(json_object_get(file, "result")), "failed");
    assert_int_equal(json_array_size(json_object_get(file, "lines")), 1);
    line = json_array_get(json_object_get(file, "lines"), 0);
    assert_int_equal(json_integer_value(json_object_get(line, "line")), 2);
    assert_string_equal(json_string_value(json_object_get(line, "expected")), "0");
    line = json_object_get(line, "got");
    assert_string_equal(json_string_value(json_object_get(line, "errno")), "EINVAL");
    json_decref(root);
    result_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pass),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_mismatch_of_dma),
        cmocka_unit_test(test_lost_faults),
        cmocka_unit_test(test_gone_at_the_end),
        cmocka_unit_test(test_regions_of_firmware),
        cmocka_unit_test(test_syntax_error),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_viommu),
        cmocka_unit_test(test_emulated),
        cmocka_unit_test(test_nested_machine),
        cmocka_unit_test(test_later_interfaces),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_machine_refused),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_untouched_output),
        cmocka_unit_test(test_keep_going),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_arrays_in_tour),
        cmocka_unit_test(test_arrays_in_json),
        cmocka_unit_test(test_frames_limits),
        cmocka_unit_test(test_unsafe_device),
        cmocka_unit_test(test_tour),
        cmocka_unit_test(test_tour_shows_and_explains),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
