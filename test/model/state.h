/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the model knows. Private to test/model/.
 *
 * The state is the truth as the design pages tell it: contexts with single pages, memory of
 * domains, where devices are, and for each frame who owns it and how often it is mapped by calls.
 */
#ifndef TEST_MODEL_STATE_H
#define TEST_MODEL_STATE_H

#include "ghost.h"
#include "pages.h"

#define MSI_FIRST 0xfee00u
#define MSI_LAST  0xfeeffu
#define RIGHTS    (PT_READ | PT_WRITE)

#define GHOST_PINS 32u

struct ghost_ctx {
    bool exists, identity, defers;
    struct pages pages;   /* mapped by calls */
    struct pages pending; /* unmapped, but nobody has seen the flush: still referenced */
    /* Pinned: what none of these touches; vague: they were too many to keep. */
    bool pinned, vague;
    unsigned nr_reserved;
    struct sluice_region reserved[GHOST_PINS];
    /* A guest's own table translates first; shadow: the machine composes it with the memory. */
    bool nested, shadow;
    uint32_t format;
    uint64_t root; /* gfn */
};

/* A bus frame of `user` that names a frame which is not its own, or which it does not hold. */
struct ghost_tuple {
    uint64_t mfn, bfn;
    struct ghost_domain *user;
    uint16_t server;
    bool nobody; /* it is no server's: nobody is told */
    bool local, swap, unheld, one_to_one, left;
};

/* A request that an emulator will find. */
struct ghost_owed {
    uint64_t bfn;
    bool sync;    /* it did not fit into the ring */
    bool perhaps; /* it may have come too late */
};

struct ghost_server {
    uint16_t emulator, target, id;
    bool spoiled;
    bool ended; /* with its target: what it was told can still be asked for */
    uint32_t nr_slots;
    struct ghost_owed *owed; /* oldest first */
    size_t nr_owed, room;
};

struct ghost_domain {
    struct sluice_domain *real;
    uint16_t domid, max_ctx_no;
    char *name;
    char **controls;
    unsigned nr_controls;
    bool hardware, direct_mapped, trusted;
    bool gone; /* the machine has destroyed it: nothing can be read there any more */
    uint32_t budget_contexts, budget_tables, budget_refs; /* SLUICE_NO_LIMIT: none */
    struct sluice_region *holes;
    unsigned nr_holes;
    uint64_t end;          /* gfns from here on were never given at creation */
    struct pages memory;   /* what an identity context shows of it */
    struct ghost_ctx *ctx; /* 0..max_ctx_no */
    uint64_t refs;         /* frames held by its calls: mappings in all contexts, lookups */
    bool viommu;
    uint64_t shadows;      /* pages of the contexts that its vIOMMU has made, */
    unsigned nr_shadowing; /* and how many those are */
    /* The bus-frame space, context 0: space.c. */
    enum sluice_space space;
    uint64_t window;       /* the bus frame of machine frame 0 */
    bool dropping;         /* it has asked for no more frames of others in its window, */
    bool dropped;          /* and they are all gone */
    bool mapped;           /* an explicit map succeeded: no more answers with the window */
    struct pages explicit; /* entries made by the frames ABI, with PT_MARK */
    struct pages replaced; /* bus frames that such entries had: not implicit again */
    struct pages lost;     /* entries that stayed after a failure, and lead to lost frames */
    struct pages shown;    /* all of context 0, where it is not just the memory */
    bool has_scratch;
    uint64_t scratch;
    uint64_t memory_window; /* where the next rotating comparison starts */
};

struct ghost_device {
    struct machine_device *machine;
    struct sluice_device *real;
    bool exposed; /* no unit protects it: it is in no context */
    char *name;
    rid_t rids[8];
    unsigned nr_rids, group;
    /* Not 0: a pair: one of the device's pasids, with its context, but nothing else of its own. */
    uint32_t pasid;
    struct sluice_region *regions; /* the window for doorbells: where it is now */
    unsigned nr_regions;
    struct sluice_region window; /* the same, where it was declared; SW_MSI: it has one */
    bool window_moves;
    struct ghost_domain *domain; /* NULL: quarantine */
    uint16_t ctx;
    bool programmed; /* its guest has programmed an interrupt: */
    uint64_t message;
    uint8_t vector; /* the guest's */
    rid_t source;
};

