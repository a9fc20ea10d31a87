/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define IOTLB 0xf0u
#define FAULT 0x220u

struct fake {
    struct unit unit;
    struct fake_faults faults;
    uint8_t regs[4096];
    uint8_t ram[WORLD_RAM];
    uint64_t word; /* in the cache */
};

static struct fake *of(struct unit *u)
{
    return (struct fake *)u;
}

static uint64_t fake_read(struct unit *u, unsigned offset, unsigned size)
{
    uint64_t value = 0;

    if (offset + size <= sizeof(of(u)->regs))
        memcpy(&value, of(u)->regs + offset, size);
    return value;
}

static void fake_load(struct unit *u, uint64_t addr, void *to, size_t size)
{
    memset(to, 0, size);
    if (addr < WORLD_RAM)
        memcpy(to, of(u)->ram + addr, size);
}

static void fake_store(struct unit *u, uint64_t addr, const void *from, size_t size)
{
    if (addr < WORLD_RAM)
        memcpy(of(u)->ram + addr, from, size);
}

static void invalidate(struct fake *f)
{
    if (!f->faults.deaf)
        fake_load(&f->unit, table_page(PAGE_TREES), &f->word, sizeof(f->word));
}

static void set(struct fake *f, unsigned offset, unsigned size, uint64_t value)
{
    memcpy(f->regs + offset, &value, size);
}

static bool is_read_only(unsigned offset)
{
    return offset == VTD_CAP || offset == VTD_ECAP || offset == VTD_GSTS || offset == VTD_FSTS ||
           offset == VTD_IQH || offset >= FAULT;
}

static void fake_write(struct unit *u, unsigned offset, unsigned size, uint64_t value)
{
    struct fake *f = of(u);

    if (is_read_only(offset) || (f->faults.lost && offset == f->faults.lost))
        return;
    if (offset == VTD_GCMD)
        set(f, VTD_GSTS, 4, value & VTD_GCMD_PERSISTENT);
    if (offset == VTD_IQT)
        set(f, VTD_IQH, 8, value);
    if (offset == VTD_IQT || offset == VTD_CCMD || offset == IOTLB + VTD_IOTLB_REG)
        invalidate(f);
    set(f, offset, size, offset == VTD_GCMD ? 0 : value);
}

static void fake_dma(struct unit *u, uint16_t sid, uint64_t addr, void *data, size_t size,
                     bool write)
{
    struct fake *f = of(u);
    uint64_t word = unit_load(u, table_page(PAGE_TREES));

    (void)sid;
    if (f->faults.caches)
        word = f->word;
    if (word)
        addr = (word & ~0xfffull) | (addr & 0xfff);
    if (write)
        fake_store(u, f->faults.astray ? addr + WORLD_PAGE : addr, data, size);
    else
        fake_load(u, addr, data, size);
}

static unsigned fake_msi(struct unit *u, uint16_t sid, uint64_t addr, uint32_t data,
                         struct unit_interrupt *out)
{
    (void)sid;
    (void)addr;
    *out = (struct unit_interrupt){.vector = (uint8_t)data};
    return !of(u)->faults.forgetful;
}

static const char *fake_gone(struct unit *u)
{
    (void)u;
    return NULL;
}

static void fake_close(struct unit *u)
{
    free(u);
}

static const struct unit_ops fake_ops = {
    .read = fake_read,
    .write = fake_write,
    .load = fake_load,
    .store = fake_store,
    .dma = fake_dma,
    .msi = fake_msi,
    .gone = fake_gone,
    .close = fake_close,
};

struct unit *fake_open(const struct fake_faults *faults)
{
    struct fake *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->unit = (struct unit){.ops = &fake_ops, .name = "fake"};
    f->faults = *faults;
    set(f, VTD_CAP, 8, FIELD_PREP(VTD_CAP_FRO, FAULT / 16));
    set(f, VTD_ECAP, 8, FIELD_PREP(VTD_ECAP_IRO, IOTLB / 16));
    unit_learn(&f->unit);
    return &f->unit;
}
