/*
 * The cache under $XDG_CACHE_HOME/kiln, shared by concurrent processes and addressed by content: an
 * image is known by the checksum that the signed index states for it. Files:
 *
 *   base/<sha512>.raw       an expanded base image, sparse, read-only
 *   download/<sha512>.part  what arrived of a compressed image; resumed, verified, then removed
 *   seal/<sha512>           what the entry was when it was filled; its mtime: the last use
 *   label/<sha512>          its name for messages
 *   lock/<sha512>           held while an entry is filled (fcntl(2) lock); others wait for it
 *
 * An entry appears by rename once it is complete and verified; readers need no lock. Removing an
 * entry does not disturb those who have it open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/outfile.h"
#include "base/report.h"

struct cache;

/* NULL directory: the default place. Created with mode 0700 where absent. A directory that belongs
 * to another user, or that its group or everybody may write into, is refused. */
int cache_open(const char *directory, struct cache **ret, struct error **err);
void cache_close(struct cache *cache);
DEFINE_CLEANUP(struct cache *, cache_close);

const char *cache_directory(const struct cache *cache);

/* Keys are lower-case hexadecimal, 64 or 128 digits; anything else is -EINVAL. */

/* How much of an entry is compared with what was recorded when it was filled. */
enum cache_check {
    CACHE_CHECK_QUICK,    /* size, inode and times; contents where these differ, or after 30 days */
    CACHE_CHECK_CONTENTS, /* all of it */
};

/* Opens a complete entry for reading: its descriptor, or -ENOENT. -EBADMSG: it was cut or altered
 * since it was filled. Marks it as used now. */
int cache_lookup(struct cache *cache, const char *key, enum cache_check check, struct error **err);

/* The right to fill an entry. Waits for another process that fills it, which may take long; look up
 * again once it is held. */
struct cache_fill;
int cache_fill_begin(struct cache *cache, const char *key, struct reporter *reporter,
                     struct cache_fill **ret, struct error **err);
/* Where to put the compressed download; kept over failures so that the next try resumes. These two
 * descriptors belong to fill. */
int cache_fill_download_fd(struct cache_fill *fill, struct error **err);
/* Empties the download: its contents proved wrong. */
int cache_fill_reset_download(struct cache_fill *fill, struct error **err);
/* Removes the entry that is there: it proved to be altered. */
int cache_fill_drop_image(struct cache_fill *fill, struct error **err);
/* Where to put the expanded image: an empty file at each call. */
int cache_fill_image_fd(struct cache_fill *fill, struct error **err);
/* Makes the image visible under its key, removes the download, and releases the lock. Returns a
 * descriptor open for reading. Frees fill in any case. */
int cache_fill_commit(struct cache_fill *fill, struct error **err);
/* Releases the lock; the download stays. Accepts NULL. */
void cache_fill_end(struct cache_fill *fill);
DEFINE_CLEANUP(struct cache_fill *, cache_fill_end);

struct cache_item {
    char *key;
    char *label;        /* "debian-12 x86_64", as it was filled; "" when unknown */
    uint64_t size;      /* of the file, bytes: for a raw image its virtual size */
    uint64_t allocated; /* on disk, bytes */
    int64_t last_used;  /* seconds since the epoch; of a download, when something arrived last */
    bool partial;       /* an unfinished download */
};
struct cache_listing {
    struct cache_item *items;
    size_t count;
};
/* Latest used first. */
int cache_list(struct cache *cache, struct cache_listing *ret, struct error **err);
void cache_listing_free(struct cache_listing *listing);

/* Removes one entry (-ENOENT: there is none, -EBUSY: it is being filled), or with key NULL
 * everything that no process is filling. *ret_freed: bytes. */
int cache_remove(struct cache *cache, const char *key, uint64_t *ret_freed, struct error **err);

/* Names the entry for people; stored beside it. */
int cache_fill_set_label(struct cache_fill *fill, const char *label, struct error **err);
