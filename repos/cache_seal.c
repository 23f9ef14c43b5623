/*
 * What an entry of the cache was when it was filled, so that one that was cut or altered since is
 * noticed: size, times and inode, which cost nothing to compare, and the digest of its contents.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/checked.h"
#include "base/digest.h"
#include "base/endian.h"
#include "base/fdio.h"
#include "base/outfile.h"
#include "base/str.h"
#include "repos/cache_internal.h"

enum { seal_max = 512, chunk_size = 64 << 10 };

/* After so long the contents are read again, whatever the file system says of the file. */
static const int64_t digest_interval_s = 30 * 24 * 3600;

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The part of the seal that fstat() tells. Reading a file changes its access time alone. */
static char *describe(const struct stat *st, struct error **err)
{
    return str_printf(err, "%" PRIu64 " %" PRId64 " %" PRIu64 " %" PRId64, (uint64_t)st->st_size,
                      nanoseconds(st->st_mtim), (uint64_t)st->st_ino, nanoseconds(st->st_ctim));
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

/* Of every chunk that is not zero, with its number: holes need not be read, and where the file
 * system has them does not matter. */
static int digest_contents(int fd, uint64_t size, const char *name, char hex[static DIGEST_MAX_HEX],
                           struct error **err)
{
    _cleanup_digest_ struct digest *digest = NULL;
    _cleanup_free_ uint8_t *chunk = malloc(chunk_size);
    int r = chunk ? digest_new(DIGEST_SHA256, &digest, err) : error_oom(err);
    for (uint64_t at = 0; r == 0 && at < size;) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        if (data > (off_t)at)
            at = round_down((uint64_t)data, chunk_size);
        size_t count = (size_t)min_u64(chunk_size, size - at);
        le64_t number = le64_put(at / chunk_size);
        r = fd_pread_full(fd, chunk, count, at, name, err);
        at += count;
        if (r < 0 || is_zero(chunk, count))
            continue;
        digest_update(digest, &number, sizeof(number));
        digest_update(digest, chunk, count);
    }
    return r < 0 ? r : digest_finish(digest, hex, err);
}

static int write_seal(const struct cache *cache, const char *key, const struct stat *st,
                      const char *hex, struct error **err)
{
    _cleanup_free_ char *path = cache_path(cache, CACHE_SEAL, key, err);
    _cleanup_free_ char *facts = describe(st, err);
    if (!path || !facts)
        return -ENOMEM;
    _cleanup_free_ char *text =
        str_printf(err, "1 %s %lld %s\n", facts, (long long)time(NULL), hex);
    return text ? file_write_atomic(path, text, strlen(text), 0600, err) : -ENOMEM;
}

int cache_seal_write(const struct cache *cache, const char *key, int fd, struct error **err)
{
    char hex[DIGEST_MAX_HEX];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", key);
    int r = digest_contents(fd, (uint64_t)st.st_size, key, hex, err);
    return r < 0 ? r : write_seal(cache, key, &st, hex, err);
}

struct seal {
    char facts[128];
    int64_t checked; /* when the contents were digested last, seconds since the epoch */
    char digest[DIGEST_MAX_HEX];
};

/* False: there is none, or one that is not understood. */
static bool read_seal(const char *path, struct seal *ret)
{
    _cleanup_free_ char *text = NULL;
    unsigned long long size, inode;
    long long mtime, ctime, checked;
    char digest[DIGEST_MAX_HEX] = "";
    if (file_read(path, seal_max, &text, NULL, NULL) < 0 ||
        sscanf(text, "1 %llu %lld %llu %lld %lld %128[0-9a-f]", &size, &mtime, &inode, &ctime,
               &checked, digest) != 6)
        return false;
    snprintf(ret->facts, sizeof(ret->facts), "%llu %lld %llu %lld", size, mtime, inode, ctime);
    ret->checked = checked;
    memcpy(ret->digest, digest, sizeof(ret->digest));
    return true;
}

static int altered(const char *key, struct error **err, const char *what)
{
    return error_set(err, EBADMSG, "the image %.16s of the cache %s", key, what);
}

static bool is_recent(const struct seal *seal)
{
    int64_t age = (int64_t)time(NULL) - seal->checked;
    return age >= 0 && age < digest_interval_s;
}

int cache_seal_check(const struct cache *cache, const char *key, int fd, const struct stat *st,
                     bool contents, struct error **err)
{
    char hex[DIGEST_MAX_HEX];
    struct seal seal;
    _cleanup_free_ char *path = cache_path(cache, CACHE_SEAL, key, err);
    _cleanup_free_ char *facts = describe(st, err);
    if (!path || !facts)
        return -ENOMEM;
    if (!read_seal(path, &seal))
        return altered(key, err, "has no record of what it was");
    bool same = strcmp(facts, seal.facts) == 0;
    if (same && !contents && is_recent(&seal))
        return 0;
    /* The size is the first number. */
    if (strtoull(seal.facts, NULL, 10) != (unsigned long long)st->st_size)
        return altered(key, err, "has another size than when it was fetched");
    int r = digest_contents(fd, (uint64_t)st->st_size, key, hex, err);
    if (r < 0)
        return r;
    if (strcmp(hex, seal.digest) != 0)
        return altered(key, err, "has other contents than when it was fetched");
    return write_seal(cache, key, st, hex, err);
}

void cache_seal_touch(const struct cache *cache, const char *key)
{
    _cleanup_free_ char *path = cache_path(cache, CACHE_SEAL, key, NULL);
    if (path)
        (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}
