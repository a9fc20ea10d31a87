/* SPDX-License-Identifier: BSD-2-Clause */
/* What `sluice inspect` shows, as text to the letter, and as JSON that stays as it is documented.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/inspect.h"

struct result {
    int status;
    char *out, *err;
    size_t out_size, err_size;
};

static struct result inspect(const char *text, struct inspect_options o)
{
    struct result r = {.status = 0};

    o.machine = machine_kinds;
    o.out = open_memstream(&r.out, &r.out_size);
    o.err = open_memstream(&r.err, &r.err_size);
    r.status = inspect_text(&o, "f", text, strlen(text));
    fclose(o.out);
    fclose(o.err);
    return r;
}

static void result_free(struct result *r)
{
    free(r->out);
    free(r->err);
}

static void expect_out(const char *text, unsigned at, const char *out)
{
    struct result r = inspect(text, (struct inspect_options){.at = at});

    assert_string_equal(r.out, out);
    assert_string_equal(r.err, "");
    assert_int_equal(r.status, 0);
    result_free(&r);
}

static void expect_has(const char *text, const char *part)
{
    struct result r = inspect(text, (struct inspect_options){.at = 0});

    if (!strstr(r.out, part))
        assert_string_equal(r.out, part);
    assert_string_equal(r.err, "");
    result_free(&r);
}

static json_t *inspect_json(const char *text, bool all)
{
    struct result r = inspect(text, (struct inspect_options){.json = true, .all = all});
    json_error_t error;
    json_t *root = json_loads(r.out, JSON_REJECT_DUPLICATES, &error);

    assert_non_null(root);
    assert_int_equal(r.status, 0);
    result_free(&r);
    return root;
}

static json_int_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static json_t *item(const json_t *object, const char *key, size_t index)
{
    json_t *found = json_array_get(json_object_get(object, key), index);

    assert_non_null(found);
    return found;
}

static const char story[] = "machine units=2\n"
                            "domain dom0 id=0 mem=64K hardware direct_mapped controls=dom1\n"
                            "domain dom1 id=1 mem=256K trusted budget_tables=20\n"
                            "device nic 00:05.0 owner=dom1 alias=00:05.1\n"
                            "device gpu 00:06.0 owner=dom1 reserved=0x8000000-0x8001fff:direct\n"
                            "device a 00:07.0 group=g\n"
                            "device b 00:07.1 group=g\n"
                            "device raw 00:08.0 protected=no owner=dom1\n"
                            "device odd 00:09.0 protected=no\n"
                            "dom1: alloc_context -> $c\n"
                            "dom1: reattach_device dev=nic ctx_no=$c\n"
                            "dom1: reattach_device dev=gpu ctx_no=$c\n"
                            "dom1: map_pages ctx_no=$c gfn=0x10 dfn=0x900 map_flags=rw nr_pages=4\n"
                            "dom1: map_pages ctx_no=$c gfn=0x20 dfn=0xa00 map_flags=r nr_pages=2\n"
                            "dom1: balloon_out gfn=0x20\n"
                            "break\n"
                            "dom1: unmap_pages ctx_no=$c dfn=0x900 nr_pages=4\n"
                            "nic: dma_write rid=00:05.1 addr=0x900000 len=4 fill=1 => blocked\n"
                            "dom1: noop\n"
                            "dom1: noop\n"
                            "dom1: noop\n";

static void test_text(void **state)
{
    (void)state;
    expect_out(
        story, 1000,
        "f on machine soft, at its end, after line 21\n"
        "Machine\n"
        "  memory of this process, no hardware\n"
        "  exits for hypercalls 9, frames lost to failed units 0\n"
        "Units\n"
        "  0 soft: 4 levels, 48 bits, leaves of 4K 2M 1G, tables vtdss, 65536 tags\n"
        "    invalidation by queue, coherent walks, with snoop control, no caching mode\n"
        "    with interrupt remapping\n"
        "    flushes 4 (6 invalidations), faults 0, lost 0\n"
        "  1 soft: 4 levels, 48 bits, leaves of 4K 2M 1G, tables vtdss, 65536 tags\n"
        "    invalidation by queue, coherent walks, with snoop control, no caching mode\n"
        "    with interrupt remapping\n"
        "    flushes 6 (11 invalidations), faults 1, lost 0\n"
        "Domains\n"
        "        id  frames  calls  exits  maps  pages  unmaps  pages  flushes  faults\n"
        "  dom0   0      16      0      0     0      0       0      0        0       0\n"
        "  dom1   1      63      9      9     2      6       1      4        2       1\n"
        "Contexts\n"
        "  dom0: uses contexts 0, tables 0, references 0; direct-mapped\n"
        "  `- context 0: identity, no device; tag 1, 4 tables\n"
        "       dfn 0x0-0xf  -> gfn 0x0-0xf  rw  4K\n"
        "  dom1: uses contexts 1, tables 6 of 20, references 2\n"
        "  |- context 0: identity, no device; tag 2, 5 tables\n"
        "  |    dfn 0x0-0x1f   -> gfn 0x0-0x1f   rw  4K\n"
        "  |    dfn 0x21-0x3f  -> gfn 0x21-0x3f  rw  4K\n"
        "  `- context 1: the domain's own, device nic, gpu; tag 4, 6 tables\n"
        "       dfn 0xa00-0xa01    -> gfn 0x20-0x21                  r   4K\n"
        "       dfn 0x8000-0x8001  -> reserved region 0x8000-0x8001  rw  4K\n"
        "Devices\n"
        "  nic  00:05.0  unit 1   interrupts isolated: remapped     dom1, context 1, also 00:05.1\n"
        "  gpu  00:06.0  unit 0   interrupts isolated: remapped     dom1, context 1\n"
        "                                                           region 0x8000000-0x8001fff "
        "direct, by the host\n"
        "  a    00:07.0  unit 1   interrupts isolated: remapped     in quarantine, moves with b\n"
        "  b    00:07.1  unit 1   interrupts isolated: remapped     in quarantine, moves with a\n"
        "  raw  00:08.0  no unit  interrupts not isolated: no-unit  dom1; not protected, "
        "reaches all memory: firmware describes no unit for it\n"
        "  odd  00:09.0  no unit  interrupts not isolated: no-unit  nobody's; not protected, "
        "reaches all memory: firmware describes no unit for it\n"
        "Given up, but still mapped\n"
        "  dom1 (id 1) gfn 0x20: 1 reference\n"
        "Faults\n"
        "  nic (00:05.0, as 00:05.1) tried to write to dfn 0x900 in context 1 of dom1: "
        "nothing is mapped there (the walk found an empty entry at level 0); dfns "
        "0x900-0x903 were unmapped there 3 calls ago\n");
}

#define EMPTY                                                                                   \
    "Machine\n  memory of this process, no hardware\n  exits for hypercalls 0, frames lost to " \
    "failed units 0\n"

static void test_empty(void **state)
{
    (void)state;
    expect_out("break\nmachine iommu=none\n", 0,
               "f on machine soft, after line 0\n" EMPTY "Units\n"
               "  0 absent: translates nothing, protects nothing\nDomains\nDevices\n"
               "Given up, but still mapped\n  none\nFaults\n  none\n");
}

static void test_where_it_stops(void **state)
{
    (void)state;
    expect_has(story, "after line 15\n");
    expect_has(story, "dfn 0x900-0x903    -> gfn 0x10-0x13    ");
    expect_has("domain d id=1 mem=1M\n", "at its end, after line 1\n");
    expect_out("break\nmachine iommu=none\n", 1,
               "f on machine soft, after line 1\n" EMPTY "Units\n"
               "  0 absent: translates nothing, protects nothing\nDomains\nDevices\n"
               "Given up, but still mapped\n  none\nFaults\n  none\n");
}

#define DOMAIN  "domain d id=1 mem=1M\ndevice nic 00:05.0 owner=d\n"
#define CONTEXT DOMAIN "d: alloc_context -> $c\nd: reattach_device dev=nic ctx_no=$c\n"
#define FAULT   "nic (00:05.0) tried to write to dfn 0x900 in context 1 of d: "
#define DMA     "nic: dma_write addr=0x900000 len=1 fill=1 => blocked\n"

static void test_faults_in_words(void **state)
{
    (void)state;
    expect_has(CONTEXT DMA,
               FAULT "nothing is mapped there (the walk found an empty entry at level 3)\n");
    expect_has(CONTEXT "d: map_pages ctx_no=$c gfn=1 dfn=0x900 map_flags=r\n" DMA,
               FAULT "gfn 0x1 is mapped there for reading only (the walk found a leaf of 4K)\n");
    expect_has(CONTEXT DMA "d: map_pages ctx_no=$c gfn=1 dfn=0x900 map_flags=rw\n",
               FAULT "gfn 0x1 is mapped there now, rw (the walk found a leaf of 4K); it was "
                     "blocked as not-present\n");
    expect_has(CONTEXT "d: map_pages ctx_no=$c gfn=1 dfn=0x900 map_flags=rw\n"
                       "d: unmap_pages ctx_no=$c dfn=0x900\n" DMA,
               "level 0); dfn 0x900 was unmapped there, no call since\n");
    expect_has(CONTEXT DMA "d: reattach_device dev=nic ctx_no=0\n",
               "level 3); the device is in context 0 now\n");
    expect_has(CONTEXT DMA "d: reattach_device dev=nic ctx_no=0\nd: free_context ctx_no=$c\n",
               FAULT "there is no such context any more; it was blocked as not-present; the "
                     "device is in context 0 now\n");
    expect_has(CONTEXT DMA "check\nunassign nic\n", "level 3); the device is in quarantine now\n");
    expect_has(CONTEXT DMA "domain e id=2 mem=1M\nunassign nic\nassign nic e\n",
               "level 3); the device is another domain's now\n");
    expect_has(DOMAIN "nic: dma_read addr=0xfee00000 len=1 => blocked\n",
               "nic (00:05.0) tried to read dfn 0xfee00 in context 0 of d: the interrupt window is "
               "there, which "
               "is no memory\n");
    expect_has(DOMAIN "nic: dma_read addr=0x1000000000000 len=1 => blocked\n",
               "in context 0 of d: the context is only 48 bits wide\n");
    expect_has("domain d id=1 mem=1M\n"
               "device nic 00:05.0 owner=d reserved=0x900000-0x900fff:reserved\n" DMA,
               "a reserved region (reserved) is there, 0x900000-0x900fff; it was blocked as "
               "not-present\n");
}

static void test_lines_are_drawn_where_they_can_be(void **state)
{
    struct result r = inspect(CONTEXT, (struct inspect_options){.utf8 = true});

    (void)state;
    assert_non_null(strstr(r.out, "\n  ├─ context 0: identity, no device; tag 1, 4 tables\n  │    "
                                  "dfn 0x0-0xff  -> gfn 0x0-0xff  rw  4K\n  └─ context 1: "));
    result_free(&r);
    expect_has(CONTEXT, "\n  |- context 0: identity, no device; tag 1, 4 tables\n  |    dfn ");
}

/* Records that nobody has read make room for new ones; showing them does not take them out. */
static void test_faults_are_counted(void **state)
{
    char text[4096] = CONTEXT;

    (void)state;
    for (unsigned i = 0; i < 70; i++)
        strcat(text, DMA);
    expect_has(text, "faults 70, lost 0\n");
    expect_has(text, "\n  ... and 48 more\n  6 of d were dropped unread\n");
    strcat(text, "break\nd: faults => 64\n");
    expect_has(text, "after line 74\n");
}

