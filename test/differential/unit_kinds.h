/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_DIFFERENTIAL_UNIT_KINDS_H
#define TEST_DIFFERENTIAL_UNIT_KINDS_H

#include "unit.h"

struct unit *unit_open_qemu(bool scalable, const char **why, bool *missing);
struct unit *unit_open_ours(bool scalable, bool assigned, const char **why);

#endif
