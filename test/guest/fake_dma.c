/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_dma.h"

/* ---- Odd answers ------------------------------------------------------------------------------
 */

/* True: the call is the one; it does `after` pages at most, and ends with that error. */
static bool is_odd(struct fake_dma *f, int subop, struct fake_odd *odd)
{
    if (f->odd.subop != subop)
        return false;
    if (f->odd.skip) {
        f->odd.skip--;
        return false;
    }
    *odd = f->odd;
    if (!f->odd.always)
        f->odd.subop = 0;
    return true;
}

/* ---- The context ------------------------------------------------------------------------------
 */

static int map_one(struct fake_dma *f, uint64_t dfn, uint64_t gfn, uint32_t flags, unsigned order)
{
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        struct fake_frame *at = &f->ctx[(dfn + i) % FAKE_FRAMES];

        if (dfn + i >= FAKE_FRAMES)
            return -ERANGE;
        if (gfn + i >= FAKE_PAGES)
            return -ENOENT;
        if (at->rights)
            return -EINVAL;
        f->reused += at->stale;
        *at = (struct fake_frame){.gfn = gfn + i,
                                  .rights = (uint8_t)flags,
                                  .order = (uint8_t)order,
                                  .domain = DOMID_SELF};
    }
    return 0;
}

static unsigned order_of(struct fake_dma *f, uint32_t pgsize, uint64_t dfn)
{
    const unsigned order = (unsigned)__builtin_ctz(pgsize) - DMA_PAGE_SHIFT;

    if (pgsize & (pgsize - 1) || !(pgsize & f->features.caps.pgsize_mask) ||
        dfn & ((UINT64_C(1) << order) - 1))
        f->bad++;
    return order;
}

static long map_pages(struct fake_dma *f, struct pv_iommu_map_pages *a, const uint64_t *gfns,
                      int subop)
{
    const unsigned order = order_of(f, a->pgsize, a->dfn);
    struct fake_odd odd = {.after = UINT32_MAX};
    const bool is = is_odd(f, subop, &odd);
    int err = 0;

    if (!f->alive || a->ctx_no != FAKE_CTX || !(a->map_flags & FAKE_RW))
        return -EINVAL;
    for (a->mapped = 0; a->mapped < a->nr_pages && a->mapped < odd.after; a->mapped++) {
        const uint64_t at = (uint64_t)a->mapped << order;

        err = map_one(f, a->dfn + at, gfns ? gfns[a->mapped] : a->gfn + at, a->map_flags, order);
        if (err)
            return err;
    }
    if (is && odd.lie)
        a->mapped = odd.answer;
    return is ? odd.err : 0;
}

static long map_list(struct fake_dma *f, struct pv_iommu_map_list *a)
{
    struct pv_iommu_map_pages pages = {.ctx_no = a->ctx_no,
                                       .dfn = a->dfn,
                                       .map_flags = a->map_flags,
                                       .pgsize = a->pgsize,
                                       .nr_pages = a->nr_pages,
                                       .mapped = a->mapped};
    const long err = map_pages(f, &pages, a->gfns.p, IOMMU_map_list);

    a->mapped = pages.mapped;
    return err;
}

static int unmap_one(struct fake_dma *f, uint64_t dfn, unsigned order)
{
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        struct fake_frame *at = &f->ctx[(dfn + i) % FAKE_FRAMES];

        if (dfn + i >= FAKE_FRAMES || !at->rights)
            return -ENOENT;
        at->stale = f->deferred;
        at->rights = 0;
    }
    return 0;
}

static long unmap_pages(struct fake_dma *f, struct pv_iommu_unmap_pages *a)
{
    const unsigned order = order_of(f, a->pgsize, a->dfn);
    struct fake_odd odd = {.after = UINT32_MAX};
    const bool is = is_odd(f, IOMMU_unmap_pages, &odd);
    int err;

    if (!f->alive || a->ctx_no != FAKE_CTX)
        return -EINVAL;
    for (a->unmapped = 0; a->unmapped < a->nr_pages && a->unmapped < odd.after; a->unmapped++) {
        err = unmap_one(f, a->dfn + ((uint64_t)a->unmapped << order), order);
        if (err)
            return err;
    }
    if (is && odd.lie)
        a->unmapped = odd.answer;
    return is ? odd.err : 0;
}

