/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On hardware models: QEMU's VT-d, edu and NVMe, driven by the library's own driver. Calls against
 * one access to a register, which is the least that a flush can cost there; and a mapping made for
 * each transfer against the same transfer through a standing identity map.
 */
#include <stdio.h>

#include "../host/vtd/vtd.h"
#include "bench.h"
#include "calls.h"

#define CALLS  64u /* in a round */
#define PAGES  256u
#define ROUNDS 101u
#define EDU    (5u << 3)
#define DISK   (6u << 3)
#define BYTES  1024u /* of one of edu's transfers */
#define BLOCKS 8u    /* of one of the disk's: 4 KiB */

struct world {
    struct machine *m;
    struct machine_domain *d;
    struct edu *edu;
    struct nvme *nvme;
    uint16_t ctx_no;
};

/* Register accesses of the driver: a hypervisor's MMIO, or a VMM's exits where it is nested. */
static uint64_t accesses;

static uint64_t counted_read(struct machine *m, uint64_t maddr, unsigned size)
{
    accesses++;
    return vtd_backend.mmio_read(m, maddr, size);
}

static void counted_write(struct machine *m, uint64_t maddr, unsigned size, uint64_t value)
{
    accesses++;
    vtd_backend.mmio_write(m, maddr, size, value);
}

/* One round: what is moved, by what, and through which mapping. */
struct round {
    struct world *w;
    struct range range;
    void (*dma)(struct world *w, uint64_t addr);
    uint8_t devfn;
};

static void edu_write(struct world *w, uint64_t addr)
{
    must(edu_transfer(w->edu, addr, 0, BYTES, true, false));
}

static void disk_read(struct world *w, uint64_t addr)
{
    must(nvme_rw(w->nvme, 0, BLOCKS, addr, false));
}

static void read_register(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        (void)counted_read(r->w->m, QEMU_VTD_REGISTERS + VTD_FSTS, 4);
}

static void map_unmap(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++) {
        map(&r->range, 0);
        unmap(&r->range, 0);
    }
}

static void to_identity(void *arg)
{
    const struct round *r = arg;

    attach(&(struct range){.d = r->range.d}, r->devfn);
}

static void to_context(void *arg)
{
    const struct round *r = arg;

    attach(&r->range, r->devfn);
}

static void standing(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++)
        r->dma(r->w, (uint64_t)CALLS_GFN << FRAME_LG2);
}

static void each_mapped(void *arg)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < CALLS; i++) {
        map(&r->range, 0);
        r->dma(r->w, (uint64_t)CALLS_DFN << FRAME_LG2);
        unmap(&r->range, 0);
    }
}

static void bench_calls(struct world *w, uint32_t nr_pages)
{
    struct round r = {.w = w, .range = {w->d, w->ctx_no, nr_pages}, .devfn = EDU};
    char name[64];
    const struct bench_case c = {.name = name,
                                 .yardstick = "register",
                                 .limit = {NULL, read_register, &r, CALLS},
                                 .subject = {NULL, map_unmap, &r, CALLS},
                                 .rounds = ROUNDS};

    snprintf(name, sizeof(name), "vtd: map + unmap %u x 4K", nr_pages);
    to_context(&r);
    bench_run(&c);
}

/* The last transfer must have gone to where the mapping says: otherwise nothing was measured. */
static void check_moved(struct round *r)
{
    static const uint64_t poison = 0xdbdbdbdbdbdbdbdb;
    const uint64_t gpa = (uint64_t)CALLS_GFN << FRAME_LG2;
    uint64_t word = 0;

    must(machine_guest_write(r->range.d, gpa, &poison, sizeof(poison)));
    to_context(r);
    each_mapped(r);
    must(machine_guest_read(r->range.d, gpa, &word, sizeof(word)));
    if (word == poison)
        must(-EIO);
}

static void bench_dma(struct world *w, const char *name, uint8_t devfn,
                      void (*dma)(struct world *w, uint64_t addr))
{
    struct round r = {.w = w, .range = {w->d, w->ctx_no, 1}, .dma = dma, .devfn = devfn};
    const struct bench_case c = {.name = name,
                                 .yardstick = "identity",
                                 .limit = {to_identity, standing, &r, CALLS},
                                 .subject = {to_context, each_mapped, &r, CALLS},
                                 .rounds = ROUNDS};

    check_moved(&r);
    bench_run(&c);
    to_identity(&r);
}

