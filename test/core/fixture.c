/* SPDX-License-Identifier: BSD-2-Clause */
/* The small host: its port, its units, and the verbs of tests. */
#include "fixture.h"
#include "../../iommu/core/trim.h"

#include <sys/mman.h>

#define MEMORY_SIZE (((size_t)FIRST_TABLE + NR_TABLES) << FRAME_LG2)

static struct happened *note(struct host *h, enum what what)
{
    struct happened *e = &h->log[h->nr_log < MOST_EVENTS ? h->nr_log++ : MOST_EVENTS - 1];

    *e = (struct happened){.what = what};
    return e;
}

static bool fails(unsigned *n)
{
    return *n && !--*n;
}

/* ---- The port ----------------------------------------------------------------------------------
 */

static int alloc_page(void *host, mfn_t *page)
{
    struct host *h = host;

    if (h->on_page)
        h->on_page(h);
    if (fails(&h->fail_alloc))
        return -ENOMEM;
    for (unsigned i = 0; i < NR_TABLES; i++)
        if (!h->page_used[i]) {
            h->page_used[i] = 1;
            h->pages++;
            *page = mfn_of(FIRST_TABLE + i);
            memset(port_page(&h->port, *page), 0, FRAME_SIZE);
            return 0;
        }
    return -ENOMEM;
}

/* What is freed is somebody else's at once, and looks like nothing that a table may hold. */
static void free_page(void *host, mfn_t page)
{
    struct host *h = host;

    assert_true(page.n >= FIRST_TABLE && page.n < FIRST_TABLE + NR_TABLES);
    assert_true(h->page_used[page.n - FIRST_TABLE]);
    h->page_used[page.n - FIRST_TABLE] = 0;
    h->pages--;
    memset(port_page(&h->port, page), 0, FRAME_SIZE);
    note(h, TABLE_FREED)->frame = page.n;
}

static void *alloc_object(void *host, size_t size)
{
    struct host *h = host;

    if (fails(&h->fail_alloc))
        return NULL;
    h->objects++;
    return calloc(1, size);
}

static void free_object(void *host, void *object, size_t size)
{
    struct host *h = host;

    (void)size;
    assert_true(h->objects > 0);
    h->objects--;
    free(object);
}

static void release_frame(void *host, mfn_t frame)
{
    note(host, RELEASED)->frame = frame.n;
}

static bool in_guest(uint64_t at, size_t size)
{
    return at >= GUEST_ADDRESS && size <= GUEST_BYTES && at - GUEST_ADDRESS <= GUEST_BYTES - size;
}

static int copy_from_guest(void *host, void *guest, void *to, uint64_t from, size_t size)
{
    struct guest *g = guest;
    char *out = to;

    (void)host;
    if (!in_guest(from, size))
        return -EFAULT;
    for (size_t i = 0; i < size; i++) {
        const size_t at = (size_t)(from - GUEST_ADDRESS) + i;

        g->reads[at]++;
        out[i] = g->bytes[at];
        if (g->flips)
            g->bytes[at] = (char)~g->bytes[at];
    }
    return 0;
}

static int copy_to_guest(void *host, void *guest, uint64_t to, const void *from, size_t size)
{
    struct guest *g = guest;

    (void)host;
    if (!in_guest(to, size) || g->readonly || fails(&g->fail_write))
        return -EFAULT;
    g->nr_writes++;
    memcpy(g->bytes + (to - GUEST_ADDRESS), from, size);
    return 0;
}

static char *content_of(struct host *h, mfn_t frame)
{
    unsigned i = 0;

    while (i < h->nr_content && h->content[i].frame.n != frame.n)
        i++;
    assert_true(i < sizeof(h->content) / sizeof(h->content[0]));
    if (i == h->nr_content)
        h->content[h->nr_content++].frame = frame;
    return h->content[i].bytes;
}

static void read_frame(void *host, mfn_t frame, unsigned offset, void *to, size_t size)
{
    struct host *h = host;

    assert_true(offset + size <= FRAME_SIZE);
    memcpy(to, content_of(h, frame) + offset, size);
    if (h->on_read)
        h->on_read(h, frame, offset, size);
}

