/* SPDX-License-Identifier: BSD-2-Clause */
/* One JSON document for the whole run. */
#include "report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static const char *const verdicts[NR_VERDICTS] = {"passed", "failed", "skipped"};

/* Numbers beyond JSON's are text. */
static json_t *number(uint64_t n)
{
    char text[24];

    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    snprintf(text, sizeof(text), "0x%" PRIx64, n);
    return json_string(text);
}

static json_t *hex(const uint8_t *bytes, size_t nr)
{
    static const char digits[] = "0123456789abcdef";
    char *text = xcalloc(2 * nr + 1, 1);
    json_t *json;

    for (size_t i = 0; i < nr; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    json = json_string(text);
    free(text);
    return json;
}

static json_t *got_value(const struct got *got)
{
    if (got->untouched)
        return json_string("untouched");
    if (got->mixed)
        return json_string("mixed");
    if (got->text)
        return json_string(got->text);
    if (got->bytes)
        return hex(got->bytes, got->nr_bytes);
    return number(got->number);
}

static json_t *got_object(const struct outcome *out)
{
    json_t *object = json_object();

    json_object_set_new(object, "status", json_integer(out->status));
    if (sc_errno_name(out->status))
        json_object_set_new(object, "errno", json_string(sc_errno_name(out->status)));
    for (unsigned i = 0; i < out->nr_got; i++)
        json_object_set_new(object, out->got[i].spec->name, got_value(&out->got[i]));
    return object;
}

/* An object; of several calls an array of them. */
static json_t *got_all(const struct outcome *out)
{
    json_t *all;

    if (out->cannot[0])
        return json_object();
    if (!out->next)
        return got_object(out);
    all = json_array();
    for (; out; out = out->next)
        json_array_append_new(all, got_object(out));
    return all;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text[0])
        json_object_set_new(object, key, json_string(text));
}

static void set_costs(json_t *object, const struct player *p)
{
    json_object_set_new(object, "exits", number(p->after.exits - p->before.exits));
    json_object_set_new(object, "submissions",
                        number(p->after.submissions - p->before.submissions));
    json_object_set_new(object, "allocations", number(p->after.allocs - p->before.allocs));
}

static void json_file(struct report *r, const struct scenario *sc)
{
    (void)sc;
    r->lines = json_array();
}

static void json_line(struct report *r, const struct played *played)
{
    struct words want = {.n = 0};
    json_t *line;

    if (played_well(played) && (!r->trace || played->nth))
        return;
    line = json_object();
    expect_print(played->line, played->player->vars, &want);
    json_object_set_new(line, "line", json_integer(played->line->number));
    json_object_set_new(line, "text", json_string(played->line->text));
    json_object_set_new(line, "result", json_string(played_well(played) ? "passed" : "failed"));
    json_object_set_new(line, "expected", json_string(want.text));
    json_object_set_new(line, "got", got_all(played->out));
    set_text(line, "error", played->out->cannot);
    set_text(line, "complaint", played->out->complaint);
    if (played->nth)
        json_object_set_new(line, "failure", json_integer(played->nth));
    set_costs(line, played->player);
    json_array_append_new(r->lines, line);
}

static json_t *stats_object(const struct machine_stats *stats)
{
    json_t *object = json_object();

    json_object_set_new(object, "exits", number(stats->exits));
    json_object_set_new(object, "submissions", number(stats->submissions));
    json_object_set_new(object, "invalidations", number(stats->invalidations));
    json_object_set_new(object, "allocations", number(stats->allocs));
    json_object_set_new(object, "frees", number(stats->frees));
    json_object_set_new(object, "free_frames", number(stats->free_frames));
    json_object_set_new(object, "lost_frames", number(stats->lost_frames));
    return object;
}

static void json_file_end(struct report *r, const struct file_result *result)
{
    json_t *file = json_object();

    if (!r->files)
        r->files = json_array();
    json_object_set_new(file, "file", json_string(result->file));
    json_object_set_new(file, "machine", json_string(r->machine));
    json_object_set_new(file, "result", json_string(verdicts[result->verdict]));
    set_text(file, "reason", result->reason);
    if (result->line)
        json_object_set_new(file, "line", json_integer(result->line));
    json_object_set_new(file, "lines", r->lines ? r->lines : json_array());
    r->lines = NULL;
    if (result->nr_runs)
        json_object_set_new(file, "runs", json_integer(result->nr_runs));
    if (result->run)
        json_object_set_new(file, "stats", stats_object(&result->stats));
    json_array_append_new(r->files, file);
}

static void json_end(struct report *r, const unsigned counts[NR_VERDICTS])
{
    json_t *root = json_object();

    json_object_set_new(root, "files", r->files ? r->files : json_array());
    r->files = NULL;
    for (unsigned i = 0; i < NR_VERDICTS; i++)
        json_object_set_new(root, verdicts[i], json_integer(counts[i]));
    json_dumpf(root, r->out, JSON_INDENT(2));
    fputs("\n", r->out);
    json_decref(root);
}

const struct report_ops report_json = {json_file, json_line, json_file_end, json_end};
