/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to checked lines, and the names of the ABI's error numbers. */
#include "../../iommu/abi/errno.h"
#include "scenario.h"

#include <string.h>

const struct sc_spec *sc_spec_find(const struct sc_spec *specs, const char *name)
{
    for (; specs && specs->name; specs++)
        if (!strcmp(specs->name, name))
            return specs;
    return NULL;
}

const struct sc_value *sc_nth(const struct sc_call *call, const char *name, unsigned n)
{
    for (unsigned i = 0; i < call->nr_set; i++)
        if (!strcmp(call->set[i].spec->name, name) && n-- == 0)
            return &call->set[i].value;
    return NULL;
}

const struct sc_value *sc_get(const struct sc_call *call, const char *name)
{
    return sc_nth(call, name, 0);
}

const char *sc_text(const struct sc_call *call, const char *name, const char *absent)
{
    const struct sc_value *value = sc_get(call, name);

    return value ? value->text : absent;
}

const struct sc_call *sc_innermost(const struct sc_call *call)
{
    while (call->inner)
        call = call->inner;
    return call;
}

static const struct {
    const char *name;
    long number;
    const char *words;
} errnos[] = {
    {"EPERM", EPERM, "not allowed"},
    {"ENOENT", ENOENT, "nothing is there"},
    {"ESRCH", ESRCH, "no such domain"},
    {"EIO", EIO, "an IOMMU failed"},
    {"ENXIO", ENXIO, "no such domain or frame"},
    {"E2BIG", E2BIG, "too many"},
    {"ENOMEM", ENOMEM, "no memory, or the budget is spent"},
    {"EACCES", EACCES, "not accessible"},
    {"EFAULT", EFAULT, "the argument cannot be read or written"},
    {"EBUSY", EBUSY, "in use"},
    {"EEXIST", EEXIST, "it exists already"},
    {"ENODEV", ENODEV, "no such device, or no IOMMU"},
    {"EINVAL", EINVAL, "not valid"},
    {"ENOSPC", ENOSPC, "no number is left"},
    {"ERANGE", ERANGE, "out of range"},
    {"ENODATA", ENODATA, "no data"},
    {"EMSGSIZE", EMSGSIZE, "the buffer is too small"},
    {"EOPNOTSUPP", EOPNOTSUPP, "not supported"},
    {"EADDRNOTAVAIL", EADDRNOTAVAIL, "a reserved address"},
    {"ETIMEDOUT", ETIMEDOUT, "the hardware did not answer"},
};
#define NR_ERRNOS (sizeof(errnos) / sizeof(errnos[0]))

const char *sc_errno_name(long status)
{
    for (size_t i = 0; i < NR_ERRNOS; i++)
        if (errnos[i].number == -status)
            return errnos[i].name;
    return NULL;
}

const char *sc_errno_words(long status)
{
    for (size_t i = 0; i < NR_ERRNOS; i++)
        if (errnos[i].number == -status)
            return errnos[i].words;
    return NULL;
}

long sc_errno_number(const char *name)
{
    for (size_t i = 0; i < NR_ERRNOS; i++)
        if (!strcmp(errnos[i].name, name))
            return errnos[i].number;
    return 0;
}
