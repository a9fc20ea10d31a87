/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The QMP client. A command is answered by an object with "return" or "error"; events come between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "qmp.h"

/* 7.2 is the first of which the behaviour of the device models was measured. */
#define OLDEST_MAJOR 7u
#define OLDEST_MINOR 2u

static int qmp_receive(struct qemu *q, json_t **object)
{
    char *line;
    int ret = stream_line(&q->qmp, &line);

    if (ret)
        return qemu_lost(q, ret, "QMP");
    *object = json_loads(line, 0, NULL);
    if (json_is_object(*object))
        return 0;
    json_decref(*object);
    return qemu_fail(q, -EIO, "QMP: not an object: %.200s", line);
}

static int qmp_send(struct qemu *q, const char *command, json_t *arguments)
{
    json_t *object;
    char *text;
    int ret;

    object = json_pack("{s:s, s:o*}", "execute", command, "arguments", arguments);
    text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text)
        return qemu_fail(q, -ENOMEM, "QMP: no memory, or not UTF-8");
    ret = stream_send(&q->qmp, text, strlen(text));
    if (!ret)
        ret = stream_send(&q->qmp, "\n", 1);
    free(text);
    return ret ? qemu_lost(q, ret, "QMP") : 0;
}

/* True: the object answers the command, with *ret. */
static bool qmp_answers(struct qemu *q, const char *command, json_t *object, json_t **result,
                        int *ret)
{
    json_t *value = json_object_get(object, "return");
    const char *words = "?";

    if (value) {
        if (result)
            *result = json_incref(value);
        *ret = 0;
        return true;
    }
    value = json_object_get(object, "error");
    if (!value)
        return false;
    json_unpack(value, "{s:s}", "desc", &words);
    *ret = qemu_fail(q, -EIO, "QMP: %s: %.300s", command, words);
    return true;
}

int qmp_execute(struct qemu *q, const char *command, json_t *arguments, json_t **result)
{
    int ret = qemu_check(q);
    bool answered = false;

    if (ret) {
        json_decref(arguments);
        return ret;
    }
    ret = qmp_send(q, command, arguments);
    while (!ret && !answered) {
        json_t *object = NULL;

        ret = qmp_receive(q, &object);
        if (ret)
            return ret;
        answered = qmp_answers(q, command, object, result, &ret);
        json_decref(object);
    }
    return ret;
}

int qmp_version(struct qemu *q, unsigned *major, unsigned *minor)
{
    json_t *result = NULL;
    json_int_t high = 0, low = 0, micro = 0;
    const char *package = "";
    int ret = qmp_execute(q, "query-version", NULL, &result);

    if (ret)
        return ret;
    if (json_unpack(result, "{s:{s:I, s:I, s?I}, s?s}", "qemu", "major", &high, "minor", &low,
                    "micro", &micro, "package", &package))
        ret = qemu_fail(q, -EIO, "QMP: query-version says nothing that we know");
    snprintf(q->version, sizeof(q->version), "%u.%u.%u%s%.60s%s", (unsigned)high, (unsigned)low,
             (unsigned)micro, *package ? " (" : "", package, *package ? ")" : "");
    *major = (unsigned)high;
    *minor = (unsigned)low;
    json_decref(result);
    return ret;
}

static int check_version(struct qemu *q)
{
    unsigned major, minor;
    int ret = qmp_version(q, &major, &minor);

    if (ret)
        return ret;
    if (major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= OLDEST_MINOR))
        return 0;
    return qemu_fail(q, -EOPNOTSUPP,
                     "QEMU %u.%u is too old: %u.%u is the oldest that will do (Debian 12 has it)",
                     major, minor, OLDEST_MAJOR, OLDEST_MINOR);
}

int qmp_hello(struct qemu *q)
{
    json_t *greeting = NULL;
    int ret = qmp_receive(q, &greeting);

    if (ret)
        return ret;
    if (!json_object_get(greeting, "QMP"))
        ret = qemu_fail(q, -EIO, "QMP: no greeting");
    json_decref(greeting);
    if (!ret)
        ret = qmp_execute(q, "qmp_capabilities", NULL, NULL);
    return ret ? ret : check_version(q);
}

int qmp_has_device(struct qemu *q, const char *model)
{
    int ret = qmp_execute(q, "device-list-properties", json_pack("{s:s}", "typename", model), NULL);

    if (!ret || q->dead)
        return ret;
    return qemu_fail(q, -ENODEV, "this QEMU has no device model %s", model);
}

int qmp_monitor(struct qemu *q, const char *command, char **text)
{
    json_t *result = NULL;
    int ret = qmp_execute(q, "human-monitor-command", json_pack("{s:s}", "command-line", command),
                          &result);

    *text = NULL;
    if (ret)
        return ret;
    *text = json_is_string(result) ? strdup(json_string_value(result)) : NULL;
    json_decref(result);
    return *text ? 0 : qemu_fail(q, -EIO, "QMP: %s gave no text", command);
}

void qmp_quit(struct qemu *q)
{
    if (!qmp_execute(q, "quit", NULL, NULL))
        process_wait(q, 1000);
}
