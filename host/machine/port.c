/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine as the library's host. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

/* Does the allocation that is asked for now fail? */
static bool alloc_fails(struct machine *m)
{
    if (!m->fail_alloc || --m->fail_alloc)
        return false;
    m->failed = true;
    return true;
}

static int alloc_page(void *host, mfn_t *page)
{
    struct machine *m = host;
    int err = alloc_fails(m) ? -ENOMEM : ram_alloc(&m->ram, page);

    m->allocs += !err;
    return err;
}

static void free_page(void *host, mfn_t page)
{
    struct machine *m = host;

    m->frees++;
    ram_free(&m->ram, page);
}

static void *alloc_object(void *host, size_t size)
{
    struct machine *m = host;
    void *object = alloc_fails(m) ? NULL : calloc(1, size);

    m->allocs += object != NULL;
    return object;
}

static void free_object(void *host, void *object, size_t size)
{
    struct machine *m = host;

    (void)size;
    m->frees++;
    free(object);
}

static void release_frame(void *host, mfn_t frame)
{
    struct machine *m = host;

    ram_release(&m->ram, frame);
}

static int copy_from_guest(void *host, void *guest, void *to, uint64_t from, size_t size)
{
    (void)host;
    return machine_guest_read(guest, from, to, size) ? -EFAULT : 0;
}

static int copy_to_guest(void *host, void *guest, uint64_t to, const void *from, size_t size)
{
    (void)host;
    return machine_guest_write(guest, to, from, size) ? -EFAULT : 0;
}

/* One access, as hardware makes it, where its size allows. */
static bool is_word(const void *at, size_t size)
{
    return (size == 4 || size == 8) && (uintptr_t)at % size == 0;
}

static uint64_t read_word(const void *at, size_t size)
{
    return size == 8 ? __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE)
                     : __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}

/* Neighbouring entries: each is a word. */
static void read_frame(void *host, mfn_t frame, unsigned offset, void *to, size_t size)
{
    const struct machine *m = host;
    const char *at = ram_at(&m->ram, (frame.n << FRAME_LG2) + offset);
    const size_t step = size % 8 ? size : 8;
    uint64_t word;

    if (!is_word(at, step)) {
        memcpy(to, at, size);
        return;
    }
    for (size_t i = 0; i < size; i += step) {
        word = read_word(at + i, step);
        memcpy((char *)to + i, &word, step);
    }
}

static void write_frame(void *host, mfn_t frame, unsigned offset, const void *from, size_t size)
{
    const struct machine *m = host;
    void *at = ram_at(&m->ram, (frame.n << FRAME_LG2) + offset);
    uint64_t word = 0;

    if (!is_word(at, size)) {
        memcpy(at, from, size);
        return;
    }
    memcpy(&word, from, size);
    if (size == 8)
        __atomic_store_n((uint64_t *)at, word, __ATOMIC_RELEASE);
    else
        __atomic_store_n((uint32_t *)at, (uint32_t)word, __ATOMIC_RELEASE);
}

static void deliver(void *host, void *guest, uint64_t address, uint32_t data)
{
    struct machine_domain *d = guest;

    (void)host;
    d->events++;
    d->event = (struct hw_message){.address = address, .data = data};
}

static struct machine_domain *by_domid(struct machine *m, uint16_t domid)
{
    struct machine_domain *d = m->domains;

    while (d && d->domid != domid)
        d = d->next;
    return d;
}

/* One who controls somebody, or the hardware domain, may learn that a domain does not exist. */
static bool may_control(void *host, uint16_t caller, uint16_t target, unsigned subop)
{
    const struct machine_domain *c = by_domid(host, caller), *t = by_domid(host, target);

    (void)subop;
    if (!t)
        return c->hardware || c->nr_controls;
    for (unsigned i = 0; i < c->nr_controls; i++)
        if (!strcmp(c->controls[i], t->name))
            return true;
    return false;
}

static void lock(void *host, struct sluice_lock *l)
{
    (void)host;
    while (__atomic_exchange_n(&l->opaque[0], 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void unlock(void *host, struct sluice_lock *l)
{
    (void)host;
    __atomic_store_n(&l->opaque[0], 0, __ATOMIC_RELEASE);
}

static bool preempt(void *host)
{
    struct machine *m = host;

    return m->preempt_every && ++m->preempt_count % m->preempt_every == 0;
}

static uint64_t now_ns(void *host)
{
    struct machine *m = host;

    return m->backend->now_ns(m) + m->skipped_ns;
}

static void relax(void *host)
{
    (void)host;
}

#define LINE 64u

static void writeback(void *host, const void *p, size_t size)
{
    const struct machine *m = host;
    const uint64_t first = (uint64_t)((const char *)p - m->ram.base) & ~(uint64_t)(LINE - 1);
    const uint64_t end = (uint64_t)((const char *)p - m->ram.base) + size;

    if (m->ram.view == m->ram.base)
        return; /* a walker that snoops after all */

    for (uint64_t at = first; at < end; at += 8) {
        const uint64_t word =
            __atomic_load_n((const uint64_t *)(const void *)(m->ram.base + at), __ATOMIC_RELAXED);

        __atomic_store_n((uint64_t *)(void *)(m->ram.view + at), word, __ATOMIC_RELEASE);
    }
}

static uint64_t mmio_read(void *host, uint64_t maddr, unsigned size)
{
    struct machine *m = host;

    return m->backend->mmio_read(m, maddr, size);
}

static void mmio_write(void *host, uint64_t maddr, unsigned size, uint64_t value)
{
    struct machine *m = host;

    m->backend->mmio_write(m, maddr, size, value);
}

static void event(void *host, const struct sluice_event *e)
{
    struct machine *m = host;

    if (e->kind == SLUICE_EVENT_FRAMES_LOST)
        m->lost += e->a;
}

static __attribute__((noreturn)) void panic(void *host, const char *what)
{
    (void)host;
    fprintf(stderr, "sluice: bug: %s\n", what);
    abort();
}

void port_init(struct machine *m)
{
    m->port = (struct sluice_port){
        .host = m,
        .direct_map = m->ram.base,
        .alloc_page = alloc_page,
        .free_page = free_page,
        .alloc = alloc_object,
        .free = free_object,
        .release_frame = release_frame,
        .copy_from_guest = copy_from_guest,
        .copy_to_guest = copy_to_guest,
        .read_frame = read_frame,
        .write_frame = write_frame,
        .deliver = deliver,
        .may_control = may_control,
        .ioreq = ioreq_wanted,
        .lock = lock,
        .unlock = unlock,
        .preempt = preempt,
        .now_ns = now_ns,
        .relax = relax,
        .writeback = writeback,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .event = event,
        .panic = panic,
    };
}
