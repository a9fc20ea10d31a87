/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting a VT-d unit. */
#include "hardware.h"

#define TIMEOUT_NS 200000000ull /* it does not take long, and a test that makes it hang waits */

int vtd_hardware_start(struct machine *m, struct vtd_hardware *hardware, uint64_t base,
                       uint16_t segment)
{
    const struct vtd_config config = {.port = &m->port,
                                      .base = base,
                                      .segment = segment,
                                      .scalable = m->config.scalable,
                                      .max_levels = m->config.iova_bits <= 39 ? 3 : 4,
                                      .leaf_sizes = m->config.leaf_sizes,
                                      .timeout_ns = TIMEOUT_NS};
    const struct vtd_ir_config interrupts = {.lg2 = 8};
    int err = vtd_init(&hardware->unit, &config);

    if (err)
        return machine_fail(m, err, "the VT-d unit at 0x%llx does not start",
                            (unsigned long long)base);
    hardware->started = true;
    if (!m->config.no_intremap && vtd_ir_enable(&hardware->unit, &interrupts))
        return machine_fail(m, -EIO, "the VT-d unit at 0x%llx does not remap interrupts",
                            (unsigned long long)base);
    vtd_faults_wrap(hardware);
    return sluice_add_unit(m->sluice, &hardware->unit.hw);
}

bool vtd_is_submission(const struct vtd_hardware *hardware, uint64_t maddr)
{
    return maddr == hardware->unit.config.base + VTD_IQT;
}
