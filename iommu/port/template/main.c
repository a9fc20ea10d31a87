/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel's entry that uses the library with the template port, linked with -nostdlib: what CI
 * builds to see that the library needs nothing of a C library. It is never run.
 */
#include "../../sluice.h"
#include "port.h"

void _start(void);

/* The four functions that the library takes from its host. */
void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    char *t = to;
    const char *f = from;

    while (size--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    char *t = to;
    const char *f = from;

    if (t < f)
        return memcpy(to, from, size);
    while (size--)
        t[size] = f[size];
    return to;
}

void *memset(void *at, int byte, size_t size)
{
    char *t = at;

    while (size--)
        *t++ = (char)byte;
    return at;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;

    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

/* Everything that a host calls, so that all of the library is linked. */
static long use(struct sluice *s)
{
    const struct sluice_domain_config config = {.domid = 1, .max_ctx_no = 15};
    struct sluice_domain *d;
    struct sluice_call call;

    if (sluice_domain_create(s, &config, &d))
        return -1;
    sluice_call_start(&call, d, 0, 0);
    return sluice_call_run(&call);
}

void _start(void)
{
    struct sluice_port port;
    struct sluice_config config = {.port = &port, .nr_frames = 1};
    struct sluice *s;

    port_template(&port, NULL);
    if (!sluice_create(&config, &s))
        (void)use(s);
    for (;;)
        ;
}
