/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error numbers that both ABIs return, negated. They are part of the ABI, so they are fixed
 * here and do not depend on the host's <errno.h>; where that is included too, the numbers must
 * agree.
 */
#ifndef SLUICE_ABI_ERRNO_H
#define SLUICE_ABI_ERRNO_H

#ifndef EPERM
#define EPERM 1
#endif
#ifndef ENOENT
#define ENOENT 2
#endif
#ifndef ESRCH
#define ESRCH 3
#endif
#ifndef EIO
#define EIO 5
#endif
#ifndef ENXIO
#define ENXIO 6
#endif
#ifndef E2BIG
#define E2BIG 7
#endif
#ifndef ENOMEM
#define ENOMEM 12
#endif
#ifndef EACCES
#define EACCES 13
#endif
#ifndef EFAULT
#define EFAULT 14
#endif
#ifndef EBUSY
#define EBUSY 16
#endif
#ifndef EEXIST
#define EEXIST 17
#endif
#ifndef ENODEV
#define ENODEV 19
#endif
#ifndef EINVAL
#define EINVAL 22
#endif
#ifndef ENOSPC
#define ENOSPC 28
#endif
#ifndef ERANGE
#define ERANGE 34
#endif
/* Of the hypercall itself: this hypervisor does not have it. */
#ifndef ENOSYS
#define ENOSYS 38
#endif
#ifndef ENODATA
#define ENODATA 61
#endif
#ifndef EMSGSIZE
#define EMSGSIZE 90
#endif
#ifndef EOPNOTSUPP
#define EOPNOTSUPP 95
#endif
#ifndef EADDRNOTAVAIL
#define EADDRNOTAVAIL 99
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT 110
#endif

/* Internal to the library and its host, never seen by a guest: call again to go on. */
#ifndef ERESTART
#define ERESTART 85
#endif

#ifndef __cplusplus
_Static_assert(EPERM == 1 && ENOENT == 2 && ESRCH == 3 && EIO == 5 && ENXIO == 6 && E2BIG == 7,
               "this host's error numbers are not the ABI's");
_Static_assert(ENOMEM == 12 && EACCES == 13 && EFAULT == 14 && EBUSY == 16 && EEXIST == 17,
               "this host's error numbers are not the ABI's");
_Static_assert(ENODEV == 19 && EINVAL == 22 && ENOSPC == 28 && ERANGE == 34 && ENODATA == 61,
               "this host's error numbers are not the ABI's");
_Static_assert(ENOSYS == 38, "this host's error numbers are not the ABI's");
_Static_assert(EMSGSIZE == 90 && EOPNOTSUPP == 95 && EADDRNOTAVAIL == 99 && ETIMEDOUT == 110,
               "this host's error numbers are not the ABI's");
#endif

#endif
