/* SPDX-License-Identifier: BSD-2-Clause */
#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool terminal_utf8(void)
{
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

bool terminal_colour(void)
{
    return isatty(STDOUT_FILENO) == 1 && !getenv("NO_COLOR");
}

bool terminal_progress(void)
{
    return isatty(STDERR_FILENO) == 1;
}
