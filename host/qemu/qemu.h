/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine made of QEMU's device models: a q35 whose processor sleeps for ever and whose hardware
 * this process owns. Registers, ports and configuration space are reached through qtest (qtest.h,
 * pci.h), RAM is memory of this process too. Nothing of it has a name in a file system: sockets,
 * RAM, BIOS and temporary disks are descriptors that QEMU inherits, so nothing can be left behind.
 *
 * One machine is used by one thread at a time; there may be many machines. QEMU is killed when the
 * thread that started it ends, whatever way: stop it in that thread or keep the thread.
 *
 * Functions return 0 or a negative number of errno.h; qemu_error() has the words. Nothing waits
 * longer than the configured time for QEMU. When it ends or does not answer, the machine is dead:
 * QEMU is killed, and all calls fail from then on.
 */
#ifndef HOST_QEMU_QEMU_H
#define HOST_QEMU_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define QEMU_ERROR_SIZE  1024
#define QEMU_DEVICES_MAX 32

/* VT-d's registers on a q35. Look into DMAR all the same: see acpi.h. */
#define QEMU_VTD_REGISTERS 0xfed90000u

/* For pci_scan(): what lies between RAM and the chipset's own registers, if RAM ends below it. */
#define QEMU_PCI_FIRST 0xe0000000u
#define QEMU_PCI_LAST  0xfebfffffu

struct qemu;

enum qemu_model {
    QEMU_EDU,             /* a DMA engine with a buffer of 4 KiB: edu.h */
    QEMU_NVME,            /* a disk: nvme.h */
    QEMU_PCI_BRIDGE,      /* conventional: its devices appear as the bridge itself */
    QEMU_PCIE_PCI_BRIDGE, /* its devices appear as device 0 of the bus below it */
    QEMU_ROOT_PORT,       /* its one device appears as itself */
    QEMU_OPEN_ROOT,       /* a root bus of its own, whose devices no IOMMU translates for */
};

struct qemu_device {
    enum qemu_model model;
    const char *name;    /* letters, digits, '-', '_'; begins with a letter; unique */
    const char *bridge;  /* name of a bridge earlier in the list; NULL: bus 0 */
    uint8_t slot;        /* 0..31; bus 0 has slots 1..30 for us */
    uint8_t function;    /* 0..7 */
    uint8_t bus;         /* QEMU_OPEN_ROOT: its number, above all that bridges have below them */
    uint8_t mask;        /* edu: address bits; 0: 64 */
    const char *image;   /* NVMe: a raw file, or NULL: */
    uint64_t image_size; /* bytes of a temporary disk of zeros; 0: 16 MiB */
};

enum qemu_iommu { QEMU_IOMMU_INTEL, QEMU_IOMMU_NONE };

struct qemu_config {
    const char *binary; /* NULL: qemu-system-x86_64 in PATH */
    uint64_t ram;       /* bytes, whole MiB; 0: 256 MiB */
    enum qemu_iommu iommu;
    unsigned aw_bits; /* 39 or 48; 0: 48 */
    bool scalable;
    bool intremap;
    bool caching_mode;
    bool quiet;          /* no interrupts in qemu_interrupts(): faster */
    unsigned timeout_ms; /* longest wait for QEMU; 0: 10 s */
    const struct qemu_device *devices;
    unsigned nr_devices;
};

/*
 * Starts a machine: the devices are there, without addresses (pci_scan() gives them some). On error
 * *out is NULL and error (if not NULL, of QEMU_ERROR_SIZE bytes) has the words. -ENOENT: QEMU is
 * not installed. -EOPNOTSUPP: it is too old. -ENODEV: it does not know a device model. -EINVAL: the
 * configuration. -EIO: QEMU ended early.
 */
int qemu_start(const struct qemu_config *config, struct qemu **out, char *error);

/* Ends QEMU and frees all; `q` may be NULL or dead. Disks given by name keep what was written. */
void qemu_stop(struct qemu *q);

/* The words of the last error; "" when there was none. Valid until the next call. */
const char *qemu_error(const struct qemu *q);
bool qemu_dead(const struct qemu *q);
const char *qemu_version(const struct qemu *q); /* "7.2.22 (Debian ...)" */
pid_t qemu_pid(const struct qemu *q);           /* 0: it has ended */

/* Where machine addresses [addr, addr + size) lie in this process; NULL: not all RAM. The first
 * MiB has holes and the code at 0 that stops a stray processor: keep off. */
void *qemu_ram(const struct qemu *q, uint64_t addr, uint64_t size);
/* RAM is [0, low) and [4 GiB, 4 GiB + high). */
void qemu_ram_layout(const struct qemu *q, uint64_t *low, uint64_t *high);

/*
 * Registers by machine address, size 1, 2, 4 or 8. A dead machine reads all ones. All MMIO goes in
 * order. Posted writes do not wait for QEMU: their effect on RAM comes later, but before any later
 * qtest access returns; their errors show at that access.
 */
uint64_t qemu_mmio_read(struct qemu *q, uint64_t addr, unsigned size);
void qemu_mmio_write(struct qemu *q, uint64_t addr, unsigned size, uint64_t value);
void qemu_post_writes(struct qemu *q, bool on);

/* An interrupt message that reached the interrupt controller. */
struct qemu_interrupt {
    uint8_t vector;
    uint8_t delivery; /* 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT */
    bool logical;     /* destination mode */
    bool level;       /* trigger mode */
    bool remapped;    /* through the remapping table, at `index` */
    uint16_t index;
    uint32_t dest;
};

/*
 * Interrupts delivered since the last call, oldest first; returns how many were stored. Those
 * beyond `max` stay for the next call. Includes all that happened before the last reply of QEMU's,
 * and waits for posted writes.
 */
unsigned qemu_interrupts(struct qemu *q, struct qemu_interrupt *out, unsigned max);

/* The end of what QEMU wrote to stderr, less the lines of traces: at most size - 1 bytes. */
void qemu_stderr_tail(const struct qemu *q, char *out, size_t size);

#endif
