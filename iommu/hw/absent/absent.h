/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit that is not there: what stands for "no IOMMU" in a platform's description. It refuses
 * everything, and never reports protection that is not there.
 */
#ifndef SLUICE_HW_ABSENT_ABSENT_H
#define SLUICE_HW_ABSENT_ABSENT_H

#include "../hw.h"

void absent_init(struct hw_unit *unit, const struct sluice_port *port);

#endif
