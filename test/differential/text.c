/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs as text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

static const struct word {
    const char *name;
    unsigned nr;
    bool reg; /* the first argument is a register's name */
} words[STEP_KINDS] = {
    [STEP_READ] = {"read", 2, true},
    [STEP_WRITE] = {"write", 3, true},
    [STEP_WRITE_HALF] = {"write-half", 3, true},
    [STEP_RAW_READ] = {"raw-read", 2, 0},
    [STEP_RAW_WRITE] = {"raw-write", 3, 0},
    [STEP_GCMD] = {"gcmd", 2, false},
    [STEP_STORE] = {"store", 2, false},
    [STEP_CHANGE] = {"change", 6, false},
    [STEP_QUEUE] = {"queue", 2, false},
    [STEP_RECOVER] = {"recover", 0, false},
    [STEP_FLUSH] = {"flush", 0, false},
    [STEP_DMA_READ] = {"dma-read", 3, false},
    [STEP_DMA_WRITE] = {"dma-write", 3, false},
    [STEP_MSI] = {"msi", 3, false},
};

void step_print(FILE *f, const struct step *s)
{
    const struct word *w = &words[s->kind];

    fputs(w->name, f);
    for (unsigned i = 0; i < w->nr; i++) {
        if (!i && w->reg)
            fprintf(f, " %s", regs[s->arg[0]].name);
        else
            fprintf(f, " 0x%" PRIx64, s->arg[i]);
    }
    fputc('\n', f);
}

void program_print(FILE *f, const struct program *p)
{
    fputs(p->scalable ? "scalable\n" : "legacy\n", f);
    for (unsigned i = 0; i < p->nr; i++)
        step_print(f, &p->steps[i]);
}

static bool parse_register(const char *text, uint64_t *out)
{
    for (unsigned i = 0; i < nr_regs; i++) {
        if (!strcmp(regs[i].name, text)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_args(const struct word *w, char **rest, struct step *s)
{
    for (unsigned i = 0; i < w->nr; i++) {
        char *text = strtok_r(NULL, " \n", rest), *end;

        if (!text)
            return false;
        if (!i && w->reg) {
            if (!parse_register(text, &s->arg[0]))
                return false;
            continue;
        }
        s->arg[i] = strtoull(text, &end, 0);
        if (*end)
            return false;
    }
    return !strtok_r(NULL, " \n", rest);
}

static bool parse_line(char *line, struct program *p)
{
    struct step s = {0};
    char *rest, *name = strtok_r(line, " \n", &rest);

    if (!name || *name == '#' || !strcmp(name, "legacy"))
        return true;
    if (!strcmp(name, "scalable")) {
        p->scalable = true;
        return true;
    }
    for (unsigned k = 0; k < STEP_KINDS; k++) {
        if (strcmp(words[k].name, name))
            continue;
        s.kind = (enum step_kind)k;
        if (p->nr == PROGRAM_STEPS || !parse_args(&words[k], &rest, &s))
            return false;
        p->steps[p->nr++] = s;
        return true;
    }
    return false;
}

unsigned program_parse(FILE *f, struct program *p)
{
    char line[256];

    *p = (struct program){0};
    for (unsigned nr = 1; fgets(line, sizeof(line), f); nr++) {
        if (!parse_line(line, p))
            return nr;
    }
    return 0;
}
