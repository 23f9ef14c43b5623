/* File-descriptor I/O that finishes what it starts. Paths here are paths of the host. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* `name` names the object in messages. */

/* Reads exactly `count` bytes at `offset`; a file that ends earlier is -EIO. */
int fd_pread_full(int fd, void *buf, size_t count, uint64_t offset, const char *name,
                  struct error **err);
/* Reads what there is of `count` bytes before the end of the file: *ret of them. */
int fd_pread_some(int fd, void *buf, size_t count, uint64_t offset, const char *name, size_t *ret,
                  struct error **err);
int fd_pwrite_full(int fd, const void *buf, size_t count, uint64_t offset, const char *name,
                   struct error **err);
int fd_write_full(int fd, const void *buf, size_t count, const char *name, struct error **err);

/* Reads until end of file, at most `max` bytes (more is -EFBIG). The result is NUL-terminated
 * behind its last byte; caller frees. */
int fd_read_all(int fd, size_t max, const char *name, char **ret_data, size_t *ret_size,
                struct error **err);

/* fd_read_all() on a regular file or, where path is "-", on standard input. */
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_size, struct error **err);

/* Opens for reading; -EISDIR for a directory, which open() alone would take. */
int file_open_data(const char *path, struct error **err);

/* open() with O_CLOEXEC, and a message. `mode` matters where flags say O_CREAT. */
int file_open(const char *path, int flags, mode_t mode, struct error **err);

/* mkdir -p. Existing directories are fine. */
int dir_create(const char *path, mode_t mode, struct error **err);

/* Opens the directory that `path` is in, for dir_sync(): before the rename or unlink, since a
 * failure here then means that nothing has happened. */
int dir_open_of(const char *path, struct error **err);
/* Makes a rename or unlink of `path` in its directory durable. */
int dir_sync(int fd, const char *path, struct error **err);

/* Directory part of path, "." when it has none. Caller frees; NULL: out of memory. */
char *path_parent(const char *path);
/* The part behind the last slash, within path. */
const char *path_name(const char *path);

/* Advisory lock on a whole open file (open file description lock, fcntl(2)), dropped when fd is
 * closed. Waits at most timeout_ms (UINT64_MAX: for ever). -ETIMEDOUT when another process keeps
 * it. */
int fd_lock(int fd, bool exclusive, uint64_t timeout_ms, const char *name, struct error **err);