/* Every other page makes a run of its own. */
static char *many_runs(void)
{
    size_t size;
    char *text;
    FILE *f = open_memstream(&text, &size);

    fputs(CONTEXT, f);
    for (unsigned i = 0; i < 20; i++)
        fprintf(f, "d: map_pages ctx_no=$c gfn=%u dfn=%u map_flags=rw\n", i, 2 * i);
    for (unsigned i = 0; i < 20; i++)
        fputs(DMA, f);
    fclose(f);
    return text;
}

static void test_interrupts(void **state)
{
    static const char one[] = "domain d id=1 mem=64K\ndevice nic 00:05.0 owner=d\n"
                              "nic: msi addr=0xfee00000 data=0x41 => delivered vector=0x41\n";
    struct result r =
        inspect("machine intremap=off\ndomain d id=1 mem=64K\n", (struct inspect_options){.at = 0});

    (void)state;
    expect_has(one,
               "  nic  00:05.0  unit 0  interrupts isolated: remapped  d, context 0, interrupt "
               "entries 1\n");
    expect_has(one, "no caching mode\n    with interrupt remapping\n");
    assert_non_null(strstr(r.out, "no caching mode\n    no interrupt remapping\n"));
    result_free(&r);
}

static const char unsafe[] = "machine intremap=off msi=unsafe\n"
                             "domain dom0 id=0 mem=64K hardware\ndomain d id=1 mem=64K\n"
                             "device nic 00:05.0 owner=d\ndevice gpu 00:06.0\n"
                             "device hpet 00:07.0 owner=dom0\n";
