/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake unit's registers, queue, and host. */
#include <string.h>

#include "vtd_fake_internal.h"

static bool alloc_fails(struct fake *f)
{
    return f->fail_alloc && !--f->fail_alloc;
}

static int alloc_page(void *host, mfn_t *page)
{
    struct fake *f = host;

    if (alloc_fails(f))
        return -ENOMEM;
    for (unsigned i = 1; i < FAKE_PAGES; i++) {
        if (f->used[i])
            continue;
        f->used[i] = true;
        f->pages++;
        memset(f->view + i * FRAME_SIZE, 0xff, FRAME_SIZE);
        memset(f->ram + i * FRAME_SIZE, 0, FRAME_SIZE);
        *page = mfn_of(i);
        return 0;
    }
    return -ENOMEM;
}

static void free_page(void *host, mfn_t page)
{
    struct fake *f = host;

    assert_true(f->used[page.n]);
    f->used[page.n] = false;
    f->pages--;
}

static void *alloc_object(void *host, size_t size)
{
    struct fake *f = host;

    if (alloc_fails(f))
        return NULL;
    f->objects++;
    return calloc(1, size);
}

static void free_object(void *host, void *object, size_t size)
{
    struct fake *f = host;

    (void)size;
    f->objects--;
    free(object);
}

static void lock(void *host, struct sluice_lock *l)
{
    (void)host;
    assert_int_equal(l->opaque[0]++, 0);
}

static void unlock(void *host, struct sluice_lock *l)
{
    (void)host;
    assert_int_equal(--l->opaque[0], 0);
}

static uint64_t now_ns(void *host)
{
    return ((struct fake *)host)->clock += 1000000;
}

static void relax(void *host)
{
    struct fake *f = host;

    if (f->late && !--f->late)
        fake_run_queue(f);
}

static void writeback(void *host, const void *p, size_t size)
{
    struct fake *f = host;
    const size_t at = (size_t)((const char *)p - f->ram);

    assert_ptr_not_equal(f->ram, f->view);
    assert_true(at + size <= FAKE_PAGES * FRAME_SIZE);
    memcpy(f->view + at, f->ram + at, size);
    if (f->sample)
        f->sample(f);
}

static void event(void *host, const struct sluice_event *e)
{
    (void)e;
    ((struct fake *)host)->errors++;
}

static void __attribute__((noreturn)) panic(void *host, const char *what)
{
    (void)host;
    mock_assert(0, what, __FILE__, __LINE__);
    abort();
}

/* ---- Registers ---------------------------------------------------------------------------------
 */

static void drop_all(struct fake *f)
{
    memset(f->context, 0, sizeof(f->context));
    memset(f->pasid, 0, sizeof(f->pasid));
    memset(f->tlb, 0, sizeof(f->tlb));
}

static unsigned bits(uint32_t word)
{
    return (unsigned)__builtin_popcount(word);
}

/* Persistent: TE 31, EAFL 28, QIE 26, IRE 25, CFI 23. One-shot: SRTP 30, WBF 27, SIRTP 24. */
static void gcmd(struct fake *f, uint32_t value)
{
    const uint32_t persistent = 1u << 31 | 1u << 28 | 1u << 26 | 1u << 25 | 1u << 23;
    const uint32_t shots = 1u << 30 | 1u << 29 | 1u << 27 | 1u << 24;
    const uint32_t changed = (value ^ f->gsts) & persistent;

    if (f->stuck & (changed | (value & shots)))
        return;
    assert_true(bits(changed) + bits(value & shots) <= 1);
    if (changed & 1u << 26 && value & 1u << 26) {
        assert_int_equal(f->iqt, 0);
        f->iqh = 0;
        f->hangs &= 1;
    }
    if (changed & 1u << 31 && value & 1u << 31)
        assert_true(f->gsts & 1u << 30);
    f->gsts = (f->gsts & ~persistent) | (value & persistent);
    if (value & 1u << 30) {
        f->gsts |= 1u << 30;
        f->root = f->rtaddr;
        if (f->cap >> 63)
            drop_all(f);
    }
    if (value & 1u << 24) {
        f->gsts |= 1u << 24;
        f->ir = f->irta;
    }
    f->write_buffer_flushes += value >> 27 & 1;
}

static uint64_t *frcd(struct fake *f, uint64_t at)
{
    const uint64_t base = (f->cap >> 24 & 0x3ff) * 16, nr = (f->cap >> 40 & 0xff) + 1;

    if (at < base || at >= base + nr * 16)
        return NULL;
    return &f->frcd[(at - base) / 16][at % 16 / 8];
}

