/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: mediated-nvme [--machine=soft|vtd|vtd-scalable]
 *
 * A story in plain words, and a test: the status is 0 if everything came as told, 77 if the machine
 * is not there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define PAGE       4096u
#define REQUEST_AT 0x8000u /* the guest's address of its request */
#define BUFFER     0x10u   /* a page of the driver domain's own */
#define NEW_GFN    0x200u  /* where the neighbour gets pages */
#define ASIDE      0x1000u /* lba: blocks that nothing else is in */
#define BLOCKS     64u

static bool failed;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* What the story says has to be so. */
static void must(bool so, const char *what)
{
    if (so)
        return;
    tell("  THIS IS NOT SO: %s", what);
    failed = true;
}

/* ---- Data --------------------------------------------------------------------------------------
 */

/* What block lba has in it: each has its own. */
static void pattern(uint64_t lba, uint32_t count, unsigned char *out)
{
    for (uint32_t i = 0; i < count * BLOCK; i++)
        out[i] = (unsigned char)((lba + i / BLOCK) * 37 + (uint64_t)(i % BLOCK) * 11 + 5);
}

static bool has_pattern(const unsigned char *page, uint64_t lba)
{
    unsigned char want[PAGE];

    pattern(lba, BLOCKS_PER_PAGE, want);
    return !memcmp(page, want, PAGE);
}

static void fill(struct machine_domain *d, uint64_t gfn, int byte)
{
    unsigned char page[PAGE];

    memset(page, byte, PAGE);
    must(!machine_guest_write(d, gfn * PAGE, page, PAGE), "the page is there");
}

static bool is_filled(struct machine_domain *d, uint64_t gfn, int byte)
{
    unsigned char page[PAGE], want[PAGE];

    memset(want, byte, PAGE);
    return !machine_guest_read(d, gfn * PAGE, page, PAGE) && !memcmp(page, want, PAGE);
}

static bool guest_has(struct world *w, uint64_t gfn, uint64_t lba)
{
    unsigned char page[PAGE];

    return !machine_guest_read(w->guest, gfn * PAGE, page, PAGE) && has_pattern(page, lba);
}

static int disk(struct world *w, uint64_t lba, uint64_t bfn, bool write)
{
    enum hw_reason reason;

    return machine_disk(w->disk, lba, BLOCKS_PER_PAGE, bfn * PAGE, write, &reason);
}

/* The driver domain writes the disk from a page of its own. */
static void fill_disk(struct world *w)
{
    unsigned char page[PAGE];

    for (uint64_t lba = 0; lba < BLOCKS; lba += BLOCKS_PER_PAGE) {
        pattern(lba, BLOCKS_PER_PAGE, page);
        must(!machine_guest_write(w->driver, (uint64_t)BUFFER * PAGE, page, PAGE),
             "the buffer is there");
        must(!disk(w, lba, BUFFER, true), "the disk is written");
    }
}

/* The device reads what its own bus frame leads to, and the driver domain looks at that. */
static bool bus_frame_has(struct world *w, uint64_t bfn, uint64_t lba)
{
    unsigned char page[PAGE];

    return !disk(w, ASIDE, bfn, true) && !disk(w, ASIDE, BUFFER, false) &&
           !machine_guest_read(w->driver, (uint64_t)BUFFER * PAGE, page, PAGE) &&
           has_pattern(page, lba);
}

/* ---- Frames ------------------------------------------------------------------------------------
 */

static uint64_t frame_of(struct machine_domain *d, uint64_t gfn)
{
    mfn_t mfn;

    if (sluice_memory_lookup(machine_domain_sluice(d), gfn_of(gfn), &mfn))
        return UINT64_MAX;
    return mfn.n;
}

static unsigned references(struct world *w, uint64_t mfn)
{
    struct sluice_frame_info info;

    must(!sluice_frame_info(machine_sluice(w->m), mfn_of(mfn), &info), "it is a frame");
    return info.refs;
}

/* ---- The story ---------------------------------------------------------------------------------
 */