static long flush(struct fake_dma *f)
{
    struct fake_odd odd;

    if (is_odd(f, IOMMU_flush_context, &odd))
        return odd.err;
    for (unsigned i = 0; i < FAKE_FRAMES; i++)
        f->ctx[i].stale = false;
    return 0;
}

static long alloc(struct fake_dma *f, struct pv_iommu_alloc *a)
{
    struct fake_odd odd;

    if (is_odd(f, IOMMU_alloc_context, &odd))
        return odd.err;
    f->alive = true;
    f->deferred = a->alloc_flags & IOMMU_ALLOC_deferred;
    a->ctx_no = FAKE_CTX;
    return 0;
}

static long free_context(struct fake_dma *f, const struct pv_iommu_free *a)
{
    if (!f->alive || a->ctx_no != FAKE_CTX || f->attached)
        return -EBUSY;
    f->alive = false;
    return 0;
}

static long reattach(struct fake_dma *f, const struct pv_iommu_reattach_device *a)
{
    struct fake_odd odd;

    if (is_odd(f, IOMMU_reattach_device, &odd))
        return odd.err;
    f->attached = a->ctx_no;
    return 0;
}

static long query_reserved(struct fake_dma *f, struct pv_iommu_query_reserved *a)
{
    const uint32_t room = a->nr_ranges;

    a->nr_ranges = f->nr_reserved;
    if (f->nr_reserved > room)
        return -EMSGSIZE;
    memcpy(a->ranges.p, f->reserved, f->nr_reserved * sizeof(*f->reserved));
    return 0;
}

static long dispatch(struct fake_dma *f, int subop, void *data)
{
    switch (subop) {
    case IOMMU_alloc_context:
        return alloc(f, data);
    case IOMMU_free_context:
        return free_context(f, data);
    case IOMMU_reattach_device:
        return reattach(f, data);
    case IOMMU_map_pages:
        f->maps++;
        return map_pages(f, data, NULL, IOMMU_map_pages);
    case IOMMU_map_list:
        f->lists++;
        return map_list(f, data);
    case IOMMU_unmap_pages:
        f->unmaps++;
        return unmap_pages(f, data);
    case IOMMU_flush_context:
        f->flushes++;
        return flush(f);
    case IOMMU_query_reserved:
        return query_reserved(f, data);
    default:
        return -EOPNOTSUPP;
    }
}

static long contexts(void *arg, int subop, void *data)
{
    struct fake_dma *f = arg;
    long err;

    pthread_mutex_lock(&f->mutex);
    f->calls++;
    err = dispatch(f, subop, data);
    pthread_mutex_unlock(&f->mutex);
    return err;
}

/* ---- The bus-frame space ----------------------------------------------------------------------
 */

static int map_bus(struct fake_dma *f, uint64_t bfn, uint64_t gfn, domid_t domain, uint16_t flags)
{
    const unsigned order = flags >> IOMMU_page_order_shift;
    const uint64_t nr = UINT64_C(1) << order;

    if (bfn + nr > FAKE_FRAMES || gfn + nr > FAKE_PAGES || order > f->features.order)
        return -ENXIO;
    if ((bfn | gfn) & (nr - 1))
        return -EINVAL;
    for (uint64_t i = 0; i < nr; i++)
        if (f->bus[bfn + i].rights)
            return -EEXIST;
    for (uint64_t i = 0; i < nr; i++)
        f->bus[bfn + i] = (struct fake_frame){.gfn = gfn + i,
                                              .rights = (uint8_t)(flags & FAKE_RW),
                                              .order = (uint8_t)order,
                                              .domain = domain};
    return 0;
}

