/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What drivers of kernels do with a unit, register by register and in their order: they start it,
 * attach devices, map and unmap, take faults, find it running after another kernel, and stop it.
 */
#include "guest.h"

#define QUEUE       0x6000u /* two pages */
#define OTHER_QUEUE 0x8000u
#define STATUS      0xa000u
#define IRTES       0xb000u
#define OTHER_ROOT  0xc000u
#define EMULATED    0x0200u
#define DONE        2u
#define FIRST       (FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_FIRST) | VTD_PASID_P)
#define SECOND                                                                           \
    (FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_SECOND) | FIELD_PREP(VTD_PASID_AW, VTD_AW(4)) | \
     VTD_PASID_P)
#define LEAF (X86_PT_P | X86_PT_RW | X86_PT_US | X86_PT_A | X86_PT_D | BIT64(63))

static uint64_t rd(struct rig *r, uint64_t offset, unsigned size)
{
    uint64_t value;

    assert_int_equal(sluice_viommu_read(r->h->d, r->id, offset, size, &value), 0);
    return value;
}

/* Once in a while another processor looks at it meanwhile. */
static void wr(struct rig *r, uint64_t offset, unsigned size, uint64_t value)
{
    int err = sluice_viommu_write(r->h->d, r->id, offset, size, value);

    for (unsigned n = 0; err == -ERESTART; n++) {
        assert_true(n < 10000);
        (void)rd(r, VTD_GSTS, 4);
        err = sluice_viommu_run(r->h->d, r->id);
    }
    assert_int_equal(err, 0);
}

/* ---- A driver ----------------------------------------------------------------------------------
 */

struct driver {
    struct rig *r;
    uint32_t gcmd; /* what stays on */
    uint64_t queue;
    uint32_t tail;
    unsigned fro, nfr;
};

static bool status(const struct driver *v, uint64_t bits)
{
    return rd(v->r, VTD_GSTS, 4) & bits;
}

/* What is on when it finds the unit is what it goes on with. */
static struct driver find(struct rig *r)
{
    const uint64_t cap = rd(r, VTD_CAP, 8), ecap = rd(r, VTD_ECAP, 8);
    struct driver v = {.r = r};

    assert_int_equal(FIELD_GET(VTD_VER_MAJOR, rd(r, VTD_VER, 4)), 1);
    assert_true(cap & VTD_CAP_CM && FIELD_GET(VTD_CAP_ND, cap) < 7);
    assert_true(FIELD_GET(VTD_CAP_SAGAW, cap) & 4);
    v.fro = (unsigned)FIELD_GET(VTD_CAP_FRO, cap) * 16;
    v.nfr = (unsigned)FIELD_GET(VTD_CAP_NFR, cap) + 1;
    assert_true(v.fro + v.nfr * VTD_FRCD_SIZE <= FRAME_SIZE);
    assert_true(ecap & VTD_ECAP_QI && ecap & VTD_ECAP_IR && ecap & VTD_ECAP_EIM);
    v.gcmd = (uint32_t)(rd(r, VTD_GSTS, 4) & (VTD_GCMD_TE | VTD_GCMD_IRE | VTD_GCMD_QIE));
    return v;
}

static void turn(struct driver *v, uint64_t bit, bool on)
{
    v->gcmd = on ? v->gcmd | (uint32_t)bit : v->gcmd & ~(uint32_t)bit;
    wr(v->r, VTD_GCMD, 4, v->gcmd);
    assert_int_equal(status(v, bit), on);
}

static void shoot(struct driver *v, uint64_t bit)
{
    wr(v->r, VTD_GCMD, 4, v->gcmd | bit);
    assert_true(status(v, bit));
}

static void start_queue(struct driver *v, uint64_t queue)
{
    v->queue = queue;
    v->tail = 0;
    wr(v->r, VTD_IQT, 4, 0);
    wr(v->r, VTD_IQA, 8, queue | VTD_IQA_DW | 1);
    turn(v, VTD_GCMD_QIE, true);
}

static void stop_queue(struct driver *v)
{
    if (!status(v, VTD_GCMD_QIE))
        return;
    assert_int_equal(rd(v->r, VTD_IQT, 4), rd(v->r, VTD_IQH, 4));
    turn(v, VTD_GCMD_QIE, false);
}

