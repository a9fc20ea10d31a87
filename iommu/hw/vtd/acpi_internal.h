/* SPDX-License-Identifier: BSD-2-Clause */
/* Between acpi.c and acpi_scope.c. All offsets are into the table. */
#ifndef SLUICE_HW_VTD_ACPI_INTERNAL_H
#define SLUICE_HW_VTD_ACPI_INTERNAL_H

#include "acpi.h"

struct parser {
    const uint8_t *table;
    uint32_t size, end; /* end: of the last structure */
    const struct dmar_visitor *v;
};

struct structure {
    uint32_t at, size;
    uint16_t type;
};

/* acpi.c */
int dmar_quirk(const struct parser *p, enum dmar_quirk q, uint32_t at);
uint32_t dmar_scopes_offset(uint16_t type);
bool dmar_next_structure(const struct parser *p, struct structure *s); /* first: at = 0 */
uint16_t dmar_segment(const struct parser *p, const struct structure *s);
bool dmar_unit_is_usable(const struct parser *p, const struct structure *s);

/* acpi_scope.c: shows the scopes of a structure; 0, or what the visitor said. */
int dmar_show_scopes(const struct parser *p, const struct structure *s, enum dmar_owner owner);

#endif