struct ghost_frame {
    uint64_t gfn;     /* of the owner */
    uint32_t refs;    /* 1 for the owner, 1 for each mapping by a call */
    uint32_t shadows; /* and 1 for each page of a context that a vIOMMU has made */
    uint16_t owner;
    uint8_t type; /* enum sluice_frame_type */
    bool known;   /* it was a domain's once */
    bool owned;
    bool loose;   /* a failed unit may hold more references on it, for ever */
    bool leaving; /* its owner waits to give it up: maps of it may fail */
    bool touched; /* on the list of what to compare next */
};

enum learned { UNKNOWN, NO, YES };

struct ghost {
    struct machine *m;
    struct sluice *sluice;
    bool blocked, no_iommu, no_intremap, allow_unsafe, write_implies_read;
    uint64_t doorbells[MACHINE_DOORBELLS];
    unsigned nr_doorbells;
    struct sluice_msi_window msi_window;
    /*
     * QEMU's VT-d: it says of a page that is not there that it lacks the right (7.1.3), and lets
     * more interrupt messages through than it should.
     */
    bool coarse;
    unsigned nr_units;
    uint64_t max_dfn;
    struct sluice_region *holes;
    unsigned nr_holes;

    bool viommus; /* some domain has one, or had */

    bool may_fail; /* a failure may be injected */
    bool failed;   /* a unit may have failed */
    bool eio;      /* one has: -EIO was seen */
    enum learned can_cache, can_identity;

    struct ghost_domain **domains;
    struct ghost_device **devices;
    unsigned nr_domains, nr_devices, nr_groups;

    struct ghost_frame *frames; /* by machine frame number */
    uint64_t nr_frames;
    uint64_t *touched;
    size_t nr_touched, room_touched;
    uint64_t frame_window;

    uint64_t machine_frames;    /* 0..machine_frames-1 */
    struct ghost_tuple *tuples; /* by frame, then user, then bus frame */
    size_t nr_tuples, room_tuples;
    struct ghost_server *servers; /* oldest first */
    unsigned nr_servers;

    char error[512];
};