static void put(struct driver *v, uint64_t lo, uint64_t hi)
{
    const uint64_t words[4] = {lo, hi};

    for (unsigned i = 0; i < 4; i++)
        guest_store(v->r->e, v->queue + v->tail + i * 8, words[i]);
    v->tail = (v->tail + 32) % (2 * FRAME_SIZE);
}

/* A descriptor, and one that says when it is through. */
static void submit(struct driver *v, uint64_t lo, uint64_t hi)
{
    uint32_t told;

    guest_store(v->r->e, STATUS, 1);
    put(v, lo, hi);
    put(v, VTD_DESC_WAIT | VTD_DESC_SW | VTD_DESC_FN | FIELD_PREP(VTD_DESC_DATA, DONE), STATUS);
    wr(v->r, VTD_IQT, 4, v->tail);
    assert_int_equal(rd(v->r, VTD_FSTS, 4) & VTD_FSTS_IQE, 0);
    assert_int_equal(memory_read(&v->r->e->d->memory, STATUS, &told, sizeof(told)), 0);
    assert_int_equal(told, DONE);
}

static void flush_context(struct driver *v, uint16_t did, uint16_t sid)
{
    submit(v,
           VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, VTD_G_DEVICE) | FIELD_PREP(VTD_DESC_DID, did) |
               FIELD_PREP(VTD_DESC_SID, sid),
           0);
}

static void flush_domain(struct driver *v, uint16_t did)
{
    submit(v,
           VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, VTD_G_DOMAIN) | FIELD_PREP(VTD_DESC_DID, did) |
               VTD_DESC_DW | VTD_DESC_DR,
           0);
}

static void flush_pages(struct driver *v, uint16_t did, uint64_t iova, unsigned mask)
{
    submit(v,
           VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, VTD_G_PAGE) | FIELD_PREP(VTD_DESC_DID, did) |
               VTD_DESC_DW | VTD_DESC_DR,
           iova | mask);
}

static void flush_pasid(struct driver *v, uint16_t did, uint32_t pasid)
{
    submit(v,
           VTD_DESC_PASID | FIELD_PREP(VTD_DESC_G, VTD_G_PASID_ONE) |
               FIELD_PREP(VTD_DESC_DID, did) | FIELD_PREP(VTD_DESC_PASID_NR, pasid),
           0);
}

static void flush_first(struct driver *v, uint16_t did, uint32_t pasid)
{
    submit(v,
           VTD_DESC_PIOTLB | FIELD_PREP(VTD_DESC_G, VTD_G_FIRST_ALL) |
               FIELD_PREP(VTD_DESC_DID, did) | FIELD_PREP(VTD_DESC_PASID_NR, pasid),
           0);
}

/* The message is programmed while the event is masked. */
static void start_faults(struct driver *v)
{
    wr(v->r, VTD_FECTL, 4, VTD_ECTL_IM);
    wr(v->r, VTD_FEDATA, 4, 0x41);
    wr(v->r, VTD_FEADDR, 4, 0xfee01000);
    wr(v->r, VTD_FEUADDR, 4, 0x100);
    wr(v->r, VTD_FECTL, 4, 0);
    wr(v->r, VTD_FSTS, 4, rd(v->r, VTD_FSTS, 4));
}

/* The handler: how many records there were, and the reason of the last. */
static unsigned take_faults(struct driver *v, uint8_t *reason)
{
    const uint32_t fsts = (uint32_t)rd(v->r, VTD_FSTS, 4);
    unsigned nr = 0;

    if (fsts & VTD_FSTS_PPF)
        for (unsigned i = (unsigned)FIELD_GET(VTD_FSTS_FRI, fsts);; i = (i + 1) % v->nfr, nr++) {
            const unsigned at = v->fro + i * VTD_FRCD_SIZE + 12;
            const uint64_t hi = rd(v->r, at, 4) << 32;

            if (!(hi & VTD_FRCD_F))
                break;
            *reason = (uint8_t)FIELD_GET(VTD_FRCD_FR, hi);
            wr(v->r, at, 4, VTD_FRCD_F >> 32);
        }
    wr(v->r, VTD_FSTS, 4, VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_PRO);
    assert_int_equal(rd(v->r, VTD_FSTS, 4) & (VTD_FSTS_PPF | VTD_FSTS_PFO), 0);
    return nr;
}