struct cost {
    uint64_t submissions, accesses;
};

static struct cost cost_now(const struct world *w)
{
    return (struct cost){submissions(w->m), accesses};
}

static void count_cost(const struct world *w, const char *what, struct cost before,
                       struct cost limit)
{
    char name[96];

    snprintf(name, sizeof(name), "vtd: submissions, %s", what);
    bench_count(name, submissions(w->m) - before.submissions, limit.submissions);
    snprintf(name, sizeof(name), "vtd: register accesses, %s", what);
    bench_count(name, accesses - before.accesses, limit.accesses);
}

/* A tail write each, and no look at a register: QEMU completes at the write. */
static void count_calls(struct world *w, uint64_t of_map, const char *mode)
{
    struct range r = {w->d, w->ctx_no, 0};
    struct cost before = cost_now(w);
    char what[48];

    attach(&r, EDU);
    snprintf(what, sizeof(what), "reattach%s", mode);
    count_cost(w, what, before, (struct cost){1, 1});
    for (r.nr_pages = 1; r.nr_pages <= PAGES; r.nr_pages *= PAGES) {
        before = cost_now(w);
        map(&r, 0);
        snprintf(what, sizeof(what), "map %u%s", r.nr_pages, mode);
        count_cost(w, what, before, (struct cost){of_map, of_map});
        before = cost_now(w);
        unmap(&r, 0);
        snprintf(what, sizeof(what), "unmap %u%s", r.nr_pages, mode);
        count_cost(w, what, before, (struct cost){1, 1});
    }
    attach(&(struct range){.d = w->d}, EDU);
}

static void add_device(struct world *w, const char *name, const struct machine_slot *slot,
                       struct machine_device **out)
{
    struct sluice_region mailbox;
    struct machine_device_config config = {
        .name = name, .kind = slot->kind, .rids = {slot->rids[0]}, .nr_rids = 1};

    if (machine_region(w->m, slot->rids[0], 0, &mailbox)) {
        config.regions = &mailbox;
        config.nr_regions = 1;
    }
    must(machine_device_add(w->m, &config, out));
    must(machine_device_assign(*out, w->d));
}

/* False where there is no QEMU: said on standard output. */
static bool build(struct world *w, bool caching_mode)
{
    static struct machine_backend backend;
    static const struct machine_slot slots[] = {
        {.rids = {{EDU}}, .nr_rids = 1, .kind = MACHINE_DMA},
        {.rids = {{DISK}}, .nr_rids = 1, .kind = MACHINE_NVME}};
    const struct machine_config mc = {.backend = &backend,
                                      .ram = 256u << 20,
                                      .caching_mode = caching_mode,
                                      .slots = slots,
                                      .nr_slots = 2};
    const struct machine_domain_config guest = {
        .name = "guest", .domid = 1, .mem = 128u << 20, .contiguous = true};
    struct machine_device *edu, *disk;
    enum hw_reason reason;
    char error[MACHINE_ERROR_SIZE] = "";

    backend = vtd_backend;
    backend.mmio_read = counted_read;
    backend.mmio_write = counted_write;
    if (machine_create(&mc, &w->m, error)) {
        printf("skipped\tvtd: %s\n", error);
        return false;
    }
    must(machine_domain_add(w->m, &guest, &w->d));
    add_device(w, "edu", &slots[0], &edu);
    add_device(w, "disk", &slots[1], &disk);
    w->ctx_no = new_context(w->d);
    w->edu = &((struct vtd_slot *)edu->state)->edu;
    w->nvme = &((struct vtd_slot *)disk->state)->nvme;
    must(
        machine_disk(disk, 0, 1, (uint64_t)CALLS_GFN << FRAME_LG2, false, &reason)); /* starts it */
    return true;
}

int main(int argc, char **argv)
{
    struct world w;
    unsigned left;

    if (argc > 1)
        bench_only(argv[1]);
    bench_heading();
    if (!build(&w, false))
        return 0;
    bench_calls(&w, 1);
    bench_calls(&w, PAGES);
    bench_dma(&w, "vtd: map + edu 1K + unmap", EDU, edu_write);
    bench_dma(&w, "vtd: map + nvme read 4K + unmap", DISK, disk_read);
    count_calls(&w, 0, "");
    left = machine_destroy(w.m);
    if (left || !build(&w, true))
        return 1;
    count_calls(&w, 1, ", caching mode");
    return machine_destroy(w.m) ? 1 : 0;
}
