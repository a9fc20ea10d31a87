/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices do: move bytes, move blocks, send interrupts. */
#include "verbs.h"

#include "../../../iommu/abi/errno.h"

#include <stdlib.h>

const struct sc_word access_words[] = {{"read", false}, {"write", true}, {NULL, 0}};

static const struct sc_spec dma_write_fields[] = {
    {.name = "addr", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "len", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "pasid", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "rid", .dir = SC_IN, .kind = SC_DEVICE},
    {.name = "fill", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "bytes", .dir = SC_IN, .kind = SC_BYTES},
    {.name = "u64", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "access", .dir = SC_OUT, .kind = SC_CHOICE, .words = access_words},
    {.name = "reason", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = NULL},
};
static const struct sc_spec dma_read_fields[] = {
    {.name = "addr", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "len", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "pasid", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "rid", .dir = SC_IN, .kind = SC_DEVICE},
    {.name = "fill", .dir = SC_OUT, .kind = SC_NUMBER, .size = 1},
    {.name = "bytes", .dir = SC_OUT, .kind = SC_BYTES, .quiet = true},
    {.name = "u64", .dir = SC_OUT, .kind = SC_NUMBER, .quiet = true},
    {.name = "access", .dir = SC_OUT, .kind = SC_CHOICE, .words = access_words},
    {.name = "reason", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = NULL},
};

static void note_block(struct outcome *out, bool write, enum hw_reason reason)
{
    if (out->status != -EACCES)
        return;
    outcome_number(out, "access", write);
    outcome_text(out, "reason", sluice_reason_name(reason));
}

static struct machine_emulated *emulated(const struct player *p, const struct sc_line *line)
{
    return machine_emulated(p->m, line->subject);
}

static bool can_move(struct player *p, const struct sc_line *line, struct outcome *out)
{
    return emulated(p, line) || player_device(p, line->subject, out);
}

/* The one that the line names, or the device itself. */
static rid_t requester(const struct player *p, const struct sc_line *line,
                       const struct machine_device *dev)
{
    const struct sc_value *rid = sc_get(line->call, "rid");

    return rid ? (rid_t){(uint32_t)value_number(rid, p->vars)} : machine_device_rid(dev);
}

static void move_emulated(struct player *p, const struct sc_line *line, uint8_t *data, size_t size,
                          bool write, struct outcome *out)
{
    const struct machine_access access = {
        .addr = player_number(p, line->call, "addr"),
        .has_pasid = player_number(p, line->call, "pasid"),
        .pasid = (uint32_t)player_number(p, line->call, "pasid"),
        .data = data,
        .size = size,
        .write = write,
    };
    enum hw_reason reason;

    out->status = machine_emulated_dma(emulated(p, line), &access, &reason);
    note_block(out, write, reason);
}

/* Moves the bytes as that requester. */
static void move(struct player *p, const struct sc_line *line, uint8_t *data, size_t size,
                 bool write, struct outcome *out)
{
    struct machine_device *dev = machine_device(p->m, line->subject);
    uint64_t addr = player_number(p, line->call, "addr");
    uint32_t pasid = (uint32_t)player_number(p, line->call, "pasid");
    enum hw_reason reason = HW_REASON_NONE;
    rid_t rid;

    if (!dev) {
        move_emulated(p, line, data, size, write, out);
        return;
    }
    rid = requester(p, line, dev);
    out->status = machine_dma(dev, rid, pasid, addr, data, size, write, &reason);
    note_block(out, write, reason);
    player_explain(p, out);
    player_told(p, out,
                ghost_dma(p->ghost, dev, rid, pasid, addr, size, write, (int)out->status, reason));
}

static void run_dma_write(struct player *p, const struct sc_line *line, struct outcome *out)
{
    uint8_t *data;
    size_t size;

    if (!can_move(p, line, out))
        return;
    data = data_of_line(p, line, &size, out);
    if (data)
        move(p, line, data, size, true, out);
    free(data);
}

static void run_dma_read(struct player *p, const struct sc_line *line, struct outcome *out)
{
    uint8_t *data;
    size_t size;

    if (!can_move(p, line, out) || !size_of_line(p, line, &size, out))
        return;
    data = xcalloc(size, 1);
    move(p, line, data, size, false, out);
    if (out->status)
        free(data);
    else
        outcome_data(out, data, size);
}

/* ---- Disks -------------------------------------------------------------------------------------
 */

#define BLOCK 512u