static void write_frame(void *host, mfn_t frame, unsigned offset, const void *from, size_t size)
{
    assert_true(offset + size <= FRAME_SIZE);
    memcpy(content_of(host, frame) + offset, from, size);
}

static void deliver(void *host, void *guest, uint64_t address, uint32_t data)
{
    struct host *h = host;

    (void)guest;
    h->delivered_address = address;
    h->delivered_data = data;
    h->nr_delivered++;
}

static bool may_control(void *host, uint16_t caller, uint16_t target, unsigned subop)
{
    struct host *h = host;

    (void)target;
    h->asked |= subop < 32 ? 1u << subop : 0;
    return !h->denied[caller];
}

static void lock(void *host, struct sluice_lock *l)
{
    struct host *h = host;

    assert_int_equal(l->opaque[0], 0); /* it does not nest, and one thread would wait for ever */
    l->opaque[0] = 1;
    if (++h->locks > h->most_locks)
        h->most_locks = h->locks;
}

static void unlock(void *host, struct sluice_lock *l)
{
    struct host *h = host;

    assert_int_equal(l->opaque[0], 1);
    l->opaque[0] = 0;
    h->locks--;
    if (h->on_unlock)
        h->on_unlock(h, l);
}

static bool preempt(void *host)
{
    struct host *h = host;

    if (h->on_preempt)
        h->on_preempt(h);
    return h->preempt_every && ++h->preempts % h->preempt_every == 0;
}

static uint64_t now_ns(void *host)
{
    return ((struct host *)host)->now_ns;
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
    return 0;
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
    struct happened *n = note(host, REPORTED);

    n->kind = e->kind;
    n->a = e->a;
    n->b = e->b;
}

static __attribute__((noreturn)) void panic(void *host, const char *what)
{
    struct host *h = host;

    if (h->panicked)
        longjmp(*h->panicked, 1);
    fail_msg("the library took it for a bug of its own: %s", what);
    abort();
}

static const struct sluice_port port = {
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

/* ---- The units ---------------------------------------------------------------------------------
 */

static struct fake_unit *fake_of(struct hw_unit *unit)
{
    return (struct fake_unit *)(void *)unit;
}

static int prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid)
{
    struct fake_unit *u = fake_of(unit);
    struct happened *e = note(u->host, PREPARED);

    e->unit = u->index;
    e->rid = rid.n;
    e->pasid = pasid;
    return fails(&u->host->fail_prepare) ? -ENOMEM : 0;
}

static void point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space)
{
    struct fake_unit *u = fake_of(unit);
    struct happened *e = note(u->host, POINTED);

    assert_int_equal(unit->lock.opaque[0], 1);
    e->unit = u->index;
    e->rid = rid.n;
    e->pasid = pasid;
    e->blocked = !space;
    e->did = space ? space->did : 0;
    if (pasid)
        return;
    u->pointed[rid.n % MOST_RIDS] = space;
    if (space)
        u->space[rid.n % MOST_RIDS] = *space;
}

static int flush(struct hw_unit *unit, const struct hw_inv *inv, unsigned n)
{
    struct fake_unit *u = fake_of(unit);
    struct host *h = u->host;
    struct happened *e = note(h, FLUSHED);

    assert_int_equal(unit->lock.opaque[0], 1);
    e->unit = u->index;
    e->n = n;
    for (unsigned i = 0; i < n && i < 4; i++)
        e->inv[i] = inv[i];
    if (h->on_flush)
        h->on_flush(h, u, inv, n);
    return fails(&h->fail_flush) ? -ETIMEDOUT : 0;
}

static unsigned drain_faults(struct hw_unit *unit, struct hw_fault *out, unsigned max,
                             uint64_t *lost)
{
    struct fake_unit *u = fake_of(unit);
    unsigned n = u->nr_faults < max ? u->nr_faults : max;

    *lost += u->faults_lost;
    u->faults_lost = 0;
    memcpy(out, u->fault, n * sizeof(*out));
    memmove(u->fault, u->fault + n, (u->nr_faults - n) * sizeof(*out));
    u->nr_faults -= n;
    return n;
}

static enum hw_isolation isolation(struct hw_unit *unit)
{
    assert_int_equal(unit->lock.opaque[0], 1);
    return fake_of(unit)->isolation;
}

