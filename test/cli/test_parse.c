/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of scenarios: every construct of the grammar, and text that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/scenario/scenario.h"

/* Every construct of the page that describes the grammar. */
static const char whole[] =
    "# a comment with UTF-8: \xc3\xa4\n"
    "machine ram=256M aw=48 default=identity iommu=none intremap=off hwdom=strict window=0x100 "
    "msi=unsafe\r\n"
    "require nested pasid superpages two-devices nvme intremap faults\n"
    "\n"
    "domain dom0 id=0 mem=32M hardware controls=dom1,dom2   # later ones\n"
    "domain dom1 id=1 mem=32M direct_mapped budget_contexts=3 budget_tables=4 budget_refs=5\n"
    "domain dom2 id=2 mem=0x200K max_ctx=2\n"
    "device nic 00:05.0 owner=dom1 reserved=0x1000-0x1fff:direct "
    "reserved=0x3000-0x3fff:direct-relaxable group=g protected=no alias=00:05.1 alias=00:05.2\n"
    "device disk 0001:00:06.0 owner=dom0 kind=nvme image=/some/file\n"
    "unassign nic\n"
    "assign nic dom2 => EBUSY\n"
    "dom1: noop\n"
    "dom1: query_capabilities => 0 max_ctx_no=15 pgsize_mask=0x1000 cap_flags=identity,cache\n"
    "dom1: alloc_context alloc_flags=0 -> $c\n"
    "dom1: alloc_context alloc_flags=identity => 0 -> $d, ctx_no=$e,ctx_no=$f\n"
    "dom1: map_pages ctx_no=$c gfn=0x10 dfn=0x800 map_flags=rw pgsize=4K nr_pages=4 => 0 mapped=4\n"
    "dom1: map_pages ctx_no=$c map_flags=rwc => EINVAL mapped=0\n"
    "dom1: map_pages ctx_no=$c map_flags=3 => any\n"
    "dom1: lookup_page ctx_no=$c dfn=0x801 -> $g => 0 gfn=$g\n"
    "dom1: reattach_device dev=nic ctx_no=$c pasid=0\n"
    "dom1: reattach_device dev=00:05.0 ctx_no=$c\n"
    "dom1: unmap_pages ctx_no=$c dfn=0x800 pgsize=4K nr_pages=4 => 0 unmapped=4\n"
    "dom1: free_context ctx_no=$c free_flags=reattach_default => EBUSY\n"
    "dom0: remote domid=1 map_pages ctx_no=$c gfn=1 dfn=1 map_flags=r => 0 mapped=1\n"
    "dom0: remote domid=1 remote domid=2 noop => EINVAL\n"
    "dom1: raw subop=77 arg=0x1000 bytes=00ffAA => EOPNOTSUPP\n"
    "dom1: continue_every=1 map_pages ctx_no=$c\n"
    "dom1: alloc_nested pgtable_gfn=1 nested_flags=1 => EOPNOTSUPP\n"
    "dom1: flush_nested ctx_no=1 flags=all => EOPNOTSUPP\n"
    "dom1: attach_pasid dev=nic pasid=1 => EOPNOTSUPP\n"
    "dom1: detach_pasid dev=nic pasid=1 => EOPNOTSUPP\n"
    "dom1: map_list => EOPNOTSUPP\n"
    "dom0: frames.map_foreign_page bfn=0x900 gfn=0x10 domid=1 ioserver=1 flags=rw,swap_mfn => 0\n"
    "dom0: frames.map_page bfn=0x10 gfn=0x10 flags=rw ; frames.unmap_page bfn=0x77 => 0 ; ENOENT\n"
    "dom0: continue_every=2 frames.unmap_page bfn=1 order=9 flags=remove_m2b ; frames.query_caps "
    "=> "
    "any ; 0 flags=map_cap,map_all_mfns order=9\n"
    "dom0: frames.raw arg=0x1000 count=2 bytes=0200 => EFAULT\n"
    "dom0: frames.lookup_foreign_page gfn=1 domid=0x7ff0 ioserver=0xffff -> $bfn\n"
    "dom1: vtd.write reg=0x18 size=4 value=0x1\n"
    "dom1: vtd.read reg=0x1c size=4 => 0 value=0x1\n"
    "dom1: vtd.event => 1 addr=0xfee00000 data=0x31\n"
    "domain dom5 id=5 mem=1M viommu=vtd viommu_caps=remapping,x2apic\n"
    "device emu 00:0a.0 owner=dom5 kind=emulated\n"
    "dom1: write gfn=0x10 offset=0 len=64 fill=0xa5\n"
    "dom1: write gfn=0x10 bytes=0011\n"
    "dom1: write gfn=0x10 u64=0x123456789abcdef0\n"
    "dom1: read gfn=0x10 offset=0 len=64 => 0 fill=0xa5\n"
    "dom1: read gfn=0x10 => 0 bytes=0011\n"
    "dom1: read gfn=0x10 => 0 u64=18446744073709551615\n"
    "nic: dma_write addr=0x800000 len=64 fill=0x5a pasid=0 => ok\n"
    "nic: dma_read addr=0x800000 len=64 => ok fill=0xa5\n"
    "nic: dma_write addr=0x900000 len=64 fill=1 => blocked access=write reason=not-present\n"
    "nic: dma_write addr=0 len=1 rid=00:05.1 => any\n"
    "disk: read lba=0 count=8 addr=0x800000 => ok\n"
    "disk: write lba=0 count=8 addr=0x800000 => performed\n"
    "nic: msi addr=0xfee00000 data=0x41 => delivered vector=0x41\n"
    "dom1: faults => 1 device=nic dfn=0x900 access=write reason=blocked addr=0x900000\n"
    "dom1: balloon_out gfn=0x10 nr=1\n"
    "dom1: populate gfn=0x10 nr=1\n"
    "dom0: ioreq_server domid=1 id=1 ring=1\n"
    "dom0: ioreq id=1 => 0 type=invalidate bfn=0x900\n"
    "dom0: ioreq id=1 => ENODATA\n"
    "dom0: ioreq_server_end domid=1 id=1\n"
    "destroy dom1\n"
    "domain dom1 id=1 mem=1M\n"
    "dom1: refs gfn=0x10 => 2\n"
    "dom1: refs ctx_no=$c dfn=0x10 => 2\n"
    "dom1: leaf ctx_no=$c dfn=0x800 => 0 size=2M\n"
    "check\n"
    "fail alloc=3\n"
    "fail flush=1";