static int unmap_bus(struct fake_dma *f, uint64_t bfn, uint16_t flags, bool foreign)
{
    const uint64_t nr = UINT64_C(1) << (flags >> IOMMU_page_order_shift);

    if (f->lookup_base && bfn >= f->lookup_base) {
        f->lookups--;
        return 0;
    }
    for (uint64_t i = 0; i < nr; i++) {
        if (bfn + i >= FAKE_FRAMES || !f->bus[bfn + i].rights)
            return -ENOENT;
        if (foreign != (f->bus[bfn + i].domain != DOMID_SELF))
            return -EPERM;
        f->bus[bfn + i].rights = 0;
    }
    return 0;
}

static int lookup(struct fake_dma *f, struct pv_iommu_op *op)
{
    const uint64_t gfn = op->u.lookup_foreign_page.gfn;

    if (gfn >= FAKE_PAGES)
        return -ENXIO;
    f->lookups++;
    op->u.lookup_foreign_page.bfn = f->lookup_base + (f->scattered ? gfn ^ 1 : gfn);
    return 0;
}

static int run(struct fake_dma *f, struct pv_iommu_op *op)
{
    struct fake_odd odd;

    if (is_odd(f, op->subop_id + 100, &odd) && odd.err)
        return (int)odd.err;
    switch (op->subop_id) {
    case IOMMUOP_map_page:
        return map_bus(f, op->u.map_page.bfn, op->u.map_page.gfn, DOMID_SELF, op->flags);
    case IOMMUOP_unmap_page:
        return unmap_bus(f, op->u.unmap_page.bfn, op->flags, false);
    case IOMMUOP_map_foreign_page:
        if (op->u.map_foreign_page.domid != FAKE_OTHER)
            return -ENXIO;
        return map_bus(f, op->u.map_foreign_page.bfn, op->u.map_foreign_page.gfn, FAKE_OTHER,
                       op->flags);
    case IOMMUOP_unmap_foreign_page:
        return unmap_bus(f, op->u.unmap_foreign_page.bfn, op->flags, true);
    case IOMMUOP_lookup_foreign_page:
        return lookup(f, op);
    default:
        return -ENODEV;
    }
}

/* An odd one of sub-op 200 ends the call, after so many elements; the next one's is not written. */
static long frames(void *arg, struct pv_iommu_op *ops, unsigned count)
{
    struct fake_dma *f = arg;
    struct fake_odd odd = {.after = UINT32_MAX};
    bool is;

    pthread_mutex_lock(&f->mutex);
    f->calls++;
    f->bad += count > HYPERCALL_BATCH || !count;
    is = is_odd(f, 200, &odd);
    for (unsigned i = 0; i < count && i < odd.after; i++) {
        ops[i].status = run(f, &ops[i]);
        f->elements++;
    }
    if (is && odd.after < count)
        (void)run(f, &ops[odd.after]);
    pthread_mutex_unlock(&f->mutex);
    return is ? odd.err : 0;
}

/* ---- The kernel below -------------------------------------------------------------------------
 */

static void lock(void *arg)
{
    pthread_mutex_lock(arg);
}

static void unlock(void *arg)
{
    pthread_mutex_unlock(arg);
}

static void lock_space(void *arg)
{
    pthread_mutex_lock(&((struct fake_dma *)arg)->space_mutex);
}

static void unlock_space(void *arg)
{
    pthread_mutex_unlock(&((struct fake_dma *)arg)->space_mutex);
}

static uint64_t now(void *arg)
{
    return __atomic_load_n(&((struct fake_dma *)arg)->us, __ATOMIC_RELAXED);
}

