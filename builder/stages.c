#include "builder/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "base/tempfile.h"
#include "builder/edit_guest.h"
#include "image/copy.h"
#include "image/expand.h"
#include "image/foreign.h"
#include "image/trust.h"

/* Where an index does not state a size, no image may still fill the disk. */
static const uint64_t largest_image = 16ull << 40;
static const uint64_t convert_timeout_ms = 60 * 60 * 1000;

int stage_expand(void *context, int in_fd, const char *name, struct digest *digest, int out_fd,
                 struct error **err)
{
    const struct stage_expansion *expansion = context;
    const struct index_entry *entry = expansion->entry;
    uint64_t size = 0;
    /* The index states the virtual size. A raw image may be up to a sector of rounding larger; a
     * qcow2 image carries metadata, and where it is full that is all that it adds. */
    struct expand_options options = {
        .max_size = entry->size ? entry->size + entry->size / 8 + (1 << 20) : largest_image,
        .digest = digest,
        .reporter = expansion->reporter,
        .task = "Expanding",
    };
    const struct foreign_kind *kind = NULL;
    report(expansion->reporter, REPORT_INFO, "Expanding %s", entry->id);
    int r = foreign_probe(in_fd, name, &kind, err);
    if (r == 0 && kind && kind->compression == COMPRESSION_NONE) {
        error_set(err, EINVAL,
                  "%s: is %s; base images are raw or qcow2, plain or compressed with xz, "
                  "gzip or zstd",
                  name, kind->what);
        return error_hint(err, "tell the repository's owner");
    }
    if (r == 0 && kind)
        options.compression = kind->compression;
    if (r == 0)
        r = image_expand(in_fd, name, &options, out_fd, &size, err);
    /* What is not as the index says must not get into the cache. */
    struct stage_base expanded = {.fd = out_fd, .name = name};
    return r < 0 ? r : stage_examine_base(&expanded, entry, err);
}

static int refuse_cache(const char *output, const char *cache_directory, struct error **err)
{
    _cleanup_free_ char *parent = path_parent(output);
    _cleanup_free_ char *real = parent ? realpath(parent, NULL) : NULL;
    _cleanup_free_ char *cache = realpath(cache_directory, NULL);
    if (!real || !cache || !str_starts(real, cache))
        return 0;
    char next = real[strlen(cache)];
    if (next != '\0' && next != '/')
        return 0;
    error_set(err, EINVAL, "%s: lies inside the cache %s", output, cache_directory);
    return error_hint(err, "name an output outside the cache");
}

int stage_open_output(const char *output, const char *cache_directory, struct outfile **ret,
                      struct error **err)
{
    if (strcmp(output, "-") != 0) {
        int r = refuse_cache(output, cache_directory, err);
        return r < 0 ? r : outfile_open(output, 0644, ret, err);
    }
    if (isatty(STDOUT_FILENO)) {
        error_set(err, EINVAL, "standard output is a terminal; an image would garble it");
        return error_hint(err, "redirect it, or name a file with --output");
    }
    _cleanup_free_ char *path =
        str_printf(err, "%s/kiln-output.%ld", temp_directory(), (long)getpid());
    return path ? outfile_open(path, 0600, ret, err) : -ENOMEM;
}

static int contradicted(const struct stage_base *base, struct error **err, const char *stated,
                        const char *found)
{
    error_set(err, EINVAL, "%s: the index calls the base image %s, and it is %s", base->name,
              stated, found);
    return error_hint(err, "tell the repository's owner");
}

/* What the image is by itself. A raw disk that begins or ends as an image of another format does is
 * no base image: every program that is not told the format would read another disk. */
static int probe_base(const struct stage_base *base, const struct index_entry *entry,
                      enum image_format *ret, struct error **err)
{
    enum image_format stated = IMAGE_AUTO;
    int r = entry->format ? image_format_parse(entry->format, &stated, err) : 0;
    if (r == 0)
        r = image_probe(base->fd, base->name, ret, err);
    if (r < 0)
        return error_wrap(err, "the base image is unusable");
    if (stated != IMAGE_AUTO && stated != *ret)
        return contradicted(base, err, image_format_name(stated), image_format_name(*ret));
    if (*ret != IMAGE_RAW && *ret != IMAGE_QCOW2)
        return error_set(err, EINVAL, "%s: the base image is %s; only raw and qcow2 are served",
                         base->name, image_format_name(*ret));
    return 0;
}

static int check_facts(const struct stage_base *base, const struct index_entry *entry,
                       const struct image_info *info, struct error **err)
{
    if (info->backing_file)
        return error_set(err, EUNTRUSTED, "%s: the base image needs another image, %s", base->name,
                         info->backing_file);
    if (info->virtual_size >= entry->size)
        return 0;
    error_set(err, EINVAL,
              "%s: the index states a disk of %" PRIu64 " bytes, and the base image has %" PRIu64,
              base->name, entry->size, info->virtual_size);
    return error_hint(err, "the image was published cut short, or with a wrong size=: tell the "
                           "repository's owner");
}