static void quiesce(struct hw_unit *unit)
{
    fake_of(unit)->quiet = true;
}

static const struct hw_ops ops = {
    .name = "fake",
    .prepare = prepare,
    .point = point,
    .flush = flush,
    .isolation = isolation,
    .drain_faults = drain_faults,
    .quiesce = quiesce,
};

static unsigned levels_for(const struct pt_format *f, unsigned bits)
{
    unsigned levels = 0;

    for (unsigned span = FRAME_LG2; span < bits || levels < f->min_levels; levels++)
        span += f->level_bits[levels];
    return levels;
}

static void init_unit(struct host *h, unsigned index)
{
    const struct setup *s = &h->setup;
    const struct pt_format *f = pt_format(s->format);
    struct fake_unit *u = &h->unit[index];

    u->host = h;
    u->index = index;
    u->isolation = HW_ISOLATION_REMAPPED;
    u->hw.ops = &ops;
    u->hw.port = &h->port;
    u->hw.geo = (struct pt_geometry){.format = f,
                                     .levels = (uint8_t)levels_for(f, s->iova_bits),
                                     .iova_bits = (uint8_t)s->iova_bits,
                                     .leaf_sizes = s->leaf_sizes ? s->leaf_sizes : f->leaf_sizes};
    u->hw.nr_dids = s->nr_dids;
    u->hw.max_pasid = s->max_pasid;
    u->hw.translates = true;
    u->hw.caching_mode = s->caching_mode;
    u->hw.snoop = true;
    u->hw.nests = s->nests;
    assert_int_equal(sluice_add_unit(h->s, &u->hw), 0);
}

/* ---- Its life ----------------------------------------------------------------------------------
 */

static void set_defaults(struct setup *s)
{
    s->nr_units = s->nr_units ? s->nr_units : 1;
    s->iova_bits = s->iova_bits ? s->iova_bits : 48;
    s->max_ctx_no = s->max_ctx_no ? s->max_ctx_no : 7;
    s->nr_dids = s->nr_dids ? s->nr_dids : 65536;
    s->budget_contexts = s->budget_contexts ? s->budget_contexts : SLUICE_NO_LIMIT;
    s->budget_tables = s->budget_tables ? s->budget_tables : SLUICE_NO_LIMIT;
    s->budget_refs = s->budget_refs ? s->budget_refs : SLUICE_NO_LIMIT;
}

struct sluice_domain *host_domain(struct host *h, uint16_t domid)
{
    const struct setup *s = &h->setup;
    const struct sluice_domain_config config = {
        .domid = domid,
        .guest = &h->guest[domid],
        .max_ctx_no = s->max_ctx_no,
        .blocked = s->blocked,
        .trusted = s->hardware,
        .budget_contexts = s->budget_contexts,
        .budget_tables = s->budget_tables,
        .budget_refs = s->budget_refs,
    };
    struct sluice_domain *d;

    assert_int_equal(sluice_domain_create(h->s, &config, &d), 0);
    return d;
}

struct host *host_create(const struct setup *setup)
{
    struct host *h = calloc(1, sizeof(*h));
    struct sluice_config config = {.nr_frames = NR_FRAMES};

    assert_non_null(h);
    h->setup = *setup;
    set_defaults(&h->setup);
    h->port = port;
    h->port.host = h;
    h->port.direct_map = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(h->port.direct_map != MAP_FAILED);
    config.port = &h->port;
    config.allow_unsafe_interrupts = setup->allow_unsafe;
    config.msi_window = h->setup.msi_window;
    assert_int_equal(sluice_create(&config, &h->s), 0);
    h->unit = calloc(h->setup.nr_units, sizeof(*h->unit));
    assert_non_null(h->unit);
    for (unsigned i = 0; i < h->setup.nr_units; i++)
        init_unit(h, i);
    if (!setup->no_domain)
        h->d = host_domain(h, 1);
    return h;
}

void destroy_domain(struct sluice_domain *d)
{
    int err;

    while ((err = sluice_domain_destroy(d)) == -ERESTART)
        ;
    assert_int_equal(err, 0);
}

static void no_failures(struct host *h)
{
    h->fail_alloc = h->fail_flush = h->fail_prepare = 0;
    h->on_flush = NULL;
    h->on_unlock = NULL;
    h->on_preempt = NULL;
}