/* Always false, with the words in ghost_error(). */
bool complain(struct ghost *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* At the start of each event: notices what an injected failure may have done. */
void event_begins(struct ghost *g, long status);

struct ghost_domain *find_domain(const struct ghost *g, uint16_t domid);
struct ghost_device *find_device(const struct ghost *g, const struct machine_device *dev);
struct ghost_device *find_requester(const struct ghost *g, rid_t rid);
bool has_rid(const struct ghost_device *dev, rid_t rid);
struct ghost_ctx *find_ctx(const struct ghost_domain *d, uint16_t ctx_no);

/* Is it a context that calls may map into? */
bool ctx_is_explicit(const struct ghost_domain *d, uint16_t ctx_no);

/* ---- Frames: frames.c ---------------------------------------------------------------------------
 */

struct ghost_frame *frame_at(struct ghost *g, uint64_t mfn);
/* It is compared next time. */
struct ghost_frame *frame_touch(struct ghost *g, uint64_t mfn);
void frame_ref(struct ghost *g, uint64_t mfn);
void frame_unref(struct ghost *g, uint64_t mfn);
void frame_loosen(struct ghost *g, uint64_t mfn);
/* Takes over what the machine has at gfns first..first+nr-1: complains about frames that are not
 * free. */
unsigned type_rights(unsigned type);
bool memory_learn(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t nr);
bool memory_forget(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t nr, bool ends);

/* ---- The bus-frame space: space.c ---------------------------------------------------------------
 */

/* Does context 0 show just the memory, or nothing, as it began? */
bool space_is_plain(const struct ghost_domain *d);
bool space_translates(const struct ghost *g, const struct ghost_domain *d);
bool space_has_window(const struct ghost_domain *d);
/* Do lookups answer with bus frames that are machine frames? */
bool space_is_one_to_one(const struct ghost *g, const struct ghost_domain *d);
void space_map(struct ghost_domain *d, const struct page *page);
/* Memory came: what it shows implicitly is shown where nothing explicit is. */
void spaces_get(struct ghost *g, struct ghost_domain *owner, uint64_t gfn, uint64_t mfn);
/* The domain ends: its entries and lookups go. */
void space_empty(struct ghost *g, struct ghost_domain *d);
/* After events: puts together again what context 0 shows. */
void spaces_refresh(struct ghost *g);
/* After -EIO: what is explicit, and all tuples, are read from the machine. */
void spaces_learn(struct ghost *g);
/* The frame that swapped mappings of d point at: the machine says which. */
bool space_learn_scratch(struct ghost *g, struct ghost_domain *d);

/* ---- Tuples: tuples.c ---------------------------------------------------------------------------
 */

/* Index of the first tuple that names the frame, or a later one. */
size_t tuples_from(const struct ghost *g, uint64_t mfn);
/* The one of `user` at bfn, or NULL. */
struct ghost_tuple *tuple_at(const struct ghost *g, const struct ghost_domain *user, uint64_t bfn);
/* Its reference comes, and goes, with it. */
void tuple_add(struct ghost *g, const struct ghost_tuple *t);
void tuple_remove(struct ghost *g, struct ghost_tuple *t);
unsigned tuples_of(const struct ghost *g, const struct ghost_domain *user, bool one_to_one);
/* The owner gives the frame up: what happens to mappings of it, and who is told. */
bool tuples_left(struct ghost *g, const struct ghost_domain *owner, uint64_t mfn, bool ends);
/* The same, but it was interrupted or failed: how far it came is read from the machine. */
bool tuples_leaving(struct ghost *g, const struct ghost_domain *owner, uint64_t mfn);
/* The user ends. */
void tuples_end(struct ghost *g, struct ghost_domain *user);

/* ---- I/O servers: servers.c ---------------------------------------------------------------------
 */

/* Is there a server of the emulator's for the target with that id? */
bool server_exists(const struct ghost *g, uint16_t emulator, uint16_t target, uint16_t id);
void servers_tell(struct ghost *g, const struct ghost_tuple *t, uint16_t target, bool ends);
void servers_end(struct ghost *g, uint16_t domid);

/* ---- Elements of the frames ABI
 * ---------------------------------------------------------------------- */

struct element {
    struct ghost_domain *d; /* the caller */
    const struct pv_iommu_op *in, *out;
    int status;
};
bool element_map(struct ghost *g, const struct element *e);
bool element_map_foreign(struct ghost *g, const struct element *e);
bool element_unmap(struct ghost *g, const struct element *e);
bool element_unmap_foreign(struct ghost *g, const struct element *e);
bool element_lookup(struct ghost *g, const struct element *e);
/* The largest order of d's maps. */
unsigned element_max_order(const struct ghost *g, const struct ghost_domain *d);
uint64_t element_nr(const struct element *e);
/* Is it not for d to act on the domain with that id? 0 or a status. */
int element_forbids(const struct ghost *g, const struct ghost_domain *d, uint16_t domid);
bool controls(const struct ghost_domain *d, const char *name);

/* ---- Pending unmaps of deferred contexts: pending.c
 * ---------------------------------------------- */

/* Pages first..last of the context are unmapped, and wait for their flush. */
void pending_add(struct ghost_ctx *ctx, uint64_t first, uint64_t last);
/* What has been released meanwhile is read from the machine: its entry is not retired any more. */
void pending_learn(struct ghost *g);
/* What the device may still reach at dfn that was unmapped, or NULL. */
const struct page *pending_page(const struct ghost_device *dev, uint64_t dfn);

/* ---- Nested contexts: nested.c ------------------------------------------------------------------
 */

bool is_nested(const struct ghost_domain *d, uint16_t ctx_no);
bool is_nested_in_hardware(const struct ghost_domain *d, uint16_t ctx_no);
/* What the guest's table and the memory make of dfn now, flushed or not. */
bool nested_page(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn,
                 struct page *out);
/* Memory left the domain, or some of it may have. */
void nested_leaves(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t nr);
void nested_learn(struct ghost *g, struct ghost_domain *d);
/* Devices came into the context: in a shadow their regions come first. */
void nested_make_way(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no);

/* ---- What devices of a context reach: reach.c
 * ---------------------------------------------------- */

/* Does a region of the device say something about domains? Relaxable ones do not. */
bool region_counts(const struct sluice_region *r);
/* Rights of direct regions at dfn in the context, 0 without one. */
unsigned region_rights(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no,
                       uint64_t dfn);
/* Does a region of a device in the context touch first..last? */
bool region_touches(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no,
                    uint64_t first, uint64_t last);
/*
 * After a flush failed, the regions of a device that has left may stay in a context: nobody can say
 * that it does not reach them any more. Nothing has to be there, but it may.
 */
bool leftover_touches(const struct ghost *g, uint64_t first, uint64_t last);
unsigned leftover_rights(const struct ghost *g, uint64_t dfn);
/* Would it take something away that is pinned in the context? */
bool narrows_pins(const struct ghost *g, const struct ghost_ctx *ctx,
                  const struct sluice_region *r);
/* How many pages direct regions add to the context. */
uint64_t region_pages(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no);
/* The pages that the context has beside regions: mapped ones, or the memory of an identity context.
 */
const struct pages *ctx_pages(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no);
/* Which frame a device there reaches at dfn, and with which rights; false: none. */
bool reach(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn,
           uint64_t *mfn, unsigned *attr);
/* The same for a device, wherever it is. */
bool device_reach(const struct ghost *g, const struct ghost_device *dev, uint64_t dfn,
                  uint64_t *mfn, unsigned *attr);

enum conflict { FITS, AMBIGUOUS, CONFLICTS };
/* Does what is mapped by others clash with the region? */
enum conflict region_conflict(const struct sluice_region *r, const struct pages *pages);
bool device_is_in(const struct ghost_device *dev, const struct ghost_domain *d, uint16_t ctx_no);
/* Would regions of the device's group clash with what the context has? */
enum conflict group_conflict(const struct ghost *g, const struct ghost_device *dev,
                             const struct ghost_domain *d, uint16_t ctx_no);
unsigned ctx_devices(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no);

/* ---- Pairs of a device and a pasid: pasid.c
 * ------------------------------------------------------ */

/* The highest that there is, 0: none. */
uint32_t max_pasid(const struct ghost *g);
/* Pairs are among the devices, behind their device; regions of theirs are never mapped. */
struct ghost_device *find_pair(const struct ghost *g, const struct ghost_device *dev,
                               uint32_t pasid);
/* The device has left its domain. */
void pairs_end(struct ghost *g, const struct ghost_device *dev);
/* Where the machine has it, or the device: false: nowhere. */
bool real_place(const struct ghost_device *dev, struct sluice_domain **domain, uint16_t *ctx);
bool check_pairs(struct ghost *g, const struct ghost_device *dev);
struct ghost_device *called_device(const struct ghost *g, const struct ghost_domain *d,
                                   const struct physdev_pci_device *pci);

/* ---- Doorbells: doorbell.c
 * ------------------------------------------------------------------------ */

void doorbells_begin(struct ghost *g, const struct machine_config *config);
/* The regions of a new device, with the window that its doorbells need. */
void doorbells_add_window(const struct ghost *g, struct ghost_device *dev);
/* The device has moved: where its window is now is read from the machine. */
void doorbells_learn_window(struct ghost_device *dev);
/* The machine frame of the doorbell that devices in the context see at dfn; false: none. */
bool doorbell_at(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn,
                 uint64_t *mfn);
/* After a flush failed, a page with that frame may be a doorbell's that stayed behind. */
bool doorbell_is_left(const struct ghost *g, uint64_t mfn);
/* The same of windows: may one be in first..last? */
bool window_is_left(const struct ghost *g, uint64_t first, uint64_t last);
/* How many pages of the context are doorbells. */
unsigned doorbell_pages(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no);
/* Is there room for the device's window? */
enum conflict window_conflict(const struct ghost *g, const struct ghost_device *dev,
                              const struct ghost_domain *d, uint16_t ctx_no);
bool check_doorbells(struct ghost *g);
/* What became of a message that is no interrupt message of x86. */
bool doorbell_msi(struct ghost *g, const struct ghost_device *dev, rid_t rid, uint64_t addr,
                  uint32_t data, int status, const struct machine_delivery *out);

/* ---- Guests with a vIOMMU: viommu.c
 * --------------------------------------------------------------- */

/* Where it is, only its guest's tables say. */
bool is_behind(const struct ghost_device *dev);
/* Which contexts such devices are in is read from the machine. */
void viommus_learn(struct ghost *g);
/* Counts what contexts of vIOMMUs have, and complains about what they must not have. */
bool check_shadows(struct ghost *g);
/* May the device reach that frame at dfn, whatever its guest wants? */
bool behind_may_reach(struct ghost *g, const struct ghost_device *dev, uint64_t dfn, uint64_t mfn,
                      unsigned attr);
bool behind_dma(struct ghost *g, const struct ghost_device *dev, int status);
bool behind_msi(struct ghost *g, struct ghost_device *dev, rid_t rid, int status,
                const struct machine_delivery *out);

/* ---- Verdicts: verdict.c
 * ------------------------------------------------------------------------- */

/* The statuses that the design pages allow for one call. */
struct verdict {
    unsigned nr;
    int status[24];
};
void may(struct verdict *v, int status);
void may_if(struct verdict *v, bool condition, int status);
bool allows(const struct verdict *v, long status);
/* Could the host have had no memory, or the domain's budget of tables been spent? `need` tables. */
bool host_may_lack(const struct ghost *g, uint64_t need);
bool tables_may_lack(const struct ghost *g, const struct ghost_domain *d, uint64_t need);
/* An injected failure: allowed at any time once it was announced. */
bool is_injected(const struct ghost *g, long status);
/* Complains unless allowed, or success with nothing against it. */
bool judge(struct ghost *g, const struct verdict *v, long status, const char *what);

/* ---- Calls
 * ---------------------------------------------------------------------------------------- */

/* One call on domain d: the arguments of its sub-op. */
struct inner_call {
    struct ghost_domain *d;
    int subop;
    const void *in, *out;
    long status;
    const uint64_t *gfns; /* map_list */
    uint64_t nr_gfns;
};
bool called_query(struct ghost *g, const struct inner_call *c);
bool called_alloc(struct ghost *g, const struct inner_call *c);
bool called_free(struct ghost *g, const struct inner_call *c);
bool called_lookup(struct ghost *g, const struct inner_call *c);
bool called_map(struct ghost *g, const struct inner_call *c);
bool called_map_list(struct ghost *g, const struct inner_call *c);
bool called_batch(struct ghost *g, const struct inner_call *c);
bool called_read_faults(struct ghost *g, const struct inner_call *c);
bool called_unmap(struct ghost *g, const struct inner_call *c);
bool called_query_reserved(struct ghost *g, const struct inner_call *c);
bool called_reattach(struct ghost *g, const struct inner_call *c);
bool called_attach_pasid(struct ghost *g, const struct inner_call *c);
bool called_detach_pasid(struct ghost *g, const struct inner_call *c);
/* reattach_device with a pasid. */
bool pair_moved(struct ghost *g, const struct inner_call *c, const struct ghost_device *dev,
                const struct pv_iommu_reattach_device *in);
bool called_flush_context(struct ghost *g, const struct inner_call *c);

bool called_alloc_nested(struct ghost *g, const struct inner_call *c);
bool called_flush_nested(struct ghost *g, const struct inner_call *c);

/* Is every number, or the budget, of contexts in use? */
bool ctx_are_used(const struct ghost_domain *d);
bool ctx_budget_is_used(const struct ghost_domain *d);
void ctx_empty(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no);
void group_move(struct ghost *g, const struct ghost_device *dev, struct ghost_domain *d,
                uint16_t ctx);
/* The leaf that the real tables have at dfn. */
bool real_leaf(const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn, struct pt_leaf *out);
/* After a failed flush entries may be left behind without rights; nothing maps over those. */
bool any_retired(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no,
                 uint64_t first, uint64_t nr);
/* Page sizes that the domain's contexts have, as a mask of bytes. */
uint64_t page_sizes(const struct ghost_domain *d);

/* ---- Parts of the comparison -------------------------------------------------------------------
 */

bool check_contexts(struct ghost *g, struct ghost_domain *d);
bool check_memory(struct ghost *g, struct ghost_domain *d);
bool check_frames(struct ghost *g);
bool check_devices(struct ghost *g);
bool check_caches(struct ghost *g);
bool check_space(struct ghost *g, struct ghost_domain *d);
bool check_tuples(struct ghost *g, uint64_t mfn);
bool check_interrupts(struct ghost *g);

/* interrupt.c: would a device of d's be able to raise interrupts that are not d's? */
bool is_unsafe(const struct ghost *g, const struct ghost_device *dev, const struct ghost_domain *d);

/* interrupt.c: may a write of four bytes to that word of the interrupt window be performed? */
bool message_dma(const struct ghost *g, const struct ghost_device *dev, rid_t rid, uint64_t addr);

#endif