static int copy(void *arg, const struct dma_place *to, const struct dma_place *from, uint32_t size)
{
    struct fake_dma *f = arg;

    if (f->copies_fail && !--f->copies_fail)
        return -EFAULT;
    assert_true((to->gfn < 64 || !from) && to->offset + size <= DMA_PAGE);
    if (!from && to->gfn >= 64) /* a page that is of no interest */
        return 0;
    if (!from) {
        f->zeroed += size;
        memset(&f->memory[to->gfn][to->offset], 0, size);
        return 0;
    }
    assert_true(from->gfn < 64 && from->offset + size <= DMA_PAGE);
    memcpy(&f->memory[to->gfn][to->offset], &f->memory[from->gfn][from->offset], size);
    return 0;
}

static bool may_stand(void *arg, uint64_t gfn, uint64_t nr)
{
    const struct fake_dma *f = arg;

    return gfn >= f->stand_first && gfn + nr - 1 <= f->stand_last;
}

void fake_dma_init(struct fake_dma *f)
{
    memset(f, 0, sizeof(*f));
    pthread_mutex_init(&f->mutex, NULL);
    pthread_mutex_init(&f->space_mutex, NULL);
    pthread_mutex_init(&f->iova_mutex, NULL);
    f->host = (struct dma_host){.call = {f, contexts, frames},
                                .arg = f,
                                .lock = lock_space,
                                .unlock = unlock_space,
                                .now = now,
                                .copy = copy,
                                .may_stand = may_stand};
    f->stand_first = 1;
    f->features = (struct features){.contexts = true,
                                    .frames = true,
                                    .choose = true,
                                    .order = 9,
                                    .caps = {.max_iova_addr = UINT64_MAX,
                                             .cap_flags = IOMMUCAP_deferred | IOMMUCAP_map_list,
                                             .pgsize_mask = 0x201000,
                                             .max_ctx_no = 8}};
    f->iova_host = (struct iova_host){&f->iova_mutex, lock, unlock};
    fake_dma_iova(f, 1, FAKE_FRAMES - 1, FAKE_RANGES);
}

void fake_dma_iova(struct fake_dma *f, uint64_t first, uint64_t last, uint32_t nr_ranges)
{
    const struct iova_config c = {.host = &f->iova_host,
                                  .first = first,
                                  .last = last,
                                  .ranges = f->ranges,
                                  .nr_ranges = nr_ranges,
                                  .blocks = f->blocks,
                                  .slots = f->slots,
                                  .buckets = f->buckets,
                                  .nr_buckets = 1024,
                                  .cpus = f->cpus,
                                  .nr_cpus = 4};

    memset(f->cpus, 0, sizeof(f->cpus));
    assert_int_equal(iova_init(&f->iova, &c), 0);
}

static unsigned count(const struct fake_frame *table)
{
    unsigned n = 0;

    for (unsigned i = 0; i < FAKE_FRAMES; i++)
        n += table[i].rights != 0;
    return n;
}

unsigned fake_dma_mapped(const struct fake_dma *f)
{
    return count(f->ctx) + count(f->bus);
}

const struct fake_frame *fake_dma_at(const struct fake_dma *f, uint64_t address)
{
    const struct fake_frame *at = &f->ctx[address >> DMA_PAGE_SHIFT];

    return at->rights ? at : NULL;
}

bool fake_dma_io(struct fake_dma *f, uint64_t address, void *data, size_t size, bool write)
{
    for (size_t i = 0; i < size; i++) {
        const struct fake_frame *at = &f->ctx[(address + i) >> DMA_PAGE_SHIFT];
        uint8_t *byte = &f->memory[at->gfn % 64][(address + i) & (DMA_PAGE - 1)];

        if (!(at->rights & (write ? IOMMU_MAP_writeable : IOMMU_MAP_readable)))
            return false;
        if (write)
            *byte = ((uint8_t *)data)[i];
        else
            ((uint8_t *)data)[i] = *byte;
    }
    return true;
}

int fake_dma_end(struct fake_dma *f, struct dma_space *s)
{
    const int err = dma_space_end(s);
    struct iova_stats n;

    iova_stats(&f->iova, &n);
    return err || fake_dma_mapped(f) || n.live || f->bad || f->reused || f->alive;
}