static void request(struct world *w, uint64_t lba, uint64_t first, uint64_t second, uint64_t third)
{
    const struct disk_request r = {
        .lba = lba, .count = 3 * BLOCKS_PER_PAGE, .status = 1, .gfns = {first, second, third}};

    must(!machine_guest_write(w->guest, REQUEST_AT, &r, sizeof(r)), "the request is written");
}

static int answer(struct world *w)
{
    struct disk_request r;

    must(!machine_guest_read(w->guest, REQUEST_AT, &r, sizeof(r)), "the answer is there");
    return r.status;
}

static void plain_read(struct world *w)
{
    struct emulator *e = &w->emulator;

    tell("The guest asks for 24 blocks, into its pages 0x20, 0x45 and 0x31.");
    request(w, 0, 0x20, 0x45, 0x31);
    must(!emulator_prepare(e, REQUEST_AT, 0), "the pages are mapped");
    tell("  The emulator maps them for the disk: one hypercall, bus frames 0x%llx, 0x%llx, 0x%llx.",
         (unsigned long long)e->pages[0].bfn, (unsigned long long)e->pages[1].bfn,
         (unsigned long long)e->pages[2].bfn);
    must(!emulator_finish(e, emulator_move(e)), "the pages are unmapped");
    must(!answer(w), "the request went well");
    must(guest_has(w, 0x20, 0) && guest_has(w, 0x45, 8) && guest_has(w, 0x31, 16),
         "the guest has the blocks");
    tell("  The disk stores the blocks there itself. The guest looks: 12288 bytes, all right.");
}

static void lies(struct world *w)
{
    tell("The guest asks again, and names a page 0x999 that it does not have.");
    request(w, 0, 0x20, 0x999, 0x31);
    must(emulator_prepare(&w->emulator, REQUEST_AT, 0) == -ENXIO, "the request is refused");
    must(!emulator_finish(&w->emulator, -ENXIO), "there is nothing to undo");
    must(answer(w) == -ENXIO, "the guest is told");
    tell("  Refused: nothing stays mapped, and the emulator goes on.");
}

/* The guest's old frame is free at once, and the neighbour gets it. */
static void swapped(struct world *w)
{
    const uint64_t frame = frame_of(w->guest, 0x50);
    struct emulator *e = &w->emulator;
    uint64_t bfn;

    tell("Now a race. The emulator maps pages 0x50, 0x51, 0x52 and allows a swap.");
    request(w, 24, 0x50, 0x51, 0x52);
    must(!emulator_prepare(e, REQUEST_AT, IOMMU_MAP_OP_swap_mfn), "the pages are mapped");
    bfn = e->pages[0].bfn;
    must(!disk(w, 24, bfn, false) && guest_has(w, 0x50, 24), "the disk has begun");
    must(!machine_balloon_out(w->guest, 0x50, 1), "the page is given up");
    must(!references(w, frame), "its frame is free at once");
    tell("  The disk is at work when the guest gives page 0x50 back. Its frame 0x%llx is free at "
         "once,",
         (unsigned long long)frame);
    must(!machine_populate(w->neighbour, NEW_GFN, 1), "the neighbour gets a page");
    must(frame_of(w->neighbour, NEW_GFN) == frame, "the neighbour gets that frame");
    fill(w->neighbour, NEW_GFN, 0x4e);
    tell("  and a neighbour gets it, and keeps something of its own there.");
    must(!emulator_move(e), "the disk does not even notice");
    must(is_filled(w->neighbour, NEW_GFN, 0x4e), "the neighbour's page is as it was");
    must(guest_has(w, 0x51, 32) && guest_has(w, 0x52, 40), "the other pages have their blocks");
    tell("  The disk stores its blocks. The neighbour's page: untouched. The guest's others: "
         "right.");
    must(bus_frame_has(w, bfn, 24), "the blocks are in the scratch page");
    tell("  The blocks for 0x50 are in a scratch page that is nobody's: the disk reads them back.");
    must(e->told == 0 && !emulator_finish(e, 0) && e->told == 1, "the emulator is told once");
    must(disk(w, 0, bfn, false) == -EACCES, "the bus frame leads nowhere");
    tell("  The emulator is told (INVALIDATE 0x%llx), and unmaps: DMA to there is blocked now.",
         (unsigned long long)bfn);
}