static void start_interrupts(struct driver *v)
{
    wr(v->r, VTD_IRTA, 8, IRTES | VTD_IRTA_EIME | 7);
    shoot(v, VTD_GCMD_SIRTP);
    submit(v, VTD_DESC_IEC, 0);
    turn(v, VTD_GCMD_IRE, true);
    assert_false(status(v, VTD_GCMD_CFI));
}

static void set_root(struct driver *v, uint64_t root)
{
    wr(v->r, VTD_RTADDR, 8, root);
    shoot(v, VTD_GCMD_SRTP);
}

static struct driver boot(struct rig *r, uint64_t mode)
{
    struct driver v = find(r);

    stop_queue(&v);
    start_queue(&v, QUEUE);
    start_interrupts(&v);
    set_root(&v, ROOT | mode);
    turn(&v, VTD_GCMD_TE, true);
    start_faults(&v);
    return v;
}

/* ---- What happens ------------------------------------------------------------------------------
 */

static struct rig *create(unsigned iova_bits)
{
    const struct setup setup = {.max_pasid = 2000, .nests = true, .iova_bits = iova_bits};
    struct sluice_viommu_config config = {.type = SLUICE_VIOMMU_VTD, .base = 0xfed90000};
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->h = host_create(&setup);
    add_scattered(r->h, 0, GUEST_MFN, GUEST_PAGES);
    assert_int_equal(sluice_viommu_query_caps(r->h->s, config.type, &config.capabilities), 0);
    assert_int_equal(sluice_viommu_create(r->h->d, &config, &r->id), 0);
    r->e = (struct vtd_emul *)(void *)domain_of(r->h->d)->viommu;
    return r;
}

static int set_up_rig(void **state)
{
    *state = create(48);
    return 0;
}

static int set_up_preempted(void **state)
{
    struct rig *r = create(48);

    r->h->preempt_every = 1;
    *state = r;
    return 0;
}

static int set_up_narrow(void **state)
{
    *state = create(39);
    return 0;
}

static int tear_down_rig(void **state)
{
    struct rig *r = *state;

    r->h->preempt_every = 0;
    return rig_tear_down(state);
}

static int ask(struct rig *r, uint64_t iova, unsigned access)
{
    const struct sluice_viommu_request request = {.sid = EMULATED, .iova = iova, .access = access};
    struct sluice_viommu_translation t;

    return sluice_viommu_translate(r->h->d, r->id, &request, &t);
}

static void attach_legacy(struct driver *v, uint32_t sid, uint16_t did, uint64_t table)
{
    guest_context(v->r->e, sid, did, table, 4);
    flush_context(v, 0, (uint16_t)sid); /* caching mode */
    flush_domain(v, did);
}

static void detach_legacy(struct driver *v, uint32_t sid, uint16_t did)
{
    guest_no_context(v->r->e, sid);
    flush_context(v, did, (uint16_t)sid);
    flush_domain(v, did);
}

static void legacy_mode(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct driver v = boot(r, 0);

    assert_ptr_equal(rig_where(dev), r->e->back.refuge);
    attach_legacy(&v, SID, DID, TABLE);
    guest_map(r->e, TABLE, 4, 0xffffe000, DATA, RW);
    flush_pages(&v, DID, 0xffffe000, 1);
    assert_int_equal(rig_reaches(dev, 0xffffe000), frame_of(DATA));
    guest_unmap(r->e, TABLE, 4, 0xffffe000);
    flush_pages(&v, DID, 0xffffe000 & ~MASK64(20, 0), 9);
    assert_int_equal(rig_reaches(dev, 0xffffe000), NOWHERE);
    guest_map(r->e, TABLE, 4, 0xffffe000, DATA, RW);
    detach_legacy(&v, SID, DID);
    assert_ptr_equal(rig_where(dev), r->e->back.refuge);
    attach_legacy(&v, SID, DID + 1, TABLE);
    assert_int_equal(rig_reaches(dev, 0xffffe000), frame_of(DATA));
    turn(&v, VTD_GCMD_TE, false);
    assert_ptr_equal(rig_where(dev), context_of(r->h, 0));
    turn(&v, VTD_GCMD_TE, true);
    assert_int_equal(rig_reaches(dev, 0xffffe000), frame_of(DATA));
}

/* The ring of two pages goes round. */
static void many_flushes(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct driver v = boot(r, 0);

    guest_map(r->e, TABLE, 4, 0x5000, DATA, RW);
    attach_legacy(&v, SID, DID, TABLE);
    for (unsigned i = 0; i < 300; i++)
        flush_pages(&v, DID, 0x5000, 0);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    assert_int_equal(rd(r, VTD_IQH, 4), v.tail);
}

