/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine that the tests of the model lie about. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void accepts(const struct fixture *f, bool right)
{
    if (!right)
        fail_msg("the model complained: %s", ghost_error(f->g));
}

void notices(bool right)
{
    assert_false(right);
}

static struct machine_domain *add_domain(struct fixture *f, struct machine_domain_config config)
{
    struct machine_domain *d = NULL;

    config.mem = 64 << 10;
    assert_int_equal(machine_domain_add(f->m, &config, &d), 0);
    accepts(f, ghost_domain_added(f->g, &config, 0));
    return d;
}

long quietly(const struct fixture *f, int subop, void *arg, size_t size)
{
    long status;

    assert_int_equal(machine_guest_write(f->dom1, MACHINE_ARG, arg, size), 0);
    status = machine_hypercall(f->dom1, subop, MACHINE_ARG, 0);
    assert_int_equal(machine_guest_read(f->dom1, MACHINE_ARG, arg, size), 0);
    return status;
}

bool tell(const struct fixture *f, int subop, const void *in, const void *out, long status)
{
    const struct ghost_call call = {
        .caller = 1, .subop = subop, .in = in, .out = out, .status = status};

    return ghost_called(f->g, &call);
}

void call(const struct fixture *f, int subop, void *arg, size_t size)
{
    unsigned char in[64];
    long status;

    memcpy(in, arg, size);
    status = quietly(f, subop, arg, size);
    accepts(f, tell(f, subop, in, arg, status));
    accepts(f, ghost_check(f->g));
}

struct pv_iommu_map_pages a_map(void)
{
    return (struct pv_iommu_map_pages){.ctx_no = 1,
                                       .gfn = 2,
                                       .dfn = 0x100,
                                       .map_flags = 3,
                                       .pgsize = FRAME_SIZE,
                                       .nr_pages = 4,
                                       .mapped = 77};
}

struct pv_iommu_unmap_pages an_unmap(void)
{
    return (struct pv_iommu_unmap_pages){
        .ctx_no = 1, .dfn = 0x100, .pgsize = FRAME_SIZE, .nr_pages = 4, .unmapped = 77};
}

struct pv_iommu_reattach_device a_reattach(uint16_t ctx_no)
{
    return (struct pv_iommu_reattach_device){.ctx_no = ctx_no, .dev = {.devfn = NIC}};
}

struct pv_iommu_op a_local_map(uint64_t bfn, uint64_t gfn, unsigned flags)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_map_page, .flags = (uint16_t)flags};

    op.u.map_page.bfn = bfn;
    op.u.map_page.gfn = gfn;
    return op;
}

struct pv_iommu_op a_foreign_map(uint64_t bfn, uint64_t gfn, unsigned flags, ioservid_t server)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_map_foreign_page, .flags = (uint16_t)flags};

    op.u.map_foreign_page.bfn = bfn;
    op.u.map_foreign_page.gfn = gfn;
    op.u.map_foreign_page.domid = 1;
    op.u.map_foreign_page.ioserver = server;
    return op;
}

struct pv_iommu_op a_foreign_unmap(uint64_t bfn, ioservid_t server)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_unmap_foreign_page};

    op.u.unmap_foreign_page.bfn = bfn;
    op.u.unmap_foreign_page.ioserver = server;
    return op;
}

struct pv_iommu_op a_local_unmap(uint64_t bfn)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_unmap_page};

    op.u.unmap_page.bfn = bfn;
    return op;
}

/* dom0 made it, and it ended like that. */
bool told(const struct fixture *f, struct pv_iommu_op op, int status)
{
    struct pv_iommu_op after = op;

    after.status = status;
    return ghost_frames(f->g, 0, &op, &after, 1, 0);
}

int frames_quietly(const struct fixture *f, struct machine_domain *d, struct pv_iommu_op *op)
{
    int result;

    assert_int_equal(machine_guest_write(d, MACHINE_ARG, op, sizeof(*op)), 0);
    result = machine_frames_call(d, MACHINE_ARG, 1, 0);
    assert_int_equal(machine_guest_read(d, MACHINE_ARG, op, sizeof(*op)), 0);
    (void)f;
    return result ? result : op->status;
}

/* dom1 has context 1 with four pages, and the device is in it. */
static int set_up_on(void **state, unsigned stages)
{
    static const char *const controls[] = {"dom1"};
    const struct machine_config config = {.ram = 4 << 20, .stages = stages};
    const struct machine_device_config nic = {.name = "nic", .rids = {{NIC}}, .nr_rids = 1};
    struct pv_iommu_alloc alloc = {0};
    struct pv_iommu_map_pages map = a_map();
    struct pv_iommu_reattach_device reattach = a_reattach(1);
    struct fixture *f = test_calloc(1, sizeof(*f));

    assert_int_equal(machine_create(&config, &f->m, NULL), 0);
    f->g = ghost_create(f->m, &config);
    f->dom0 = add_domain(
        f, (struct machine_domain_config){
               .name = "dom0", .hardware = true, .controls = controls, .nr_controls = 1});
    f->dom1 = add_domain(f, (struct machine_domain_config){.name = "dom1", .domid = 1});
    assert_int_equal(machine_device_add(f->m, &nic, &f->nic), 0);
    accepts(f, ghost_device_added(f->g, &nic, f->nic, 0));
    *state = f;
    assert_int_equal(machine_device_assign(f->nic, f->dom1), 0);
    accepts(f, ghost_assigned(f->g, f->nic, 1, 0));
    call(f, IOMMU_alloc_context, &alloc, sizeof(alloc));
    assert_int_equal(alloc.ctx_no, 1);
    call(f, IOMMU_map_pages, &map, sizeof(map));
    assert_int_equal(map.mapped, 4);
    call(f, IOMMU_reattach_device, &reattach, sizeof(reattach));
    return 0;
}

int set_up(void **state)
{
    return set_up_on(state, 0);
}

int with_one_stage(void **state)
{
    return set_up_on(state, 1);
}

int with_server(void **state)
{
    struct fixture *f;

    if (set_up(state))
        return 1;
    f = *state;
    assert_int_equal(machine_ioreq_server(f->dom0, f->dom1, 1, 2), 0);
    accepts(f, ghost_ioreq_server(f->g, 0, 1, 1, 2, 0));
    return 0;
}

int tear_down(void **state)
{
    struct fixture *f = *state;

    int left;

    ghost_destroy(f->g);
    left = machine_destroy(f->m) != 0;
    test_free(f);
    return left;
}