static int duplicate(const struct stage_base *base, struct error **err)
{
    int fd = fcntl(base->fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? error_sys(err, errno, "%s: cannot duplicate a descriptor", base->name) : fd;
}

int stage_examine_base(struct stage_base *base, const struct index_entry *entry, struct error **err)
{
    _cleanup_(image_info_free) struct image_info info = {0};
    enum image_format format;
    int r = probe_base(base, entry, &format, err);
    if (r < 0)
        return r;
    int fd = duplicate(base, err);
    r = fd < 0 ? fd : image_info_read_fd(fd, base->name, format, &info, err);
    if (r < 0)
        return error_wrap(err, "the base image is unusable");
    r = check_facts(base, entry, &info, err);
    if (r < 0)
        return r;
    base->format = info.format;
    base->size = info.virtual_size;
    return 0;
}

static int write_raw(const struct stage_base *base, struct outfile *work, struct reporter *reporter,
                     struct error **err)
{
    const struct image_trust alone = {.alone = true};
    const struct image_open_options options = {.format = base->format, .trust = &alone};
    _cleanup_block_ struct block *block = NULL;
    int fd = duplicate(base, err);
    int r = fd < 0 ? fd : image_open_fd(fd, base->name, &options, &block, err);
    if (r == 0)
        r = copy_block_to_raw(block, outfile_fd(work), outfile_path(work), reporter, err);
    return r;
}

int stage_copy(const struct stage_base *base, const struct build_plan *plan, struct outfile *work,
               struct reporter *reporter, struct error **err)
{
    report(reporter, REPORT_INFO, "Copying the base image");
    int r = plan->to_raw ? write_raw(base, work, reporter, err)
                         : copy_file_sparse(base->fd, base->name, outfile_fd(work),
                                            outfile_path(work), reporter, NULL, err);
    if (r == 0 && plan->grow && ftruncate(outfile_fd(work), (off_t)plan->size) < 0)
        r = error_sys(err, errno, "%s: cannot be made %llu bytes long", outfile_path(work),
                      (unsigned long long)plan->size);
    return r;
}

static const char *name_work_file(void *work, struct error **err)
{
    return outfile_give_name(work, err);
}

/* The result's fields are those of the build from then on. */
static void take_result(struct edit_result *edited, struct build_result *result)
{
    result->engine = TAKE_PTR(edited->engine);
    result->engine_reason = TAKE_PTR(edited->engine_reason);
    result->guest = edited->guest;
    edited->guest = (struct guest_info){0};
    result->generated_passwords = edited->generated_passwords;
    edited->generated_passwords = (struct strv){0};
}

int stage_customize(const struct build_request *request, const struct build_plan *plan,
                    struct outfile *work, struct build_result *result, struct error **err)
{
    const struct edit_work edits = {.network = request->network,
                                    .operations = request->operations,
                                    .reporter = request->reporter};
    const struct image_trust alone = {.alone = true};
    struct guest_open_options options = {
        .format = IMAGE_RAW,
        .resources = request->resources,
        .writable = true,
        .capabilities = edit_needs(&edits),
        .give_name = name_work_file,
        .give_name_context = work,
        .reporter = request->reporter,
    };
    options.resources.engine = plan->engine;
    options.resources.trust = &alone;
    _cleanup_edit_result_ struct edit_result edited = {0};
    _cleanup_guest_ struct guest *guest = NULL;
    int r = edit_check_ahead(outfile_child_path(work), &options, &edits, err);
    if (r == 0)
        r = guest_open(outfile_child_path(work), &options, &guest, err);
    if (r < 0)
        return error_wrap(err, "%s", request->image);
    report(request->reporter, REPORT_DEBUG, "Engine %s: %s", guest_engine_used(guest),
           guest_engine_reason(guest));
    r = edit_guest(&guest, &edits, &edited, err);
    if (r == 0)
        r = guest_close(TAKE_PTR(guest), err);
    take_result(&edited, result);
    return r;
}

int stage_convert(const char *output, struct outfile **work, struct reporter *reporter,
                  struct error **err)
{
    report(reporter, REPORT_INFO, "Converting to qcow2");
    _cleanup_outfile_ struct outfile *converted = NULL;
    struct stat st;
    if (fstat(outfile_fd(*work), &st) < 0)
        return error_sys(err, errno, "%s: cannot read its mode", output);
    int r = outfile_open(outfile_path(*work), st.st_mode & 0777, &converted, err);
    if (r < 0)
        return r;
    const char *const argv[] = {"qemu-img",
                                "convert",
                                "-f",
                                "raw",
                                "-O",
                                "qcow2",
                                outfile_child_path(*work),
                                outfile_child_path(converted),
                                NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    r = proc_check(&options, NULL, 0, 1 << 20, convert_timeout_ms, NULL, err);
    if (r == -ENOENT)
        error_hint(err, "install qemu-utils (Debian) or qemu-img (Fedora)");
    if (r < 0)
        return error_wrap(err, "%s: cannot convert to qcow2", output);
    outfile_abort(*work);
    *work = TAKE_PTR(converted);
    return 0;
}

static int stream(int fd, const char *name, struct reporter *reporter, struct error **err)
{
    enum { chunk_size = 1 << 20 };
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", name);
    _cleanup_free_ char *chunk = malloc(chunk_size);
    if (!chunk)
        return error_oom(err);
    uint64_t size = (uint64_t)st.st_size;
    for (uint64_t offset = 0; offset < size;) {
        size_t count = size - offset < chunk_size ? (size_t)(size - offset) : chunk_size;
        int r = fd_pread_full(fd, chunk, count, offset, name, err);
        if (r == 0)
            r = fd_write_full(STDOUT_FILENO, chunk, count, "standard output", err);
        if (r < 0)
            return r;
        offset += count;
        report_progress(reporter, "Writing", offset, size);
    }
    return 0;
}

int stage_deliver(const char *output, struct outfile *work, struct reporter *reporter,
                  struct error **err)
{
    if (strcmp(output, "-") != 0) {
        report(reporter, REPORT_DEBUG, "Writing %s to disk", output);
        return outfile_commit(work, false, NULL, err);
    }
    _cleanup_outfile_ struct outfile *owned = work;
    return stream(outfile_fd(owned), "the finished image", reporter, err);
}
