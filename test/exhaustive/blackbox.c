/* SPDX-License-Identifier: BSD-2-Clause */
/* Running something that may die. */
#include "blackbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct blackbox *blackbox_create(void)
{
    struct blackbox *box =
        mmap(NULL, sizeof(*box), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (box == MAP_FAILED)
        abort();
    return box;
}

void blackbox_destroy(struct blackbox *box)
{
    munmap(box, sizeof(*box));
}

bool blackbox_run(struct blackbox *box, unsigned (*run)(void *arg), void *arg, unsigned seconds)
{
    int status = 0;
    pid_t child;

    box->finished = false;
    box->nr = 0;
    fflush(NULL);
    child = fork();
    if (child < 0)
        abort();
    if (!child) {
        alarm(seconds);
        box->result = run(arg);
        box->finished = true;
        fflush(NULL);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0)
        ;
    if (!box->finished)
        snprintf(box->error, sizeof(box->error), "the machine died: %s",
                 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it exited");
    return box->finished;
}