static void faults(void **state)
{
    struct rig *r = *state;
    struct driver v = boot(r, 0);
    uint8_t reason = 0;

    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, EMULATED, NULL), 0);
    assert_int_equal(ask(r, 0x5000, PT_READ), -EACCES);
    assert_int_equal(r->h->nr_delivered, 1);
    assert_int_equal(r->h->delivered_address, BIT64(40) | 0xfee01000);
    assert_int_equal(r->h->delivered_data, 0x41);
    assert_int_equal(ask(r, 0x6000, PT_READ), -EACCES);
    assert_int_equal(r->h->nr_delivered, 1);
    assert_int_equal(take_faults(&v, &reason), 2);
    assert_int_equal(reason, VTD_REASON_ROOT_P);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(ask(r, 0x5000, PT_WRITE), -EACCES);
    assert_int_equal(r->h->nr_delivered, 2);
    assert_int_equal(take_faults(&v, &reason), v.nfr);
    assert_int_equal(ask(r, 0x5000, PT_WRITE), -EACCES);
    assert_int_equal(r->h->nr_delivered, 3);
    assert_int_equal(take_faults(&v, &reason), 1);
}

/* While one of both is on, records go on where they were. */
static void faults_of_interrupts(void **state)
{
    struct rig *r = *state;
    struct driver v = boot(r, 0);
    const struct hw_message message = {.address = 0xfee00010}; /* the first entry, not present */
    struct hw_interrupt out;
    uint8_t reason = 0;

    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, EMULATED, NULL), 0);
    assert_int_equal(ask(r, 0x5000, PT_READ), -EACCES);
    assert_int_equal(take_faults(&v, &reason), 1);
    turn(&v, VTD_GCMD_TE, false);
    assert_int_equal(sluice_viommu_interrupt(r->h->d, r->id, EMULATED, &message, &out), -EACCES);
    assert_int_equal(FIELD_GET(VTD_FSTS_FRI, rd(r, VTD_FSTS, 4)), 1);
    assert_int_equal(take_faults(&v, &reason), 1);
    assert_int_equal(reason, VTD_REASON_IR_P);
}

/* Of another kernel, or the firmware: everything is on, and goes on until this one is ready. */
static void it_runs_already(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct driver before = boot(r, 0), v;

    guest_map(r->e, TABLE, 4, 0x5000, DATA, RW);
    attach_legacy(&before, SID, DID, TABLE);
    v = find(r);
    assert_int_equal(v.gcmd, VTD_GCMD_TE | VTD_GCMD_IRE | VTD_GCMD_QIE);
    assert_int_equal(rd(r, VTD_RTADDR, 8), ROOT);
    stop_queue(&v);
    assert_int_equal(rd(r, VTD_IQH, 4), 0);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    start_queue(&v, OTHER_QUEUE);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    set_root(&v, OTHER_ROOT);
    assert_ptr_equal(rig_where(dev), r->e->back.refuge);
    set_root(&v, ROOT);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    turn(&v, VTD_GCMD_IRE, false);
    turn(&v, VTD_GCMD_TE, false);
    stop_queue(&v);
    assert_int_equal(v.gcmd, 0);
    assert_int_equal(rd(r, VTD_GSTS, 4) & (VTD_GCMD_TE | VTD_GCMD_IRE | VTD_GCMD_QIE), 0);
}

static void attach_scalable(struct driver *v, uint64_t word0, uint64_t first)
{
    guest_pasid(v->r->e, SID, 0, word0, DID, first);
    flush_context(v, 0, SID);
    flush_domain(v, 0);
    flush_pasid(v, DID, 0);
    flush_first(v, DID, 0);
}

static void scalable_mode(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct driver v = boot(r, FIELD_PREP(VTD_RTADDR_TTM, VTD_TTM_SCALABLE));

    attach_scalable(&v, SECOND | TABLE, 0);
    guest_map(r->e, TABLE, 4, 0x5000, DATA, RW);
    flush_pages(&v, DID, 0x5000, 0);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    guest_pasid(r->e, SID, 0, 0, 0, 0);
    flush_pasid(&v, DID, 0);
    flush_domain(&v, DID);
    assert_ptr_equal(rig_where(dev), r->e->back.refuge);
}

