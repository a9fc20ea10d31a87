/* SPDX-License-Identifier: BSD-2-Clause */
/* What the host programs into a device, where its messages go to doorbells. */
#include "verbs.h"

static const struct sc_spec compose_fields[] = {
    {.name = "doorbell", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "addr", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = "data", .dir = SC_INOUT, .kind = SC_NUMBER, .size = 4},
    {.name = NULL},
};

static void run_compose(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_device *dev = player_device(p, line->subject, out);
    const struct sc_call *call = line->call;
    struct hw_message message;

    if (!dev)
        return;
    if (!machine_device_sluice(dev)) {
        outcome_cannot(out, "it is behind no unit: its doorbells are the machine's");
        return;
    }
    out->status = sluice_device_compose_msi(machine_device_sluice(dev),
                                            (unsigned)player_number(p, call, "doorbell"),
                                            (uint32_t)player_number(p, call, "data"), &message);
    if (out->status)
        return;
    outcome_number(out, "addr", message.address);
    outcome_number(out, "data", message.data);
}

const struct sc_verb doorbell_verbs[] = {
    {.name = "compose_msi", .subject = SC_OF_DEVICE, .fields = compose_fields, .run = run_compose},
    {.name = NULL},
};
