/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port to start from: it compiles, links, and does nothing. Replace each body by what your
 * hypervisor or VMM has; port.h says what each must do, docs/porting.md in which order to go about
 * it.
 */
#include "port.h"

static int alloc_page(void *host, mfn_t *page)
{
    (void)host;
    (void)page;
    return -ENOMEM;
}

static void free_page(void *host, mfn_t page)
{
    (void)host;
    (void)page;
}

static void *alloc(void *host, size_t size)
{
    (void)host;
    (void)size;
    return NULL;
}

static void free_object(void *host, void *object, size_t size)
{
    (void)host;
    (void)object;
    (void)size;
}

static void release_frame(void *host, mfn_t frame)
{
    (void)host;
    (void)frame;
}

static int copy_from_guest(void *host, void *guest, void *to, uint64_t from, size_t size)
{
    (void)host;
    (void)guest;
    (void)to;
    (void)from;
    (void)size;
    return -EFAULT;
}

static int copy_to_guest(void *host, void *guest, uint64_t to, const void *from, size_t size)
{
    (void)host;
    (void)guest;
    (void)to;
    (void)from;
    (void)size;
    return -EFAULT;
}

static void read_frame(void *host, mfn_t frame, unsigned offset, void *to, size_t size)
{
    (void)host;
    (void)frame;
    (void)offset;
    memset(to, 0, size);
}

static void write_frame(void *host, mfn_t frame, unsigned offset, const void *from, size_t size)
{
    (void)host;
    (void)frame;
    (void)offset;
    (void)from;
    (void)size;
}

static void deliver(void *host, void *guest, uint64_t address, uint32_t data)
{
    (void)host;
    (void)guest;
    (void)address;
    (void)data;
}

/* Nobody controls anybody until you say so. */
static bool may_control(void *host, uint16_t caller, uint16_t target, unsigned subop)
{
    (void)host;
    (void)caller;
    (void)target;
    (void)subop;
    return false;
}

static void ioreq(void *host, void *cookie)
{
    (void)host;
    (void)cookie;
}

static void lock(void *host, struct sluice_lock *l)
{
    (void)host;
    (void)l;
}

static void unlock(void *host, struct sluice_lock *l)
{
    (void)host;
    (void)l;
}

static bool preempt(void *host)
{
    (void)host;
    return false;
}

static uint64_t now_ns(void *host)
{
    (void)host;
    return 0;
}

static void relax(void *host)
{
    (void)host;
}

static void writeback(void *host, const void *p, size_t size)
{
    (void)host;
    (void)p;
    (void)size;
}

static uint64_t mmio_read(void *host, uint64_t maddr, unsigned size)
{
    (void)host;
    (void)maddr;
    (void)size;
    return ~(uint64_t)0;
}

static void mmio_write(void *host, uint64_t maddr, unsigned size, uint64_t value)
{
    (void)host;
    (void)maddr;
    (void)size;
    (void)value;
}

static void event(void *host, const struct sluice_event *e)
{
    (void)host;
    (void)e;
}

static __attribute__((noreturn)) void panic(void *host, const char *what)
{
    (void)host;
    (void)what;
    for (;;)
        ;
}

void port_template(struct sluice_port *port, void *host)
{
    *port = (struct sluice_port){
        .host = host,
        .direct_map = NULL,
        .alloc_page = alloc_page,
        .free_page = free_page,
        .alloc = alloc,
        .free = free_object,
        .release_frame = release_frame,
        .copy_from_guest = copy_from_guest,
        .copy_to_guest = copy_to_guest,
        .read_frame = read_frame,
        .write_frame = write_frame,
        .deliver = deliver,
        .may_control = may_control,
        .ioreq = ioreq,
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