static const char failed[] = "domain d id=1 mem=64K\ndevice nic 00:05.0 owner=d\n"
                             "d: alloc_context -> $c\nfail flush=1\n"
                             "d: reattach_device dev=nic ctx_no=$c => EIO\n";

static void expect_isolation(const char *text, size_t index, bool isolated, const char *why,
                             bool allowed)
{
    json_t *root = inspect_json(text, false);
    const json_t *dev = item(root, "devices", index);

    assert_int_equal(json_is_true(json_object_get(dev, "interrupts_isolated")), isolated);
    assert_string_equal(json_string_value(json_object_get(dev, "isolation")), why);
    assert_int_equal(json_is_true(json_object_get(dev, "allowed_unsafe")), allowed);
    json_decref(root);
}

/* Who can raise any interrupt, why, and by whose leave; and what became of it later. */
static void test_isolation(void **state)
{
    (void)state;
    expect_has(unsafe, "  nic   00:05.0  unit 0  interrupts not isolated: not-remapping; allowed "
                       "as unsafe  d, context 0\n"
                       "  gpu   00:06.0  unit 0  interrupts not isolated: not-remapping           "
                       "          in quarantine\n");
    expect_isolation(unsafe, 0, false, "not-remapping", true);
    expect_isolation(unsafe, 1, false, "not-remapping", false);
    expect_isolation(unsafe, 2, false, "not-remapping", false);
    expect_isolation(story, 0, true, "remapped", false);
    expect_isolation(story, 4, false, "no-unit", false);
    expect_has(failed, "  nic  00:05.0  unit 0  interrupts not isolated: unit-failed  d, ");
    expect_isolation(failed, 0, false, "unit-failed", false);
}