static void check_frames_free(const struct host *h)
{
    const struct frames *f = &instance_of(h->s)->frames;

    for (uint64_t i = 0; i < f->nr; i++)
        if (f->refs[i] || f->owner[i].owned)
            fail_msg("frame %llx is still held", (unsigned long long)i);
}

void host_destroy(struct host *h)
{
    struct instance *s = instance_of(h->s);

    no_failures(h);
    while (s->domains)
        destroy_domain((struct sluice_domain *)(void *)s->domains);
    while (s->devices)
        assert_int_equal(sluice_device_remove((struct sluice_device *)(void *)s->devices), 0);
    if (!h->lossy)
        check_frames_free(h);
    assert_int_equal(h->locks, 0);
    sluice_destroy(h->s);
    if (!h->lossy) {
        assert_int_equal(h->objects, 0);
        assert_int_equal(h->pages, 0);
    }
    munmap(h->port.direct_map, MEMORY_SIZE);
    free(h->unit);
    free(h);
}

int set_up(void **state)
{
    *state = host_create(&(struct setup){0});
    return 0;
}

int tear_down(void **state)
{
    host_destroy(*state);
    return 0;
}

/* ---- The log -----------------------------------------------------------------------------------
 */

unsigned count(const struct host *h, enum what what)
{
    unsigned n = 0;

    for (unsigned i = 0; i < h->nr_log; i++)
        n += h->log[i].what == what;
    return n;
}

const struct happened *nth(const struct host *h, enum what what, unsigned n)
{
    for (unsigned i = 0; i < h->nr_log; i++)
        if (h->log[i].what == what && !n--)
            return &h->log[i];
    return NULL;
}

unsigned place_of(const struct host *h, const struct happened *e)
{
    assert_non_null(e);
    return (unsigned)(e - h->log);
}

void forget(struct host *h)
{
    h->nr_log = 0;
}

/* A call that is continued for ever is no call. */
static bool goes_on(int err, unsigned *times)
{
    if (err == -ERESTART && ++*times == 5000)
        fail_msg("the call makes no progress");
    return err == -ERESTART;
}

/* ---- Verbs -------------------------------------------------------------------------------------
 */

static struct page_range range_of(struct host *h, uint16_t ctx, uint64_t dfn, uint32_t pages,
                                  unsigned lg2)
{
    struct page_range r = {
        .ctx_no = ctx, .dfn = dfn_of(dfn), .nr_pages = pages, .page_lg2 = (uint8_t)lg2};

    assert_int_equal(context_resolve(domain_of(h->d), ctx, CONTEXT_CHANGE, &r.generation), 0);
    return r;
}

int map(struct host *h, uint16_t ctx, uint64_t gfn, uint64_t dfn, uint32_t pages, unsigned lg2,
        unsigned attr, uint32_t *done)
{
    struct page_range r = range_of(h, ctx, dfn, pages, lg2);
    struct trim trim = {0};
    unsigned times = 0;
    int err;

    r.gfn = gfn_of(gfn);
    r.attr = attr;
    *done = 0;
    do
        err = core_map(domain_of(h->d), &r, done, &trim);
    while (goes_on(err, &times));
    return err;
}

int try_give(struct frames *f, mfn_t mfn, uint64_t nr)
{
    int err = frames_give(f, mfn, nr, 1, gfn_of(0), SLUICE_FRAME_RAM);

    if (!err)
        frames_take_back(f, mfn, nr);
    return err;
}

int unmap_once(struct host *h, uint16_t ctx, uint64_t dfn, uint32_t pages, unsigned lg2)
{
    const struct page_range r = range_of(h, ctx, dfn, pages, lg2);
    uint32_t done = 0;

    return core_unmap(domain_of(h->d), &r, &done);
}

int unmap(struct host *h, uint16_t ctx, uint64_t dfn, uint32_t pages, unsigned lg2, uint32_t *done)
{
    const struct page_range r = range_of(h, ctx, dfn, pages, lg2);
    unsigned times = 0;
    int err;

    *done = 0;
    do
        err = core_unmap(domain_of(h->d), &r, done);
    while (goes_on(err, &times));
    return err;
}