static struct scenario *parse(const char *text, size_t size, struct sc_error *error)
{
    /* An allocation of the exact size, so that reading past it shows. */
    char *copy = malloc(size ? size : 1);
    struct scenario *sc;

    memcpy(copy, text, size);
    sc = sc_parse("f", copy, size, error);
    free(copy);
    return sc;
}

static void test_every_construct(void **state)
{
    struct sc_error error;
    struct scenario *sc = parse(whole, sizeof(whole) - 1, &error);

    (void)state;
    if (!sc)
        fail_msg("%s", error.text);
    assert_int_equal(sc->nr_lines, 68);
    assert_int_equal(sc->nr_vars, 6);
    sc_free(sc);
}

static void test_every_prefix(void **state)
{
    struct sc_error error;

    (void)state;
    for (size_t size = 0; size < sizeof(whole); size++) {
        struct scenario *sc = parse(whole, size, &error);

        if (!sc)
            assert_true(error.text[0] && error.line);
        sc_free(sc);
    }
}

/* Each byte of the file in turn replaced by others. */
static void test_every_byte_changed(void **state)
{
    static const unsigned char bytes[] = {0,   '\n', ' ', '=', ';', ':',
                                          '$', ',',  '-', '>', '9', 255};
    char *copy = malloc(sizeof(whole));
    struct sc_error error;

    (void)state;
    memcpy(copy, whole, sizeof(whole));
    for (size_t at = 0; at < sizeof(whole) - 1; at++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            copy[at] = (char)bytes[i];
            sc_free(parse(copy, sizeof(whole) - 1, &error));
        }
        copy[at] = whole[at];
    }
    free(copy);
}

/* Two domains, a device and a variable in five lines; what follows is line 6. */
#define SETUP                            \
    "machine\n"                          \
    "domain dom0 id=0 mem=1M hardware\n" \
    "domain dom1 id=1 mem=1M\n"          \
    "device nic 00:05.0 owner=dom1\n"    \
    "dom1: alloc_context -> $c\n"