#define NESTED_STORY                                             \
    "domain dom1 id=1 mem=256K\n"                                \
    "device nic 00:05.0 owner=dom1\n"                            \
    "dom1: write gfn=0x10 offset=0 u64=0x11007\n"                \
    "dom1: write gfn=0x11 offset=0 u64=0x12007\n"                \
    "dom1: write gfn=0x12 offset=0 u64=0x13007\n"                \
    "dom1: write gfn=0x13 offset=0x28 u64=0x20007\n"             \
    "dom1: write gfn=0x13 offset=0x30 u64=0x100007\n"            \
    "dom1: alloc_nested pgtable_gfn=0x10 nested_flags=1 -> $c\n" \
    "dom1: reattach_device dev=nic ctx_no=$c\n"                  \
    "nic: dma_write addr=0x6000 len=8 fill=1 => blocked\n"       \
    "nic: dma_write addr=0x7000 len=8 fill=1 => blocked\n"

static const char by_hardware[] = NESTED_STORY;
static const char by_shadow[] = "machine stages=1\n" NESTED_STORY;

/* Who walks the guest's table, and what it says where a device was stopped. */
static void test_nested(void **state)
{
    json_t *root, *nested;

    (void)state;
    expect_has(by_hardware,
               "context 1: nested by hardware, the guest's table (x86, 4 levels) in gfn "
               "0x10, device nic;");
    expect_has(by_hardware,
               "dfn 0x6 in context 1 of dom1: the guest's own table leads to gfn 0x100, "
               "which is not for devices\n");
    expect_has(by_hardware, "nothing is mapped there (the walk of the guest's own table found an "
                            "empty entry at level 0)\n");
    expect_has(by_shadow, "context 1: nested by shadow, the guest's table (x86, 4 levels) in gfn "
                          "0x10, device nic;");
    expect_has(by_shadow, "dfn 0x5  -> gfn 0x20  rw  4K");
    root = inspect_json(by_shadow, false);
    nested = json_object_get(item(item(root, "domains", 0), "contexts", 1), "nested");
    assert_string_equal(json_string_value(json_object_get(nested, "format")), "x86");
    assert_string_equal(json_string_value(json_object_get(nested, "walked_by")), "shadow");
    assert_int_equal(number(nested, "levels"), 4);
    assert_int_equal(number(nested, "iova_bits"), 47);
    assert_int_equal(number(nested, "root_gfn"), 0x10);
    nested = json_object_get(item(item(root, "domains", 0), "contexts", 0), "nested");
    assert_true(json_is_null(nested));
    json_decref(root);
    root = inspect_json(by_hardware, false);
    nested = json_object_get(item(item(root, "domains", 0), "contexts", 1), "nested");
    assert_string_equal(json_string_value(json_object_get(nested, "walked_by")), "hardware");
    nested = json_object_get(item(root, "faults", 0), "found");
    assert_string_equal(json_string_value(json_object_get(nested, "what")), "no-memory");
    assert_int_equal(number(nested, "gfn"), 0x100);
    json_decref(root);
}