int lookup(struct host *h, uint16_t ctx, uint64_t dfn, uint64_t *gfn)
{
    struct domain *d = domain_of(h->d);
    uint32_t generation;
    gfn_t out = {0};
    int err = context_resolve(d, ctx, CONTEXT_LOOKUP, &generation);

    if (!err)
        err = core_lookup(d, ctx, generation, dfn_of(dfn), &out);
    *gfn = out.n;
    return err;
}

uint16_t new_context(struct host *h)
{
    struct pv_iommu_alloc arg = {0};

    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), 0);
    return arg.ctx_no;
}

void add_memory(struct host *h, uint64_t gfn, uint64_t mfn, uint64_t nr)
{
    assert_int_equal(sluice_memory_add(h->d, gfn_of(gfn), mfn_of(mfn), nr, SLUICE_FRAME_RAM), 0);
}

void add_scattered(struct host *h, uint64_t gfn, uint64_t mfn, uint64_t nr)
{
    for (uint64_t i = 0; i < nr; i++)
        add_memory(h, gfn + i, mfn + 2 * i, 1);
}

uint32_t refs_of(const struct host *h, uint64_t mfn)
{
    struct sluice_frame_info info;

    assert_int_equal(sluice_frame_info(h->s, mfn_of(mfn), &info), 0);
    return info.refs;
}

struct sluice_device *add_device_with(struct host *h, uint32_t rid,
                                      const struct sluice_region *regions, unsigned nr)
{
    const rid_t rids[] = {{rid}};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = rids, .nr_rids = 1, .regions = regions, .nr_regions = nr};
    struct sluice_device *dev;

    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    return dev;
}

struct sluice_device *add_device(struct host *h, uint32_t rid)
{
    struct sluice_device *dev = add_device_with(h, rid, NULL, 0);

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    return dev;
}

int try_attach(struct host *h, uint32_t rid, uint16_t ctx)
{
    struct domain *d = domain_of(h->d);
    struct reattach move = {.rid = {rid}, .ctx_no = ctx};

    assert_int_equal(context_resolve(d, ctx, CONTEXT_ANY, &move.generation), 0);
    return attach_device(d, &move);
}

void attach(struct host *h, uint32_t rid, uint16_t ctx)
{
    assert_int_equal(try_attach(h, rid, ctx), 0);
}

struct context *context_of(struct host *h, uint16_t ctx)
{
    return &domain_of(h->d)->ctx[ctx];
}

static int add_up(void *arg, const struct pt_leaf *leaf)
{
    if (!leaf->retired)
        *(uint64_t *)arg += BIT64(leaf->lg2 - FRAME_LG2);
    return 0;
}

uint64_t nr_mapped(struct host *h, uint16_t ctx)
{
    uint64_t nr = 0;

    (void)sluice_context_walk(h->d, ctx, dfn_of(0), dfn_of(UINT64_MAX), add_up, &nr);
    return nr;
}

uint64_t goes_to(struct host *h, uint16_t ctx, uint64_t dfn, unsigned *attr)
{
    struct pt_leaf leaf;

    if (pt_lookup(&context_of(h, ctx)->pt, dfn_of(dfn), 1, &leaf) || leaf.retired)
        return NOWHERE;
    if (attr)
        *attr = leaf.attr;
    return leaf.mfn.n;
}

long hypercall_at(struct host *h, uint16_t domid, int subop, uint64_t at)
{
    struct instance *s = instance_of(h->s);
    struct domain *d = s->domains;
    struct sluice_call call;
    unsigned times = 0;
    long status;

    while (d->domid != domid)
        d = d->next;
    memset(h->guest[domid].reads, 0, sizeof(h->guest[domid].reads));
    sluice_call_start(&call, (struct sluice_domain *)(void *)d, subop, at);
    do
        status = sluice_call_run(&call);
    while (goes_on((int)status, &times));
    return status;
}

long hypercall(struct host *h, uint16_t domid, int subop, void *arg, size_t size)
{
    long status;

    memcpy(h->guest[domid].bytes, arg, size);
    status = hypercall_at(h, domid, subop, GUEST_ADDRESS);
    memcpy(arg, h->guest[domid].bytes, size);
    return status;
}