/* The guest's old frame waits for the emulator. */
static void held(struct world *w)
{
    const uint64_t frame = frame_of(w->guest, 0x60);
    struct emulator *e = &w->emulator;
    uint64_t bfn;

    tell("The same with pages 0x60, 0x61, 0x62, and no swap allowed.");
    request(w, 24, 0x60, 0x61, 0x62);
    must(!emulator_prepare(e, REQUEST_AT, 0), "the pages are mapped");
    bfn = e->pages[0].bfn;
    must(!machine_balloon_out(w->guest, 0x60, 1), "the page is given up");
    must(references(w, frame) == 1, "its frame is held");
    must(!machine_populate(w->neighbour, NEW_GFN + 1, 1), "the neighbour gets a page");
    must(frame_of(w->neighbour, NEW_GFN + 1) != frame, "the neighbour gets another frame");
    fill(w->neighbour, NEW_GFN + 1, 0x4f);
    tell("  The guest gives 0x60 back. Its frame 0x%llx is kept: the neighbour gets another, "
         "0x%llx.",
         (unsigned long long)frame, (unsigned long long)frame_of(w->neighbour, NEW_GFN + 1));
    must(!emulator_move(e), "the disk does not even notice");
    must(bus_frame_has(w, bfn, 24), "the blocks are in the frame that is kept");
    must(is_filled(w->neighbour, NEW_GFN, 0x4e) && is_filled(w->neighbour, NEW_GFN + 1, 0x4f),
         "the neighbour's pages are as they were");
    tell("  The disk stores its blocks: in the old frame, which nobody else has.");
    must(!emulator_finish(e, 0) && e->told == 2, "the emulator is told once");
    must(!references(w, frame), "its frame is free");
    tell("  The emulator is told, and unmaps: now the frame is free.");
}

static void story(struct world *w)
{
    tell("The driver domain has the disk, and puts a pattern of its own into each block.");
    tell("The guest has no device. Its requests go to an emulator in the driver domain.");
    fill_disk(w);
    putchar('\n');
    plain_read(w);
    putchar('\n');
    lies(w);
    putchar('\n');
    swapped(w);
    putchar('\n');
    held(w);
    putchar('\n');
}

/* ---- Which machine -----------------------------------------------------------------------------
 */

static const struct kind {
    const char *name, *words;
    const struct machine_backend *backend;
    bool scalable;
} kinds[] = {
    {"soft", "made of memory, with a software IOMMU", &soft_backend, false},
    {"vtd", "of QEMU's device models: its NVMe disk behind its VT-d", &vtd_backend, false},
    {"vtd-scalable", "of QEMU's device models: its NVMe disk behind its VT-d in scalable mode",
     &vtd_backend, true},
    {NULL, NULL, NULL, false},
};

static const struct kind *find_kind(int argc, char **argv)
{
    const char *const option = "--machine=";
    const struct kind *kind = kinds;

    if (argc == 1)
        return kind;
    if (argc > 2 || strncmp(argv[1], option, strlen(option)))
        return NULL;
    while (kind->name && strcmp(kind->name, argv[1] + strlen(option)))
        kind++;
    return kind->name ? kind : NULL;
}

int main(int argc, char **argv)
{
    static struct world w;
    const struct kind *kind = find_kind(argc, argv);
    char error[160];
    int err;

    if (!kind) {
        fprintf(stderr, "usage: mediated-nvme [--machine=soft|vtd|vtd-scalable]\n");
        return 2;
    }
    err = world_open(&w, kind->backend, kind->scalable, error);
    if (err) {
        printf("there is no machine %s: %s\n", kind->name, error);
        return err == -ENOENT ? 77 : 1;
    }
    tell("A disk for two. The machine is %s.", kind->words);
    story(&w);
    must(!world_close(&w), "nothing is held, and no frame has leaked");
    tell(failed ? "Something was not as told." : "Everything was as told; no frame has leaked.");
    return failed ? 1 : 0;
}