static void test_long_lists(void **state)
{
    char *text = many_runs();
    json_t *few = inspect_json(text, false), *all = inspect_json(text, true);
    const json_t *of_few = item(item(few, "domains", 0), "contexts", 1);
    const json_t *of_all = item(item(all, "domains", 0), "contexts", 1);

    (void)state;
    expect_has(text, "\n       dfn 0x1e  -> gfn 0xf  rw  4K\n       ... and 4 more\nDevices");
    expect_has(text, "level 1)\n  ... and 4 more\n");
    assert_int_equal(json_array_size(json_object_get(of_few, "runs")), INSPECT_FEW);
    assert_int_equal(number(of_few, "more_runs"), 4);
    assert_int_equal(number(few, "more_faults"), 4);
    assert_int_equal(json_array_size(json_object_get(of_all, "runs")), 20);
    assert_int_equal(number(of_all, "more_runs"), 0);
    assert_int_equal(json_array_size(json_object_get(all, "faults")), 20);
    json_decref(few);
    json_decref(all);
    free(text);
}

static void expect_counters(const json_t *root)
{
    const json_t *unit = item(root, "units", 1), *d = item(root, "domains", 1);
    const json_t *raw = item(root, "devices", 4), *odd = item(root, "devices", 5);

    assert_int_equal(number(unit, "faults"), 1);
    assert_int_equal(number(unit, "lost_faults"), 0);
    assert_true(json_is_true(json_object_get(unit, "queued")));
    assert_true(json_is_false(json_object_get(unit, "scalable")));
    assert_int_equal(number(json_object_get(d, "counters"), "exits"), 9);
    assert_int_equal(number(json_object_get(d, "counters"), "lost_faults"), 0);
    assert_string_equal(json_string_value(json_object_get(raw, "owner")), "dom1");
    assert_true(json_is_null(json_object_get(odd, "owner")));
    assert_true(json_is_string(json_object_get(root, "hardware")));
}