static const struct sc_spec disk_fields[] = {
    {.name = "lba", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "count", .dir = SC_IN, .kind = SC_NUMBER, .size = 4, .absent = 1},
    {.name = "addr", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "access", .dir = SC_OUT, .kind = SC_CHOICE, .words = access_words},
    {.name = "reason", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = NULL},
};

/* Reading the disk writes memory. What no DMA came of is nothing to the ghost model. */
static void disk(struct player *p, const struct sc_line *line, bool to_disk, struct outcome *out)
{
    struct machine_device *dev = player_device(p, line->subject, out);
    uint64_t addr = player_number(p, line->call, "addr");
    uint64_t count = player_number(p, line->call, "count");
    enum hw_reason reason = HW_REASON_NONE;

    if (!dev)
        return;
    if (count > UINT32_MAX) {
        outcome_cannot(out, "count does not fit in 32 bits");
        return;
    }
    out->status = machine_disk(dev, player_number(p, line->call, "lba"), (uint32_t)count, addr,
                               to_disk, &reason);
    note_block(out, !to_disk, reason);
    if (out->status == -ERANGE || out->status == -ENODEV || out->status == -EIO)
        player_explain(p, out);
    if (out->status == 0 || out->status == -EACCES)
        player_told(p, out,
                    ghost_dma(p->ghost, dev, machine_device_rid(dev), 0, addr, count * BLOCK,
                              !to_disk, (int)out->status, reason));
}

static void run_disk_read(struct player *p, const struct sc_line *line, struct outcome *out)
{
    disk(p, line, false, out);
}

static void run_disk_write(struct player *p, const struct sc_line *line, struct outcome *out)
{
    disk(p, line, true, out);
}

/* ---- Interrupts --------------------------------------------------------------------------------
 */

static const struct sc_spec msi_fields[] = {
    {.name = "addr", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "data", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = "rid", .dir = SC_IN, .kind = SC_DEVICE},
    {.name = "vector", .dir = SC_OUT, .kind = SC_NUMBER, .size = 1},
    {.name = "guest", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = "message", .dir = SC_OUT, .kind = SC_NUMBER, .quiet = true},
    {.name = "reason", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = NULL},
};

static void note_delivery(struct outcome *out, const struct machine_delivery *d)
{
    if (!out->status) {
        outcome_number(out, "vector", d->vector);
        outcome_text(out, "guest", d->domain ? machine_domain_name(d->domain) : "none");
    }
    if (!out->status || out->status == -EACCES)
        outcome_number(out, "message", d->message);
    if (out->status == -EACCES)
        outcome_text(out, "reason", sluice_reason_name(d->reason));
}

static void send(struct player *p, const struct sc_line *line, struct machine_device *dev,
                 struct machine_delivery *delivery, struct outcome *out)
{
    const rid_t rid = machine_device_appears(dev, requester(p, line, dev));
    const uint64_t addr = player_number(p, line->call, "addr");
    const uint32_t data = (uint32_t)player_number(p, line->call, "data");

    out->status = machine_msi(dev, rid, addr, data, delivery);
    player_told(p, out, ghost_msi(p->ghost, dev, rid, addr, data, (int)out->status, delivery));
}

static void run_msi(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_emulated *e = emulated(p, line);
    struct machine_device *dev = e ? NULL : player_device(p, line->subject, out);
    struct machine_delivery delivery;

    if (e)
        out->status =
            machine_emulated_msi(e, player_number(p, line->call, "addr"),
                                 (uint32_t)player_number(p, line->call, "data"), &delivery);
    else if (dev)
        send(p, line, dev, &delivery, out);
    else
        return;
    player_explain(p, out);
    note_delivery(out, &delivery);
}

const struct sc_verb dma_verbs[] = {
    {.name = "dma_write",
     .subject = SC_OF_DEVICE,
     .style = SC_DMA,
     .fields = dma_write_fields,
     .run = run_dma_write},
    {.name = "dma_read",
     .subject = SC_OF_DEVICE,
     .style = SC_DMA,
     .fields = dma_read_fields,
     .run = run_dma_read},
    {.name = "read",
     .subject = SC_OF_DEVICE,
     .style = SC_DMA,
     .fields = disk_fields,
     .run = run_disk_read},
    {.name = "write",
     .subject = SC_OF_DEVICE,
     .style = SC_DMA,
     .fields = disk_fields,
     .run = run_disk_write},
    {.name = "msi", .subject = SC_OF_DEVICE, .style = SC_MSI, .fields = msi_fields, .run = run_msi},
    {.name = NULL},
};