static uint32_t fsts(const struct fake *f)
{
    uint32_t value = f->fsts & ~2u;

    for (unsigned i = 0; i <= (f->cap >> 40 & 0xff); i++)
        value |= f->frcd[i][1] >> 63 ? 2u : 0;
    return value;
}

static uint64_t mmio_read(void *host, uint64_t maddr, unsigned size)
{
    struct fake *f = host;
    const uint64_t at = maddr - FAKE_BASE, iro = (f->ecap >> 8 & 0x3ff) * 16;

    if (frcd(f, at)) {
        assert_int_equal(size, 8);
        return *frcd(f, at);
    }
    if (at == iro || at == iro + 8)
        return at == iro ? f->iva : f->iotlb;
    switch (at) {
    case 0x00:
        return 0x10;
    case 0x08:
        assert_int_equal(size, 8);
        return f->cap;
    case 0x10:
        assert_int_equal(size, 8);
        return f->ecap;
    case 0x1c:
        assert_int_equal(size, 4);
        return f->gsts;
    case 0x20:
        return f->rtaddr;
    case 0x28:
        return f->ccmd;
    case 0x34:
        return fsts(f);
    case 0x38:
        return f->fectl;
    case 0x64:
        return f->pmen;
    case 0x80:
        return f->iqh;
    case 0x88:
        return f->iqt;
    case 0xb0:
        return 3;
    }
    fail_msg("read of register 0x%x", (unsigned)at);
    return 0;
}

static void write_fsts(struct fake *f, uint32_t value)
{
    const uint32_t stopped = f->fsts & 0x50;

    f->fsts &= ~(value & 0xf9);
    if (stopped && !(f->fsts & 0x50) && f->gsts & 1u << 26 && f->iqh != f->iqt)
        fake_run_queue(f);
}

static void mmio_write(void *host, uint64_t maddr, unsigned size, uint64_t value)
{
    struct fake *f = host;
    const uint64_t at = maddr - FAKE_BASE, iro = (f->ecap >> 8 & 0x3ff) * 16;

    if (frcd(f, at)) {
        assert_int_equal(at % 16, 8);
        if (value >> 63)
            *frcd(f, at) &= ~(1ull << 63);
        return;
    }
    if (at == iro) {
        f->iva = value;
        return;
    }
    if (at == iro + 8) {
        fake_iotlb_register(f, value);
        return;
    }
    assert_int_equal(size,
                     at == 0x18 || at == 0x34 || at == 0x38 || at == 0x64 || at == 0xa0 ? 4 : 8);
    switch (at) {
    case 0x18:
        gcmd(f, (uint32_t)value);
        return;
    case 0x20:
        f->rtaddr = value;
        return;
    case 0x28:
        fake_context_register(f, value);
        return;
    case 0x34:
        write_fsts(f, (uint32_t)value);
        return;
    case 0x38:
        f->fectl = (uint32_t)value;
        return;
    case 0x64:
        f->pmen = value >> 31 ? 0x80000001u : 0;
        return;
    case 0x88:
        f->iqt = (uint32_t)value;
        if (!(f->gsts & 1u << 26))
            return;
        f->submissions++;
        if (!f->late)
            fake_run_queue(f);
        return;
    case 0x90:
        assert_false(f->gsts & 1u << 26);
        f->iqa = value;
        return;
    case 0xa0:
        f->iectl = (uint32_t)value;
        return;
    case 0xb8:
        f->irta = value;
        return;
    }
    fail_msg("write of register 0x%x", (unsigned)at);
}

struct fake *fake_create(uint64_t cap, uint64_t ecap)
{
    struct fake *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->cap = cap;
    f->ecap = ecap;
    f->ram = f->view = aligned_alloc(FRAME_SIZE, FAKE_PAGES * FRAME_SIZE);
    if (!(ecap & FAKE_C) || (ecap & 1ull << 43 && !(ecap >> 48 & 1)))
        f->view = aligned_alloc(FRAME_SIZE, FAKE_PAGES * FRAME_SIZE);
    assert_non_null(f->ram);
    assert_non_null(f->view);
    f->port = (struct sluice_port){
        .host = f,
        .direct_map = f->ram,
        .alloc_page = alloc_page,
        .free_page = free_page,
        .alloc = alloc_object,
        .free = free_object,
        .lock = lock,
        .unlock = unlock,
        .now_ns = now_ns,
        .relax = relax,
        .writeback = writeback,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .event = event,
        .panic = panic,
    };
    return f;
}

void fake_destroy(struct fake *f)
{
    assert_int_equal(f->pages, 0);
    assert_int_equal(f->objects, 0);
    if (f->view != f->ram)
        free(f->view);
    free(f->ram);
    free(f);
}