static void test_json(void **state)
{
    char *text = strdup(story), *end = strstr(text, "break");
    json_t *root, *fault;

    (void)state;
    memcpy(end, "check", 5);
    root = inspect_json(text, false);
    fault = item(root, "faults", 0);
    assert_int_equal(number(root, "line"), 21);
    assert_true(json_is_true(json_object_get(root, "ended")));
    assert_int_equal(json_array_size(json_object_get(root, "units")), 2);
    assert_int_equal(number(item(root, "held", 0), "gfn"), 0x20);
    assert_int_equal(number(fault, "dfn"), 0x900);
    assert_string_equal(json_string_value(json_object_get(fault, "device")), "nic");
    assert_string_equal(json_string_value(json_object_get(json_object_get(fault, "found"), "what")),
                        "nothing");
    assert_int_equal(number(json_object_get(fault, "unmapped"), "dfn"), 0x900);
    assert_int_equal(number(json_object_get(fault, "unmapped"), "nr"), 4);
    assert_int_equal(number(json_object_get(fault, "unmapped"), "calls_since"), 3);
    expect_counters(root);
    json_decref(root);
    free(text);
}

/* What the walk counts are the pages that the domain pays for, whatever a table looks like. */
static void test_tables_of_all_formats(void **state)
{
    static const char *const formats[] = {"vtdss", "x86", "amdv1", "lpae1", "lpae2", "fake aw=40"};
    char text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        json_t *root, *domain;

        snprintf(text, sizeof(text),
                 "machine format=%s\n" CONTEXT
                 "d: map_pages ctx_no=$c gfn=0 dfn=0x900 map_flags=rw nr_pages=16\n"
                 "d: map_pages ctx_no=$c gfn=0 dfn=0x8000000 map_flags=rw nr_pages=200\n"
                 "d: unmap_pages ctx_no=$c dfn=0x900 nr_pages=16\n",
                 formats[i]);
        root = inspect_json(text, false);
        domain = item(root, "domains", 0);
        assert_int_equal(
            number(item(domain, "contexts", 1), "tables"),
            number(json_object_get(json_object_get(domain, "budgets"), "tables"), "used"));
        json_decref(root);
    }
}

static void test_mismatch(void **state)
{
    struct result r = inspect(DOMAIN "d: noop => EINVAL\n", (struct inspect_options){.at = 0});

    (void)state;
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "f:3: d: noop => EINVAL\n  expected EINVAL\n  got 0\n");
    assert_non_null(strstr(r.out, "after line 3\n"));
    result_free(&r);
}

static void expect_error(const char *text, int status, const char *err)
{
    struct result r = inspect(text, (struct inspect_options){.at = 0});

    assert_int_equal(r.status, status);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, err);
    result_free(&r);
}

static void test_unplayable(void **state)
{
    (void)state;
    expect_error(
        "oops\n", 2,
        "f:1: unknown verb 'oops', expected one without a subject (see sluice play --verbs)\n");
}

static void check_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);

    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    if (!strstr(text, "require nested") && !strstr(text, "require pasid"))
        json_decref(inspect_json(text, true));
    free(text);
}

/* Failed units, lost frames, domains that are gone: the end of every scenario can be shown. */
static void test_every_scenario(void **state)
{
    const char *const depth[] = {"/*.scn", "/*/*.scn"};
    glob_t found = {.gl_pathc = 0};
    char pattern[512];

    for (unsigned i = 0; i < 2; i++) {
        snprintf(pattern, sizeof(pattern), "%s%s", (const char *)*state, depth[i]);
        assert_int_equal(glob(pattern, i ? GLOB_APPEND : 0, NULL, &found), 0);
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(found.gl_pathv[i]);
    globfree(&found);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_where_it_stops),
        cmocka_unit_test(test_faults_in_words),
        cmocka_unit_test(test_lines_are_drawn_where_they_can_be),
        cmocka_unit_test(test_faults_are_counted),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_isolation),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_tables_of_all_formats),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_unplayable),
        cmocka_unit_test_prestate(test_every_scenario, argc > 1 ? argv[1] : NULL),
    };

    return argc > 1 ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
