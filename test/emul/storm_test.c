/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest of fuzz/vtd_emul.h, by random numbers: every path is taken, and none goes wrong. */
#include "../../fuzz/vtd_emul.h"
#include "unit.h"

#define INPUTS 150u
#define BYTES  6000u

/* The fixture has room for some frames; here there is no telling which ones are written. */
static uint8_t memory[RAM_LAST - RAM_FIRST + 1][FRAME_SIZE];

static void read_frame(void *host, mfn_t frame, unsigned offset, void *to, size_t size)
{
    (void)host;
    memcpy(to, &memory[frame.n - RAM_MFN][offset], size);
}

static void write_frame(void *host, mfn_t frame, unsigned offset, const void *from, size_t size)
{
    (void)host;
    memcpy(&memory[frame.n - RAM_MFN][offset], from, size);
}

static void fill(uint8_t *bytes, uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15 + 1;

    for (unsigned i = 0; i < BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (uint8_t)(x >> 32);
    }
}

static struct sluice_viommu_info play(uint64_t seed)
{
    static uint8_t bytes[BYTES];
    struct unit *u = unit_create(seed % 3 ? ALL_CAPS : 0);
    struct emul_guest g = {.d = u->h->d,
                           .id = u->id,
                           .sid = DEVICE,
                           .first = RING,
                           .cap = rd64(u, VTD_CAP),
                           .ecap = rd64(u, VTD_ECAP)};
    struct input in = {bytes, BYTES};
    struct sluice_viommu_info info;
    void *state = u;

    fill(bytes, seed);
    memset(memory, 0, sizeof(memory));
    u->h->port.read_frame = read_frame;
    u->h->port.write_frame = write_frame;
    u->h->preempt_every = seed % 2 ? 3 : 0;
    stub.forgets_log = true;
    while (in.left) {
        stub.restarts = take_byte(&in) > 230;
        emul_step(&g, &in);
    }
    assert_int_equal(sluice_viommu_info(u->h->d, u->id, &info), 0);
    unit_tear_down(&state);
    return info;
}

static void a_hostile_guest_gets_nowhere(void **state)
{
    unsigned queued = 0, remapping = 0, faulted = 0;
    uint64_t done = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= INPUTS; seed++) {
        const struct sluice_viommu_info info = play(seed);

        queued += info.queued;
        remapping += info.remapping;
        faulted += info.faults > 0;
        done += info.invalidations;
    }
    /* or it was not hostile at all */
    assert_true(queued && remapping && faulted && done > INPUTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_guest_gets_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