/* What its table says is the unit's affair: only that it is walked, and flushed, can be seen. */
static void first_stage(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct driver v = boot(r, FIELD_PREP(VTD_RTADDR_TTM, VTD_TTM_SCALABLE));
    const struct context *c;

    guest_map_first(r->e, TABLE, 0x5000, DATA, LEAF);
    attach_scalable(&v, FIRST | FIELD_PREP(VTD_PASID_AW, VTD_AW(4)), TABLE);
    c = rig_where(dev);
    assert_true(c->nested && c->second);
    assert_int_equal(c->first.root, TABLE);
    forget(r->h);
    submit(&v,
           VTD_DESC_PIOTLB | FIELD_PREP(VTD_DESC_G, VTD_G_FIRST_PAGE) |
               FIELD_PREP(VTD_DESC_DID, DID),
           0x5000);
    assert_int_equal(count(r->h, FLUSHED), 1);
    assert_int_equal(nth(r->h, FLUSHED, 0)->inv[0].did, c->did);
}

/* A pointer of 64 bits may come as two words, and so may invalidation by registers. */
static void before_there_is_a_queue(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, SID);
    struct driver v = find(r);

    wr(r, VTD_RTADDR, 4, ROOT);
    wr(r, VTD_RTADDR + 4, 4, 0);
    shoot(&v, VTD_GCMD_SRTP);
    turn(&v, VTD_GCMD_TE, true);
    guest_map(r->e, TABLE, 4, 0x5000, DATA, RW);
    guest_context(r->e, SID, DID, TABLE, 4);
    wr(r, VTD_CCMD, 4, (uint64_t)SID << 16);
    wr(r, VTD_CCMD + 4, 4, (VTD_CCMD_ICC | FIELD_PREP(VTD_CCMD_CIRG, VTD_G_DEVICE)) >> 32);
    assert_int_equal(FIELD_GET(VTD_CCMD_CAIG, rd(r, VTD_CCMD, 8)), VTD_G_DEVICE);
    assert_int_equal(rig_reaches(dev, 0x5000), frame_of(DATA));
    guest_unmap(r->e, TABLE, 4, 0x5000);
    wr(r, VTD_EMUL_IVA, 8, 0x5000);
    wr(r, VTD_EMUL_IOTLB, 8,
       VTD_IOTLB_IVT | FIELD_PREP(VTD_IOTLB_IIRG, VTD_G_PAGE) | FIELD_PREP(VTD_IOTLB_DID, DID));
    assert_int_equal(FIELD_GET(VTD_IOTLB_IAIG, rd(r, VTD_EMUL_IOTLB, 8)), VTD_G_PAGE);
    assert_int_equal(rig_reaches(dev, 0x5000), NOWHERE);
}

/* With two stages, drivers want tables of the same depth in both. */
static void units_of_39_bits(void **state)
{
    struct rig *r = *state;
    struct sluice_viommu_translation t;
    const struct sluice_viommu_request beyond = {.sid = EMULATED, .iova = BIT64(39)};

    assert_int_equal(FIELD_GET(VTD_CAP_MGAW, rd(r, VTD_CAP, 8)), 38);
    legacy_mode(state);
    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, EMULATED, NULL), 0);
    set_root(&(struct driver){.r = r, .gcmd = VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_IRE},
             ROOT | FIELD_PREP(VTD_RTADDR_TTM, VTD_TTM_SCALABLE));
    guest_map_first(r->e, TABLE, BIT64(39), DATA, LEAF);
    guest_pasid(r->e, EMULATED, 0, FIRST, DID, TABLE);
    assert_int_equal(sluice_viommu_translate(r->h->d, r->id, &beyond, &t), -EACCES);
}

#define TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up_rig, tear_down_rig),  \
    {                                                                  \
#name "_in_steps", name, set_up_preempted, tear_down_rig, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(legacy_mode),
        TEST(many_flushes),
        TEST(faults),
        TEST(faults_of_interrupts),
        TEST(it_runs_already),
        TEST(scalable_mode),
        TEST(first_stage),
        TEST(before_there_is_a_queue),
        cmocka_unit_test_setup_teardown(units_of_39_bits, set_up_narrow, tear_down_rig),
    };

    return cmocka_run_group_tests_name("emul/kernel", tests, NULL, NULL);
}
