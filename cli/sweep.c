/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sweep plays a scenario again and again, each time with a later allocation (flush) failing. What
 * the lines give back is not compared; that nothing else changed is what the ghost model sees to.
 */
#include "run.h"

#define MAX_RUNS 2000

/* One run. *reached: there was an nth allocation to fail. */
static bool sweep_one(struct run *run, const struct scenario *sc, unsigned nth, bool *reached,
                      struct file_result *result)
{
    const struct player_config config = {sc,  run->machine, run->continue_every, run->sweep,
                                         nth, run->layout,  run->stages};
    struct outcome at_end = {.status = 0};
    struct player p;
    char error[MACHINE_ERROR_SIZE] = "";
    bool well;
    int err;

    *reached = false;
    err = player_open(&p, &config, error);
    if (err) {
        run_no_machine(sc, err, error, result);
        return false;
    }
    well = run_lines(run, &p, nth);
    *reached = machine_failed(p.m);
    machine_stats(p.m, &result->stats);
    result->run = true;
    player_close(&p, &at_end);
    if (at_end.complaint[0])
        snprintf(result->reason, sizeof(result->reason), "when failure %u was injected: %s", nth,
                 at_end.complaint);
    return well && !at_end.complaint[0];
}

void run_sweep(struct run *run, const struct scenario *sc, struct file_result *result)
{
    bool well = true, reached = true;
    unsigned nth;

    result->sweep = run->sweep;
    for (nth = 1; nth <= MAX_RUNS && reached && (well || run->keep_going); nth++)
        well &= sweep_one(run, sc, nth, &reached, result);
    result->nr_runs = nth - 1;
    if (reached && well)
        snprintf(result->reason, sizeof(result->reason),
                 "not all of it: more than %d failures to inject", MAX_RUNS);
    if (!well)
        result->verdict = VERDICT_FAILED;
}
