/* SPDX-License-Identifier: BSD-2-Clause */
/* The template's one function: fills in a port. */
#ifndef SLUICE_PORT_TEMPLATE_PORT_H
#define SLUICE_PORT_TEMPLATE_PORT_H

#include "../port.h"

void port_template(struct sluice_port *port, void *host);

#endif