static const struct {
    const char *text;  /* line 6 */
    const char *error; /* a part of it */
} wrong[] = {
    {"dom1: map_pages gfn=18446744073709551616", "does not fit in 64 bits"},
    {"dom1: map_pages gfn=0x10000000000000000", "does not fit in 64 bits"},
    {"dom1: map_pages gfn=17179869184G", "does not fit in 64 bits"},
    {"dom1: map_pages ctx_no=65536", "16 bits"},
    {"dom1: map_pages nr_pages=4G", "32 bits"},
    {"dom1: map_pages gfn=", "is no number"},
    {"dom1: map_pages gfn=0x", "is no number"},
    {"dom1: map_pages gfn=-1", "is no number"},
    {"dom1: map_pages gfn=12z", "is no number"},
    {"dom1: map_pages gfn=K", "is no number"},
    {"dom1: map_pages gfn=$nope", "undefined variable '$nope'"},
    {"dom1: map_pages gfn=$", "undefined variable"},
    {"dom1: map_pages frame=1", "no field 'frame', expected: ctx_no, gfn"},
    {"dom1: map_pages gfn=1 gfn=1", "gfn is given twice"},
    {"dom1: map_pages gfn", "expected gfn=VALUE"},
    {"dom1: map_pages =1", "no field ''"},
    {"dom1: map_pages mapped=1", "expected behind =>"},
    {"dom1: map_pages => 0 gfn=1", "gives back no field 'gfn'"},
    {"dom1: map_pages => 0 mapped=1 mapped=1", "given twice"},
    {"dom1: map_pages map_flags=rx", "unknown flag 'rx', expected a number or: r, w, c"},
    {"dom1: map_pages map_flags=", "unknown flag"},
    {"dom1: map_pages => EWHAT", "'EWHAT' is no result"},
    {"dom1: map_pages => -22", "is no result"},
    {"dom1: map_pages =>", "expected a result behind =>, got the end of the line"},
    {"dom1: map_pages => 0 => 0", "a second =>"},
    {"dom1: map_pages => blocked", "outcome of DMA"},
    {"dom1: map_pages ->", "expected $variable behind ->"},
    {"dom1: map_pages -> => 0", "expected $variable behind ->, got =>"},
    {"dom1: map_pages -> c", "is no variable"},
    {"dom1: map_pages -> $", "is no variable"},
    {"dom1: map_pages -> $a $b", "expected ','"},
    {"dom1: map_pages -> $a,", "expected $variable"},
    {"dom1: map_pages -> ,$a", "before ','"},
    {"dom1: map_pages -> $a -> $b", "a second ->"},
    {"dom1: map_pages -> gfn=$a", "gives back no field 'gfn'"},
    {"dom1: free_context -> $a", "gives nothing back"},
    {"dom1: frobnicate", "unknown verb 'frobnicate'"},
    {"dom1: dma_write addr=0", "no verb for a domain"},
    {"nic: map_pages", "no verb for a device"},
    {"map_pages ctx_no=1", "no verb without a subject"},
    {"frobnicate", "unknown verb 'frobnicate'"},
    {"dom1:", "expected a verb, got the end of the line"},
    {": map_pages", "expected a subject"},
    {"dom9: map_pages", "unknown subject 'dom9'"},
    {"dom1: noop ; noop", "';' makes arrays"},
    {"dom1: frames.map_page bfn=1 ; noop", "';' makes arrays"},
    {"dom1: frames.map_page bfn=1 ; frames.map_page bfn=2 => 0", "expected ; and a result"},
    {"dom1: frames.map_page bfn=1 => 0 ; 0", "';' is not expected"},
    {"dom1: frames.raw arg=0 count=1 ; frames.map_page bfn=1", "';' makes arrays"},
    {"dom1: frames.map_page bfn=1 ; frames.raw arg=0 count=1", "';' makes arrays"},
    {"dom1: frames.map_page flags=x", "unknown flag 'x'"},
    {"dom1: frames.map_page domid=1", "no field 'domid'"},
    {"dom1: frames.lookup_foreign_page bfn=1", "expected behind =>"},
    {"dom1: remote domid=1 frames.map_page bfn=1", "is no sub-op"},
    {"dom1: remote domid=1", "expected the command"},
    {"dom1: remote map_pages", "expected domid="},
    {"dom1: remote domid=1 balloon_out gfn=1", "is no sub-op"},
    {"dom1: remote domid=1 remote domid=1 remote domid=1 remote domid=1 remote domid=1 "
     "remote domid=1 remote domid=1 remote domid=1 remote domid=1 remote domid=1 noop",
     "at most 8"},
    {"dom1: continue_every=1 read gfn=1 len=1", "continue_every is for hypercalls"},
    {"dom1: continue_every=5G noop", "32 bits"},
    {"dom1: write gfn=1 bytes=0", "are no bytes"},
    {"dom1: write gfn=1 bytes=0g", "are no bytes"},
    {"dom1: write gfn=1 fill=256", "8 bits"},
    {"dom1: write len=1", "expected gfn="},
    {"dom1: reattach_device dev=gpu", "unknown device 'gpu'"},
    {"dom1: reattach_device dev=00:20.0", "unknown device"},
    {"dom1: reattach_device dev=00:05.8", "unknown device"},
    {"nic: dma_write addr=0 len=1 => blocked reason=", "is no name"},
    {"nic: dma_write addr=0 len=1 => blocked access=both", "expected one of: read, write"},
    {"machine", "once and before everything else"},
    {"require teapot", "expected one of: nested, pasid, superpages, two-devices"},
    {"require", "expected feature"},
    {"require nvme => 0", "has no result"},
    {"domain dom1 id=2 mem=1M", "exists already"},
    {"domain nic id=2 mem=1M", "exists already"},
    {"domain a/b id=2 mem=1M", "is no name"},
    {"domain x mem=1M", "expected id="},
    {"domain x id=2", "expected mem="},
    {"domain x id=65536 mem=1M", "16 bits"},
    {"domain x id=2 mem=1M hardware=1", "takes no value"},
    {"domain x id=2 mem=1M controls=dom1,", "controls: '' is no name"},
    {"device gpu", "expected a PCI address"},
    {"device gpu 5", "is no PCI address"},
    {"device gpu 00:06.0 owner=nobody", "unknown domain 'nobody'"},
    {"device gpu 00:06.0 kind=teapot", "expected one of: dma, edu, nvme"},
    {"device gpu 00:06.0 reserved=1", "is no region"},
    {"device gpu 00:06.0 reserved=2-1:direct", "is no region"},
    {"device gpu 00:06.0 reserved=1-2:soft", "expected one of: direct"},
    {"destroy nic", "unknown domain 'nic'"},
    {"assign nic", "expected a domain"},
    {"dom1: read gfn=1 len=1\001", "byte 0x01 at column 23"},
    {"dom1: read gfn=1 len=\xc3\xa4", "byte 0xc3"},
};

static void test_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[1024];
        struct sc_error error;
        int size = snprintf(text, sizeof(text), SETUP "%s\n# further\n", wrong[i].text);
        struct scenario *sc = parse(text, (size_t)size, &error);

        if (sc)
            fail_msg("accepted: %s", wrong[i].text);
        if (!strstr(error.text, wrong[i].error) || strncmp(error.text, "f:6: ", 5))
            fail_msg("%s\n  said %s\n  expected %s", wrong[i].text, error.text, wrong[i].error);
        assert_int_equal(error.line, 6);
    }
}

static void test_nul_byte(void **state)
{
    static const char text[] = "# one\ncheck\0check\n";
    struct sc_error error;

    (void)state;
    assert_null(parse(text, sizeof(text) - 1, &error));
    assert_int_equal(error.line, 2);
    assert_non_null(strstr(error.text, "NUL"));
}

static void test_long_line(void **state)
{
    size_t size = SC_MAX_LINE + 2;
    char *text = malloc(size);
    struct sc_error error;

    (void)state;
    memset(text, 'a', size);
    assert_null(parse(text, size, &error));
    assert_int_equal(error.line, 1);
    text[0] = '#';
    text[SC_MAX_LINE] = '\n';
    text[SC_MAX_LINE + 1] = '\n';
    sc_free(parse(text, size, &error));
    free(text);
}

static void test_large_file(void **state)
{
    char *text = calloc(1, SC_MAX_FILE + 1);
    struct sc_error error;

    (void)state;
    assert_null(parse(text, SC_MAX_FILE + 1, &error));
    free(text);
}

/* Noise, from a generator that is the same every time. */
static void test_noise(void **state)
{
    static const char some[] = "domain device nic dom1:=>-$;,#0x9KMG\n\n \t\r";
    uint32_t seed = 1;
    struct sc_error error;
    char text[300];

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = round & 1 ? (char)(seed >> 24) : some[(seed >> 16) % (sizeof(some) - 1)];
        }
        sc_free(parse(text, (seed >> 16) % sizeof(text), &error));
    }
}

static void test_values(void **state)
{
    static const char text[] = "domain d id=0x1 mem=3M\n"
                               "d: map_pages gfn=0xffffffffffffffff pgsize=2M map_flags=rwc\n";
    struct sc_error error;
    struct scenario *sc = parse(text, sizeof(text) - 1, &error);
    const struct sc_call *call;

    (void)state;
    assert_non_null(sc);
    call = sc->lines[1].call;
    assert_int_equal(sc_get(sc->lines[0].call, "mem")->number, 3 << 20);
    assert_true(sc_get(call, "gfn")->number == UINT64_MAX);
    assert_int_equal(sc_get(call, "pgsize")->number, 2 << 20);
    assert_int_equal(sc_get(call, "map_flags")->number, 7);
    assert_null(sc_get(call, "nr_pages"));
    assert_string_equal(sc->lines[1].subject, "d");
    assert_int_equal(sc->lines[1].number, 2);
    sc_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_construct),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_nul_byte),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_large_file),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
